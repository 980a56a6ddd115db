"""Deciding who is in which segment: by difference, set-wise, in short transactions; never delete and insert.

Each transaction takes a bounded number of changes, so that a kill loses nothing but the rest, which the next refresh finds as a
difference again. A segment's first computation makes initial memberships: history that starts no workflow.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Min, Value
from django.db.models.functions import Coalesce, Greatest

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.crash import crash_point, declare
from regulars.foundation.errors import Conflict
from regulars.foundation.retrying import retried
from regulars.foundation.shop.settings import read_setting, write_setting
from regulars.foundation.work import operations as work
from regulars.insight.rfm import operations as rfm
from regulars.insight.rfm.models import RfmSnapshot
from regulars.insight.rfm.rules import NUMBER, SEGMENTS, RfmSegment
from regulars.insight.segments import events
from regulars.insight.segments.models import Segment
from regulars.insight.segments.rules import definition_of, parse_definition
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction
from regulars.record.orders.queries import last_money_change

CHUNK = 5_000  # changes in one transaction: well under the two seconds that an appending one may last

BETWEEN_CHUNKS = declare("segments.between-chunks", "Some changes of a segment are committed, others are not")
BEFORE_COMPUTED = declare(
    "segments.before-computed", "All initial memberships are there, the segment is not yet marked computed"
)

NAMES: dict[RfmSegment, str] = {
    RfmSegment.CHAMPIONS: "Champions",
    RfmSegment.LOYAL: "Loyal",
    RfmSegment.POTENTIAL_LOYALISTS: "Potential Loyalists",
    RfmSegment.NEW: "New",
    RfmSegment.PROMISING: "Promising",
    RfmSegment.NEEDS_ATTENTION: "Needs Attention",
    RfmSegment.ABOUT_TO_SLEEP: "About to Sleep",
    RfmSegment.AT_RISK: "At Risk",
    RfmSegment.CANT_LOSE: "Can't Lose",
    RfmSegment.HIBERNATING: "Hibernating",
    RfmSegment.LOST: "Lost",
}


class OlderSnapshot(Conflict):
    """A younger RFM snapshot decides the segments already."""

    code = "older-snapshot"


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did. ``entered`` and ``left`` are by key of the segment; initial entries are counted in ``initial`` only."""

    snapshot: RfmSnapshot
    entered: dict[str, int]
    left: dict[str, int]
    initial: dict[str, int]

    def and_also(self, more: "Refreshed") -> "Refreshed":
        """Both together."""
        pairs = ((self.entered, more.entered), (self.left, more.left), (self.initial, more.initial))
        return Refreshed(self.snapshot, *(dict(Counter(one) + Counter(other)) for one, other in pairs))


def ensure_rfm_segments(at: datetime) -> list[Segment]:
    """The eleven, made where they are missing; in their order."""
    Segment.objects.bulk_create(
        [Segment(key=s.value, name=NAMES[s], kind="rfm", definition=definition_of(s), created_at=at) for s in SEGMENTS],
        ignore_conflicts=True,
    )
    found = {s.key: s for s in Segment.objects.filter(key__in=[s.value for s in SEGMENTS])}
    return [found[s.value] for s in SEGMENTS]


def refresh(at: datetime, as_of: datetime | None = None, kind: str = "nightly") -> Refreshed:
    """Publishes RFM as of a moment (``at``, where not given) and brings every segment's memberships in line with it at ``at``.

    Events: segment.entered, segment.left. Entries of a segment's first computation, of customers of whom imported history became
    known since the last refresh, or by new thresholds, are initial: their events are history and start no workflow.
    Raises WarehouseBusy, OlderSnapshot.
    """
    ensure_rfm_segments(at)
    return apply_snapshot(rfm.compute(as_of or at, at, kind), at)


def refresh_if_due(at: datetime) -> Refreshed | None:
    """Refreshes where the shop's day began since the last time, or an import ended; None where neither did. Months first, so that
    one that begins tonight is published as a month.
    """
    due = find_due(at)
    if due is None:
        return None
    rfm.compute_months(at)
    done = refresh(at, *due)
    rfm.thin_out(at)
    return done


