"""What can be asked of RFM: policies, snapshots, scores, counts, movement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from regulars.foundation.bulk import fetch
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.insight.rfm import rules
from regulars.insight.rfm.models import RfmPolicy, RfmScore, RfmSnapshot
from regulars.insight.rfm.rules import DEFAULT_POLICY, SEGMENTS, Policy, RfmSegment

StoreIds = frozenset[int] | None  # None: all stores


@dataclass(frozen=True)
class Score:
    """One customer's figures and scores in one snapshot."""

    snapshot_id: int
    as_of: datetime
    scale: int
    currency: str
    recency_days: int
    frequency: int
    monetary_minor: int
    r: int
    f: int
    m: int
    segment: RfmSegment


@dataclass(frozen=True)
class Tally:
    """How many customers, and their monetary sum in minor units of the snapshot's currency."""

    customers: int
    monetary_minor: int


@dataclass(frozen=True)
class Move:
    """Customers who were in one segment (None: not yet a customer, or no longer one) and are in another."""

    before: RfmSegment | None
    after: RfmSegment | None
    customers: int


def current_policy() -> Policy:
    row = RfmPolicy.objects.order_by("-id").first()
    return _policy(row) if row else DEFAULT_POLICY


def policy_of(version: int) -> Policy:
    row = RfmPolicy.objects.filter(id=version).first()
    return _policy(row) if row else DEFAULT_POLICY


def _policy(row: RfmPolicy) -> Policy:
    return Policy(row.id, {scale: rules.parse_rules(row.rules[str(scale)], scale) for scale in rules.SCALES})


def find_snapshot(as_of: datetime, position: int, policy_version: int, scale: int, currency: str) -> RfmSnapshot | None:
    return RfmSnapshot.objects.filter(
        as_of=as_of, position=position, policy_version=policy_version, scale=scale, currency=currency, thinned_at=None
    ).first()


def latest_snapshot(at: datetime | None = None, known_at: int | None = None) -> RfmSnapshot | None:
    """The newest one as of ``at`` or before; of several for one moment the one that knew most. ``known_at``: none that knew more."""
    snapshots = RfmSnapshot.objects.filter(thinned_at=None)
    if at is not None:
        snapshots = snapshots.filter(as_of__lte=at)
    if known_at is not None:
        snapshots = snapshots.filter(position__lte=known_at)
    return snapshots.order_by("-as_of", "-position", "-id").first()


def get_snapshot(public_id: str) -> RfmSnapshot:
    """Raises NotFound."""
    snapshot = RfmSnapshot.objects.filter(uid=from_public(RfmSnapshot.PREFIX, public_id)).first()
    if snapshot is None:
        raise NotFound(f"There is no RFM snapshot {public_id}")
    return snapshot


def month_before(snapshot: RfmSnapshot) -> RfmSnapshot | None:
    """The snapshot to compare with: the newest that is a calendar month older or more, else the oldest before it. By the same thresholds,
    scale and currency, so that whoever moved did so by what they bought.
    """
    older = _alike(snapshot).filter(as_of__lt=snapshot.as_of, thinned_at=None)
    whole_month = (
        older.filter(as_of__lte=_a_month_earlier(snapshot.as_of)).order_by("-as_of", "-position", "-id").first()
    )
    return whole_month or older.order_by("as_of", "-position", "-id").first()


def _a_month_earlier(moment: datetime) -> datetime:
    last_of_previous = moment.replace(day=1) - timedelta(days=1)
    return last_of_previous.replace(day=min(moment.day, last_of_previous.day))


def list_months() -> list[RfmSnapshot]:
    """One snapshot for each monthly date, oldest first, and the newest of all at the end, all by the newest one's thresholds, scale and
    currency: the points of a chart over time.
    """
    newest = latest_snapshot()
    if newest is None:
        return []
    monthly = _alike(newest).filter(kind="monthly", as_of__lt=newest.as_of)
    return [*monthly.order_by("as_of", "-position", "-id").distinct("as_of"), newest]


def _alike(snapshot: RfmSnapshot) -> QuerySet[RfmSnapshot]:
    """Snapshots made by the same thresholds, scale and currency."""
    return RfmSnapshot.objects.filter(
        policy_version=snapshot.policy_version, scale=snapshot.scale, currency=snapshot.currency
    )


def tallies(snapshot: RfmSnapshot, store_ids: StoreIds = None) -> dict[RfmSegment, Tally]:
    """Each of the eleven with its count and sum; limited to customers of these stores."""
    if store_ids is None:
        return {segment: Tally(*snapshot.counts[str(number)]) for number, segment in enumerate(SEGMENTS)}
    found = {row[0]: Tally(int(row[1]), int(row[2])) for row in _grouped(snapshot, "s.segment", store_ids)}
    return {segment: found.get(number, Tally(0, 0)) for number, segment in enumerate(SEGMENTS)}


