"""Conditions decided in plain Python, one customer at a time: what every engine must agree with. Pure.

Slow and plain on purpose: each rule of docs/conditions.md stands here once, as it is said there.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from operator import itemgetter
from typing import Any

from regulars.foundation.relations import RELATIONS, Field, FieldType, Relation
from regulars.insight.conditions import language, shares
from regulars.insight.conditions.judging import Known, known, passes
from regulars.insight.conditions.language import (
    All,
    Condition,
    Leaf,
    Measure,
    Measured,
    Not,
    Ratio,
    Rows,
    Share,
    Step,
)
from regulars.insight.conditions.windows import Clock, bounds, length, plus
from regulars.insight.conditions.zones import Said, zone_at

Row = Mapping[str, Any]
AT = "at"  # the field that every relation has: the moment of the row
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Person:
    """A customer with the rows that all her profiles have. ``rows`` by name of the relation: columns of its table, moments in UTC, dates as
    days since 1970, and ``key``, the value of the table's key. ``zones``: all that is said of where she lives.
    """

    customer_id: int
    rows: Mapping[str, Sequence[Row]]
    zones: Sequence[Said] = ()

    def clock(self, clock: Clock) -> Clock:
        """The clock with the zone that is known of her at its moment; the shop's where there is none."""
        return replace(clock, person=zone_at(self.zones, clock.at, clock.shop))


def holds(condition: Condition, person: Person, clock: Clock) -> bool:
    """Whether the customer is in at the clock's moment. The clock's person is this one."""
    match condition:
        case All(parts):
            return all(holds(part, person, clock) for part in parts)
        case language.Any(parts):
            return any(holds(part, person, clock) for part in parts)
        case Not(part):
            return not holds(part, person, clock)
        case Leaf(figure, test):
            return passes(test, figure_of(figure, person, clock), clock)
        case Share(percent, salt):
            return shares.number(person.customer_id, salt) < shares.limit(percent)
        case language.Sequence():
            return find_chain(condition, person, clock) is not None


def field_of(relation: Relation, name: str) -> Field:
    return Field(relation.at, FieldType.MOMENT, "moment") if name == AT else relation.fields[name]


def value_of(row: Row, relation: Relation, name: str) -> Known | None:
    field = field_of(relation, name)
    return known(row[field.column], field.type)


def find_rows(rows: Rows, person: Person, clock: Clock) -> list[Row]:
    """The rows that are meant, the earliest first."""
    relation, span = RELATIONS[rows.of], bounds(rows.window, clock)
    found = [row for row in _valid(relation, person, clock.at) if span.hold(row[relation.at])]
    return [
        row for row in found if all(passes(one.test, value_of(row, relation, one.field), clock) for one in rows.where)
    ]


def _valid(relation: Relation, person: Person, at: datetime) -> list[Row]:
    """Rows that speak of the person at a moment, the earliest first: begun, not ended, counted, and of equal ones the latest."""
    valid = [row for row in person.rows.get(relation.name, ()) if _is_valid(row, relation, at)]
    valid.sort(key=lambda row: (row[relation.at], row["key"]))
    if not relation.latest_by:
        return valid
    latest = {tuple(row[column] for column in relation.latest_by): row["key"] for row in valid}
    return [row for row in valid if row["key"] in latest.values()]


def _is_valid(row: Row, relation: Relation, at: datetime) -> bool:
    if relation.counts and not row[relation.counts]:
        return False
    until = row[relation.until] if relation.until else None
    return row[relation.at] is not None and row[relation.at] <= at and (until is None or at < until)


def figure_of(figure: Measured | Ratio, person: Person, clock: Clock) -> Known | None:
    """The figure, exact; None where the customer has no value."""
    if isinstance(figure, Measured):
        return _measured(figure, person, clock)
    top, bottom = _measured(figure.top, person, clock), _measured(figure.bottom, person, clock)
    if not isinstance(top, Fraction) or not isinstance(bottom, Fraction) or not bottom:
        return None
    return top / bottom


