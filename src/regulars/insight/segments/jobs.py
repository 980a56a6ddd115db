"""Segments are refreshed each night of the shop, and after each import."""

from datetime import datetime

from regulars.foundation.clock import now
from regulars.foundation.errors import RegularsError
from regulars.foundation.work.jobs import jobs
from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.foundation.work.operations import fail
from regulars.insight.segments import operations
from regulars.insight.warehouse.operations import WarehouseBusy


@jobs.task(name="segments.recompute")
def recompute(task_id: int) -> None:
    """After a change of thresholds. Tried again by the rescue where its worker died; the same work again changes nothing."""
    try:
        operations.recompute(task_id, now())
    except RegularsError as error:
        fail(task_id, now(), error.sentence)


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
