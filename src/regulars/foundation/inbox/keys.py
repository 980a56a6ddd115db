"""The keys of the inbox: one a day, made when the day's first body comes, destroyed with the day."""

from datetime import UTC, date, datetime
from functools import partial

from django.db import connection, transaction

from regulars.foundation.inbox.models import DayKey
from regulars.foundation.sealing import CannotOpen, KeyRing, new_key
from regulars.foundation.vault.keys import key_ring
from regulars.foundation.vault.rotation import WRAPPED

_MOST_CACHED = 40
_cached: dict[date, bytes] = {}


def day_of(received_at: datetime) -> date:
    return received_at.astimezone(UTC).date()


def ensure_day_key(received_at: datetime) -> bytes:
    """The plain key of this moment's day. Two processes at midnight get the same one."""
    day = day_of(received_at)
    return _cached.get(day) or _remember(day, _find(day) or _make(day))


def get_day_key(received_at: datetime) -> bytes:
    """The plain key of a day in the past. Raises CannotOpen once the day was forgotten."""
    day = day_of(received_at)
    found = _cached.get(day) or _find(day)
    if found is None:
        raise CannotOpen("The key of that day was destroyed when its time was over")
    return _remember(day, found)


def forget_days_before(at: datetime) -> int:
    """Destroys the keys of days before that of ``at``; how many."""
    for day in [day for day in _cached if day < day_of(at)]:
        del _cached[day]
    return DayKey.objects.filter(day__lt=day_of(at)).delete()[0]


def forget_cached() -> None:
    """For tests, whose database goes back to what it was."""
    _cached.clear()


def _subject(day: date) -> int:
    """What the wrapped key is bound to: below zero, where no profile's number lies."""
    return -day.toordinal()


def _find(day: date) -> bytes | None:
    row = DayKey.objects.filter(day=day).first()
    return key_ring().unwrap(row.master_id, bytes(row.wrapped), _subject(day)) if row else None


def _make(day: date) -> bytes:
    key = new_key()
    master_id, wrapped = key_ring().wrap(key, _subject(day))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO on")  # it is remembered, so it must not be lost
        cursor.execute(
            "INSERT INTO inbox_daykey (day, master_id, wrapped) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [day, master_id, wrapped],
        )
        is_ours = cursor.rowcount == 1
    return key if is_ours else _find(day) or key


def _remember(day: date, key: bytes) -> bytes:
    """Kept in the process only once it is committed, so that no body is sealed under a key that was rolled back."""
    transaction.on_commit(partial(_keep, day, key))
    return key


def _keep(day: date, key: bytes) -> None:
    if len(_cached) >= _MOST_CACHED:
        _cached.clear()
    _cached[day] = key


def _rewrap(ring: KeyRing) -> int:
    rows = DayKey.objects.exclude(master_id=ring.current_id)
    for row in rows:
        row.master_id, row.wrapped = ring.wrap(
            ring.unwrap(row.master_id, bytes(row.wrapped), _subject(row.day)), _subject(row.day)
        )
        row.save(update_fields=["master_id", "wrapped"])
    return len(rows)


WRAPPED.register("days of the inbox", _rewrap)
