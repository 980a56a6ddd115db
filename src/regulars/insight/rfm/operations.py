"""Computing and publishing RFM; changing its thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from django.db import connection, transaction

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.settings import read_setting
from regulars.insight.rfm import rules
from regulars.insight.rfm.models import RfmPolicy, RfmScore, RfmSnapshot
from regulars.insight.rfm.queries import count_moves, current_policy, find_snapshot, month_before
from regulars.insight.rfm.questions import FiguresQuestion, figures_in
from regulars.insight.rfm.rules import Integers, Policy, Scores
from regulars.insight.warehouse import engine
from regulars.insight.warehouse import operations as warehouse
from regulars.insight.warehouse.queries import Pinned
from regulars.record.orders.queries import last_money_change


class NotYet(InvalidInput):
    """RFM cannot be as of a moment that is still to come: choose one that has passed."""

    code = "not-yet"


@dataclass(frozen=True)
class _Terms:
    """By what snapshots are made; together with a moment and a position they name one."""

    policy: Policy
    scale: int
    currency: str

    @property
    def named(self) -> dict[str, Any]:
        return {"policy_version": self.policy.version, "scale": self.scale, "currency": self.currency}


def _present_terms() -> _Terms:
    return _Terms(current_policy(), int(read_setting("rfm.scale")), str(read_setting("shop.reporting_currency")))


def compute(as_of: datetime, at: datetime, kind: str = "manual", position: int | None = None) -> RfmSnapshot:
    """Publishes RFM of everybody as of a moment, as known at ``position`` (now, where not given). Brings the warehouse up to date first.

    The same question at the same position under the same policy gives the snapshot that stands. Raises WarehouseBusy, and NotYet for a
    moment after ``at``.
    """
    if as_of > at:
        raise NotYet
    return publish(warehouse.sync(at), as_of, at, kind, position)


def compute_months(at: datetime) -> list[RfmSnapshot]:
    """Publishes a snapshot for the start of each month since the first order, in the shop's zone, where there is none that still holds.

    One still holds unless something dated before it became known since: an import of older history, a changed order. Merges and
    splits rewrite no past snapshot. Raises WarehouseBusy.
    """
    pinned, terms = warehouse.sync(at), _present_terms()
    moments = _outdated(pinned, _months(pinned, at), terms)
    question = figures_in(pinned, terms.currency) if moments else None
    return [_publish(question, terms, as_of, at, "monthly") for as_of in moments if question]


def publish(pinned: Pinned, as_of: datetime, at: datetime, kind: str, position: int | None = None) -> RfmSnapshot:
    """As ``compute``, from a warehouse snapshot that is already pinned, and with the movement since a month before: pages show it, and
    at half a million customers it takes longer than a page may.
    """
    terms = _present_terms()
    with transaction.atomic():
        snapshot = _publish(figures_in(pinned, terms.currency), terms, as_of, at, kind, position)
        before = month_before(snapshot)
        if before is not None and snapshot.counts.get("movement", {}).get("before") != before.id:
            snapshot.counts["movement"] = {"before": before.id, "moves": count_moves(before, snapshot)}
            snapshot.save(update_fields=["counts"])
    return snapshot


def _publish(
    question: FiguresQuestion, terms: _Terms, as_of: datetime, at: datetime, kind: str, position: int | None = None
) -> RfmSnapshot:
    known = question.pinned.position if position is None else position
    standing = find_snapshot(as_of, known, **terms.named)
    if standing:
        return _kept_as(standing, kind)
    figures = question.ask(as_of, known)
    columns = _as_arrays(figures.people)
    values = columns["recency_days"], columns["frequency"], columns["monetary_minor"]
    cuts = rules.find_cut_points(*values, terms.scale)
    scores = rules.score(*values, cuts, terms.scale)
    segments = rules.segments_of(terms.policy.rules[terms.scale], scores, terms.scale)
    snapshot = RfmSnapshot(
        **terms.named,
        kind=kind,
        as_of=as_of,
        position=known,
        cut_points=cuts.as_json(),
        customers=len(segments),
        left_out_orders=figures.left_out_orders,
        left_out_minor=figures.left_out_minor,
        unrated_orders=figures.unrated_orders,
        counts=_counts(segments, columns["monetary_minor"]) | _grid(scores, columns["monetary_minor"]),
        computed_at=at,
    )
    scored = {"r": scores.recency, "f": scores.frequency, "m": scores.monetary, "segment": segments}
    with transaction.atomic():
        snapshot.save(force_insert=True)
        _copy(snapshot.id, columns | scored)
    return snapshot


def _kept_as(snapshot: RfmSnapshot, kind: str) -> RfmSnapshot:
    """The same, and for good where it turns out to be a month's."""
    if kind == "monthly" and snapshot.kind != kind:
        snapshot.kind = kind
        snapshot.save(update_fields=["kind"])
    return snapshot


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
            .filter(as_of__lt=at - rules.KEPT_DAYS, thinned_at=None)
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


