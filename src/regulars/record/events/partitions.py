"""Partitions of the log: one a month, made ahead; whole months are dropped when their time is over.

A month must exist before its first event, because PostgreSQL cannot make a partition for rows that the default one already holds;
rows that end up in the default partition all the same stay readable, they only cannot be dropped by the month.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

AHEAD = 3  # months
KEY_DAYS = 400  # deduplication keys outlive raw bodies and every shop's resending
_KEYS_AT_ONCE = 50_000


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        utc = at.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def next(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def first_moment(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def table(self) -> str:
        return f"events_event_{self.year:04}_{self.number:02}"


def ensure_months(at: datetime) -> list[str]:
    """Makes the partitions of this month and the next ones that are missing. Names of those made."""
    month = Month.of(at)
    made = []
    for _ in range(AHEAD + 1):
        if _create(month):
            made.append(month.table)
        month = month.next
    return made


def _create(month: Month) -> bool:
    """False where the partition is there, or where the default one already holds rows of that month."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [month.table])
        if cursor.fetchone()[0]:
            return False
        bounds = [month.first_moment, month.next.first_moment]
        cursor.execute(
            "SELECT 1 FROM events_event_default WHERE recorded_at >= %s AND recorded_at < %s LIMIT 1", bounds
        )
        if cursor.fetchone():
            return False
        cursor.execute(f"CREATE TABLE {month.table} PARTITION OF events_event FOR VALUES FROM (%s) TO (%s)", bounds)
        return True


def drop_months_before(at: datetime) -> list[str]:
    """Drops every month that ended before ``at``: what the log's retention lets go. Names of those dropped."""
    oldest_kept = Month.of(at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events_event'::regclass")
        tables = [row[0] for row in cursor.fetchall()]
        old = sorted(t for t in tables if t != "events_event_default" and t < oldest_kept.table)
        for table in old:
            cursor.execute(f"DROP TABLE {table}")
    return old


def forget_old_keys(at: datetime) -> int:
    """Deletes deduplication keys older than 400 days, a bounded number at a time. Keys deleted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM events_eventkey WHERE key IN (SELECT key FROM events_eventkey WHERE recorded_at < %s LIMIT %s)",
            [at - timedelta(days=KEY_DAYS), _KEYS_AT_ONCE],
        )
        return int(cursor.rowcount)
