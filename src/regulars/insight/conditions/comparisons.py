"""Comparisons as expressions: whether a value passes, and the moments at which time alone changes that."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from regulars.foundation.relations import FieldType
from regulars.insight.conditions.engines import WIDE, Dialect, any_of, parameter
from regulars.insight.conditions.language import Missing, Op
from regulars.insight.conditions.shapes import NOW, Comparison, Kind, Move, Parameter, Year

DAY = 86_400_000_000  # microseconds
NEVER = 9_000_000_000_000_000_000  # microseconds since 1970: later than any moment
_FIRST_DAY, _LAST_DAY = -719_160, 2_932_894  # what ``windows.shifted`` takes all days before and after for


@dataclass(frozen=True)
class Number:
    """A figure that is never divided: a column, or a fraction of whole numbers: ``top`` over ``bottom``, which is positive, over a million
    where it is in millionths, over the unit.
    """

    top: Any
    bottom: Any = None
    is_in_millionths: bool = False
    unit: int = 1  # kept apart so that it goes out of ratios of two gaps, whose products would not fit 128 bits

    def as_fraction(self) -> "Number":
        if self.bottom is not None:
            return self
        return Number(whole(self.top), wide(ibis.literal(1)), _has_places(self.top))

    def without_unit(self) -> "Number":
        if self.unit == 1:
            return self
        return Number(self.top, self.bottom * ibis.literal(self.unit, dt.int64), self.is_in_millionths)


_MILLION = 1_000_000


def _has_places(number: Any) -> bool:
    return bool(number.type().is_decimal() and number.type().scale)


def whole(number: Any) -> Any:
    """A number without places, wide enough for products: in millionths where it has places."""
    return wide(number.cast(dt.Decimal(38, 6)) * _MILLION) if _has_places(number) else wide(number)


def wide(value: Any) -> Any:
    return value.cast(WIDE)


def _in_millionths(number: Any) -> Any:
    return whole(number) if _has_places(number) else wide(number) * _MILLION


def ratio(top: Number, bottom: Number) -> Number:
    """One over the other, over a positive bottom; no value where the other is zero."""
    one, other = top.as_fraction(), bottom.as_fraction()
    if one.unit != other.unit:
        one, other = one.without_unit(), other.without_unit()
    above, below = one.top * other.bottom, other.top * one.bottom
    if other.is_in_millionths and not one.is_in_millionths:
        above = above * _MILLION
    if one.is_in_millionths and not other.is_in_millionths:
        below = below * _MILLION
    is_negative = below < 0
    return Number(ibis.ifelse(below != 0, ibis.ifelse(is_negative, -above, above), ibis.null()), below.abs())


@dataclass(frozen=True)
class Scope:
    """Where parameters come from: bound for everybody, or columns of the rows at hand."""

    dialect: Dialect
    rows: Any = None

    def value(self, which: Parameter) -> Any:
        return self.rows[which.name] if which.is_personal else parameter(which)

    def at(self, rows: Any) -> "Scope":
        return Scope(self.dialect, rows)


def passes(test: Comparison, value: Any, scope: Scope) -> Any:
    """True or not true; where it must not be null, fill it. Without a value only NOT_SET passes, and what denies if it says so."""
    known = value.top if isinstance(value, Number) else value
    if test.op in (Op.SET, Op.NOT_SET):
        return known.notnull() if test.op is Op.SET else known.isnull()
    holds = _holds(test, value, scope)
    if not test.is_denying:
        return holds
    denied = ~holds.fill_null(False)
    return (known.isnull() if test.missing is Missing.IN else ibis.literal(False)) | (known.notnull() & denied)


def _holds(test: Comparison, value: Any, scope: Scope) -> Any:
    if test.op is Op.ANNIVERSARY:
        return next_round(test, value, scope) < scope.value(test.values[1])
    if isinstance(value, Number):
        return _holds_number(test, value, [scope.value(one) for one in test.values])
    if test.type in (FieldType.LIST, FieldType.TOKEN):
        return _includes(test, value, scope)
    if test.type is FieldType.TEXT:
        return _TEXTUAL[test.op](value, test.values[0], scope)
    if test.type is FieldType.DATE:
        value = _clamped(value)
    return _RELATED[test.op](value, *(scope.value(one) for one in test.values))


def _holds_number(test: Comparison, number: Number, given: list[Any]) -> Any:
    """Both sides multiplied by what would be divided by."""
    if number.bottom is None:
        return _RELATED[test.op](number.top, *given)
    number = number.without_unit()
    top = number.top if number.is_in_millionths else number.top * _MILLION
    return _RELATED[test.op](top, *(_in_millionths(one) * number.bottom for one in given))


def _includes(test: Comparison, value: Any, scope: Scope) -> Any:
    [items] = test.values
    given = scope.value(items)
    return scope.dialect.has_any(value, given) if items.kind is Kind.TEXTS else value.contains(given)


def _clamped(day: Any) -> Any:
    """Null stays null: engines' LEAST and GREATEST leave it out."""
    return ibis.ifelse(day.notnull(), ibis.least(ibis.greatest(day, _FIRST_DAY), _LAST_DAY), ibis.null())


