"""The shape of a condition: what is left of it without its values. Questions are compiled once for each shape. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from regulars.foundation.relations import FieldType
from regulars.insight.conditions.language import DENYING, Measure, Missing, Op


class Kind(StrEnum):
    """Types of what is bound."""

    TEXT = "text"
    TEXTS = "texts"
    WHOLE = "whole"  # int64
    NUMBER = "number"  # decimal(18, 6)
    FLAG = "flag"
    INSTANT = "instant"  # UTC without a zone


Bound = str | list[str] | int | Decimal | bool | datetime | None


@dataclass(frozen=True)
class Parameter:
    """A value to be bound; personal: a column of ``calendar``, or of ``entries`` for ENTERED_AT."""

    name: str
    kind: Kind
    is_personal: bool = False


NOW = Parameter("now", Kind.WHOLE)  # microseconds since 1970
AFTER_NOW = Parameter("after_now", Kind.INSTANT)  # the first moment that is later than now
SHOP_ZONE = Parameter("shop_zone", Kind.TEXT)
ENTERED_AT = Parameter("entered_at", Kind.INSTANT, is_personal=True)


@dataclass(frozen=True)
class Move:
    """When time moves a value over an edge: so many microseconds after it; where ``midnight`` is given, at a midnight between ``first`` and
    ``last`` after it, and ``midnight`` is the next one from now.
    """

    first: Parameter | None  # None: at the value itself
    last: Parameter | None = None
    midnight: Parameter | None = None


@dataclass(frozen=True)
class Year:
    """A year of the calendar: its first day as a day since 1970, and whether it is a leap year (1 or 0)."""

    begins: Parameter
    is_leap: Parameter


@dataclass(frozen=True)
class Comparison:
    """A test without its values. Spans are two ends, half open."""

    op: Op
    type: FieldType
    values: tuple[Parameter, ...] = ()
    missing: Missing = Missing.OUT
    moves: tuple[Move, ...] = ()
    years: tuple[Year, ...] = ()  # of anniversaries: this one and the next

    @property
    def is_denying(self) -> bool:
        return self.op in DENYING

    @property
    def is_moving(self) -> bool:
        return bool(self.moves)


@dataclass(frozen=True)
class Selection:
    """Rows that are meant: columns with their comparisons, and the window. No row before ``floor`` is in it, whoever's it is."""

    of: str
    where: tuple[tuple[str, Comparison], ...]
    low: Parameter | None
    high: Parameter
    moves: tuple[Move, ...]
    floor: Parameter | None


@dataclass(frozen=True)
class Figure:
    rows: Selection
    measure: Measure
    column: str
    type: FieldType


@dataclass(frozen=True)
class LeafShape:
    """``needs_rows``: nobody without rows of its first figure passes."""

    top: Figure
    bottom: Figure | None
    test: Comparison
    needs_rows: bool


@dataclass(frozen=True)
class SequenceShape:
    steps: tuple[tuple[Selection, bool], ...]  # with whether it is absent
    within: Parameter  # microseconds
    needs_rows: bool = True


@dataclass(frozen=True)
class ShareShape:
    a: Parameter
    b: Parameter
    c: Parameter
    d: Parameter
    limit: Parameter


@dataclass(frozen=True)
class AllShape:
    parts: tuple["Shape", ...]


@dataclass(frozen=True)
class AnyShape:
    parts: tuple["Shape", ...]


@dataclass(frozen=True)
class NotShape:
    part: "Shape"


Shape = LeafShape | SequenceShape | ShareShape | AllShape | AnyShape | NotShape


def personal_in(part: object) -> tuple[Parameter, ...]:
    """What differs by person in a part of a shape, each once."""
    return tuple(dict.fromkeys(one for one in _all_in(part, Parameter) if one.is_personal))


def selections_in(part: object) -> tuple[Selection, ...]:
    """What a part of a shape looks at, each once."""
    return tuple(dict.fromkeys(_all_in(part, Selection)))


_T = TypeVar("_T")


def _all_in(part: object, wanted: type[_T]) -> Iterator[_T]:
    if isinstance(part, wanted):
        yield part
    elif isinstance(part, tuple | list):
        for one in part:
            yield from _all_in(one, wanted)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _all_in(getattr(part, field.name), wanted)
