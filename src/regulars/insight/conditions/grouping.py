"""Figures measured: all of one relation in one pass, grouped by profile first where a profile's part of a figure is enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis

from regulars.foundation.relations import RELATIONS, FieldType
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.insight.conditions.comparisons import DAY, Number, wide
from regulars.insight.conditions.engines import Dialect, wide_sum
from regulars.insight.conditions.language import Measure
from regulars.insight.conditions.people import people
from regulars.insight.conditions.selecting import WAKES, Selected, select
from regulars.insight.conditions.shapes import Figure, SequenceShape

_ENDS = (Measure.FIRST, Measure.LAST)
_NUMBERS = (FieldType.NUMBER, FieldType.MONEY)


@dataclass(frozen=True)
class Group:
    """One row for each customer with rows: ``customer_id``, the columns of its members, and ``wakes`` (the name of that column)."""

    rows: Any
    members: tuple[Figure | SequenceShape, ...]
    wakes: str


@dataclass(frozen=True)
class _Part:
    """A column of a figure: measured from rows, then from the columns of a customer's profiles."""

    value: Any
    combine: str  # sum, min or max


def measure_all(figures: Sequence[Figure], dialect: Dialect, *, wakes: bool, of_some: bool = False) -> list[Group]:
    """One group for each relation, and one for each figure that counts distinct values. ``of_some``: ``people`` are not everybody, so that
    rows are joined to them before they are grouped.
    """
    names = {figure: f"f{place}" for place, figure in enumerate(figures)}
    together: dict[str, list[Figure]] = {}
    groups = []
    for figure in figures:
        if figure.measure is Measure.DISTINCT:
            groups.append(_distinct(figure, names[figure], dialect, wakes=wakes))
        else:
            together.setdefault(figure.rows.of, []).append(figure)
    for members in together.values():
        groups.append(_measured({one: names[one] for one in members}, dialect, wakes=wakes, of_some=of_some))
    return groups


def _measured(names: dict[Figure, str], dialect: Dialect, *, wakes: bool, of_some: bool) -> Group:
    figures = list(names)
    needs_customers = of_some or any(one.measure in _ENDS for one in figures)
    selections = list(dict.fromkeys(one.rows for one in figures))
    columns = [one.column for one in figures]
    selected = select(selections, dialect, needs_customers=needs_customers, wakes=wakes, columns=columns)
    if not dialect.has_first:
        selected = _with_places(selected, names)
    parts = {n: p for figure, name in names.items() for n, p in _parts(figure, name, selected, dialect).items()}
    column = f"{names[figures[0]]}_{WAKES}" if wakes else ""
    if wakes:
        parts[column] = _Part(selected.rows[WAKES].min(), "min")
    return Group(_grouped(selected, parts), tuple(figures), column)


def _grouped(selected: Selected, parts: dict[str, _Part]) -> Any:
    measured = {name: part.value for name, part in parts.items()}
    if selected.has_customers:
        return selected.rows.group_by("customer_id").agg(**measured)
    by_profile = selected.rows.group_by("profile_id").agg(**measured)
    both = by_profile.inner_join(people(), "profile_id")
    return both.group_by("customer_id").agg(
        **{name: _COMBINED[part.combine](both[name]) for name, part in parts.items()}
    )


_COMBINED = {
    "sum": lambda column: wide_sum(column) if column.type().is_integer() else column.sum(),
    "min": lambda column: column.min(),
    "max": lambda column: column.max(),
}


_COLUMNS = {
    Measure.COUNT: ("count",),
    Measure.SUM: ("sum",),
    Measure.AVERAGE: ("sum", "known"),
    Measure.GAP: ("count", "min", "max"),
    Measure.MIN: ("min",),
    Measure.MAX: ("max",),
    Measure.FIRST: ("end",),
    Measure.LAST: ("end",),
    Measure.DISTINCT: ("count",),
}