def grid(snapshot: RfmSnapshot, store_ids: StoreIds = None) -> dict[tuple[int, int], Tally]:
    """Every cell (r, f) of the map with its count and sum; cells without anybody are there with zero."""
    scores = range(1, snapshot.scale + 1)
    if store_ids is None:
        folded = snapshot.counts["grid"]
        return {(r, f): Tally(*folded.get(f"{r}-{f}", (0, 0))) for r in scores for f in scores}
    found = {(row[0], row[1]): Tally(int(row[2]), int(row[3])) for row in _grouped(snapshot, "s.r, s.f", store_ids)}
    return {(r, f): found.get((r, f), Tally(0, 0)) for r in scores for f in scores}


def _grouped(snapshot: RfmSnapshot, columns: str, store_ids: StoreIds) -> list[tuple[Any, ...]]:
    condition, values = _of_stores(store_ids)
    return fetch(
        f"SELECT {columns}, count(*), sum(s.monetary_minor) FROM rfm_rfmscore s WHERE s.snapshot_id = %s {condition} GROUP BY {columns}",
        [snapshot.id, *values],
    )


def fold_again(snapshot: RfmSnapshot) -> dict[str, list[int]]:
    """The counts and the grid of a snapshot from its scores, as ``RfmSnapshot.counts`` caches them; segments without anybody left out."""
    segments = {str(row[0]): [int(row[1]), int(row[2])] for row in _grouped(snapshot, "s.segment", None)}
    return segments | {
        f"{r}-{f}": [int(count), int(total)] for r, f, count, total in _grouped(snapshot, "s.r, s.f", None)
    }


def _of_stores(store_ids: StoreIds) -> tuple[str, list[Any]]:
    if store_ids is None:
        return "", []
    seen = "AND EXISTS (SELECT 1 FROM customers_customercard c WHERE c.customer_id = s.customer_id AND c.stores && %s::bigint[])"
    return seen, [sorted(store_ids)]


def movement(before: RfmSnapshot, after: RfmSnapshot, store_ids: StoreIds = None) -> list[Move]:
    """Who went from which segment to which, those who stayed included; None is 'not there'. Cached for the pair that pages compare."""
    folded = after.counts.get("movement", {})
    if store_ids is None and folded.get("before") == before.id:
        return [Move(_named(b), _named(a), count) for b, a, count in folded["moves"]]
    return [Move(_named(b), _named(a), count) for b, a, count in count_moves(before, after, store_ids)]


def count_moves(
    before: RfmSnapshot, after: RfmSnapshot, store_ids: StoreIds = None
) -> list[tuple[int | None, int | None, int]]:
    """As ``movement``, by numbers of the segments, from the scores."""
    condition, values = _of_stores(store_ids)
    statement = f"""
        SELECT b.segment, a.segment, count(*)
        FROM (SELECT customer_id, segment FROM rfm_rfmscore WHERE snapshot_id = %s) b
        FULL JOIN (SELECT customer_id, segment FROM rfm_rfmscore WHERE snapshot_id = %s) a USING (customer_id)
        {"CROSS JOIN LATERAL (SELECT customer_id) s WHERE true " + condition if condition else ""}
        GROUP BY 1, 2 ORDER BY 1 NULLS LAST, 2 NULLS LAST
    """
    return [(b, a, int(count)) for b, a, count in fetch(statement, [before.id, after.id, *values])]


def _named(number: int | None) -> RfmSegment | None:
    return None if number is None else SEGMENTS[number]


def scores_at(customer_ids: Iterable[int], at: datetime, known_at: int | None = None) -> dict[int, Score]:
    """Each customer's scores in the newest snapshot as of ``at``; customers without orders then are left out."""
    snapshot = latest_snapshot(at, known_at)
    if snapshot is None:
        return {}
    rows = RfmScore.objects.filter(snapshot=snapshot, customer__in=list(customer_ids))
    return {row.customer_id: _score(row, snapshot) for row in rows}


def scores_over_time(customer_id: int) -> list[Score]:
    """One customer's scores at each monthly date and in the newest snapshot, oldest first; dates before the first order are left out."""
    snapshots: Mapping[int, RfmSnapshot] = {s.id: s for s in list_months()}
    rows = RfmScore.objects.filter(customer=customer_id, snapshot__in=snapshots)
    found = [_score(row, snapshots[row.snapshot_id]) for row in rows]
    return sorted(found, key=lambda score: score.as_of)


def _score(row: RfmScore, snapshot: RfmSnapshot) -> Score:
    return Score(
        snapshot.id,
        snapshot.as_of,
        snapshot.scale,
        snapshot.currency,
        row.recency_days,
        row.frequency,
        row.monetary_minor,
        row.r,
        row.f,
        row.m,
        SEGMENTS[row.segment],
    )