def change_thresholds(data: dict[str, Any], scale: int, staff_id: int, at: datetime) -> int:
    """Saves thresholds and scale and asks for the refresh that follows; number of the task that shows it. Raises InvalidPolicy, then
    nothing changed. Entries that this causes start no workflow.
    """
    with transaction.atomic():
        rfm.save_policy(data, staff_id, at)
        write_setting("rfm.scale", scale, at)
        task = work.start_task(
            "segments.refresh", "Sorting customers by the new thresholds", at, staff_id=staff_id, link="/segments"
        )
        work.enqueue("segments.recompute", lock="segments", task_id=task)
    return task


def recompute(task_id: int, at: datetime) -> None:
    """The background part of a change of thresholds: months, then the present, with progress for the bell."""
    work.progress(task_id, at, sentence="Publishing the past months")
    rfm.compute_months(at)
    done = refresh(at, kind="manual")
    moved = sum(done.initial.values()) + sum(done.entered.values())
    work.finish(task_id, at, f"{moved} customers moved to another segment", link="/segments")


def find_due(at: datetime) -> tuple[datetime, str] | None:
    """The moment as of which the segments ought to be refreshed by now, and why: 'nightly', at the begin of the shop's day, or
    'manual', at once, after an import or a change of rates.
    """
    state = Segment.objects.filter(kind="rfm").aggregate(refreshed_at=Min("refreshed_at"), position=Min("position"))
    if state["refreshed_at"] is not None and _is_anew_since(state["position"]):
        return at, "manual"
    zone = ZoneInfo(str(read_setting("shop.time_zone")))
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    is_due = state["refreshed_at"] is None or state["refreshed_at"] < midnight
    return (midnight, "nightly") if is_due else None


_CHANGES_ALL = ["import.done", "import.undone", "money.refolded"]


def _is_anew_since(position: int) -> bool:
    """Whether something that may change everybody's figures came to its end after a position."""
    statement = "SELECT 1 FROM events_event WHERE kind = ANY(%s) AND position > %s LIMIT 1"
    return bool(fetch(statement, [_CHANGES_ALL, position]))


def apply_snapshot(snapshot: RfmSnapshot, at: datetime) -> Refreshed:
    """Brings memberships in line with a published snapshot; nothing to do where they are. Raises OlderSnapshot."""
    follow_map(at)
    segments = list(Segment.objects.filter(kind="rfm").order_by("id"))
    done = Refreshed(snapshot, {}, {}, {})
    _claim(segments, snapshot)
    while customers := _find_differing(segments, snapshot):
        for start in range(0, len(customers), CHUNK):
            done = done.and_also(_change_some(segments, snapshot, customers[start : start + CHUNK], at))
            crash_point(BETWEEN_CHUNKS)
    crash_point(BEFORE_COMPUTED)
    settled = Segment.objects.filter(id__in=[s.id for s in segments], refreshed_at=snapshot.as_of)
    settled.update(
        computed_at=Coalesce("computed_at", Value(at)),
        position=Greatest("position", Value(snapshot.position)),
        basis=basis_of(snapshot),
    )
    return done


def basis_of(snapshot: RfmSnapshot) -> str:
    """By what a snapshot sorts people: who enters because this changed did nothing themselves."""
    terms = f"{snapshot.policy_version}/{snapshot.scale}/{snapshot.currency}"
    money = last_money_change(snapshot.position)
    return f"{terms}/{money}" if money else terms


def follow_map(at: datetime, customers: Collection[int] | None = None) -> int:
    """Hands memberships to the customers whom their profiles belong to now; of these customers, or of everybody. Of two open ones in
    one segment the older stays; the other ends as merged, without an event, since nobody left. Changes made.
    """
    bound: dict[str, Any] = {"at": at, "customers": sorted(customers) if customers is not None else None}
    if not fetch(_MOVED, bound):
        return 0
    with event_log.transaction("system", "segments.follow_map") as log:
        ended = execute(_END_MERGED, bound | {"batch": log.batch_id})
        return ended + execute(_FOLLOW, bound)


