"""Brings what was recorded in line with what staff declared."""

from datetime import datetime

from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.record.own_events.filling import waiting, work_on


def keep_in_line(stop: Stop, at: datetime) -> bool:
    """One stretch of the log for the oldest decision. True while it gets on."""
    declared = waiting()
    return declared is not None and work_on(declared, stop, at)


LOOPS.register(
    "own_events.filling",
    Loop(
        keep_in_line,
        "Takes declared properties of own events out of what is sealed, or away again",
        idle_seconds=2,
        is_exclusive=True,
    ),
)
