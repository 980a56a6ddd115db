"""Why somebody is in, or not: each condition with the value seen, the rows it came from, and what would change it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import islice
from math import ceil

from regulars.foundation.relations import RELATIONS, FieldType
from regulars.insight.conditions import language
from regulars.insight.conditions.evaluate import evaluate, turning_points
from regulars.insight.conditions.judging import Known
from regulars.insight.conditions.language import (
    All,
    Any,
    Condition,
    Leaf,
    Measure,
    Measured,
    Not,
    Op,
    Ratio,
    Rows,
    Share,
    Test,
)
from regulars.insight.conditions.measuring import (
    Person,
    Row,
    chains,
    field_of,
    figure_of,
    find_rows,
    holds,
    value_of,
)
from regulars.insight.conditions.windows import Clock, length, plus

_MOST_ROWS = 10
_MOST_TRIED = 50
_MOST_CHAINS = 1000


@dataclass(frozen=True)
class Seen:
    """A row of a table of the warehouse, by the table's key."""

    table: str
    key: int
    at: datetime


@dataclass(frozen=True)
class ByTime:
    """If nothing happens, it turns at this moment."""

    at: datetime
    becomes: bool


@dataclass(frozen=True)
class ByMore:
    """It turns true by so much more of its figure (rows, money, pieces), unless what counts now has become other by ``before``."""

    more: Fraction
    before: datetime | None


@dataclass(frozen=True)
class ByStep:
    """It turns true by the step of the sequence with this place, which has not happened yet, later than ``after`` and before ``before``."""

    place: int
    after: datetime
    before: datetime


Change = ByTime | ByMore | ByStep


@dataclass(frozen=True)
class Reason:
    """One leaf, as it stands for one person. ``value`` is exact; None: there is none. ``rows``: at most ten of ``row_count``, newest first.

    ``wakes_at``: time alone changes nothing before it; None: it never does.
    """

    leaf: Leaf | language.Sequence | Share
    holds: bool
    value: Known | None
    rows: tuple[Seen, ...]
    row_count: int
    wakes_at: datetime | None
    changes: tuple[Change, ...]


class Joined(StrEnum):
    ALL = "all"
    ANY = "any"
    NOT = "not"


@dataclass(frozen=True)
class Group:
    """Reasons as they are nested in the condition. NOT has one part."""

    joined: Joined
    holds: bool
    parts: tuple["Why", ...]


Why = Reason | Group


def why(condition: Condition, person: Person, clock: Clock) -> Why:
    """The whole condition, explained in its own shape."""
    clock = person.clock(clock)
    match condition:
        case All(parts):
            return Group(Joined.ALL, holds(condition, person, clock), tuple(why(part, person, clock) for part in parts))
        case Any(parts):
            return Group(Joined.ANY, holds(condition, person, clock), tuple(why(part, person, clock) for part in parts))
        case Not(part):
            return Group(Joined.NOT, holds(condition, person, clock), (why(part, person, clock),))
        case _:
            return _reason(condition, person, clock)


@dataclass(frozen=True)
class Look:
    """One leaf as it stands for one person: ``value`` as in Reason, ``newest``: of the rows that it came from."""

    leaf: Leaf | language.Sequence | Share
    holds: bool
    value: Known | None
    newest: Seen | None


def look(condition: Condition, person: Person, clock: Clock) -> list[Look]:
    """All leaves, in their order; without what would change them, which takes most of the time."""
    clock = person.clock(clock)
    return [_look(leaf, person, clock) for leaf in language.leaves(condition)]


def _look(leaf: Leaf | language.Sequence | Share, person: Person, clock: Clock) -> Look:
    value = figure_of(leaf.figure, person, clock) if isinstance(leaf, Leaf) else None
    rows = _rows(leaf, value, person, clock)
    return Look(leaf, holds(leaf, person, clock), value, rows[0] if rows else None)


def reasons(explained: Why) -> Iterator[Reason]:
    """All leaves, in their order."""
    if isinstance(explained, Reason):
        yield explained
    else:
        for part in explained.parts:
            yield from reasons(part)


def _reason(leaf: Leaf | language.Sequence | Share, person: Person, clock: Clock) -> Reason:
    verdict = evaluate(leaf, person, clock)
    value = figure_of(leaf.figure, person, clock) if isinstance(leaf, Leaf) else None
    rows = _rows(leaf, value, person, clock)
    return Reason(
        leaf,
        verdict.is_in,
        value,
        tuple(rows[:_MOST_ROWS]),
        len(rows),
        verdict.wakes_at,
        tuple(_changes(leaf, verdict.is_in, value, verdict.wakes_at, person, clock)),
    )


def _rows(leaf: Leaf | language.Sequence | Share, value: Known | None, person: Person, clock: Clock) -> list[Seen]:
    """The newest first."""
    match leaf:
        case Leaf(Measured() as figure):
            found = _rows_of_figure(figure, value, person, clock)
        case Leaf(Ratio(top, bottom)):
            found = [*_rows_of_figure(top, None, person, clock), *_rows_of_figure(bottom, None, person, clock)]
        case language.Sequence():
            found = _reached(leaf, person, clock)
        case _:
            found = []
    return sorted(set(found), key=lambda seen: (seen.at, seen.key), reverse=True)


