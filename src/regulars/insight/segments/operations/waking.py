"""What changes by time alone is decided when its moment comes."""

from collections import defaultdict
from datetime import datetime

from regulars.foundation.bulk import execute, fetch
from regulars.insight.segments.models import Segment
from regulars.insight.segments.operations.changing import Cause, Turn, hold, is_quiet, settle_each
from regulars.record.events import log as event_log

_BATCH = 2_000
_DUE = "SELECT segment_id, customer_id FROM segments_wake WHERE at <= %s ORDER BY at, id LIMIT %s"


def wake_due(at: datetime) -> int:
    """Decides those whose moment has come, the earliest first, some thousand at a time; how many. Events: segment.entered, segment.left."""
    due: dict[int, list[int]] = defaultdict(list)
    for segment_id, customer_id in fetch(_DUE, [at, _BATCH]):
        due[segment_id].append(customer_id)
    if not due:
        return 0
    with event_log.transaction("system", "segments") as log:
        hold({customer for customers in due.values() for customer in customers})
        segments = list(Segment.objects.filter(id__in=due).order_by("id"))
        kept = [segment for segment in segments if not (segment.is_archived or segment.problem)]
        execute("DELETE FROM segments_wake WHERE segment_id = ANY(%s)", [sorted(due.keys() - {one.pk for one in kept})])
        settle_each([_turn(segment, due[segment.pk]) for segment in kept], log, at, Cause.TIME)
    return sum(map(len, due.values()))


def _turn(segment: Segment, customers: list[int]) -> Turn:
    return Turn(segment, sorted(customers), quiet=customers if is_quiet(segment) else ())
