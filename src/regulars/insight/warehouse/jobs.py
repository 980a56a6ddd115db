"""The warehouse follows the log; its files are kept few and old ones removed."""

from contextlib import suppress
from datetime import datetime

from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.insight.warehouse import operations, queries


def follow(stop: Stop, at: datetime) -> bool:
    """Appends what the log brought. What comes meanwhile waits for the next time: in a busy shop there is always something, and few large
    files are made and read sooner than many small ones. So does whoever finds that another process writes the warehouse.
    """
    if queries.lag().positions > 0 or queries.touched_tables():
        with suppress(operations.WarehouseBusy):
            operations.sync(at)
    return False


def keep_up(stop: Stop, at: datetime) -> bool:
    """Forgets what was to be kept for a time only, and deletes files that nobody can be reading any more."""
    try:
        operations.forget(at)
        operations.prune(at)
    except operations.WarehouseBusy:
        return False
    return False


LOOPS.register(
    "warehouse.follow",
    Loop(follow, "Appends what is new in the record to the warehouse", idle_seconds=20, is_exclusive=True),
)
LOOPS.register(
    "warehouse.upkeep",
    Loop(keep_up, "Removes files that the warehouse no longer needs", idle_seconds=900, is_exclusive=True),
)
