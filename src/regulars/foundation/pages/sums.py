"""What the rows of a list come to, and doors of numbers whose list must repeat them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models import Sum as Total

from regulars.foundation.pages.formats import format_money_short

Amounts = Sequence[tuple[int, str]]
PIECES = "pieces"


@dataclass(frozen=True)
class Sum:
    """``(minor, currency)`` of each currency, or ``(number, PIECES)``; ``total`` is all of them in the reporting currency, where they
    are of several. ``words`` say more than the bare amounts can.
    """

    amounts: Amounts
    words: str = ""
    total: tuple[int, str] | None = None

    def __str__(self) -> str:
        if self.words:
            return self.words
        each = " + ".join(format_money_short(*amount) for amount in self.amounts)
        return f"{each} = {format_money_short(*self.total)}" if self.total else each

    @property
    def key(self) -> str:
        return sum_key(*self.amounts, *([self.total] if self.total else []))

    def less(self, other: "Sum") -> "Sum":
        """What is left of each currency, and of the total."""
        taken = {unit: number for number, unit in other.amounts}
        units = dict.fromkeys([unit for _, unit in (*self.amounts, *other.amounts)])
        mine = {unit: number for number, unit in self.amounts}
        left = [(mine.get(unit, 0) - taken.get(unit, 0), unit) for unit in units]
        if not (self.total or other.total):
            return Sum(left)
        here = (self.total or other.total or (0, ""))[1]
        return Sum(left, total=(self._worth(here) - other._worth(here), here))

    def _worth(self, currency: str) -> int:
        return self.total[0] if self.total else sum(number for number, unit in self.amounts if unit == currency)


@dataclass(frozen=True)
class Door:
    """Where a number opens; the list there shows ``count`` rows, or ``sum`` among what these come to."""

    href: str
    count: int | None = None
    sum: str = ""


def sum_key(*amounts: tuple[int, str]) -> str:
    """Sums as pages state them beside a door and a list, so that the two can be compared: '4450GBP 12pieces'."""
    return " ".join(f"{number}{unit}" for number, unit in amounts)


def summed(rows: QuerySet[Any], amount: str, currency: str = "currency") -> list[tuple[int, str]]:
    """Sum of one field of the rows, by currency."""
    sums = rows.order_by(currency).values_list(currency).annotate(total=Total(amount))
    return [(int(total), unit) for unit, total in sums]
