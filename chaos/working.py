"""What the three loops of a worker do, in turn, by the chaos's clock, until something ends the process."""

import os
import threading
from datetime import datetime

from django.conf import settings

from chaos.clock import FastClock
from chaos.scene import LEASE, offer_fact
from regulars.foundation.work.loops import Loop, Stop, drive
from regulars.messages.sending.driving import send_batch
from regulars.record.events.readers import READERS, catch_up
from regulars.workflows.runs.claiming import Pace
from regulars.workflows.runs.driving import step_runs

PACE = Pace(batch=20, lease=LEASE)


def work(crash_at: str, began: float) -> None:
    """``crash_at`` is the point at which this process dies or stops; empty: none. Ends with the process that forked it."""
    settings.CRASH_AT = crash_at
    offer_fact()
    clock, owner, parent, stopping = FastClock(began), f"chaos:{os.getpid()}", os.getppid(), threading.Event()

    def take_turns(stop: Stop, at: datetime) -> bool:
        if os.getppid() != parent:
            stopping.set()
        catch_up([READERS["workflows.entries"]], clock.now())
        stepped = step_runs(owner, clock.now(), PACE) and step_runs(owner, clock.now(), PACE)
        return bool(send_batch(owner, clock.now(), LEASE) or stepped)

    drive("chaos", Loop(take_turns, "everything in turn", idle_seconds=0.02), owner, stopping)