def _rows_of_figure(figure: Measured, value: Known | None, person: Person, clock: Clock) -> list[Seen]:
    """The one row that a first or last value is of; those that have the least or greatest; else all."""
    rows, relation = find_rows(figure.rows, person, clock), RELATIONS[figure.rows.of]
    match figure.measure:
        case Measure.FIRST:
            rows = rows[:1]
        case Measure.LAST:
            rows = rows[-1:]
        case Measure.MIN | Measure.MAX if value is not None:
            rows = [row for row in rows if value_of(row, relation, figure.field) == value]
    return [_seen(row, figure.rows.of) for row in rows]


def _seen(row: Row, of: str) -> Seen:
    relation = RELATIONS[of]
    return Seen(relation.table, row["key"], row[relation.at])


def _changes(
    leaf: Leaf | language.Sequence | Share,
    is_in: bool,
    value: Known | None,
    wakes_at: datetime | None,
    person: Person,
    clock: Clock,
) -> Iterator[Change]:
    if wakes_at and holds(leaf, person, replace(clock, at=wakes_at)) != is_in:
        yield ByTime(wakes_at, not is_in)
    if is_in:
        return
    if isinstance(leaf, language.Sequence):
        yield from _next_step(leaf, person, clock)
    elif isinstance(leaf, Leaf) and isinstance(leaf.figure, Measured) and isinstance(value, Fraction):
        yield from _more(leaf, leaf.figure, value, person, clock)


_GROWS = frozenset({Measure.COUNT, Measure.SUM, Measure.DISTINCT})


def _more(leaf: Leaf, figure: Measured, value: Fraction, person: Person, clock: Clock) -> Iterator[ByMore]:
    """Of figures that grow by what happens: how much is missing."""
    missing = _missing(leaf.test, value, _step(figure))
    if figure.measure not in _GROWS or missing is None or missing <= 0:
        return
    later = islice(turning_points(leaf, person, clock), _MOST_TRIED)
    others = (at for at in later if figure_of(figure, person, replace(clock, at=at)) != value)
    yield ByMore(missing, next(others, None))


def _step(figure: Measured) -> Fraction:
    """By how much the figure grows at least."""
    is_fine = (
        figure.measure is Measure.SUM and field_of(RELATIONS[figure.rows.of], figure.field).type is FieldType.NUMBER
    )
    return Fraction(1, 10**6) if is_fine else Fraction(1)


def _missing(test: Test, value: Fraction, step: Fraction) -> Fraction | None:
    """How much more makes the test true; None where no more does."""
    goal = test.value[0] if test.op is Op.BETWEEN and isinstance(test.value, tuple) else test.value
    if test.op not in _REACHED or not isinstance(goal, Decimal):
        return None
    least = Fraction(goal)
    if test.op in (Op.GT, Op.IS_NOT):
        least = least // step * step + step
    return ceil((least - value) / step) * step


_REACHED = frozenset({Op.GE, Op.GT, Op.IS, Op.IS_NOT, Op.BETWEEN})


def _beginning(sequence: language.Sequence, count: int) -> tuple[language.Sequence, int]:
    """The sequence until the step that happens as the count-th, and that step's place."""
    places = [place for place, step in enumerate(sequence.steps) if not step.is_absent]
    place = places[count - 1]
    return replace(sequence, steps=sequence.steps[: place + 1]), place


def _happening(sequence: language.Sequence) -> list[str]:
    """Relations of the steps that happen."""
    return [step.of for step in sequence.steps if not step.is_absent]


def _reached(sequence: language.Sequence, person: Person, clock: Clock) -> list[Seen]:
    """The rows that make it, or as much of its beginning as there is; of several the latest."""
    happening = _happening(sequence)
    beginnings = (_beginning(sequence, count)[0] for count in range(len(happening), 0, -1))
    for one in (sequence, *beginnings):
        found = list(islice(chains(one, person, clock), _MOST_CHAINS))
        if found:
            seen = [[_seen(row, of) for row, of in zip(chain, happening, strict=False)] for chain in found]
            return max(seen, key=lambda rows: rows[-1].at)
    return []


def _next_step(sequence: language.Sequence, person: Person, clock: Clock) -> Iterator[ByStep]:
    """After the longest beginning that can still be gone on with; of several the one with the most time left."""
    happening = _happening(sequence)
    for count in range(len(happening) - 1, 0, -1):
        beginning, place = _beginning(sequence, count)
        _, following = _beginning(sequence, count + 1)
        absent = sequence.steps[place + 1 : following]
        found = [
            ByStep(
                following,
                _at(chain[-1], happening[count - 1]),
                plus(_at(chain[0], happening[0]), length(sequence.within)),
            )
            for chain in islice(chains(beginning, person, clock), _MOST_CHAINS)
        ]
        last_absent = [
            _at(row, step.of)
            for step in absent
            for row in find_rows(Rows(step.of, step.where, sequence.window), person, clock)
        ]
        still = [one for one in found if one.before > clock.at and not any(at > one.after for at in last_absent)]
        if still:
            yield max(still, key=lambda one: (one.before, one.after))
            return


def _at(row: Row, of: str) -> datetime:
    moment: datetime = row[RELATIONS[of].at]
    return moment
