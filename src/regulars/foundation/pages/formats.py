"""Numbers, money and dates as the reader writes them, by Babel."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError, dates, numbers
from django.utils import timezone
from django.utils.translation import get_language, gettext, to_locale

from regulars.foundation import money

RELATIVE_UP_TO = timedelta(days=7)


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


def reader_locale() -> Locale:
    return _locale(get_language() or "en-gb")


def format_number(value: int | float | Decimal) -> str:
    return numbers.format_decimal(value, locale=reader_locale())


def format_percent(share: float) -> str:
    """0.124 gives 12%; below a tenth, one decimal: 4.2%."""
    pattern = "#,##0.#%" if abs(share) < 0.1 else None
    return numbers.format_percent(share, format=pattern, locale=reader_locale())


def format_money(amount_minor: int, currency: str) -> str:
    """Exact to the minor unit."""
    return numbers.format_currency(money.to_decimal(amount_minor, currency), currency, locale=reader_locale())


def format_money_short(amount_minor: int, currency: str) -> str:
    """For figures that are read at a glance: whole units from 1,000 on, exact below."""
    amount = money.to_decimal(amount_minor, currency)
    if abs(amount) < 1000:
        return format_money(amount_minor, currency)
    locale = reader_locale()
    pattern = locale.currency_formats["standard"].pattern.replace(".00", "")
    return numbers.format_currency(
        amount.quantize(Decimal(1)), currency, format=pattern, locale=locale, currency_digits=False
    )


def format_date(value: date) -> str:
    return dates.format_date(_local(value), format="medium", locale=reader_locale())


def format_day_short(value: date) -> str:
    """Day and month, for an axis whose year is plain."""
    return dates.format_skeleton("MMMd", value, locale=reader_locale())


def format_full(value: datetime) -> str:
    """Date and time with the zone, for the hover of a shorter form."""
    local = timezone.localtime(value)
    return dates.format_datetime(local, format="long", tzinfo=local.tzinfo, locale=reader_locale())


def format_time(value: datetime) -> str:
    local = timezone.localtime(value)
    return dates.format_time(local, format="short", tzinfo=local.tzinfo, locale=reader_locale())


def format_when(value: datetime, at: datetime) -> str:
    """Relative up to a week, absolute afterwards."""
    distance = value - at
    if abs(distance) < timedelta(minutes=1):
        return gettext("just now")
    if abs(distance) <= RELATIVE_UP_TO:
        return dates.format_timedelta(distance, threshold=1, add_direction=True, locale=reader_locale())
    return format_date(value)


def format_day(value: date, today: date) -> str:
    """Heading of a day in a timeline."""
    if value == today:
        return gettext("Today")
    if value == today - timedelta(days=1):
        return gettext("Yesterday")
    pattern = "EEEEdMMMM" if value.year == today.year else "EEEEdMMMMy"
    return dates.format_skeleton(pattern, value, locale=reader_locale())


def format_duration(seconds: float) -> str:
    return dates.format_timedelta(timedelta(seconds=max(1, round(seconds))), locale=reader_locale())


def _local(value: date) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


def today(at: datetime) -> date:
    """The reader's day at a moment, in the shop's zone as the request activated it."""
    return timezone.localtime(at).date()


def country_name(code: str) -> str:
    """ISO 3166-1 alpha-2 to the country's name; an unknown code stays as it is."""
    return reader_locale().territories.get(code.upper(), code) if code else ""


def progress_of(done: int, total: int | None, started_at: datetime | None, at: datetime) -> dict[str, str | int | None]:
    """Percent, speed and remaining time of long work; what cannot be known yet is None or empty."""
    percent = min(100, done * 100 // total) if total else None
    seconds = (at - started_at).total_seconds() if started_at else 0
    speed = done / seconds if seconds > 0 else 0
    remaining = (total - done) / speed if total and speed and done < total else 0
    return {
        "percent": percent,
        "speed": format_number(round(speed)) if speed >= 1 else "",
        "remaining": format_duration(remaining) if remaining else "",
    }


def format_unit_price(amount: Decimal, currency: str) -> str:
    """A price of up to six decimals; those beyond its currency's are shown only where they say something."""
    places = max(money.exponent(currency), -int(amount.normalize().as_tuple().exponent))
    locale = reader_locale()
    pattern = locale.currency_formats["standard"].pattern.replace("0.00", "0." + "0" * places if places else "0")
    return numbers.format_currency(amount, currency, format=pattern, locale=locale, currency_digits=False)
