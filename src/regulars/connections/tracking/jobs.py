"""What workers read of trackers, and what they forget."""

from datetime import datetime

from regulars.connections.tracking.recording import forget_old_refusals, read
from regulars.foundation.inbox.parsers import Parser, register
from regulars.foundation.work.loops import LOOPS, Loop, Stop

KIND = "tracking"
register(Parser(KIND, "Calls of trackers", read, most_inputs=1_000, most_bytes=4_000_000))  # about two seconds' work


def keep_up(stop: Stop, at: datetime) -> bool:
    """Forgets what was refused long ago."""
    forget_old_refusals(at)
    return False


LOOPS.register(
    "tracking.upkeep",
    Loop(keep_up, "Forgets what trackers were refused long ago", idle_seconds=3600, is_exclusive=True),
)
