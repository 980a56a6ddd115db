"""Computing and publishing RFM; changing its thresholds."""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.csv
from django.db import connection, transaction

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.shop.settings import read_setting
from regulars.insight.rfm import rules
from regulars.insight.rfm.models import RfmPolicy, RfmScore, RfmSnapshot
from regulars.insight.rfm.queries import count_moves, current_policy, find_snapshot, month_before
from regulars.insight.rfm.questions import Figures, ask_figures
from regulars.insight.rfm.rules import CutPoints, Integers, Policy, Scores
from regulars.insight.warehouse import engine
from regulars.insight.warehouse import operations as warehouse
from regulars.insight.warehouse.queries import Pinned

KEPT_DAYS = timedelta(days=62)  # two months of nights: enough to compare with a month ago
_COLUMNS = ("customer_id", "recency_days", "frequency", "monetary_minor", "r", "f", "m", "segment")


def compute(as_of: datetime, at: datetime, kind: str = "manual", position: int | None = None) -> RfmSnapshot:
    """Publishes RFM of everybody as of a moment, as known at ``position`` (now, where not given). Brings the warehouse up to date first.

    The same question at the same position under the same policy gives the snapshot that stands. Raises WarehouseBusy.
    """
    return publish(warehouse.sync(at), as_of, at, kind, position)


def compute_months(at: datetime) -> list[RfmSnapshot]:
    """Publishes a snapshot for the start of each month since the first order, in the shop's zone, where there is none that still holds.

    One still holds unless something dated before it became known since: an import of older history, a changed order. Merges and
    splits rewrite no past snapshot.
    """
    pinned = warehouse.sync(at)
    return [publish(pinned, as_of, at, "monthly") for as_of in _months(pinned, at) if not _still_holds(pinned, as_of)]


def publish(pinned: Pinned, as_of: datetime, at: datetime, kind: str, position: int | None = None) -> RfmSnapshot:
    """As ``compute``, from a warehouse snapshot that is already pinned."""
    policy, scale, currency = (
        current_policy(),
        int(read_setting("rfm.scale")),
        str(read_setting("shop.reporting_currency")),
    )
    known = pinned.position if position is None else position
    standing = find_snapshot(as_of, known, policy.version, scale, currency)
    if standing:
        return standing
    figures = ask_figures(pinned, as_of, currency, known)
    columns = _as_arrays(figures.people)
    cuts = rules.find_cut_points(columns["recency_days"], columns["frequency"], columns["monetary_minor"], scale)
    scores = rules.score(columns["recency_days"], columns["frequency"], columns["monetary_minor"], cuts, scale)
    segments = rules.segments_of(policy.rules[scale], scores, scale)
    snapshot = RfmSnapshot(
        kind=kind,
        as_of=as_of,
        position=known,
        policy_version=policy.version,
        scale=scale,
        currency=currency,
        cut_points=cuts.as_json(),
        customers=len(segments),
        left_out_orders=figures.left_out_orders,
        left_out_minor=figures.left_out_minor,
        unrated_orders=figures.unrated_orders,
        counts=_counts(segments, columns["monetary_minor"]) | _grid(scores, columns["monetary_minor"]),
        computed_at=at,
    )
    return _store(snapshot, columns, scores, segments)


def save_policy(data: dict[str, Any], staff_id: int | None, at: datetime) -> Policy:
    """Saves new thresholds: ``{"5": [rule, ...], ...}``; scales that are not given keep theirs. Raises InvalidPolicy, then nothing changed."""
    changed = {int(scale): rules.parse_rules(entries, int(scale)) for scale, entries in data.items()}
    unknown = sorted(set(changed) - set(rules.SCALES))
    if unknown:
        raise rules.InvalidPolicy(f"There is no scale {unknown[0]}: choose 3, 4 or 5.")
    merged = {**current_policy().rules, **changed}
    stored = {str(scale): rules.rules_as_json(merged[scale]) for scale in rules.SCALES}
    row = RfmPolicy.objects.create(rules=stored, staff_id=staff_id, created_at=at)
    return Policy(row.id, merged)


def thin_out(at: datetime) -> int:
    """Drops the scores of snapshots older than KEPT_DAYS, monthly ones apart; the snapshots stay, with their counts. Snapshots thinned."""
    with transaction.atomic():
        old = (
            RfmSnapshot.objects.select_for_update()
            .filter(as_of__lt=at - KEPT_DAYS, thinned_at=None)
            .exclude(kind="monthly")
        )
        ids = list(old.order_by("id").values_list("id", flat=True))
        execute("DELETE FROM rfm_rfmscore WHERE snapshot_id = ANY(%s)", [ids])
        return RfmSnapshot.objects.filter(id__in=ids).update(thinned_at=at)


def preview_policy(snapshot: RfmSnapshot, changed: Sequence[rules.Rule], n: int) -> dict[tuple[int, int], int]:
    """How many of a snapshot's customers would be where, by numbers of the segments (from, to), under these rules at scale ``n``;
    those who stay included. Nothing is saved.
    """
    recency, frequency, monetary, segments = _figures_of(snapshot)
    cuts = rules.find_cut_points(recency, frequency, monetary, n)
    targets = rules.segments_of(changed, rules.score(recency, frequency, monetary, cuts, n), n)
    pairs, counts = np.unique(segments * len(rules.SEGMENTS) + targets, return_counts=True)
    found = zip(pairs.tolist(), counts.tolist(), strict=True)
    return {divmod(pair, len(rules.SEGMENTS)): count for pair, count in found}