# As PostgreSQL's binary COPY wants each field: its size in bytes, then its value, both big-endian.
_FIELDS = {
    "snapshot_id": ">i8",
    "customer_id": ">i8",
    "recency_days": ">i4",
    "frequency": ">i4",
    "monetary_minor": ">i8",
    "r": ">i2",
    "f": ">i2",
    "m": ">i2",
    "segment": ">i2",
}
_ROW = np.dtype([("fields", ">i2"), *((n, t) for f, of in _FIELDS.items() for n, t in ((f"{f}_size", ">i4"), (f, of)))])
_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_SLICE = 50_000  # rows


def _copy(snapshot_id: int, columns: dict[str, Integers]) -> None:
    """Everybody's row in one COPY, in the order of the primary key, so that its index only grows at its end."""
    statement = f"COPY {RfmScore._meta.db_table} ({', '.join(_FIELDS)}) FROM STDIN (FORMAT binary)"
    count = len(columns["customer_id"])
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD)
        for start in range(0, count, _SLICE):
            part = slice(start, start + _SLICE)
            rows = np.empty(min(_SLICE, count - start), dtype=_ROW)
            rows["fields"] = len(_FIELDS)
            for name, type_ in _FIELDS.items():
                rows[f"{name}_size"] = np.dtype(type_).itemsize
                rows[name] = snapshot_id if name == "snapshot_id" else columns[name][part]
            copy.write(rows.tobytes())
        copy.write(_TAIL)


def _as_arrays(people: pa.Table) -> dict[str, Integers]:
    """The figures by customer."""
    order = np.argsort(people["customer_id"].to_numpy())
    names = ("customer_id", "recency_days", "frequency", "monetary_minor")
    return {name: people[name].cast(pa.int64()).to_numpy()[order] for name in names}


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
    local = first.replace(tzinfo=UTC).astimezone(zone)
    months: list[datetime] = []
    year, month = local.year, local.month
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        start = datetime(year, month, 1, tzinfo=zone)
        if start > at:
            return months
        months.append(start)


def _outdated(pinned: Pinned, moments: Sequence[datetime], terms: _Terms) -> list[datetime]:
    """Those of these months of which there is no snapshot, or something dated up to them began or ended since it was made, or amounts
    are worth something else since.
    """
    made = RfmSnapshot.objects.filter(kind="monthly", as_of__in=moments, **terms.named).order_by("as_of", "-position")
    standing = dict(made.distinct("as_of").values_list("as_of", "position"))
    changed = {position: _first_change(pinned, position) for position in set(standing.values())}
    money = last_money_change(pinned.position)
    return [m for m in moments if m not in standing or standing[m] < money or changed[standing[m]] <= m]


_NEVER = datetime.max.replace(tzinfo=UTC)
_CHANGED = """
SELECT min(moment) AS first FROM (
    SELECT placed_at AS moment, known_from, known_until FROM {orders}
    UNION ALL SELECT occurred_at, known_from, known_until FROM {refunds}
) WHERE known_from > $known OR known_until > $known AND known_until <= $position
"""


def _first_change(pinned: Pinned, known: int) -> datetime:
    """The earliest date of an order or refund of which a version began or ended after a position; the end of time where there is none."""
    relations = {name: pinned.relation(name) for name in ("orders", "refunds")}
    found = engine.run(_CHANGED.format(**relations), {"known": known, "position": pinned.position})["first"][0].as_py()
    return found.replace(tzinfo=UTC) if found else _NEVER