_RELATED: Mapping[Op, Callable[..., Any]] = {
    Op.IS: lambda value, given: value == given,
    Op.IS_NOT: lambda value, given: value == given,
    Op.LT: lambda value, given: value < given,
    Op.LE: lambda value, given: value <= given,
    Op.GT: lambda value, given: value > given,
    Op.GE: lambda value, given: value >= given,
    Op.BETWEEN: lambda value, low, high: (value >= low) & (value <= high),
    Op.BEFORE: lambda value, given: value < given,
    Op.AFTER: lambda value, given: value >= given,
    Op.WITHIN_LAST: lambda value, low, high: (value >= low) & (value < high),
    Op.WITHIN_NEXT: lambda value, low, high: (value >= low) & (value < high),
    Op.OLDER_THAN: lambda value, low: value < low,
}


def _is_text(value: Any, given: Parameter, scope: Scope) -> Any:
    return value == scope.value(given)


def _is_one_of(value: Any, given: Parameter, scope: Scope) -> Any:
    return value == any_of(given)


def _contains(value: Any, given: Parameter, scope: Scope) -> Any:
    return scope.dialect.fold(value).contains(scope.value(given))


def _starts(value: Any, given: Parameter, scope: Scope) -> Any:
    return scope.dialect.fold(value).startswith(scope.value(given))


_TEXTUAL: Mapping[Op, Callable[[Any, Parameter, Scope], Any]] = {
    Op.IS: _is_text,
    Op.IS_NOT: _is_text,
    Op.IN: _is_one_of,
    Op.NOT_IN: _is_one_of,
    Op.CONTAINS: _contains,
    Op.NOT_CONTAINS: _contains,
    Op.STARTS: _starts,
    Op.NOT_STARTS: _starts,
    Op.MATCHES: lambda value, given, scope: value.re_search(scope.value(given)),
}


def edges(test: Comparison, value: Any, scope: Scope) -> list[Any]:
    """Moments, in microseconds, at which the value begins or ceases to pass; NEVER for those that are not to come."""
    if not test.is_moving:
        return []
    if test.op is Op.ANNIVERSARY:
        return moved(test.moves, next_round(test, value, scope) * DAY, scope)
    if test.type is FieldType.DATE:
        return moved(test.moves, _clamped(value) * DAY, scope)
    return moved(test.moves, scope.dialect.micros(value), scope)


def moved(moves: Iterable[Move], then: Any, scope: Scope) -> list[Any]:
    """The edges of a moment in microseconds."""
    return [_moved(move, then, scope) for move in moves]


def _moved(move: Move, then: Any, scope: Scope) -> Any:
    first = then if move.first is None else then + scope.value(move.first)
    now = parameter(NOW)
    if move.midnight is None or move.last is None:
        return ibis.ifelse(first > now, first, NEVER)
    is_to_come = then + scope.value(move.last) > now
    return ibis.ifelse(is_to_come, ibis.greatest(first, scope.value(move.midnight)), NEVER)


def earliest(moments: list[Any]) -> Any:
    known = [one.fill_null(NEVER) for one in moments]
    return ibis.least(*known) if len(known) > 1 else known[0] if known else ibis.literal(NEVER, dt.int64)


def next_round(test: Comparison, day: Any, scope: Scope) -> Any:
    """The day's next anniversary, today or later, as a day since 1970. In whole numbers, since engines' calendars begin and end elsewhere."""
    today = scope.value(test.values[0])
    since_march = _days_since_march(_clamped(day))
    this, following = (_in_year(since_march, year, scope) for year in test.years)
    return ibis.ifelse(this >= today, this, following)


def _days_since_march(day: Any) -> Any:
    """Days since the last 1st of March: those that have a number in common are anniversaries. 365 is the 29th of February.

    The calendar is Hinnant's (howardhinnant.github.io/date_algorithms.html), with years that begin in March. Quotients of numbers as
    small as these are exact.
    """
    of_era = (day + 719_468) % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    return of_era - (365 * year + year // 4 - year // 100)


def _in_year(since_march: Any, year: Year, scope: Scope) -> Any:
    """The 29th of February falls on the 28th where there is none."""
    begins, is_leap = scope.value(year.begins), scope.value(year.is_leap)
    is_missing = ibis.ifelse((since_march == 365) & (is_leap == 0), 1, 0)
    return begins + ibis.ifelse(since_march < 306, since_march + 59 + is_leap, since_march - 306 - is_missing)
