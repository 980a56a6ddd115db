"""Whether a customer is in, and until when that holds if nothing happens. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice

from regulars.foundation.relations import RELATIONS, Relation
from regulars.insight.conditions.judging import turns
from regulars.insight.conditions.language import (
    Ago,
    Condition,
    Last,
    Leaf,
    Measure,
    Measured,
    Op,
    Rows,
    Sequence,
    Share,
    Test,
    Window,
    asks_for_zones,
    leaves,
    rows_of,
    tests_of,
)
from regulars.insight.conditions.measuring import Person, Row, holds, value_of
from regulars.insight.conditions.windows import Clock, length, old_from, plus

# Anniversaries come round for ever. From any moment at least those until so far ahead are seen (``judging.turns``).
_FAR = timedelta(days=300)
_MOST_TRIED = 24
_OF_A_ROW = frozenset({Measure.MIN, Measure.MAX, Measure.FIRST, Measure.LAST})


@dataclass(frozen=True)
class Verdict:
    """``wakes_at``: time alone changes nothing before it; None: it never does."""

    is_in: bool
    wakes_at: datetime | None


def evaluate(condition: Condition, person: Person, clock: Clock) -> Verdict:
    """``wakes_at`` is mostly the very moment of the change; where many moments come that could bring it but do not, one of them."""
    clock = person.clock(clock)
    is_in = holds(condition, person, clock)
    later = turning_points(condition, person, clock)
    for moment in islice(later, _MOST_TRIED):
        if holds(condition, person, replace(clock, at=moment)) != is_in:
            return Verdict(is_in, moment)
    return Verdict(is_in, next(later, _horizon(condition, person, clock)))


def turning_points(condition: Condition, person: Person, clock: Clock) -> Iterator[datetime]:
    """Every later moment at which a leaf may change by time alone, the earliest first, as far as the horizon."""
    found = set(chain.from_iterable(_points(leaf, person, clock) for leaf in leaves(condition)))
    horizon = _horizon(condition, person, clock)
    return iter(sorted(at for at in found if at > clock.at and (horizon is None or at <= horizon)))


def _horizon(condition: Condition, person: Person, clock: Clock) -> datetime | None:
    """Until when all turning points are known; None: for ever. In another zone days begin at other moments."""
    comes_round = any(test.op is Op.ANNIVERSARY for leaf in leaves(condition) for test in tests_of(leaf))
    ends = [plus(clock.at, _FAR)] if comes_round else []
    if asks_for_zones(condition):
        ends += [one.at for one in person.zones if one.at > clock.at]
    return min(ends, default=None)


def _points(leaf: Leaf | Sequence | Share, person: Person, clock: Clock) -> Iterator[datetime]:
    for rows in rows_of(leaf):
        relation = RELATIONS[rows.of]
        for row in person.rows.get(rows.of, ()):
            if row[relation.at] is not None:
                yield from _points_of_row(rows, row, relation, clock)
                yield from _points_of_leaf(leaf, row, relation, clock)


def _points_of_row(rows: Rows, row: Row, relation: Relation, clock: Clock) -> Iterator[datetime]:
    """When it begins and ends, enters and leaves the window, and begins and ceases to pass the filters."""
    yield row[relation.at]
    if relation.until and row[relation.until] is not None:
        yield row[relation.until]
    yield from _edges(rows.window, row[relation.at], clock)
    for one in rows.where:
        yield from _turns(one.test, row, relation, one.field, clock)


def _edges(window: Window, at: datetime, clock: Clock) -> Iterator[datetime]:
    match window:
        case Last(span, days):
            yield old_from(at, span, days, clock)
        case Ago(since, to, days):
            yield old_from(at, to, days, clock)
            yield old_from(at, since, days, clock)


def _points_of_leaf(leaf: Leaf | Sequence | Share, row: Row, relation: Relation, clock: Clock) -> Iterator[datetime]:
    """When the figure would begin or cease to pass, were it this row's value; when a sequence begun by this row is over."""
    match leaf:
        case Leaf(Measured(_, measure, field), test) if measure in _OF_A_ROW:
            yield from _turns(test, row, relation, field, clock)
        case Sequence(_, within):
            yield plus(row[relation.at], length(within))


def _turns(test: Test, row: Row, relation: Relation, field: str, clock: Clock) -> Iterator[datetime]:
    return turns(test, value_of(row, relation, field), clock)
