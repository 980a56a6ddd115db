"""A condition taken apart: its shape, for which a question is compiled once, and the values that are bound whenever it is asked. Pure.

Two conditions of one shape differ in values only: numbers, texts, moments, lengths of windows, salts. What depends on the moment is
computed here, in Python, so that no engine has an opinion on calendars; what depends on the person's zone becomes a column of the small
relation ``calendar``, one row for each zone.
"""

from calendar import isleap, leapdays
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, partial

from regulars.foundation.relations import LIST_MARK, RELATIONS, FieldType
from regulars.insight.conditions import language, shares
from regulars.insight.conditions.comparing import type_of_measure
from regulars.insight.conditions.judging import EPOCH
from regulars.insight.conditions.language import (
    Ago,
    Days,
    Last,
    Leaf,
    Measure,
    Measured,
    Missing,
    Op,
    Ratio,
    Rows,
    SinceEntry,
    Span,
    Test,
    Window,
    Word,
)
from regulars.insight.conditions.measuring import field_of
from regulars.insight.conditions.shapes import (
    AFTER_NOW,
    ENTERED_AT,
    NOW,
    SHOP_ZONE,
    AllShape,
    AnyShape,
    Bound,
    Comparison,
    Figure,
    Kind,
    LeafShape,
    Move,
    NotShape,
    Parameter,
    Selection,
    SequenceShape,
    Shape,
    ShareShape,
    Year,
    selections_in,
)
from regulars.insight.conditions.texts import fold, read_expression
from regulars.insight.conditions.windows import (
    TICK,
    Clock,
    ago,
    ahead,
    bounds,
    length,
    local_day,
    midnight,
    moment,
    plus,
    shifted,
    whole_days,
)
from regulars.insight.conditions.zones import zone_named

_DAY = timedelta(days=1)
# How far a local midnight lies from where days of 24 hours put it: changes of the clock, a day that a country skipped, offsets from UTC.
_SLACK = timedelta(hours=28)
_ZONES_APART = timedelta(days=4)  # more than the begins of one day, or of the days that run, differ by
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Bindable:
    """A condition's shape, and how each of its values comes from a clock."""

    shape: Shape
    values: Mapping[Parameter, Callable[[Clock], Bound]]

    @cached_property
    def selections(self) -> tuple[Selection, ...]:
        return selections_in(self.shape)

    @property
    def by_zone(self) -> tuple[Parameter, ...]:
        return tuple(one for one in self.values if one.is_personal and one != ENTERED_AT)

    @property
    def asks_for_entries(self) -> bool:
        return ENTERED_AT in self.values

    def bound(self, clock: Clock) -> dict[str, Bound]:
        """What is the same for everybody."""
        return {p.name: self.value(p, clock) for p in self.values if not p.is_personal}

    def value(self, parameter: Parameter, clock: Clock) -> Bound:
        return _plain(self.values[parameter](clock))

    def calendar(self, clock: Clock, zones: Iterable[str]) -> dict[str, list[Bound]]:
        """The columns of ``calendar``: ``zone``, and what differs by it."""
        names = list(zones)
        clocks = [replace(clock, person=zone_named(name, clock.shop)) for name in names]
        zone: dict[str, list[Bound]] = {"zone": list(names)}
        return zone | {p.name: [_plain(self.values[p](one)) for one in clocks] for p in self.by_zone}


def take_apart(condition: language.Condition) -> Bindable:
    """The shape and the values. Equal values share a parameter."""
    taking = _Taking()
    return Bindable(taking.shape(condition), taking.values)


def microseconds(then: datetime) -> int:
    return (then - _EPOCH) // TICK


def _plain(value: Bound) -> Bound:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _day_number(day: date) -> int:
    return (day - EPOCH).days


