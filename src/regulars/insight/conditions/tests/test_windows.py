"""Spans of time by the clock and by the calendar, over changes of the clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from regulars.insight.conditions.language import Ago, Between, Days, Ever, Last, SinceEntry, Span, Unit, Window
from regulars.insight.conditions.windows import TICK, Bounds, Clock, bounds, midnight

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
# Clocks in Berlin went from 3:00 to 2:00 in the night before; in New York it is still the 25th.
AT = datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
NOW = AT + TICK


def days(count: int) -> Span:
    return Span(count, Unit.DAYS)


@pytest.mark.parametrize(
    ("window", "low", "high"),
    [
        (Ever(), None, NOW),
        (Last(Span(1, Unit.HOURS)), datetime(2026, 10, 26, 0, 30, tzinfo=UTC) + TICK, NOW),
        (Last(days(1)), datetime(2026, 10, 25, 1, 30, tzinfo=UTC) + TICK, NOW),
        (Last(days(1), Days.SHOP), datetime(2026, 10, 25, 23, tzinfo=UTC), NOW),
        (Last(days(2), Days.SHOP), datetime(2026, 10, 24, 22, tzinfo=UTC), NOW),
        (Last(days(1), Days.PERSON), datetime(2026, 10, 25, 4, tzinfo=UTC), NOW),
        (Last(Span(1, Unit.WEEKS), Days.SHOP), datetime(2026, 10, 19, 22, tzinfo=UTC), NOW),
        (Ago(days(2), days(1), Days.SHOP), datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        (Between(date(2026, 10, 25), date(2026, 10, 26)), datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        (Between(date(2026, 1, 1), None), datetime(2025, 12, 31, 23, tzinfo=UTC), NOW),
        (SinceEntry(), NOW, NOW),
    ],
)  # fmt: skip
def test_bounds(window: Window, low: datetime | None, high: datetime | None) -> None:
    assert bounds(window, Clock(AT, BERLIN, NEW_YORK)) == Bounds(low, high)


def test_what_is_longer_ago_ends_where_what_is_less_long_ago_begins() -> None:
    clock = Clock(AT, BERLIN, NEW_YORK)
    for way in Days:
        assert bounds(Ago(days(60), days(30), way), clock).high == bounds(Last(days(30), way), clock).low


def test_since_the_entry() -> None:
    entered = datetime(2026, 10, 20, tzinfo=UTC)
    assert bounds(SinceEntry(), Clock(AT, BERLIN, BERLIN, entered)) == Bounds(entered, NOW)


def test_a_day_whose_midnight_is_skipped_begins_when_clocks_go_on() -> None:
    assert midnight(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")) == datetime(2018, 11, 4, 3, tzinfo=UTC)
