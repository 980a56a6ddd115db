"""When: windows and spans as spans of UTC, half open, in microseconds. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from regulars.insight.conditions.language import Ago, Between, Days, Ever, Last, Moment, SinceEntry, Span, Unit, Window

TICK = timedelta(microseconds=1)
_HOURS = {Unit.HOURS: 1, Unit.DAYS: 24, Unit.WEEKS: 168}
_DAYS = {Unit.DAYS: 1, Unit.WEEKS: 7}


@dataclass(frozen=True)
class Clock:
    """The moment at which a condition is asked, and what it is relative to. ``at`` and ``entered_at`` are in UTC."""

    at: datetime
    shop: ZoneInfo
    person: ZoneInfo
    entered_at: datetime | None = None

    def zone(self, days: Days) -> ZoneInfo:
        return self.person if days is Days.PERSON else self.shop

    def today(self, days: Days) -> date:
        return local_day(self.at, self.zone(days))


@dataclass(frozen=True)
class Bounds:
    """``low`` <= moment < ``high``; None: without that end."""

    low: datetime | None
    high: datetime | None

    def hold(self, moment: datetime) -> bool:
        return (self.low is None or self.low <= moment) and (self.high is None or moment < self.high)


def bounds(window: Window, clock: Clock) -> Bounds:
    """Where rows lie in this window. Nothing after now ever does."""
    now = plus(clock.at, TICK)
    match window:
        case Ever():
            return Bounds(None, now)
        case Last(span, days):
            return Bounds(ago(span, days, clock), now)
        case Ago(since, to, days):
            return Bounds(ago(since, days, clock), min(ago(to, days, clock), now))
        case Between(after, before):
            end = moment(before, clock) if before else now
            return Bounds(moment(after, clock) if after else None, min(end, now))
        case SinceEntry():
            return Bounds(clock.entered_at, now) if clock.entered_at else Bounds(now, now)


def ago(span: Span, days: Days, clock: Clock) -> datetime:
    """The first moment that lies less than the span ago: of 1 day, 24 hours ago and a tick, or the begin of today."""
    if days is Days.ROLLING:
        return plus(clock.at, TICK - length(span))
    return midnight(shifted(clock.today(days), 1 - whole_days(span)), clock.zone(days))


def ahead(span: Span, days: Days, clock: Clock) -> datetime:
    """The first moment that does not lie in the span to come: of 1 day, 24 hours later, or the end of today."""
    if days is Days.ROLLING:
        return plus(clock.at, length(span))
    return midnight(shifted(clock.today(days), whole_days(span)), clock.zone(days))


def old_from(then: datetime, span: Span, days: Days, clock: Clock) -> datetime:
    """From when on a moment lies longer than the span ago."""
    if days is Days.ROLLING:
        return plus(then, length(span))
    return midnight(shifted(local_day(then, clock.zone(days)), whole_days(span)), clock.zone(days))


def near_from(then: datetime, span: Span, days: Days, clock: Clock) -> datetime:
    """From when on a moment lies in the span to come."""
    if days is Days.ROLLING:
        return plus(then, TICK - length(span))
    return midnight(shifted(local_day(then, clock.zone(days)), 1 - whole_days(span)), clock.zone(days))


def length(span: Span) -> timedelta:
    return timedelta(hours=span.count * _HOURS[span.unit])


def whole_days(span: Span) -> int:
    """Raises KeyError for hours, which calendars do not have."""
    return span.count * _DAYS[span.unit]


# The days that have a midnight in UTC in every zone; what lies before or after them is taken for the first or last of them.
FIRST, LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


def moment(value: Moment, clock: Clock) -> datetime:
    """A date is the begin of that day in the shop's zone."""
    return within_years(value) if isinstance(value, datetime) else midnight(shifted(value, 0), clock.shop)


def within_years(then: datetime) -> datetime:
    """The moment in UTC, or the first or last that can be told."""
    return max(FIRST, min(LAST, then)).astimezone(UTC)


def plus(then: datetime, by: timedelta) -> datetime:
    """So much later."""
    try:
        return then + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST


def shifted(day: date, days: int) -> date:
    """So many days later."""
    number = day.toordinal() + days
    return date.fromordinal(max(FIRST.toordinal(), min(LAST.toordinal(), number)))


def local_day(then: datetime, zone: ZoneInfo) -> date:
    return within_years(then).astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day, in UTC; where its midnight is skipped, the moment at which clocks go on."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
