"""Periods of whole days in the shop's zone, and the one before each."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from regulars.foundation.pages.days import day_begins
from regulars.foundation.pages.formats import today

# Length in days, and in how many days each point of a chart lies: every length is a whole number of points.
LENGTHS: dict[int, int] = {7: 1, 30: 1, 91: 7, 364: 7}
USUAL = 30


@dataclass(frozen=True)
class Period:
    """Days from ``first`` to ``last``, both included; ``step`` days make one point of a chart."""

    first: date
    last: date
    step: int = 1

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def since(self) -> datetime:
        return day_begins(self.first)

    @property
    def until(self) -> datetime:
        """First moment after the period."""
        return day_begins(self.last + timedelta(days=1))

    @property
    def previous(self) -> "Period":
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1), self.step)

    @property
    def whole(self) -> "Period":
        """The same days as one point."""
        return Period(self.first, self.last, self.days)

    def points(self) -> list["Period"]:
        """The stretches that a chart's points stand for, oldest first."""
        starts = [self.first + timedelta(days=n) for n in range(0, self.days, self.step)]
        return [Period(start, min(self.last, start + timedelta(days=self.step - 1))) for start in starts]


def period_to(at: datetime, days: int) -> Period:
    """The period of so many days that ends with the day of ``at``; another length than the known ones gives the usual one."""
    length = days if days in LENGTHS else USUAL
    last = today(at)
    return Period(last - timedelta(days=length - 1), last, LENGTHS[length])
