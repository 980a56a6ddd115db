"""Whether one value passes a test, and at which moments time alone can change that. Pure."""

from calendar import isleap
from collections.abc import Callable, Iterator, Mapping
from datetime import MAXYEAR, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias, cast

from regulars.foundation.relations import LIST_MARK, FieldType
from regulars.insight.conditions.language import DENYING, Missing, Op, Span, Test, Word
from regulars.insight.conditions.texts import fold, read_expression
from regulars.insight.conditions.windows import (
    Clock,
    ago,
    ahead,
    local_day,
    midnight,
    moment,
    near_from,
    old_from,
    shifted,
    whole_days,
)

Known: TypeAlias = Fraction | str | bool | datetime | date | tuple[str, ...]
EPOCH = date(1970, 1, 1)


def known(raw: object, type_: FieldType) -> Known | None:
    """What a column holds, as a value of its type: numbers exact, days as dates, lists as tuples."""
    if raw is None:
        return None
    return _KNOWN[type_](raw)


def _same(raw: Any) -> Any:
    return raw


_KNOWN: Mapping[FieldType, Callable[[Any], Known]] = {
    FieldType.TEXT: _same,
    FieldType.MOMENT: _same,
    FieldType.FLAG: _same,
    FieldType.NUMBER: Fraction,
    FieldType.MONEY: Fraction,
    FieldType.DATE: lambda days: shifted(EPOCH, days),
    FieldType.LIST: lambda text: tuple(item for item in text.split(LIST_MARK) if item),
    FieldType.TOKEN: lambda text: tuple(item for item in text.split(LIST_MARK) if item),
}


def passes(test: Test, value: Known | None, clock: Clock) -> bool:
    """True or false, never unknown: without a value only NOT_SET, and what denies if its ``missing`` says so."""
    if test.op in (Op.SET, Op.NOT_SET):
        return (value is None) == (test.op is Op.NOT_SET)
    if value is None:
        return test.op in DENYING and test.missing is Missing.IN
    holds = _includes if isinstance(value, tuple) else _HOLDS[_AFFIRMED.get(test.op, test.op)]
    return holds(value, test, clock) == (test.op not in DENYING)


_AFFIRMED = {
    Op.IS_NOT: Op.IS,
    Op.NOT_IN: Op.IN,
    Op.NOT_CONTAINS: Op.CONTAINS,
    Op.NOT_STARTS: Op.STARTS,
    Op.NOT_INCLUDES: Op.INCLUDES,
}


def _includes(value: Any, test: Test, clock: Clock) -> bool:
    """Of lists and tokens, whatever the comparison: whether one of the items given is among its items."""
    given = test.value if isinstance(test.value, tuple) else (test.value,)
    return any((item.token if isinstance(item, Word) else item) in value for item in given)


def _before(value: Any, test: Test, clock: Clock) -> bool:
    return bool(value < _like(value, test.value, clock))


def _like(value: datetime | date, given: Any, clock: Clock) -> datetime | date:
    """The moment to compare with; for a day without a zone it is a day too, that of the shop."""
    if isinstance(value, datetime):
        return moment(given, clock)
    return local_day(given, clock.shop) if isinstance(given, datetime) else date(given.year, given.month, given.day)


def _within_last(value: Any, test: Test, clock: Clock) -> bool:
    span = _span(test)
    if isinstance(value, datetime):
        return ago(span, test.days, clock) <= value <= clock.at
    today = clock.today(test.days)
    return bool(shifted(today, 1 - whole_days(span)) <= value <= today)


def _older_than(value: Any, test: Test, clock: Clock) -> bool:
    span = _span(test)
    if isinstance(value, datetime):
        return value < ago(span, test.days, clock)
    return bool(value < shifted(clock.today(test.days), 1 - whole_days(span)))


def _within_next(value: Any, test: Test, clock: Clock) -> bool:
    span = _span(test)
    if isinstance(value, datetime):
        return clock.at < value < ahead(span, test.days, clock)
    today = clock.today(test.days)
    return bool(today <= value < shifted(today, whole_days(span)))


def _anniversary(value: Any, test: Test, clock: Clock) -> bool:
    today = clock.today(test.days)
    end = shifted(today, whole_days(_span(test)))
    return any(today <= come_round(value, year) < end for year in range(today.year, end.year + 1))


def come_round(day: date, year: int) -> date:
    """The day's anniversary in that year, be it before or after the day itself; 29 February falls on the 28th in other years."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return date(year, 2, 28) if is_leap_day and not isleap(year) else day.replace(year=year)


_HOLDS: Mapping[Op, Callable[[Any, Test, Clock], bool]] = {
    Op.IS: lambda value, test, clock: value == _exact(test.value),
    Op.IN: lambda value, test, clock: any(value == _exact(one) for one in _several(test)),
    Op.CONTAINS: lambda value, test, clock: fold(str(test.value)) in fold(value),
    Op.STARTS: lambda value, test, clock: fold(value).startswith(fold(str(test.value))),
    Op.MATCHES: lambda value, test, clock: read_expression(str(test.value)).found_in(value),
    Op.LT: lambda value, test, clock: value < _exact(test.value),
    Op.LE: lambda value, test, clock: value <= _exact(test.value),
    Op.GT: lambda value, test, clock: value > _exact(test.value),
    Op.GE: lambda value, test, clock: value >= _exact(test.value),
    Op.BETWEEN: lambda value, test, clock: _several(test)[0] <= value <= _several(test)[1],
    Op.BEFORE: _before,
    Op.AFTER: lambda value, test, clock: not _before(value, test, clock),
    Op.WITHIN_LAST: _within_last,
    Op.OLDER_THAN: _older_than,
    Op.WITHIN_NEXT: _within_next,
    Op.ANNIVERSARY: _anniversary,
}


def _exact(given: Any) -> Any:
    return Fraction(given) if isinstance(given, Decimal) else given


def _several(test: Test) -> tuple[Any, ...]:
    return cast(tuple[Any, ...], test.value)


def _span(test: Test) -> Span:
    return cast(Span, test.value)


def turns(test: Test, value: Known | None, clock: Clock) -> Iterator[datetime]:
    """Moments, past ones too, at which the value begins or ceases to pass: all of them, but of anniversaries those of the next year."""
    if isinstance(test.value, Span) and isinstance(value, date):
        find = _turns_of_moment if isinstance(value, datetime) else _turns_of_day
        yield from find(test, value, clock)


def _turns_of_moment(test: Test, value: Any, clock: Clock) -> Iterator[datetime]:
    yield value
    if test.op is Op.WITHIN_NEXT:
        yield near_from(value, _span(test), test.days, clock)
    else:
        yield old_from(value, _span(test), test.days, clock)


def _turns_of_day(test: Test, value: date, clock: Clock) -> Iterator[datetime]:
    """As for moments, by midnights: a day begins to lie in a span of n days n - 1 days before it, and ceases n days after it."""
    count = whole_days(_span(test))
    days = [value]
    if test.op is Op.ANNIVERSARY:
        year = clock.today(test.days).year
        days = [come_round(value, one) for one in range(year, min(year + 2, MAXYEAR) + 1)]
    zone = clock.zone(test.days)
    for day in days:
        edges = (1 - count, 1) if test.op in (Op.WITHIN_NEXT, Op.ANNIVERSARY) else (0, count)
        yield from (midnight(shifted(day, edge), zone) for edge in edges)
