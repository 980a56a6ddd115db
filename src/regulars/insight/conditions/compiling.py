"""Conditions compiled: one Ibis expression for each shape and question, one SQL for each engine, built once in a process.

Rows are filtered and grouped for each relation in one pass, whatever number of figures is measured; then the groups are joined to
whoever is asked of, and the condition is a boolean of their columns. Sequences are a pass of their own (``sequences``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

import ibis

from regulars.insight.conditions.comparisons import NEVER, Number, Scope, earliest, edges, passes, ratio
from regulars.insight.conditions.engines import DIALECTS, Dialect, Engine, parameter, sql_of
from regulars.insight.conditions.grouping import Group, figure_from, measure_all
from regulars.insight.conditions.people import customers, people, with_personal, zones
from regulars.insight.conditions.sequences import find_sequence
from regulars.insight.conditions.shapes import (
    ENTERED_AT,
    AllShape,
    AnyShape,
    Figure,
    LeafShape,
    NotShape,
    SequenceShape,
    Shape,
    ShareShape,
    personal_in,
)
from regulars.insight.conditions.shares import PRIME

_SHAPES = 500  # kept compiled; the builder makes new ones while it is used


class Asked(StrEnum):
    """What a compiled condition gives: MEMBERS: customer_id. VERDICTS: customer_id, is_in, wakes_at (microseconds since 1970, null: time
    changes nothing), of everybody who is in or may be by time. COUNT: one row with count, first_ids and a column ``missing_N`` for each
    leaf N that denies.
    """

    MEMBERS = "members"
    VERDICTS = "verdicts"
    COUNT = "count"


@dataclass(frozen=True)
class Compiled:
    """``people``: SQL of those who alone can be in, by a share that stands for the whole; '' where everybody can."""

    sql: str
    engine: Engine
    people: str = ""


@lru_cache(_SHAPES)
def compiled(shape: Shape, asked: Asked, engine: Engine) -> Compiled:
    """PostgreSQL is asked of the few who are in ``customers``, and tells of each of them; the others of everybody."""
    compiling = _Compiling(shape, asked, DIALECTS[engine])
    chosen = sql_of(compiling.people(), engine) if compiling.shares else ""
    return Compiled(sql_of(compiling.expression(), engine), engine, chosen)


def denying_leaves(shape: Shape) -> list[int]:
    """Numbers of the leaves, as they stand, that say what they make of no value."""
    return [n for n, leaf in enumerate(leaves_of(shape)) if isinstance(leaf, LeafShape) and leaf.test.is_denying]


def leaves_of(shape: Shape) -> Iterator[LeafShape | SequenceShape | ShareShape]:
    match shape:
        case AllShape(parts) | AnyShape(parts):
            for part in parts:
                yield from leaves_of(part)
        case NotShape(part):
            yield from leaves_of(part)
        case _:
            yield shape


class _Compiling:
    """One expression. Columns of measured groups are named by the place of their figure."""

    def __init__(self, shape: Shape, asked: Asked, dialect: Dialect) -> None:
        self._shape, self._asked, self._dialect = shape, asked, dialect
        self._scope = Scope(dialect)
        leaves = list(leaves_of(shape))
        measured = [f for leaf in leaves if isinstance(leaf, LeafShape) for f in (leaf.top, leaf.bottom) if f]
        self._figures = list(dict.fromkeys(measured))
        self._sequences = list(dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, SequenceShape)))
        self.shares = [] if self._tells_of_all else list(_shares_of_whole(shape))

    @property
    def _wakes(self) -> bool:
        return self._asked is Asked.VERDICTS

    def people(self) -> Any:
        """Those in all shares that the whole is limited to."""
        everybody = people()
        return everybody.filter(*(_share(share, everybody.customer_id) for share in self.shares))

    def expression(self) -> Any:
        rows = self._joined()
        rows = rows.mutate(is_in=self._holds(self._shape, rows))
        match self._asked:
            case Asked.MEMBERS:
                return rows.filter(rows.is_in).select("customer_id")
            case Asked.VERDICTS:
                return self._verdicts(rows)
            case Asked.COUNT:
                return self._count(rows)

    @cached_property
    def _groups(self) -> list[Group]:
        """All measured groups; sequences are groups too."""
        groups = measure_all(self._figures, self._dialect, wakes=self._wakes, of_some=bool(self.shares))
        return groups + [
            find_sequence(sequence, f"q{place}", self._dialect, wakes=self._wakes)
            for place, sequence in enumerate(self._sequences)
        ]

    def _joined(self) -> Any:
        """Everybody asked of, with the columns of all groups. Where nobody passes without rows of some groups, whoever has them is
        everybody.
        """
        needed = set() if self._tells_of_all else self._needed(self._shape)
        groups = sorted(enumerate(self._groups), key=lambda one: one[0] not in needed)
        everybody = people().select("customer_id").distinct() if self.shares else customers()
        rows = None if needed else everybody
        for place, group in groups:
            if rows is None:
                rows = group.rows
                continue
            theirs = group.rows.rename({f"customer_{place}": "customer_id"})
            join = rows.inner_join if place in needed else rows.left_join
            rows = join(theirs, rows.customer_id == theirs[f"customer_{place}"])
        tests = tuple(leaf.test for leaf in leaves_of(self._shape) if isinstance(leaf, LeafShape))
        return with_personal(rows, personal_in(tests))

    @property
    def _tells_of_all(self) -> bool:
        """PostgreSQL gives a verdict on each of the few; people without a value are counted among all."""
        if self._asked is Asked.VERDICTS:
            return self._dialect.engine is Engine.POSTGRES
        return self._asked is Asked.COUNT and bool(denying_leaves(self._shape))

    def _needed(self, shape: Shape) -> set[int]:
        """Groups without rows of which nobody passes."""
        match shape:
            case AllShape(parts):
                return set().union(*map(self._needed, parts))
            case AnyShape(parts):
                return set.intersection(*map(self._needed, parts)) if parts else set()
            case LeafShape(top, None, _, True):
                return {self._place_of(top)}
            case SequenceShape():
                return {self._place_of(shape)}
            case _:
                return set()

    def _place_of(self, member: Figure | SequenceShape) -> int:
        return next(place for place, group in enumerate(self._groups) if member in group.members)

    def _holds(self, shape: Shape, rows: Any) -> Any:
        match shape:
            case AllShape(parts):
                return _folded([self._holds(part, rows) for part in parts], is_all=True)
            case AnyShape(parts):
                return _folded([self._holds(part, rows) for part in parts], is_all=False)
            case NotShape(part):
                return ~self._holds(part, rows)
            case ShareShape():
                return _share(shape, rows.customer_id)
            case SequenceShape():
                return rows[f"q{self._sequences.index(shape)}"].fill_null(False)
            case LeafShape():
                return passes(shape.test, self._value(shape, rows), self._scope.at(rows)).fill_null(False)

    def _value(self, leaf: LeafShape, rows: Any) -> Any:
        top = self._figure(leaf.top, rows)
        if leaf.bottom is None:
            return top
        return ratio(top, self._figure(leaf.bottom, rows))

    def _figure(self, figure: Figure, rows: Any) -> Any:
        return figure_from(figure, f"f{self._figures.index(figure)}", rows, self._dialect)

    def _verdicts(self, rows: Any) -> Any:
        has_zones = any(one != ENTERED_AT for one in personal_in(self._shape))
        if has_zones:
            turns = zones().select(turns_of="zone_customer_id", turns_at="zone_turns_at")
            rows = rows.left_join(turns, rows.customer_id == turns.turns_of)
        moments = [rows[group.wakes] for group in self._groups if group.wakes]
        moments += [self._dialect.micros(rows.turns_at)] if has_zones else []
        for leaf in leaves_of(self._shape):
            if isinstance(leaf, LeafShape) and leaf.test.is_moving:
                moments += edges(leaf.test, self._value(leaf, rows), self._scope.at(rows))
        wakes = earliest(moments)
        told = rows.select(customer_id=rows.customer_id, is_in=rows.is_in, wakes_at=wakes.nullif(NEVER))
        if self._dialect.engine is Engine.POSTGRES:
            return told
        return told.filter(told.is_in | told.wakes_at.notnull())

    def _count(self, rows: Any) -> Any:
        missing = {}
        for place, leaf in enumerate(leaves_of(self._shape)):
            if isinstance(leaf, LeafShape) and leaf.test.is_denying:
                value = self._value(leaf, rows)
                known = value.top if isinstance(value, Number) else value
                missing[f"missing_{place}"] = known.isnull()
        rows = rows.select("customer_id", "is_in", **missing)
        return rows.aggregate(
            count=rows.count(where=rows.is_in),
            first_ids=self._dialect.smallest(rows.customer_id, rows.is_in),
            **{name: rows.count(where=rows[name]) for name in missing},
        )


def _shares_of_whole(shape: Shape) -> Iterator[ShareShape]:
    """Shares in which everybody must be."""
    match shape:
        case AllShape(parts):
            for part in parts:
                yield from _shares_of_whole(part)
        case ShareShape():
            yield shape


def _folded(parts: Sequence[Any], *, is_all: bool) -> Any:
    if not parts:
        return ibis.literal(is_all)
    folded = parts[0]
    for part in parts[1:]:
        folded = folded & part if is_all else folded | part
    return folded


def _share(share: ShareShape, ids: Any) -> Any:
    """As ``shares.number``."""
    a, b, c, d, limit = map(parameter, (share.a, share.b, share.c, share.d, share.limit))
    x = (ids % PRIME * a + b) % PRIME
    x = x * x % PRIME * x % PRIME
    return (x * c + d) % PRIME < limit
