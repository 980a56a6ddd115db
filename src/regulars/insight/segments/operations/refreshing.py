"""All of a segment at once: its first computation, a changed definition, a new snapshot, and the nightly refresh that finds what is wrong.

The warehouse says, at one position of the log, whose membership differs; each of those is then decided anew on the record, as after any
event, so that nothing that happened meanwhile is undone. What the nightly refresh has to change and no rule explains is a ``Deviation``.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import connection, transaction
from django.db.models import F

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.crash import crash_point, declare
from regulars.foundation.errors import Conflict
from regulars.foundation.retrying import retried
from regulars.foundation.shop.settings import read_setting
from regulars.insight.conditions import asking
from regulars.insight.conditions.windows import midnight
from regulars.insight.rfm.queries import latest_snapshot
from regulars.insight.segments.models import Deviation, Membership, Postponed, Segment, SegmentKind
from regulars.insight.segments.operations.changing import HORIZON, Cause, Moved, Turn, hold, is_quiet, settle
from regulars.insight.segments.operations.waking import wake_due
from regulars.insight.segments.rules import condition_of, is_by_snapshot, kinds_for_all
from regulars.insight.warehouse import operations as warehouse
from regulars.record.events import log as event_log
from regulars.record.events.readers import READERS

CHUNK = 2_000  # customers decided in one transaction
READER = "segments.conditions"
BETWEEN = declare(
    "segments.refresh-between", "Some of a segment's memberships are in line with its conditions, others are not yet"
)


class ReaderBehind(Conflict):
    """What happened lately has not been read yet: the refresh comes in a moment."""

    code = "reader-behind"


class Overtaken(Conflict):
    """The definition was changed meanwhile: the refresh of the newer one does all of it."""

    code = "segment-overtaken"


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did, and how many of it no rule explains. ``postponed``: entries above the day's cap, who come tomorrow."""

    moved: Moved
    deviations: int = 0
    postponed: int = 0

    def __add__(self, other: "Refreshed") -> "Refreshed":
        return Refreshed(self.moved + other.moved, self.deviations + other.deviations, self.postponed + other.postponed)


def refresh(segment: Segment, clock: Callable[[], datetime]) -> Refreshed:
    """Brings everybody's membership in line with the segment's newest definition. Raises WarehouseBusy, ReaderBehind, Overtaken.

    Who enters by its first computation, or by a definition that was not to start workflows, is initial. Of those who enter by a new
    snapshot at most ``segments.daily_cap`` do so in a day of the shop. Each chunk asks the clock anew.
    Events: segment.entered, segment.left.
    """
    at = clock()
    condition = condition_of(segment.definition)
    pinned = warehouse.sync(at)
    causes = _causes(segment, pinned.position)
    if causes[-1] in (Cause.RECORD, Cause.REFRESH):
        _wait_for_reader(pinned.position)
        while wake_due(at):
            pass
    verdicts = asking.members(condition, pinned, at, wants_wake=True)
    differing = _differing(segment, verdicts, at + HORIZON)
    segment.position = pinned.position
    done = _settle_all(segment, differing, causes, clock)
    Segment.objects.filter(pk=segment.pk, version=segment.version).update(
        decided=segment.version, refreshed_at=at, position=pinned.position, problem="",
        computed_at=segment.computed_at or at,
    )  # fmt: skip
    return done


def due(at: datetime) -> list[Segment]:
    """Segments of conditions that a refresh ought to have reached by now: changed ones, then those of before the shop's midnight, then those
    that scores decide which were published since, then those for which something changed many people's rows, at most every ten minutes.
    """
    zone = ZoneInfo(str(read_setting("shop.time_zone")))
    rows = Segment.objects.filter(kind=SegmentKind.CONDITIONS, is_archived=False)
    changed = rows.exclude(decided=F("version"), computed_at__isnull=False)
    older = rows.filter(refreshed_at__lt=midnight(at.astimezone(zone).date(), zone))
    found = [*changed.order_by("id"), *older.difference(changed).order_by("id")]
    newest = latest_snapshot()
    scored = rows.filter(refreshed_at__lt=newest.computed_at).order_by("id") if newest else []
    found += [one for one in scored if one not in found and is_by_snapshot(condition_of(one.definition))]
    rested = rows.filter(refreshed_at__lt=at - _REST).order_by("id")
    return [*found, *_are_changed([one for one in rested if one not in found])]


