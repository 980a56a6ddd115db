"""The shop's real ledger, as published, cut into the part that is history and the days that are played."""

import csv
import hashlib
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

DATA = Path(__file__).parent / "data"
LEDGER = DATA / "online_retail.csv.xz"
LAST_DAY = date(2011, 12, 9)
_INVOICE, _CODE, _TITLE, _QUANTITY, _AT, _PRICE, _CUSTOMER, _COUNTRY = range(8)

Row = list[str]


@dataclass
class Shopper:
    """What the ledger says of one customer number. Times are the shop's own, as published."""

    number: str
    country: str
    first_at: datetime
    last_at: datetime
    orders: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Article:
    """A stock code, the words most often used for it, and the price most often asked."""

    code: str
    title: str
    price: str
    sold: int


class Ledger:
    """The rows by the day on which their invoice was first stamped, in the order of the file."""

    def __init__(self, header: Row, rows: Iterable[Row]) -> None:
        self.header = header
        rows = list(rows)
        stamps = first_stamps(rows)
        self.days: dict[date, list[Row]] = {}
        for row in rows:
            self.days.setdefault(date.fromisoformat(stamps[row[_INVOICE]][:10]), []).append(row)

    @classmethod
    def read(cls, lines: int | None = None) -> "Ledger":
        """The whole ledger; with ``lines``, that many and the rest of the last customer's: whole customers, always the same."""
        with lzma.open(LEDGER, "rt", encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = next(reader)
            return cls(header, reader if lines is None else whole_customers(reader, lines))

    def rows(self) -> Iterator[Row]:
        return (row for day in sorted(self.days) for row in self.days[day])

    def shoppers(self) -> list[Shopper]:
        """Everybody with a customer number, by number."""
        found: dict[str, Shopper] = {}
        for row in self.rows():
            if row[_CUSTOMER]:
                _add(found, row)
        return [found[number] for number in sorted(found)]

    def articles(self) -> list[Article]:
        """Every stock code, by code."""
        titles: dict[str, dict[str, int]] = {}
        prices: dict[str, dict[str, int]] = {}
        sold: dict[str, int] = {}
        for row in self.rows():
            code = row[_CODE]
            _count(titles.setdefault(code, {}), row[_TITLE])
            _count(prices.setdefault(code, {}), row[_PRICE])
            sold[code] = sold.get(code, 0) + max(int(row[_QUANTITY]), 0)
        return [Article(c, _commonest(titles[c]), _commonest(prices[c]), sold[c]) for c in sorted(titles)]

    def write(self, path: Path, days: Iterable[date], shift: timedelta) -> int:
        """The rows of these days as a CSV file in the published layout, their dates moved. Returns the rows."""
        count = 0
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self.header)
            for day in days:
                moved = [move(row, shift) for row in self.days.get(day, ())]
                writer.writerows(moved)
                count += len(moved)
        return count


def weeks_to(today: date) -> int:
    """How many whole weeks to move the ledger so that its last day is one of the seven days before ``today``."""
    return (today - LAST_DAY - timedelta(days=1)).days // 7


def move(row: Row, shift: timedelta) -> Row:
    """The row with its time moved; everything else as it was."""
    moved = datetime.fromisoformat(row[_AT]) + shift
    return [*row[:_AT], moved.isoformat(" "), *row[_AT + 1 :]]


def first_stamps(rows: Iterable[Row]) -> dict[str, str]:
    """Earliest time of each invoice: 43 of them carry two."""
    stamps: dict[str, str] = {}
    for row in rows:
        invoice, at = row[_INVOICE], row[_AT]
        if invoice not in stamps or at < stamps[invoice]:
            stamps[invoice] = at
    return stamps


def whole_customers(rows: Iterable[Row], lines: int) -> Iterator[Row]:
    """Rows of as many customers as make up ``lines`` rows, drawn by a hash of their number; guests count as one customer a day."""
    by_customer: dict[str, list[Row]] = {}
    for row in rows:
        by_customer.setdefault(row[_CUSTOMER] or f"guest of {row[_AT][:10]}", []).append(row)
    taken: list[Row] = []
    for key in sorted(by_customer, key=lambda k: hashlib.sha256(k.encode()).digest()):
        if len(taken) >= lines:
            break
        if len(by_customer[key]) < lines // 4:
            taken.extend(by_customer[key])
    yield from sorted(taken, key=lambda row: row[_AT])


def _add(found: dict[str, Shopper], row: Row) -> None:
    at = datetime.fromisoformat(row[_AT])
    shopper = found.get(row[_CUSTOMER])
    if shopper is None:
        shopper = found[row[_CUSTOMER]] = Shopper(row[_CUSTOMER], row[_COUNTRY], at, at)
    shopper.first_at = min(shopper.first_at, at)
    if at >= shopper.last_at:  # eight customers are in two countries; where they were last is where they live
        shopper.last_at, shopper.country = at, row[_COUNTRY]
    if row[_INVOICE][0].isdigit():
        shopper.orders.add(row[_INVOICE])


def _count(counts: dict[str, int], value: str) -> None:
    if value:
        counts[value] = counts.get(value, 0) + 1


def _commonest(counts: dict[str, int]) -> str:
    return max(sorted(counts), key=lambda value: counts[value], default="")
