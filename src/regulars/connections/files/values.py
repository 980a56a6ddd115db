"""From the text of a cell to a value, as the file's format says. Pure; what cannot be read raises Unreadable with a reason for a person."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from regulars.connections.files.sniff import DateOrder, Format
from regulars.foundation.money import parse_currency, to_minor
from regulars.foundation.pages.export import FORMULA_STARTS

_CACHE = 50_000
_LARGEST = Decimal(10) ** 12
_NOT_NUMBER = re.compile(r"[^\d.,eE+-]")
_NUMBERS = re.compile(r"\d+")
_ZONE = re.compile(r"(Z|UTC|[+-]\d{2}:?\d{2})$")


class Unreadable(ValueError):
    """A cell that does not hold what its column should; the message is the reason."""


@dataclass
class Values:
    """Reads cells. ``zone`` is that of the shop, for times without one; ``shift`` moves every date (the demo's whole weeks)."""

    format: Format
    zone: ZoneInfo
    currency: str
    shift: timedelta = timedelta(0)
    _decimals: dict[str, Decimal] = field(default_factory=dict)
    _wholes: dict[str, int] = field(default_factory=dict)
    _times: dict[str, datetime] = field(default_factory=dict)

    def decimal(self, text: str, what: str = "amount") -> Decimal:
        """A number, whatever its currency sign, grouping and decimal sign. Raises Unreadable."""
        known = self._decimals.get(text)
        if known is None:
            known = self._parse_decimal(text, what)
            if len(self._decimals) < _CACHE:
                self._decimals[text] = known
        return known

    def _parse_decimal(self, text: str, what: str) -> Decimal:
        plain = _NOT_NUMBER.sub("", text.strip().removeprefix("'")).rstrip(".,-") or "x"
        is_negative = text.strip().startswith("(") or text.strip().endswith("-")
        group, point = (".", ",") if self.format.decimal_comma else (",", ".")
        try:
            value = Decimal(plain.replace(group, "").replace(point, "."))
        except InvalidOperation as error:
            raise Unreadable(f"{what} '{text[:30]}' is not a number") from error
        if not value.is_finite() or abs(value) >= _LARGEST or not -12 <= int(value.as_tuple().exponent) <= 12:
            raise Unreadable(f"{what} '{text[:30]}' is out of range")
        return -value if is_negative else value

    def whole(self, text: str, what: str = "quantity") -> int:
        """A whole number that the database can hold. Raises Unreadable."""
        known = self._wholes.get(text)
        if known is not None:
            return known
        value = self.decimal(text, what)
        if value != value.to_integral_value() or abs(value) > 2_000_000_000:
            raise Unreadable(f"{what} '{text[:30]}' is not a whole number")
        if len(self._wholes) < _CACHE:
            self._wholes[text] = int(value)
        return int(value)

    def minor(self, text: str, currency: str = "", what: str = "amount") -> int:
        """An amount in minor units; empty is nothing."""
        return to_minor(self.decimal(text, what), currency or self.currency) if text.strip() else 0

    def code(self, text: str) -> str:
        """A currency's code; the shop's own where the cell is empty. Raises UnknownCurrency."""
        return parse_currency(text) if text.strip() else self.currency

    def moment(self, text: str, what: str = "date") -> datetime:
        """A time in UTC. Without a zone it is the shop's. Raises Unreadable."""
        known = self._times.get(text)
        if known is None:
            known = self._parse_moment(text.strip(), what)
            if len(self._times) >= _CACHE:
                self._times.clear()
            self._times[text] = known
        return known

    def _parse_moment(self, text: str, what: str) -> datetime:
        try:
            read = _iso(text) or _by_order(text, self.format.date_order)
            local = read if read.tzinfo else read.replace(tzinfo=self.zone)
            shifted = local + self.shift if read.tzinfo else (read + self.shift).replace(tzinfo=self.zone)
            moment = shifted.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Unreadable(f"{what} '{text[:30]}' is not a date and time") from error
        if not 1970 <= moment.year <= 2200:
            raise Unreadable(f"{what} '{text[:30]}' is out of range")
        return moment


def _iso(text: str) -> datetime | None:
    """ISO 8601, and Shopify's '2026-01-31 10:00:00 +0100' and 'UTC'."""
    if len(text) < 8 or not text[:4].isdigit():
        return None
    bare = text.removesuffix(" UTC").removesuffix("Z") + ("+00:00" if text.endswith(("UTC", "Z")) else "")
    try:
        return datetime.fromisoformat(_ZONE.sub(lambda found: found[0], bare).replace(" +", "+").replace(" -", "-"))
    except ValueError:
        return None


def _by_order(text: str, order: DateOrder) -> datetime:
    """Day, month and year in the file's order, then an optional time with or without AM and PM. Raises ValueError."""
    numbers = [int(number) for number in _NUMBERS.findall(text)[:6]]
    if len(numbers) < 3:
        raise ValueError(text)
    first, second, third, *time = numbers
    if first > 31 or (
        order == DateOrder.YEAR_FIRST and third <= 31 and len(text.split(maxsplit=1)[0]) >= 8 and first > 31
    ):
        year, month, day = first, second, third
    elif order == DateOrder.MONTH_FIRST:
        month, day, year = first, second, third
    else:
        day, month, year = first, second, third
    year += 2000 if year < 70 else 1900 if year < 100 else 0
    hour, minute, seconds = [*time, 0, 0, 0][:3]
    if hour <= 12 and (half := re.search(r"\b([ap])\.?m\b", text, re.IGNORECASE)):
        hour = hour % 12 + (12 if half[1].lower() == "p" else 0)
    return datetime(year, month, day, hour, minute, seconds)  # noqa: DTZ001  the caller puts it into the shop's zone


def strip_escape(text: str) -> str:
    """Takes the apostrophe off again that a safe export puts before what looks like a formula (``foundation.pages.export``)."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text