_CHOSEN = "(%(customers)s::bigint[] IS NULL OR s.customer_id = ANY(%(customers)s::bigint[]))"
_NOW = "customers_customerprofile m ON m.profile_id = s.profile_id AND m.until_batch_id IS NULL"
_MOVED = f"SELECT 1 FROM segments_membership s JOIN {_NOW} WHERE {_CHOSEN} AND s.customer_id <> m.customer_id LIMIT 1"
_END_MERGED = f"""
UPDATE segments_membership SET left_at = greatest(%(at)s, entered_at), until_batch_id = %(batch)s,
       left_reason = jsonb_build_object('merged_into', ranked.now)
FROM (
    SELECT s.id, m.customer_id AS now, row_number() OVER (PARTITION BY s.segment_id, m.customer_id ORDER BY s.entered_at, s.id) AS place
    FROM segments_membership s JOIN {_NOW} WHERE {_CHOSEN} AND s.left_at IS NULL
) ranked
WHERE segments_membership.id = ranked.id AND ranked.place > 1 AND segments_membership.left_at IS NULL
"""
_FOLLOW = f"""
UPDATE segments_membership s SET customer_id = m.customer_id FROM customers_customerprofile m
WHERE m.profile_id = s.profile_id AND m.until_batch_id IS NULL AND {_CHOSEN} AND s.customer_id <> m.customer_id
"""


def _claim(segments: Sequence[Segment], snapshot: RfmSnapshot) -> None:
    """Makes this snapshot the one that decides. Raises OlderSnapshot."""
    ids = [s.id for s in segments]
    with transaction.atomic():
        fresh = (
            Segment.objects.filter(id__in=ids)
            .exclude(refreshed_at__gt=snapshot.as_of)
            .update(refreshed_at=snapshot.as_of)
        )
        if fresh != len(ids):
            raise OlderSnapshot


def _find_differing(segments: Sequence[Segment], snapshot: RfmSnapshot) -> list[int]:
    """Customers who are not where the snapshot puts them, in order. All at once: looking for each chunk anew would go over everybody."""
    ((found,),) = fetch(_DIFFERING, _wanted(segments, snapshot))
    return found or []


def _wanted(segments: Sequence[Segment], snapshot: RfmSnapshot) -> dict[str, Any]:
    numbers = [NUMBER[parse_definition(s.definition).segment] for s in segments]
    return {"snapshot": snapshot.id, "segments": [s.id for s in segments], "numbers": numbers}


@retried
def _change_some(
    segments: Sequence[Segment], snapshot: RfmSnapshot, customers: Sequence[int], at: datetime
) -> Refreshed:
    """Brings these customers in line: what they leave and what they enter in one transaction. Counted anew if it is begun again."""
    done = Refreshed(snapshot, {}, {}, {})
    with event_log.transaction("system", f"rfm snapshot {snapshot.id}") as log:
        _check_claim(segments, snapshot)
        bound = _wanted(segments, snapshot) | {
            "customers": customers,
            "at": at,
            "batch": log.batch_id,
            "initial": [s.computed_at is None or s.basis != basis_of(snapshot) for s in segments],
            "since": [s.position for s in segments],
            "position": snapshot.position,
        }
        _tell(log, events.LEFT, segments, fetch(_END, bound), snapshot, at, done)
        _tell(log, events.ENTERED, segments, fetch(_BEGIN, bound), snapshot, at, done)
    return done


def _check_claim(segments: Sequence[Segment], snapshot: RfmSnapshot) -> None:
    """Locks the segments, in order; raises OlderSnapshot where a refresh with a younger snapshot has taken over."""
    locked = Segment.objects.select_for_update().filter(id__in=[s.id for s in segments]).order_by("id")
    if any(s.refreshed_at != snapshot.as_of for s in locked):
        raise OlderSnapshot


def _tell(
    log: LogTransaction,
    kind: str,
    segments: Sequence[Segment],
    rows: Iterable[Sequence[Any]],
    snapshot: RfmSnapshot,
    at: datetime,
    done: Refreshed,
) -> None:
    by_id = {s.id: s for s in segments}
    for membership, segment_id, profile, customer, is_initial in rows:
        segment = by_id[segment_id]
        counts = done.left if kind == events.LEFT else done.initial if is_initial else done.entered
        counts[segment.key] = counts.get(segment.key, 0) + 1
        data = {"segment": segment.key, "membership": membership, "snapshot": snapshot.id}
        log.append(events.changed(kind, segment_id, profile, customer, at, data, is_initial))