class _Taking:
    """Names parameters in the order in which they are met."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Parameter] = {}
        self.values: dict[Parameter, Callable[[Clock], Bound]] = {
            NOW: lambda clock: microseconds(clock.at),
            AFTER_NOW: lambda clock: plus(clock.at, TICK),
            SHOP_ZONE: lambda clock: clock.shop.key,
        }

    def shape(self, condition: language.Condition) -> Shape:
        match condition:
            case language.All(parts):
                return AllShape(tuple(map(self.shape, parts)))
            case language.Any(parts):
                return AnyShape(tuple(map(self.shape, parts)))
            case language.Not(part):
                return NotShape(self.shape(part))
            case language.Share():
                return self._share(condition)
            case language.Sequence(steps, within, window):
                taken = tuple((self._selection(Rows(s.of, s.where, window)), s.is_absent) for s in steps)
                return SequenceShape(taken, self._microseconds(length(within)))
            case Leaf():
                return self._leaf(condition)

    def _leaf(self, leaf: Leaf) -> LeafShape:
        if isinstance(leaf.figure, Ratio):
            top, bottom = self._figure(leaf.figure.top), self._figure(leaf.figure.bottom)
            test = self._comparison(leaf.test, FieldType.NUMBER)
            return LeafShape(top, bottom, test, needs_rows=False)
        figure = self._figure(leaf.figure)
        test = self._comparison(leaf.test, type_of_figure(leaf.figure))
        return LeafShape(figure, None, test, _needs_rows(leaf.figure.measure, leaf.test))

    def _figure(self, figure: Measured) -> Figure:
        relation = RELATIONS[figure.rows.of]
        rows = self._selection(figure.rows)
        if not figure.field:
            return Figure(rows, figure.measure, relation.at, FieldType.MOMENT)
        field = field_of(relation, figure.field)
        measure = _OF_MOMENTS.get(figure.measure, figure.measure) if field.column == relation.at else figure.measure
        return Figure(rows, measure, field.column, field.type)

    def _selection(self, rows: Rows) -> Selection:
        relation = RELATIONS[rows.of]
        fields = [(field_of(relation, one.field), one.test) for one in rows.where]
        where = tuple((field.column, self._comparison(test, field.type)) for field, test in fields)
        low, high = self._ends(rows.window)
        return Selection(rows.of, where, low, high, self._moves_of(rows.window), self._floor(rows.window, low))

    def _floor(self, window: Window, low: Parameter | None) -> Parameter | None:
        if low is None or not low.is_personal:
            return low
        if not isinstance(window, Last | Ago):
            return None
        since = window.span if isinstance(window, Last) else window.since

        def compute(clock: Clock) -> datetime:
            return plus(ago(since, Days.SHOP, clock), -_ZONES_APART)

        return self._parameter(Kind.INSTANT, ("floor", since), compute)

    def _ends(self, window: Window) -> tuple[Parameter | None, Parameter]:
        if isinstance(window, SinceEntry):
            self.values.setdefault(ENTERED_AT, lambda clock: clock.entered_at)
            return ENTERED_AT, AFTER_NOW
        is_personal = isinstance(window, Last | Ago) and window.days is Days.PERSON
        has_low = isinstance(window, Last | Ago) or (isinstance(window, language.Between) and window.after is not None)
        has_high = isinstance(window, Ago) or (isinstance(window, language.Between) and window.before is not None)

        def end(name: str) -> Parameter:
            return self._parameter(
                Kind.INSTANT, ("window", window, name), lambda clock: getattr(bounds(window, clock), name), is_personal
            )

        return end("low") if has_low else None, end("high") if has_high else AFTER_NOW

    def _moves_of(self, window: Window) -> tuple[Move, ...]:
        match window:
            case Last(span, days):
                return (Move(None), self._grows_old(span, days))
            case Ago(since, to, days):
                return (self._grows_old(to, days), self._grows_old(since, days))
            case _:
                return (Move(None),)

    def _grows_old(self, span: Span, days: Days) -> Move:
        """When a moment begins to lie longer than a span ago."""
        if days is Days.ROLLING:
            return Move(self._microseconds(length(span)))
        return self._at_midnight(timedelta(days=whole_days(span)), days)

    def _comes_near(self, span: Span, days: Days) -> Move:
        """When a moment begins to lie in a span to come."""
        if days is Days.ROLLING:
            return Move(self._microseconds(TICK - length(span)))
        return self._at_midnight(timedelta(days=1 - whole_days(span)), days)

    def _at_midnight(self, after: timedelta, days: Days) -> Move:
        """The midnight that begins the day so many days after that of a moment."""
        first, last = self._microseconds(after - _DAY - _SLACK), self._microseconds(after + _SLACK)
        return Move(first, last, self._next_midnight(days))

    def _next_midnight(self, days: Days) -> Parameter:
        def compute(clock: Clock) -> int:
            return microseconds(midnight(shifted(clock.today(days), 1), clock.zone(days)))

        return self._parameter(Kind.WHOLE, ("midnight", days), compute, days is Days.PERSON)

    def _comparison(self, test: Test, type_: FieldType) -> Comparison:
        if isinstance(test.value, Span):
            return self._of_span(test, test.value, type_)
        return Comparison(test.op, type_, self._given(test, type_), test.missing)

    def _given(self, test: Test, type_: FieldType) -> tuple[Parameter, ...]:
        if type_ in (FieldType.LIST, FieldType.TOKEN) and test.value is not None:
            return self._items(test.value)
        match test.value:
            case None:
                return ()
            case tuple() as ends if test.op is Op.BETWEEN:
                return tuple(self._scalar(one, type_) for one in ends)
            case tuple() as several:
                return (self._constant(Kind.TEXTS, [str(one) for one in several]),)
            case str() as text:
                return (self._constant(Kind.TEXT, _TEXTS.get(test.op, str)(text)),)
            case scalar:
                return (self._scalar(scalar, type_),)

    def _items(self, value: language.Value) -> tuple[Parameter, ...]:
        """One item with its marks around it, or several as they are."""
        if isinstance(value, tuple):
            return (self._constant(Kind.TEXTS, [_item(one) for one in value]),)
        return (self._constant(Kind.TEXT, f"{LIST_MARK}{_item(value)}{LIST_MARK}"),)

    def _scalar(self, value: language.Scalar | Decimal, type_: FieldType) -> Parameter:
        match value:
            case bool():
                return self._constant(Kind.FLAG, value)
            case Decimal():
                is_whole = type_ is FieldType.MONEY
                return self._constant(Kind.WHOLE, int(value)) if is_whole else self._constant(Kind.NUMBER, value)
            case date() if type_ is FieldType.DATE:
                return self._parameter(Kind.WHOLE, ("day", value), partial(_day_of, value))
            case date():
                return self._parameter(Kind.INSTANT, ("moment", value), partial(moment, value))
            case _:
                raise TypeError(value)

    def _of_span(self, test: Test, span: Span, type_: FieldType) -> Comparison:
        if test.op is Op.ANNIVERSARY:
            return self._anniversary(test, span)
        if type_ is FieldType.DATE:
            return self._span_of_days(test, span)
        low, high = self._span_of_moments(test.op, span, test.days)
        edges = (self._comes_near if test.op is Op.WITHIN_NEXT else self._grows_old)(span, test.days)
        values = (high,) if test.op is Op.OLDER_THAN else (low, high)
        return Comparison(test.op, type_, values, moves=(Move(None), edges))

    def _span_of_moments(self, op: Op, span: Span, days: Days) -> tuple[Parameter, Parameter]:
        is_personal = days is Days.PERSON
        key = ("span", op is Op.WITHIN_NEXT, span, days)
        if op is Op.WITHIN_NEXT:
            end = self._parameter(Kind.INSTANT, key, lambda clock: ahead(span, days, clock), is_personal)
            return AFTER_NOW, end
        begin = self._parameter(Kind.INSTANT, key, lambda clock: ago(span, days, clock), is_personal)
        return begin, begin if op is Op.OLDER_THAN else AFTER_NOW

    def _span_of_days(self, test: Test, span: Span) -> Comparison:
        count = whole_days(span)
        first, after = (0, count) if test.op is Op.WITHIN_NEXT else (1 - count, 1)
        ends = (self._day(first, test.days), self._day(after, test.days))
        values = (ends[0],) if test.op is Op.OLDER_THAN else ends
        edges = (1 - count, 1) if test.op is Op.WITHIN_NEXT else (0, count)
        return Comparison(test.op, FieldType.DATE, values, moves=self._moves_of_day(edges, test.days))

    def _moves_of_day(self, edges: tuple[int, int], days: Days) -> tuple[Move, ...]:
        """Of a day's midnight in UTC."""
        return tuple(
            Move(
                self._microseconds(edge * _DAY - _SLACK),
                self._microseconds(edge * _DAY + _SLACK),
                self._next_midnight(days),
            )
            for edge in edges
        )

    def _anniversary(self, test: Test, span: Span) -> Comparison:
        count = whole_days(span)
        values = (self._day(0, test.days), self._day(count, test.days))
        years = tuple(self._year(ahead_, test.days) for ahead_ in (0, 1))
        moves = self._moves_of_day((1 - count, 1), test.days)
        return Comparison(test.op, FieldType.DATE, values, moves=moves, years=years)

    def _day(self, offset: int, days: Days) -> Parameter:
        """The day so many days from today, as a day since 1970."""
        return self._parameter(
            Kind.WHOLE,
            ("today", offset, days),
            lambda clock: _day_number(shifted(clock.today(days), offset)),
            days is Days.PERSON,
        )

    def _year(self, ahead_: int, days: Days) -> Year:
        def year(clock: Clock) -> int:
            return clock.today(days).year + ahead_

        def part(name: str, compute: Callable[[Clock], int]) -> Parameter:
            return self._parameter(Kind.WHOLE, (name, ahead_, days), compute, days is Days.PERSON)

        begins = part("year", lambda clock: _day_number(date.min) + 365 * (year(clock) - 1) + leapdays(1, year(clock)))
        return Year(begins, part("leap", lambda clock: int(isleap(year(clock)))))

    def _share(self, share: language.Share) -> ShareShape:
        by = shares.mixing(share.salt)
        numbers = (by.a, by.b, by.c, by.d, shares.limit(share.percent))
        return ShareShape(*(self._parameter(Kind.WHOLE, ("share", n), _always(n)) for n in numbers))

    def _microseconds(self, span: timedelta) -> Parameter:
        return self._constant(Kind.WHOLE, span // TICK)

    def _constant(self, kind: Kind, value: Bound) -> Parameter:
        key = ("constant", kind, tuple(value) if isinstance(value, list) else value)
        return self._parameter(kind, key, _always(value))

    def _parameter(
        self, kind: Kind, key: Hashable, compute: Callable[[Clock], Bound], is_personal: bool = False
    ) -> Parameter:
        if key not in self._known:
            self._known[key] = Parameter(f"p{len(self._known)}", kind, is_personal)
            self.values[self._known[key]] = compute
        return self._known[key]


# The first row's own moment is the least of all, which needs no order.
_OF_MOMENTS = {Measure.FIRST: Measure.MIN, Measure.LAST: Measure.MAX}


def type_of_figure(figure: Measured) -> FieldType:
    """What is compared."""
    if not figure.field:
        return FieldType.NUMBER
    return type_of_measure(figure.measure, field_of(RELATIONS[figure.rows.of], figure.field).type)


def _item(value: language.Value) -> str:
    return value.token if isinstance(value, Word) else str(value)


def _always(value: Bound) -> Callable[[Clock], Bound]:
    return lambda clock: value


def _day_of(value: language.Moment, clock: Clock) -> int:
    return _day_number(local_day(value, clock.shop) if isinstance(value, datetime) else value)


_TEXTS: Mapping[Op, Callable[[str], str]] = {
    Op.CONTAINS: fold,
    Op.NOT_CONTAINS: fold,
    Op.STARTS: fold,
    Op.NOT_STARTS: fold,
    Op.MATCHES: lambda pattern: read_expression(pattern).common,
}


def _needs_rows(measure: Measure, test: Test) -> bool:
    """Whether a figure of nothing fails the test whatever else is so."""
    if measure not in (Measure.COUNT, Measure.SUM, Measure.DISTINCT):
        return test.op is not Op.NOT_SET and test.missing is Missing.OUT
    least = test.value[0] if isinstance(test.value, tuple) else test.value
    if not isinstance(least, Decimal):
        return False
    return least > 0 if test.op in (Op.GE, Op.IS, Op.BETWEEN) else test.op is Op.GT and least >= 0
