"""Segments are refreshed each night of the shop, after each import, and when they were changed; some are decided by time alone."""

from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError

from regulars.foundation.clock import now
from regulars.foundation.errors import RegularsError
from regulars.foundation.work.jobs import jobs
from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.foundation.work.operations import fail
from regulars.insight.segments import operations
from regulars.insight.segments.models import Segment
from regulars.insight.segments.operations import refreshing, waking
from regulars.insight.segments.operations.changing import note_problem
from regulars.insight.warehouse.operations import WarehouseBusy

logger = structlog.get_logger(__name__)


@jobs.task(name="segments.recompute")
def recompute(task_id: int) -> None:
    """After a change of thresholds. Tried again by the rescue where its worker died; the same work again changes nothing."""
    try:
        operations.recompute(task_id, now())
    except RegularsError as error:
        fail(task_id, now(), error.sentence)


@jobs.task(name="segments.compute")
def compute(segment_id: int) -> None:
    """After a segment was made or changed. What its death leaves undone, the loop does."""
    segment = Segment.objects.filter(pk=segment_id, is_archived=False).first()
    if segment and segment.decided != segment.version:
        _refresh(segment)


def _refresh(segment: Segment) -> bool:
    """True where it was done. What keeps it from being computed stands at the segment, as a sentence."""
    try:
        refreshing.refresh(segment, now)
    except (WarehouseBusy, refreshing.ReaderBehind, refreshing.Overtaken):
        return False
    except (OperationalError, InterfaceError):
        raise  # the database is away
    except Exception as error:  # whatever is wrong with one definition: the others are refreshed all the same
        logger.exception("a segment cannot be refreshed", segment=segment.key)
        note_problem(segment, error)
        return False
    return True


def keep_right(stop: Stop, at: datetime) -> bool:
    """Refreshes the segments of conditions that are due, one after the other; those that were changed come first."""
    done = False
    for segment in refreshing.due(at):
        if stop.is_set():
            break
        done = _refresh(segment) or done
    return done


def wake(stop: Stop, at: datetime) -> bool:
    return bool(waking.wake_due(at))


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
LOOPS.register(
    "segments.keep",
    Loop(
        keep_right,
        "Refreshes the segments of conditions each night, and those that were changed at once",
        idle_seconds=10,
        is_exclusive=True,
    ),
)
LOOPS.register(
    "segments.wake",
    Loop(
        wake, "Decides segments anew for whom time alone may change them", idle_seconds=1, is_exclusive=True
    ),  # two would take the same people, and wait for each other
)