def _figures_of(snapshot: RfmSnapshot) -> tuple[Integers, Integers, Integers, Integers]:
    """Recency, frequency, monetary and segment of everybody in a snapshot."""
    statement = "SELECT recency_days, frequency, monetary_minor, segment FROM rfm_rfmscore WHERE snapshot_id = %s"
    rows = np.array(fetch(statement, [snapshot.id]), dtype=np.int64).reshape(-1, 4)
    return rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3]


def _store(snapshot: RfmSnapshot, columns: dict[str, Integers], scores: Scores, segments: Integers) -> RfmSnapshot:
    data = {
        **columns,
        "r": scores.recency,
        "f": scores.frequency,
        "m": scores.monetary,
        "segment": segments,
    }
    with transaction.atomic():
        snapshot.save(force_insert=True)
        arrays = [pa.array(np.full(len(segments), snapshot.id)), *(pa.array(data[name]) for name in _COLUMNS)]
        _copy(pa.table(arrays, names=["snapshot_id", *_COLUMNS]))
        _add_movement(snapshot)
    return snapshot


def _add_movement(snapshot: RfmSnapshot) -> None:
    """Folds the movement since a month before, which pages show: at half a million customers it takes longer than a page may."""
    before = month_before(snapshot)
    if before is not None:
        snapshot.counts["movement"] = {"before": before.id, "moves": count_moves(before, snapshot)}
        snapshot.save(update_fields=["counts"])


def _copy(table: pa.Table) -> None:
    """Arrow to PostgreSQL as CSV, which both sides do in C."""
    names = ", ".join(table.column_names)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {RfmScore._meta.db_table} ({names}) FROM STDIN (FORMAT csv)") as copy,
    ):
        for batch in table.to_batches(max_chunksize=50_000):
            out = io.BytesIO()
            pyarrow.csv.write_csv(batch, out, pyarrow.csv.WriteOptions(include_header=False))
            copy.write(out.getvalue())


def _as_arrays(people: pa.Table) -> dict[str, Integers]:
    return {
        name: people[name].cast(pa.int64()).to_numpy()
        for name in ("customer_id", "recency_days", "frequency", "monetary_minor")
    }


def _grid(scores: Scores, monetary: Integers) -> dict[str, dict[str, list[int]]]:
    """By recency and frequency score: customers and their monetary sum."""
    cells, place = np.unique(scores.recency * 10 + scores.frequency, return_inverse=True)
    counts, sums = np.bincount(place, minlength=len(cells)), np.zeros(len(cells), dtype=np.int64)
    np.add.at(sums, place, monetary)
    names = [f"{cell // 10}-{cell % 10}" for cell in cells.tolist()]
    return {"grid": {name: [int(counts[n]), int(sums[n])] for n, name in enumerate(names)}}


def _counts(segments: Integers, monetary: Integers) -> dict[str, Any]:
    """By segment's number: customers and their monetary sum, exact: floats would lose pence in a large shop."""
    counts = np.bincount(segments, minlength=len(rules.SEGMENTS))
    sums = np.zeros(len(rules.SEGMENTS), dtype=np.int64)
    np.add.at(sums, segments, monetary)
    return {str(number): [int(counts[number]), int(sums[number])] for number in range(len(rules.SEGMENTS))}


def _months(pinned: Pinned, at: datetime) -> list[datetime]:
    """Starts of months in the shop's zone, after the first order and up to ``at``."""
    first = engine.run(f"SELECT min(placed_at) AS first FROM {pinned.relation('orders')} WHERE counts")["first"][
        0
    ].as_py()
    if first is None:
        return []
    zone = ZoneInfo(str(read_setting("shop.time_zone")))
    local = first.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
    months: list[datetime] = []
    year, month = local.year, local.month
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        start = datetime(year, month, 1, tzinfo=zone)
        if start > at:
            return months
        months.append(start)


def _still_holds(pinned: Pinned, as_of: datetime) -> bool:
    policy, scale = current_policy(), int(read_setting("rfm.scale"))
    standing = (
        RfmSnapshot.objects.filter(
            as_of=as_of,
            policy_version=policy.version,
            scale=scale,
            currency=str(read_setting("shop.reporting_currency")),
        )
        .order_by("-position")
        .first()
    )
    return standing is not None and not _is_changed_since(pinned, standing.position, as_of)


def _is_changed_since(pinned: Pinned, position: int, as_of: datetime) -> bool:
    """Whether a version dated up to ``as_of`` began or ended after a position."""
    moment = as_of.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
    for table, column in (("orders", "placed_at"), ("refunds", "occurred_at")):
        found = engine.run(
            f"SELECT 1 FROM {pinned.relation(table)} WHERE {column} <= $moment"
            f" AND (known_from > $position OR (known_until > $position AND known_until <= {pinned.position})) LIMIT 1",
            {"moment": moment, "position": position},
        )
        if found.num_rows:
            return True
    return False


def cut_points_of(snapshot: RfmSnapshot) -> CutPoints:
    return CutPoints.from_json(snapshot.cut_points)


__all__ = [
    "Figures",
    "compute",
    "compute_months",
    "cut_points_of",
    "preview_policy",
    "publish",
    "save_policy",
    "thin_out",
]
