"""Numbers, money and dates as each reader writes them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from regulars.foundation.pages import formats
from regulars.foundation.pages.charts import Chart, Series

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "money", "number"),
    [
        ("en-gb", "£1,234.50", "12,310"),
        ("de", "1.234,50\xa0£", "12.310"),
        ("fr", "1\u202f234,50\xa0£GB", "12\u202f310"),
    ],
)
def test_money_and_numbers_follow_the_reader(language: str, money: str, number: str) -> None:
    with translation.override(language):
        assert formats.format_money(123450, "GBP") == money
        assert formats.format_number(12310) == number


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (99_999, "GBP", "£999.99"),
        (100_050, "GBP", "£1,000"),
        (-123_456_789, "GBP", "-£1,234,568"),
        (1500, "JPY", "JP¥1,500"),
    ],
)
def test_short_money_drops_pence_from_a_thousand_on(minor: int, currency: str, text: str) -> None:
    with translation.override("en-gb"):
        assert formats.format_money_short(minor, currency) == text


@pytest.mark.parametrize(
    ("amount", "text"), [("2.95", "£2.95"), ("3", "£3.00"), ("0.001", "£0.001"), ("1.250000", "£1.25")]
)
def test_a_price_shows_the_decimals_that_say_something(amount: str, text: str) -> None:
    with translation.override("en-gb"):
        assert formats.format_unit_price(Decimal(amount), "GBP") == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=8), "2 Mar 2026"),
        (timedelta(days=-2), "in 2 days"),
    ],
)
def test_moments_are_relative_up_to_a_week(before: timedelta, text: str) -> None:
    with translation.override("en-gb"):
        assert formats.format_when(NOON - before, NOON) == text


def test_days_of_a_timeline() -> None:
    with translation.override("en-gb"):
        days = [
            formats.format_day(day, NOON.date())
            for day in (date(2026, 3, 10), date(2026, 3, 9), date(2026, 3, 2), date(2025, 12, 24))
        ]
    assert days == ["Today", "Yesterday", "Monday 2 March", "Wednesday, 24 December 2025"]


def test_progress_says_speed_and_what_is_left() -> None:
    assert formats.progress_of(2500, 10_000, NOON - timedelta(seconds=10), NOON) == {
        "percent": 25,
        "speed": "250",
        "remaining": "30 seconds",
    }
    assert formats.progress_of(5, None, None, NOON) == {"percent": None, "speed": "", "remaining": ""}


def test_a_chart_is_also_a_table() -> None:
    chart = Chart(
        "sales", "Sales", "Up.", ["Mon", "Tue"], [Series("Now", [1250, None], hrefs=["/a", "/b"])], unit="GBP"
    )
    assert chart.as_rows() == [("Mon", [("£12.50", "/a", 1250)]), ("Tue", [("–", "/b", None)])]


def test_a_chart_with_too_few_values_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 2 values"):
        Chart("sales", "Sales", "Up.", ["Mon", "Tue"], [Series("Now", [1])])