_WANTED = "unnest(%(segments)s::bigint[], %(numbers)s::int[]) wanted(segment_id, number)"
_DIFFERING = f"""
SELECT array_agg(customer_id ORDER BY customer_id) FROM (
    SELECT open.customer_id FROM segments_membership open JOIN {_WANTED} USING (segment_id)
    LEFT JOIN rfm_rfmscore s ON s.snapshot_id = %(snapshot)s AND s.customer_id = open.customer_id AND s.segment = wanted.number
    WHERE open.left_at IS NULL AND s.customer_id IS NULL
    UNION
    SELECT s.customer_id FROM rfm_rfmscore s JOIN {_WANTED} ON wanted.number = s.segment
    WHERE s.snapshot_id = %(snapshot)s
      AND NOT EXISTS (
        SELECT 1 FROM segments_membership open
        WHERE open.segment_id = wanted.segment_id AND open.customer_id = s.customer_id AND open.left_at IS NULL)
      AND EXISTS (SELECT 1 FROM customers_customerprofile m WHERE m.customer_id = s.customer_id AND m.until_batch_id IS NULL)
) differing
"""
_VALUES = """jsonb_build_object('snapshot', %(snapshot)s::bigint, 'recency_days', s.recency_days, 'frequency', s.frequency,
    'monetary_minor', s.monetary_minor, 'r', s.r, 'f', s.f, 'm', s.m, 'segment', s.segment)"""
_END = f"""
UPDATE segments_membership SET left_at = greatest(%(at)s, entered_at), until_batch_id = %(batch)s, left_reason = gone.reason
FROM (
    SELECT open.id, CASE WHEN s.customer_id IS NULL THEN jsonb_build_object('snapshot', %(snapshot)s::bigint, 'without_orders', true)
                    ELSE {_VALUES} END AS reason
    FROM segments_membership open JOIN {_WANTED} USING (segment_id)
    LEFT JOIN rfm_rfmscore s ON s.snapshot_id = %(snapshot)s AND s.customer_id = open.customer_id
    WHERE open.customer_id = ANY(%(customers)s) AND open.left_at IS NULL AND s.segment IS DISTINCT FROM wanted.number
    ORDER BY open.id FOR UPDATE OF open
) gone
WHERE segments_membership.id = gone.id
RETURNING segments_membership.id, segments_membership.segment_id, segments_membership.profile_id, segments_membership.customer_id, false
"""
_BEGIN = f"""
INSERT INTO segments_membership (segment_id, profile_id, customer_id, entered_at, is_initial, reason, batch_id)
SELECT wanted.segment_id, oldest.profile_id, s.customer_id, %(at)s, wanted.is_initial OR EXISTS (
    SELECT 1 FROM customers_customerprofile m JOIN events_event e ON e.profile_id = m.profile_id
    WHERE m.customer_id = s.customer_id AND m.until_batch_id IS NULL
      AND e.is_history AND e.position > wanted.since AND e.position <= %(position)s AND e.kind LIKE 'order.%%'
), {_VALUES}, %(batch)s
FROM rfm_rfmscore s
JOIN unnest(%(segments)s::bigint[], %(numbers)s::int[], %(initial)s::boolean[], %(since)s::bigint[])
  AS wanted(segment_id, number, is_initial, since) ON wanted.number = s.segment
JOIN LATERAL (
    SELECT min(m.profile_id) AS profile_id FROM customers_customerprofile m
    WHERE m.customer_id = s.customer_id AND m.until_batch_id IS NULL
) oldest ON oldest.profile_id IS NOT NULL
WHERE s.snapshot_id = %(snapshot)s AND s.customer_id = ANY(%(customers)s)
ORDER BY s.customer_id
ON CONFLICT (segment_id, customer_id) WHERE left_at IS NULL DO NOTHING
RETURNING id, segment_id, profile_id, customer_id, is_initial
"""
