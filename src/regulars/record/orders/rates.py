"""Exchange rates as files state them: our own layout (from, to, date, rate) and the European Central Bank's reference rates."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from regulars.foundation.errors import InvalidInput
from regulars.foundation.money import parse_currency

PLACES = Decimal("1e-12")
MOST = Decimal(10) ** 9
ECB = "European Central Bank"


class BadRate(InvalidInput):
    """This is not a rate."""

    code = "bad-rate"


@dataclass(frozen=True)
class Rate:
    """From ``on``, one unit of ``currency`` is worth ``rate`` units of ``reporting``."""

    currency: str
    reporting: str
    on: date
    rate: Decimal
    source: str = ""


def parse_rate(currency: str, reporting: str, on: str, rate: str, source: str = "") -> Rate:
    """Raises BadRate or UnknownCurrency: one sentence that names what is wrong."""
    parsed = Rate(parse_currency(currency), parse_currency(reporting), _date(on), _number(rate), source.strip()[:60])
    if parsed.currency == parsed.reporting:
        raise BadRate(f"A rate leads from one currency to another, not from {parsed.currency} to itself.")
    return parsed


def read_rates(content: bytes, source: str, reporting: str, used: Collection[str]) -> list[Rate]:
    """The rates of a file. Of the European Central Bank's, which start from the euro, those of the currencies ``used``, into
    ``reporting``. Raises BadRate, which names the line.
    """
    header, *rows = _table(content) or [[]]
    names = [name.strip().lower() for name in header]
    if {"from", "to", "date", "rate"} <= set(names):
        return [_named(names, row, line, source) for line, row in enumerate(rows, 2) if any(row)]
    if names[:1] == ["date"] and "usd" in names:
        days = [_day(header, row, line) for line, row in enumerate(rows, 2) if any(row)]
        return [rate for on, euro in days for rate in _crossed(on, euro, reporting, used)]
    raise BadRate(
        "The first line must name the columns from, to, date and rate, or be that of the European Central Bank's file."
    )


def _table(content: bytes) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRate("This is not a table: save it as CSV in UTF-8.") from error


def _named(names: Sequence[str], row: Sequence[str], line: int, source: str) -> Rate:
    cells = dict(zip(names, row, strict=False))
    currency, reporting, on, rate = (cells.get(name, "") for name in ("from", "to", "date", "rate"))
    try:
        return parse_rate(currency, reporting, on, rate, cells.get("source") or source)
    except InvalidInput as error:
        raise BadRate(f"Line {line}: {error.sentence}") from error


def _day(header: Sequence[str], row: Sequence[str], line: int) -> tuple[date, dict[str, Decimal]]:
    """One line of the bank's: how much of each currency a euro was."""
    try:
        cells = zip(header[1:], row[1:], strict=False)
        return _date(row[0]), {
            name.strip(): _number(cell) for name, cell in cells if name.strip() and cell.strip() not in {"", "N/A"}
        }
    except InvalidInput as error:
        raise BadRate(f"Line {line}: {error.sentence}") from error


def _crossed(on: date, euro: Mapping[str, Decimal], reporting: str, used: Collection[str]) -> Iterator[Rate]:
    per_euro = {**euro, "EUR": Decimal(1)}
    for currency in sorted(set(used) & per_euro.keys() - {reporting}):
        if reporting in per_euro:
            worth = (per_euro[reporting] / per_euro[currency]).quantize(PLACES)
            yield Rate(currency, reporting, on, worth, ECB)


def _date(text: str) -> date:
    """ISO, or as the bank's daily file writes it: 20 November 2026."""
    wanted = text.strip()
    for form in ("%Y-%m-%d", "%d %B %Y"):
        try:
            found = datetime.strptime(wanted, form).date()  # noqa: DTZ007
        except ValueError:
            continue
        if found.year >= 1900:
            return found
    raise BadRate(f"'{wanted[:40]}' is not a day: write it as 2026-01-31.")


def _number(text: str) -> Decimal:
    wanted = text.strip()
    try:
        number = Decimal(wanted)
    except InvalidOperation as error:
        raise BadRate(f"'{wanted[:40]}' is not a rate: write a number such as 0.8642.") from error
    if not number.is_finite() or not PLACES <= number < MOST:
        raise BadRate(f"'{wanted[:40]}' is not a rate: it must be more than nothing and less than a thousand million.")
    return number.quantize(PLACES)
