"""The condition language: typed, versioned JSON, nested. Pure; ``reading`` reads and checks it.

A leaf measures rows of a relation in a window and compares the measure::

    {"of": "orders", "where": [{"field": "channel", "op": "is", "value": "web"}], "window": {"last": {"days": 30}},
     "measure": {"sum": "total"}, "op": "ge", "value": 5000}

Groups are ``{"all": [...]}``, ``{"any": [...]}`` and ``{"not": ...}``. A leaf is true or false and never unknown: without a value a
comparison is false, and one that denies says with ``missing`` ('in' or 'out') what it makes of people without a value.
docs/conditions.md pins what engines differ in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

VERSION = 1


class Op(StrEnum):
    """Comparisons. Which of them a field has is decided by its type (``OPS``)."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"  # letters without case
    NOT_CONTAINS = "not_contains"
    STARTS = "starts"  # letters without case
    NOT_STARTS = "not_starts"
    MATCHES = "matches"  # a regular expression of the common kind, found anywhere
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    BETWEEN = "between"  # both ends included
    BEFORE = "before"
    AFTER = "after"  # that moment included
    WITHIN_LAST = "within_last"  # a span; up to now
    OLDER_THAN = "older_than"  # a span
    WITHIN_NEXT = "within_next"  # a span; later than now
    ANNIVERSARY = (
        "anniversary_within"  # of a date: day and month come round within this many days, today being the first
    )
    INCLUDES = "includes"
    NOT_INCLUDES = "not_includes"
    SET = "set"
    NOT_SET = "not_set"


DENYING = frozenset({Op.IS_NOT, Op.NOT_IN, Op.NOT_CONTAINS, Op.NOT_STARTS, Op.NOT_INCLUDES})


class Missing(StrEnum):
    """What a denying comparison makes of what has no value."""

    IN = "in"
    OUT = "out"


class Unit(StrEnum):
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"


class Days(StrEnum):
    """How a span is counted: as hours of the clock, or by whole days of a calendar. The day that runs is the first of them."""

    ROLLING = "rolling"
    SHOP = "shop"
    PERSON = "person"


@dataclass(frozen=True)
class Span:
    """``count`` of a unit; a day is 24 hours where days are rolling."""

    count: int
    unit: Unit


@dataclass(frozen=True)
class Word:
    """A word that a personal field is compared with: its token, and the word itself sealed, as definitions keep it.

    ``plain`` is for whoever may see contact data. All three are FORGOTTEN or '' once the only person who had the word was erased.
    """

    token: str
    sealed: str
    plain: str = field(default="", compare=False, repr=False)


FORGOTTEN = "-"  # no token

Moment = date | datetime  # a date is the begin of that day in the shop's zone
Scalar = str | bool | Decimal | Moment | Span | Word
Value = Scalar | tuple[str, ...] | tuple[Word, ...] | tuple[Decimal, Decimal] | None


@dataclass(frozen=True)
class Test:
    """One comparison. ``value`` fits the operator: a tuple for IN and BETWEEN, a Span for spans, None for SET and NOT_SET."""

    __test__ = False

    op: Op
    value: Value = None
    missing: Missing = Missing.OUT
    days: Days = Days.ROLLING  # of spans and anniversaries


@dataclass(frozen=True)
class Filter:
    """Rows of which this field passes the test. The field ``at`` is the moment of the row."""

    field: str
    test: Test


@dataclass(frozen=True)
class Ever:
    """Up to now."""


@dataclass(frozen=True)
class Last:
    """The last ``span``, up to now."""

    span: Span
    days: Days = Days.ROLLING


@dataclass(frozen=True)
class Ago:
    """Longer than ``to`` ago, but not longer than ``since``: between 60 and 30 days ago."""

    since: Span
    to: Span
    days: Days = Days.ROLLING


@dataclass(frozen=True)
class Between:
    """From ``after`` (included) until ``before`` (not included); None: without that end."""

    after: Moment | None
    before: Moment | None


@dataclass(frozen=True)
class SinceEntry:
    """Since the person entered the workflow that asks. Outside of a workflow nothing lies in it."""


Window = Ever | Last | Ago | Between | SinceEntry


@dataclass(frozen=True)
class Rows:
    """Rows of a relation that pass every filter and lie in the window."""

    of: str
    where: tuple[Filter, ...] = ()
    window: Window = Ever()


class Measure(StrEnum):
    """COUNT, SUM and DISTINCT of nothing are zero; the others have no value then. FIRST and LAST are by the row's moment, then its key."""

    COUNT = "count"
    SUM = "sum"
    DISTINCT = "distinct"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    AVERAGE = "average"
    GAP = "gap"  # average days (of 24 hours) between two rows that follow each other; no value below two rows


@dataclass(frozen=True)
class Measured:
    """One figure of a customer."""

    rows: Rows
    measure: Measure = Measure.COUNT
    field: str = ""  # none for COUNT and GAP


@dataclass(frozen=True)
class Ratio:
    """One figure over another; no value where the second is zero or missing."""

    top: Measured
    bottom: Measured


@dataclass(frozen=True)
class Leaf:
    """A figure of the customer, compared."""

    figure: Measured | Ratio
    test: Test


@dataclass(frozen=True)
class Step:
    """One step of a sequence. ``is_absent``: no such row between the steps around it that happened."""

    of: str
    where: tuple[Filter, ...] = ()
    is_absent: bool = False


@dataclass(frozen=True)
class Sequence:
    """Rows one after the other (strictly later), the last within a span of the first, all in the window.

    The first step is never absent. An absent last step: none until ``within`` after the first has passed, which must have passed.
    """

    steps: tuple[Step, ...]
    within: Span
    window: Window = Ever()


@dataclass(frozen=True)
class Share:
    """A stable share of all customers by chance; another salt draws others."""

    percent: Decimal  # above 0, at most 100, two places
    salt: str


@dataclass(frozen=True)
class All:
    """Every part; everybody where there is none."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Any:
    """At least one part."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    part: "Condition"


Condition = Leaf | Sequence | Share | All | Any | Not


def leaves(condition: Condition) -> Iterator[Leaf | Sequence | Share]:
    """In the order in which they stand."""
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case Leaf() | Sequence() | Share():
            yield condition


def asks_for_zones(condition: Condition) -> bool:
    """Whether days are counted by the calendar of each person."""
    windows = (rows.window for leaf in leaves(condition) for rows in rows_of(leaf))
    if any(isinstance(window, Last | Ago) and window.days is Days.PERSON for window in windows):
        return True
    return any(test.days is Days.PERSON for leaf in leaves(condition) for test in tests_of(leaf))


def tests_of(leaf: Leaf | Sequence | Share) -> Iterator[Test]:
    """Every comparison of a leaf, those of its filters too."""
    if isinstance(leaf, Leaf):
        yield leaf.test
    for rows in rows_of(leaf):
        yield from (one.test for one in rows.where)


def relations_of(condition: Condition) -> set[str]:
    """Names of the relations that decide it."""
    return {rows.of for leaf in leaves(condition) for rows in rows_of(leaf)}


def rows_of(leaf: Leaf | Sequence | Share) -> list[Rows]:
    """What a leaf looks at; each step of a sequence in the sequence's window."""
    match leaf:
        case Leaf(Measured(rows)):
            return [rows]
        case Leaf(Ratio(top, bottom)):
            return [top.rows, bottom.rows]
        case Sequence(steps, _, window):
            return [Rows(step.of, step.where, window) for step in steps]
        case _:
            return []
