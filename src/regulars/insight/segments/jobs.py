"""Segments are refreshed each night of the shop, and after each import."""

from datetime import datetime

from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.insight.segments import operations
from regulars.insight.warehouse.operations import WarehouseBusy


def refresh_if_due(stop: Stop, at: datetime) -> bool:
    """True where there was something to do, and it was done."""
    try:
        return operations.refresh_if_due(at) is not None
    except WarehouseBusy:
        return False


LOOPS.register(
    "segments.refresh",
    Loop(
        refresh_if_due,
        "Publishes RFM each night and after each import, and refreshes all segments",
        idle_seconds=15,
        is_exclusive=True,
    ),
)