def _are_changed(segments: Sequence[Segment], upto: int | None = None) -> list[Segment]:
    """Those that ask for rows of which many were changed at once since their last refresh, by an event about nobody in particular."""
    kinds = {segment.pk: kinds_for_all(condition_of(segment.definition)) for segment in segments}
    newest = dict(fetch(_NEWEST, [sorted(set().union(*kinds.values())), upto]))
    return [one for one in segments if max((newest.get(kind, 0) for kind in kinds[one.pk]), default=0) > one.position]


_REST = timedelta(minutes=10)  # goods may change many times a minute


def _causes(segment: Segment, position: int) -> Sequence[Cause]:
    """What may explain whoever is found to be wrong, up to a position of the log. The last of it is what explains whom the others do not;
    REFRESH is no explanation.
    """
    if segment.computed_at is None:
        return [Cause.FIRST]
    if segment.decided != segment.version:
        return [Cause.DEFINITION]
    scores = [Cause.SNAPSHOT] if is_by_snapshot(condition_of(segment.definition)) else []
    return [*scores, Cause.RECORD if _are_changed([segment], position) else Cause.REFRESH]


def _wait_for_reader(position: int) -> None:
    """Raises ReaderBehind where an event that can decide, up to the position, has not been heard yet."""
    if fetch(_UNHEARD, {"reader": READER, "upto": position, "kinds": sorted(READERS[READER].kinds)}):
        raise ReaderBehind