def _parts(figure: Figure, name: str, selected: Selected, dialect: Dialect) -> dict[str, _Part]:
    value, where = selected.rows[figure.column], selected.flag(figure.rows)
    made: dict[str, Callable[[], _Part]] = {
        "count": lambda: _Part(selected.rows.count(where=where), "sum"),
        "known": lambda: _Part(value.count(where=where), "sum"),
        "sum": lambda: _Part(_sum(value, where), "sum"),
        "min": lambda: _Part(value.min(where=where), "min"),
        "max": lambda: _Part(value.max(where=where), "max"),
        "end": lambda: _Part(_end(figure, name, selected, dialect), ""),
    }
    return {f"{name}_{part}": made[part]() for part in _COLUMNS[figure.measure]}


def _sum(value: Any, where: Any) -> Any:
    return wide_sum(value, where=where) if value.type().is_integer() else value.sum(where=where)


def _end(figure: Figure, name: str, selected: Selected, dialect: Dialect) -> Any:
    """The value of the first row or the last, null if that is null."""
    rows = selected.rows
    value, where = rows[figure.column], selected.flag(figure.rows)
    if dialect.has_first:
        return value.first(where=where, order_by=_order(figure, rows), include_null=True)
    is_end = rows[f"{name}_place"] == 0
    is_end = is_end if where is None else is_end & where
    return value.any(where=is_end) if figure.type is FieldType.FLAG else value.max(where=is_end)


def _with_places(selected: Selected, names: dict[Figure, str]) -> Selected:
    """Engines that do not know the first of a group number its rows, those that belong before all others."""
    rows = selected.rows
    places = {}
    for figure, name in names.items():
        if figure.measure in _ENDS:
            flag = selected.flag(figure.rows)
            order = _order(figure, rows) if flag is None else [ibis.desc(flag), *_order(figure, rows)]
            places[f"{name}_place"] = ibis.row_number().over(ibis.window(group_by="customer_id", order_by=order))
    return Selected(selected.relation, rows.mutate(**places), selected.flags, selected.has_customers)


def _order(figure: Figure, rows: Any) -> list[Any]:
    relation = RELATIONS[figure.rows.of]
    order = [rows[relation.at], rows[WAREHOUSE_TABLES[relation.table].key]]
    return order if figure.measure is Measure.FIRST else [ibis.desc(one) for one in order]


def _distinct(figure: Figure, name: str, dialect: Dialect, *, wakes: bool) -> Group:
    """Grouped by value first: a set of values for each customer would not fit into memory."""
    selected = select([figure.rows], dialect, needs_customers=True, wakes=wakes, columns=[figure.column])
    flag = selected.flag(figure.rows)
    rows = selected.rows.mutate(
        value=selected.rows[figure.column], belongs=ibis.literal(True) if flag is None else flag
    )
    columns = {"belongs": rows.belongs.any()} | ({WAKES: rows[WAKES].min()} if wakes else {})
    values = rows.group_by("customer_id", "value").agg(**columns)
    counted = {f"{name}_count": values.count(where=values.belongs & values.value.notnull())}
    column = f"{name}_{WAKES}" if wakes else ""
    if wakes:
        counted[column] = values[WAKES].min()
    return Group(values.group_by("customer_id").agg(**counted), (figure,), column)


def figure_from(figure: Figure, name: str, rows: Any, dialect: Dialect) -> Any:
    """The figure from its columns, for people without rows too: a Number where it is one."""

    def column(part: str) -> Any:
        return rows[f"{name}_{part}"]

    match figure.measure:
        case Measure.COUNT | Measure.DISTINCT:
            return Number(column("count").fill_null(0))
        case Measure.SUM:
            return Number(column("sum").fill_null(0))
        case Measure.AVERAGE:
            total = Number(_where(column("known") > 0, column("sum"))).as_fraction()
            return Number(total.top, wide(column("known")), total.is_in_millionths)
        case Measure.GAP:
            whole = dialect.micros(column("max")) - dialect.micros(column("min"))
            return Number(_where(column("count") > 1, wide(whole)), wide(column("count") - 1), unit=DAY)
        case _:
            [part] = _COLUMNS[figure.measure]
            return Number(column(part)) if figure.type in _NUMBERS else column(part)


def _where(condition: Any, value: Any) -> Any:
    return ibis.ifelse(condition, value, ibis.null())
