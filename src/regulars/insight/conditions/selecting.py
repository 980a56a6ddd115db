"""Rows of one relation that a condition looks at, each with a flag for every selection that it belongs to: one pass for all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from regulars.foundation.relations import RELATIONS, Relation
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, ColumnType
from regulars.insight.conditions.comparisons import NEVER, Scope, earliest, edges, moved, passes
from regulars.insight.conditions.engines import Dialect, parameter
from regulars.insight.conditions.people import people, with_personal
from regulars.insight.conditions.shapes import AFTER_NOW, NOW, Selection, personal_in
from regulars.insight.warehouse.questions import given_table

WAKES = "wakes"  # the column with the earliest moment at which time changes what a row counts for

_TYPES: dict[ColumnType, dt.DataType] = {
    ColumnType.BIGINT: dt.int64,
    ColumnType.BOOLEAN: dt.boolean,
    ColumnType.NUMBER: dt.Decimal(18, 6),
    ColumnType.TEXT: dt.string,
    ColumnType.TIMESTAMP: dt.timestamp,
}


@dataclass(frozen=True)
class Selected:
    """``flags``: the column that says whether a row belongs; None where all do. Rows have a customer_id where ``has_customers``."""

    relation: Relation
    rows: Any
    flags: dict[Selection, str | None]
    has_customers: bool

    def flag(self, selection: Selection) -> Any:
        """As the condition of an aggregate: None where every row belongs."""
        name = self.flags[selection]
        return None if name is None else self.rows[name]


@dataclass(frozen=True)
class _Parts:
    """Conditions on a row: those that time does not change, and those that it does."""

    fixed: list[Any]
    moving: list[Any]
    wakes: list[Any]

    def of_row(self, *, wakes: bool = False) -> list[Any]:
        """What a row must fulfil now; with ``wakes``: now or later."""
        return self.fixed if wakes else [*self.fixed, *self.moving]


def select(
    selections: Sequence[Selection],
    dialect: Dialect,
    *,
    needs_customers: bool,
    wakes: bool,
    columns: Iterable[str] = (),
) -> Selected:
    """``selections`` are of one relation; ``columns`` are measured later. With ``wakes`` rows that may count later are there too, with
    flags that say they do not yet.
    """
    relation = RELATIONS[selections[0].of]
    has_customers = needs_customers or bool(relation.latest_by) or bool(personal_in(selections))
    compared = {column for one in selections for column, _ in one.where}
    rows = _valid(relation, {*columns, *compared}, has_customers=has_customers, wakes=wakes)
    rows = with_personal(_since(relation, rows, selections), personal_in(selections))
    parts = {one: _parts(one, relation, rows, Scope(dialect, rows), wakes=wakes) for one in selections}
    if all(part.of_row(wakes=wakes) for part in parts.values()):
        rows = rows.filter(reduce(or_, (_all(part.of_row(wakes=wakes)) for part in parts.values())))
    if len(selections) == 1 and not wakes:
        return Selected(relation, rows, {selections[0]: None}, has_customers)
    parts = {one: _parts(one, relation, rows, Scope(dialect, rows), wakes=wakes) for one in selections}
    flags = {one: f"in_{place}" if part.of_row() else None for place, (one, part) in enumerate(parts.items())}
    added = {name: _all(parts[one].of_row()).fill_null(False) for one, name in flags.items() if name}
    if wakes:
        added[WAKES] = _wakes(relation, rows, list(parts.values()), dialect)
    return Selected(relation, rows.mutate(**added), flags, has_customers)


def _rows_of(relation: Relation, columns: set[str]) -> Any:
    """Its table with these columns and those that decide which rows count: fewer columns are compiled sooner."""
    table = WAREHOUSE_TABLES[relation.table]
    own = {"profile_id", table.key, relation.at, relation.until, relation.counts, *relation.latest_by}
    return given_table(table.name, {c.name: _TYPES[c.type] for c in table.columns if c.name in own | columns})


def _valid(relation: Relation, columns: set[str], *, has_customers: bool, wakes: bool) -> Any:
    """Rows that count, or may later."""
    rows = _rows_of(relation, columns)
    after_now = parameter(AFTER_NOW)
    conditions = [rows.profile_id.notnull()]
    if relation.counts:
        conditions.append(rows[relation.counts])
    if relation.until:
        conditions.append(rows[relation.until].isnull() | (rows[relation.until] >= after_now))
    conditions.append(rows[relation.at].notnull() if wakes else rows[relation.at] < after_now)
    rows = rows.filter(*conditions)
    if has_customers:
        rows = rows.inner_join(people(), "profile_id")
    return _latest(relation, rows) if relation.latest_by else rows


def _since(relation: Relation, rows: Any, selections: Sequence[Selection]) -> Any:
    """Without what lies before every window: files are skipped by it, and zones are looked up for few rows."""
    floors = list(dict.fromkeys(one.floor for one in selections))
    known = [parameter(one) for one in floors if one]
    if len(known) < len(floors):
        return rows
    return rows.filter(rows[relation.at] >= (ibis.least(*known) if len(known) > 1 else known[0]))


def _latest(relation: Relation, rows: Any) -> Any:
    """Of a customer's rows that are equal in some columns the latest; rows still to come are kept, behind it."""
    is_later = rows[relation.at] >= parameter(AFTER_NOW)
    rows = rows.mutate(is_later=is_later)
    order = [rows.is_later, ibis.desc(rows[relation.at]), ibis.desc(rows[WAREHOUSE_TABLES[relation.table].key])]
    window = ibis.window(group_by=["customer_id", *relation.latest_by], order_by=order)
    rows = rows.mutate(place=ibis.row_number().over(window))
    return rows.filter((rows.place == 0) | rows.is_later).drop("place", "is_later")


def _parts(selection: Selection, relation: Relation, rows: Any, scope: Scope, *, wakes: bool) -> _Parts:
    at = rows[relation.at]
    fixed = [] if selection.low is None else [at >= scope.value(selection.low)]
    is_now = selection.high == AFTER_NOW and not wakes  # rows still to come are left out already
    moving = [] if is_now else [at < scope.value(selection.high)]
    moments = moved(selection.moves, scope.dialect.micros(at), scope)
    for column, test in selection.where:
        passed = passes(test, rows[column], scope)
        (moving if test.is_moving else fixed).append(passed)
        moments += edges(test, rows[column], scope)
    return _Parts(fixed, moving, moments)


def _wakes(relation: Relation, rows: Any, parts: Sequence[_Parts], dialect: Dialect) -> Any:
    """The earliest edge of each selection to which the row may belong, and its own end."""
    moments = [ibis.ifelse(_all(part.fixed).fill_null(False), earliest(part.wakes), NEVER) for part in parts]
    if relation.until:
        ends = dialect.micros(rows[relation.until])
        moments.append(ibis.ifelse(ends > parameter(NOW), ends, NEVER))
    return earliest(moments)


def _all(conditions: Sequence[Any]) -> Any:
    return reduce(and_, conditions) if conditions else ibis.literal(True)