def _measured(figure: Measured, person: Person, clock: Clock) -> Known | None:
    rows, relation = find_rows(figure.rows, person, clock), RELATIONS[figure.rows.of]
    if figure.measure is Measure.COUNT:
        return Fraction(len(rows))
    if figure.measure is Measure.GAP:
        return _gap([row[relation.at] for row in rows])
    values = [value_of(row, relation, figure.field) for row in rows]
    if figure.measure in (Measure.FIRST, Measure.LAST):
        return values[0 if figure.measure is Measure.FIRST else -1] if values else None
    return _OF_VALUES[figure.measure]([value for value in values if value is not None])


def _gap(moments: Sequence[datetime]) -> Fraction | None:
    """All gaps together are the whole time between the first row and the last."""
    if len(moments) < 2:
        return None
    microsecond = timedelta(microseconds=1)
    return Fraction((moments[-1] - moments[0]) // microsecond, _DAY // microsecond * (len(moments) - 1))


_OF_VALUES: Mapping[Measure, Callable[[list[Any]], Known | None]] = {
    Measure.SUM: lambda values: sum(values, Fraction()),
    Measure.DISTINCT: lambda values: Fraction(len(set(values))),
    Measure.MIN: lambda values: min(values, default=None),
    Measure.MAX: lambda values: max(values, default=None),
    Measure.AVERAGE: lambda values: sum(values, Fraction()) / len(values) if values else None,
}


@dataclass(frozen=True)
class _Stage:
    """A step that happened, with what must not have happened since the one before it. Rows with their moments, the earliest first."""

    absent: tuple[Sequence[tuple[datetime, Row]], ...]
    rows: Sequence[tuple[datetime, Row]]

    def is_quiet(self, after: datetime, before: datetime) -> bool:
        return not any(_between(rows, after, before) for rows in self.absent)


def _between(rows: Sequence[tuple[datetime, Row]], after: datetime, before: datetime) -> Sequence[tuple[datetime, Row]]:
    """Neither end included."""
    return rows[bisect_right(rows, after, key=itemgetter(0)) : bisect_left(rows, before, key=itemgetter(0))]


def find_chain(sequence: language.Sequence, person: Person, clock: Clock) -> list[Row] | None:
    """Rows that make the sequence, one for each step that happened, or None."""
    return next(chains(sequence, person, clock), None)


def chains(sequence: language.Sequence, person: Person, clock: Clock) -> Iterator[list[Row]]:
    """Choices of rows that make the sequence, not only of those that follow each other most closely: of every first row, and every last row
    that it leads to, one.
    """
    stages, tail = _stages(sequence, person, clock)
    within = length(sequence.within)
    for start, row in stages[0].rows:
        deadline = plus(start, within)
        if not tail.absent or deadline <= clock.at:
            yield from ([row, *rest] for rest in _Search(stages[1:], tail, deadline).chains(0, start))


def _stages(sequence: language.Sequence, person: Person, clock: Clock) -> tuple[list[_Stage], _Stage]:
    """The steps that happened, and what is absent after the last of them."""
    stages: list[_Stage] = []
    absent: list[Sequence[tuple[datetime, Row]]] = []
    for step in sequence.steps:
        rows = _moments(step, sequence, person, clock)
        if step.is_absent:
            absent.append(rows)
        else:
            stages.append(_Stage(tuple(absent), rows))
            absent = []
    return stages, _Stage(tuple(absent), ())


def _moments(step: Step, sequence: language.Sequence, person: Person, clock: Clock) -> list[tuple[datetime, Row]]:
    at = RELATIONS[step.of].at
    return [(row[at], row) for row in find_rows(Rows(step.of, step.where, sequence.window), person, clock)]


@dataclass(frozen=True)
class _Search:
    """From one first row on. ``tried``: steps and moments from which all ways on were given already, so that none is gone twice."""

    stages: Sequence[_Stage]
    tail: _Stage
    deadline: datetime
    tried: set[tuple[int, datetime]] = field(default_factory=set)

    def chains(self, place: int, since: datetime) -> Iterator[list[Row]]:
        if (place, since) in self.tried:
            return
        self.tried.add((place, since))
        if place == len(self.stages):
            if self.tail.is_quiet(since, self.deadline):
                yield []
            return
        for at, row in _between(self.stages[place].rows, since, self.deadline):
            if self.stages[place].is_quiet(since, at):
                yield from ([row, *rest] for rest in self.chains(place + 1, at))
