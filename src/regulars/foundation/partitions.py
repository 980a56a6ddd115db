"""Tables that are partitioned by a time of recording: partitions are made ahead, and dropped whole when their time is over.

A partition must exist before its first row, because PostgreSQL cannot make one for rows that the default partition already holds;
rows that end up in the default one all the same stay readable, they only cannot be dropped by the day or month.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction


@dataclass(frozen=True)
class Period:
    """What one partition holds: ``begin(at)`` gives the first moment of the period of ``at`` (UTC), ``suffix`` names it sortably."""

    begin: Callable[[datetime], datetime]
    longest: timedelta
    suffix: str

    def after(self, first_moment: datetime) -> datetime:
        return self.begin(first_moment + self.longest)


def _day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


DAY = Period(_day, timedelta(days=1), "%Y_%m_%d")
MONTH = Period(lambda at: _day(at).replace(day=1), timedelta(days=31), "%Y_%m")


@dataclass(frozen=True)
class Partitioned:
    """One such table: ``column`` is its time of recording, ``ahead`` how many periods after the present one are kept ready.

    Its default partition is called ``<table>_default``.
    """

    table: str
    column: str
    period: Period
    ahead: int

    def name_of(self, at: datetime) -> str:
        """The partition in which a row of this moment lies, once it was made."""
        begin = self.period.begin(at)
        # years of four digits also where strftime gives fewer, so that names sort as their times do
        return f"{self.table}_{begin:{self.period.suffix.replace('%Y', f'{begin.year:04}')}}"

    def ensure(self, at: datetime) -> list[str]:
        """Makes the present partition and those ahead that are missing. Names of those made."""
        begin, made = self.period.begin(at), []
        for _ in range(self.ahead + 1):
            if self._create(begin):
                made.append(self.name_of(begin))
            begin = self.period.after(begin)
        return made

    def _create(self, begin: datetime) -> bool:
        """False where the partition is there, or where the default one already holds rows of that period."""
        name, bounds = self.name_of(begin), [begin, self.period.after(begin)]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0]:
                return False
            cursor.execute(
                f"SELECT 1 FROM {self.table}_default WHERE {self.column} >= %s AND {self.column} < %s LIMIT 1", bounds
            )
            if cursor.fetchone():
                return False
            cursor.execute(f"CREATE TABLE {name} PARTITION OF {self.table} FOR VALUES FROM (%s) TO (%s)", bounds)
            return True

    def drop_before(self, at: datetime) -> list[str]:
        """Drops every partition that ended before ``at``: what a retention lets go. Names of those dropped."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [self.table]
            )
            names = [row[0] for row in cursor.fetchall()]
            old = sorted(n for n in names if n != f"{self.table}_default" and n < self.name_of(at))
            for name in old:
                cursor.execute(f"DROP TABLE {name}")
        return old
