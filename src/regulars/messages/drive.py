"""The whole house at one moment: readers, then runs, then sends, until nothing is left to do. Its clock is its argument."""

from dataclasses import dataclass
from datetime import datetime

from regulars.messages.sending.driving import send_all
from regulars.record.events.readers import READERS, catch_up
from regulars.workflows.runs.driving import work_off

_ROUNDS = 20


@dataclass(frozen=True)
class Driven:
    """What happened: batches read, steps taken, messages in hand."""

    batches: int
    steps: int
    messages: int


def drive(at: datetime, owner: str = "drive") -> Driven:
    """Lets everything happen that is due at ``at``. Called at the same moment again, it finds nothing to do."""
    batches = steps = messages = 0
    for _ in range(_ROUNDS):
        read = catch_up([reader for _, reader in READERS.items()], at)
        stepped, sent = work_off(owner, at), send_all(owner, at)
        batches, steps, messages = batches + read, steps + stepped, messages + sent
        if not (stepped or sent):
            break
    return Driven(batches, steps, messages)
