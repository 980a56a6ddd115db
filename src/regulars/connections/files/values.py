"""From the text of a cell to a value, as the file's format says. Pure; what cannot be read raises Unreadable with a reason for a person."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from regulars.connections.files.sniff import DateOrder, Format
from regulars.foundation.money import parse_currency, to_minor
from regulars.foundation.pages.export import FORMULA_STARTS

_CACHE = 50_000
_LARGEST = Decimal(10) ** 12
_SPACES = re.compile(r"(?<=\d)[ \u00a0\u202f'’](?=\d{3}(?!\d))")
# A currency's sign or code may stand before or after; '5,-' is five, '5.00-' and '(5.00)' are less than nothing.
_NUMBER = re.compile(
    r"(?P<before>(?:[^\d.,]|[^\W\d]\.){0,8}?)(?P<sign>[-+−]?)(?P<number>\d[\d.,]*(?:e[-+]?\d{1,4})?|[.,]\d+)(?P<after>[^\d.,]{0,8})",
    re.IGNORECASE,
)
_GROUPED = {
    ".": re.compile(r"(?:\d*|\d{1,3}(?:,\d{2,3})*,\d{3})(?:\.\d*)?(?:e.*)?", re.IGNORECASE),
    ",": re.compile(r"(?:\d*|\d{1,3}(?:\.\d{2,3})*\.\d{3})(?:,\d*)?(?:e.*)?", re.IGNORECASE),
}
_WRITTEN = re.compile(
    r"(\d{1,4})\s*[./ -]\s*(\d{1,2})\s*[./ -]\s*(\d{1,4})"
    r"(?:[T ,]+(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,]\d{1,9})?)?\s*(?:([ap])\.?m\.?|Uhr|h)?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_FARTHEST_ZONE = timedelta(hours=14)  # Kiribati


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
        point, group = (",", ".") if self.format.decimal_comma else (".", ",")
        found = _NUMBER.fullmatch(_SPACES.sub("", text.strip().removeprefix("'")))
        if found is None or not _GROUPED[point].fullmatch(found["number"].rstrip(point)):
            raise Unreadable(f"{what} '{text[:30]}' is not a number" + self._other_sign(found))
        try:
            value = Decimal(found["number"].rstrip(point).replace(group, "").replace(point, "."))
        except InvalidOperation as error:
            raise Unreadable(f"{what} '{text[:30]}' is not a number") from error
        if not value.is_finite() or abs(value) >= _LARGEST or not -12 <= int(value.as_tuple().exponent) <= 12:
            raise Unreadable(f"{what} '{text[:30]}' is out of range")
        return -value if _is_negative(found, point) else value

    def _other_sign(self, found: re.Match[str] | None) -> str:
        sign = "comma" if self.format.decimal_comma else "point"
        return f" with a decimal {sign}" if found else ""

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
            if read.tzinfo and abs(read.utcoffset() or timedelta(0)) > _FARTHEST_ZONE:
                raise Unreadable(f"{what} '{text[:40]}' has a time zone that there is not")
            local = read if read.tzinfo else read.replace(tzinfo=self.zone)
            shifted = local + self.shift if read.tzinfo else (read + self.shift).replace(tzinfo=self.zone)
            moment = shifted.astimezone(UTC)
        except Unreadable:
            raise
        except (ValueError, OverflowError) as error:
            raise Unreadable(f"{what} '{text[:30]}' is not a date and time") from error
        if not 1970 <= moment.year <= 2200:
            raise Unreadable(f"{what} '{text[:30]}' is out of range")
        return moment


def _is_negative(found: re.Match[str], point: str) -> bool:
    signs = found["before"] + found["sign"]
    after = "" if found["number"].endswith(point) else found["after"].strip()
    return any(sign in signs for sign in "-−(") or after.startswith("-")


def _iso(text: str) -> datetime | None:
    """ISO 8601, and Shopify's '2026-01-31 10:00:00 +0100' and 'UTC'."""
    if len(text) < 8 or not text[:4].isdigit():
        return None
    bare = text.removesuffix(" UTC").removesuffix("Z") + ("+00:00" if text.endswith((" UTC", "Z")) else "")
    try:
        return datetime.fromisoformat(bare.replace(" +", "+").replace(" -", "-"))
    except ValueError:
        return None


def _by_order(text: str, order: DateOrder) -> datetime:
    """Day, month and year in the file's order, then what there is of time, AM or PM, and zone; nothing else. Raises ValueError."""
    if not (found := _WRITTEN.fullmatch(text)):
        raise ValueError(text)
    first, second, third = (int(found[place]) for place in (1, 2, 3))
    if first > 31:
        year, month, day = first, second, third
    elif order == DateOrder.MONTH_FIRST:
        month, day, year = first, second, third
    else:
        day, month, year = first, second, third
    year += 2000 if year < 70 else 1900 if year < 100 else 0
    hour, minute, seconds = (int(found[place] or 0) for place in (4, 5, 6))
    if found[7] and hour <= 12:
        hour = hour % 12 + (12 if found[7].lower() == "p" else 0)
    zone = _zone(found[8]) if found[8] else None
    return datetime(
        year, month, day, hour, minute, seconds, tzinfo=zone
    )  # without one, the caller puts it into the shop's


def _zone(text: str) -> timezone:
    """Raises ValueError for a whole day or more; what is farther than any zone is the caller's to refuse."""
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset > _FARTHEST_ZONE:
        raise Unreadable(f"date has the time zone {text}, which there is not")
    return timezone(-offset if text[0] == "-" else offset)


def strip_escape(text: str) -> str:
    """Takes the apostrophe off again that a safe export puts before what looks like a formula (``foundation.pages.export``)."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text
