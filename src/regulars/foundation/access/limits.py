"""How often something may be tried: windows counted in PostgreSQL, so that all processes share them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from regulars.foundation.access.models import RateWindow
from regulars.foundation.errors import RegularsError
from regulars.foundation.vault.keys import key_ring


@dataclass(frozen=True)
class Limit:
    """At most ``count`` in each ``period``."""

    name: str
    count: int
    period: timedelta


class TooManyTries(RegularsError):
    """Too many tries: wait a little and try again."""

    code = "too-many"
    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"Too many tries: try again in {retry_after} seconds.", retry_after=retry_after)


_COUNT = (
    "INSERT INTO access_ratewindow (key, began_at, count) VALUES (%s, %s, 1)"
    " ON CONFLICT (key, began_at) DO UPDATE SET count = access_ratewindow.count + 1 RETURNING count"
)


def spend(limit: Limit, who: str, at: datetime) -> int:
    """Counts one try and gives what is left. Raises TooManyTries. Not inside a transaction that may roll back: a try
    counts in any case.
    """
    began_at = _window(limit, at)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key_ring().token("rate window", f"{limit.name}\x1f{who}"), began_at])
        count = int(cursor.fetchone()[0])
    if count > limit.count:
        raise TooManyTries(max(1, int((began_at + limit.period - at).total_seconds())))
    return limit.count - count


def _window(limit: Limit, at: datetime) -> datetime:
    seconds = int(limit.period.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def forget_old_windows(at: datetime) -> int:
    """Removes windows that ended a day ago."""
    return RateWindow.objects.filter(began_at__lt=at - timedelta(days=1)).delete()[0]
