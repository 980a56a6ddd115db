"""What carts do in the background."""

from datetime import datetime

from regulars.foundation.inbox.queries import oldest_waiting
from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.record.carts.operations import abandon_silent_carts
from regulars.record.carts.queries import is_any_silent, silence_of_carts
from regulars.record.events.log import transaction


def abandon(stop: Stop, at: datetime) -> bool:
    """Abandons what has been left in silence. True while there may be more.

    Nothing is silent later than the oldest input that still waits: after a standstill it may say that somebody went on.
    """
    silence, until = silence_of_carts(), min(at, oldest_waiting() or at)
    if not is_any_silent(until - silence):
        return False
    with transaction("system", "carts") as log:
        return abandon_silent_carts(log, until, silence) > 0


LOOPS.register(
    "carts.silence",
    Loop(abandon, "Calls carts abandoned that nobody touches any more", idle_seconds=20, is_exclusive=True),
)