def _differing(segment: Segment, verdicts: pa.Table, horizon: datetime) -> list[tuple[int, bool]]:
    """Customers whose membership is not what the warehouse says, each with what it says; and the wakes that are soon are kept."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_VERDICT)
        with cursor.copy("COPY verdict FROM STDIN") as copy:
            for customer, is_in, wakes_at in _rows(verdicts):
                soon = asking.moment_of(wakes_at)
                copy.write_row((customer, is_in, soon if soon and soon <= horizon else None))
        cursor.execute(_WAKES, {"segment": segment.pk})
        cursor.execute(_NO_LONGER_POSTPONED, {"segment": segment.pk})
        cursor.execute(_DIFFERING, {"segment": segment.pk})
        return list(cursor.fetchall())


def _rows(table: pa.Table) -> Iterator[tuple[int, bool, int | None]]:
    for batch in table.select(["customer_id", "is_in", "wakes_at"]).to_batches(100_000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _settle_all(
    segment: Segment, differing: Sequence[tuple[int, bool]], causes: Sequence[Cause], clock: Callable[[], datetime]
) -> Refreshed:
    done = Refreshed(Moved())
    for start in range(0, len(differing), CHUNK):
        done += _settle_some(segment, dict(differing[start : start + CHUNK]), causes, clock())
        crash_point(BETWEEN)
    return done


@retried
def _settle_some(segment: Segment, said: dict[int, bool], causes: Sequence[Cause], at: datetime) -> Refreshed:
    with event_log.transaction("system", f"segment {segment.pk}") as log:
        hold(said)
        _check_version(segment)
        scored = _explained_by_scores(segment, said, at) if Cause.SNAPSHOT in causes else []
        most = Turn(segment, scored, most_entering=_room(segment, at))
        [moved] = settle([most], log, at, Cause.SNAPSHOT) if scored else [Moved()]
        _remember_postponed(segment, scored, moved.postponed)
        others, cause = sorted(said.keys() - set(scored)), causes[-1]
        quiet = said if cause is Cause.RECORD or is_quiet(segment) else ()
        [mended] = settle([Turn(segment, others, quiet)], log, at, cause) if others else [Moved()]
        found = _report(segment, said, mended, at) if cause is Cause.REFRESH else 0
        return Refreshed(moved + mended, found, len(moved.postponed))


def _explained_by_scores(segment: Segment, said: dict[int, bool], at: datetime) -> list[int]:
    """Those of whom the conditions said otherwise with the scores of the refresh before, all else being as it is now; and those whom it
    postponed. Who is in, or not, in spite of both scores is none of them.
    """
    customers = sorted(said)
    postponed = set(
        Postponed.objects.filter(segment=segment, customer__in=customers).values_list("customer_id", flat=True)
    )
    before = asking.decide(condition_of(segment.definition), customers, at, published_by=segment.refreshed_at)
    return [c for c in customers if c in postponed or (c in before and before[c].is_in != said[c])]


def _remember_postponed(segment: Segment, scored: Sequence[int], postponed: Collection[int]) -> None:
    Postponed.objects.filter(segment=segment, customer__in=set(scored) - set(postponed)).delete()
    execute(_POSTPONE, [segment.pk, sorted(postponed)])


def _report(segment: Segment, said: dict[int, bool], mended: Moved, at: datetime) -> int:
    """What the refresh found wrong at its position, and the record says is wrong; how many. Of a segment that could not be decided it is no
    wonder."""
    found = (
        [] if segment.problem else sorted(c for c in mended.entered | mended.left if (c in mended.entered) == said[c])
    )
    Deviation.objects.bulk_create(
        Deviation(segment=segment, customer_id=c, was_in=c in mended.left, found_at=at, position=segment.position)
        for c in found
    )
    return len(found)


def _check_version(segment: Segment) -> None:
    """Raises Overtaken. While customers are held, no definition changes."""
    newest = Segment.objects.filter(pk=segment.pk).values_list("version", "is_archived").get()
    if newest != (segment.version, False):
        raise Overtaken


def _room(segment: Segment, at: datetime) -> int:
    """How many may still enter today by a snapshot."""
    zone = ZoneInfo(str(read_setting("shop.time_zone")))
    today = midnight(at.astimezone(zone).date(), zone)
    used = Membership.objects.filter(segment=segment, entered_at__gte=today, reason__cause=Cause.SNAPSHOT).count()
    return max(0, int(read_setting("segments.daily_cap")) - used)


_UNHEARD = """
SELECT 1 FROM events_readerposition p JOIN events_event e ON e.shard = p.shard AND e.position > p.position
WHERE p.reader = %(reader)s AND e.position <= %(upto)s AND e.kind = ANY(%(kinds)s) LIMIT 1
"""
_NEWEST = """
SELECT kind, max(position) FROM events_event WHERE kind = ANY(%s) AND position <= coalesce(%s, 9223372036854775807) GROUP BY kind
"""
_VERDICT = """
DROP TABLE IF EXISTS pg_temp.verdict;
CREATE TEMPORARY TABLE verdict (customer_id bigint, is_in boolean, wakes_at timestamptz) ON COMMIT DROP
"""
_WAKES = """
INSERT INTO segments_wake (segment_id, customer_id, at)
SELECT %(segment)s, v.customer_id, v.wakes_at FROM verdict v JOIN customers_customer c ON c.id = v.customer_id
WHERE v.wakes_at IS NOT NULL
ON CONFLICT (segment_id, customer_id) DO UPDATE SET at = least(segments_wake.at, excluded.at)
"""
_NO_LONGER_POSTPONED = """
DELETE FROM segments_postponed p WHERE p.segment_id = %(segment)s AND (
    NOT EXISTS (SELECT 1 FROM verdict v WHERE v.customer_id = p.customer_id AND v.is_in)
    OR EXISTS (SELECT 1 FROM segments_membership m WHERE m.segment_id = p.segment_id AND m.customer_id = p.customer_id AND m.left_at IS NULL)
)
"""
_POSTPONE = """
INSERT INTO segments_postponed (segment_id, customer_id) SELECT %s, c FROM unnest(%s::bigint[]) c ON CONFLICT DO NOTHING
"""
_DIFFERING = """
SELECT coalesce(v.customer_id, m.customer_id), v.is_in IS TRUE FROM (SELECT * FROM verdict WHERE is_in) v
FULL JOIN (SELECT customer_id FROM segments_membership WHERE segment_id = %(segment)s AND left_at IS NULL) m USING (customer_id)
WHERE v.customer_id IS NULL OR m.customer_id IS NULL
ORDER BY 1
"""
