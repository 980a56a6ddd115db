"""Readers of the log: each event has its effect once, in order for each customer.

A reader keeps one position per shard and commits its effects together with it. An event on which it fails three times is parked,
with that customer's later ones, and the reader goes on; parked events are shown and can be replayed.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction

from regulars.foundation.registry import Registry
from regulars.record.events.log import SHARDS
from regulars.record.events.models import ParkedEvent, ReaderPosition

logger = structlog.get_logger()
PATIENCE = 3  # failures at one event before it is parked


@dataclass(frozen=True)
class Recorded:
    """One event as a reader sees it."""

    position: int
    recorded_at: datetime
    occurred_at: datetime
    kind: str
    profile_id: int | None
    subject_id: int | None
    is_history: bool
    data: dict[str, Any]
    batch_id: int


@dataclass(frozen=True)
class Reader:
    """Who reads: the kinds that it wants (a set, so that the database filters) and what it does with a batch of them.

    ``handle(events, at)`` runs inside the transaction that moves the position: it writes to the database only.
    """

    name: str
    kinds: frozenset[str]
    handle: Callable[[Sequence[Recorded], datetime], None]


READERS: Registry[Reader] = Registry("reader")

_COLUMNS = [field.name for field in fields(Recorded)]
_SELECT = f"""
SELECT {", ".join(_COLUMNS)} FROM events_event
WHERE position > %s AND position <= %s AND shard = %s AND kind = ANY(%s)
ORDER BY position LIMIT %s
"""
_BUSY = "SELECT DISTINCT shard FROM events_event WHERE position > %s AND position <= %s AND kind = ANY(%s)"
_SKIP = """
UPDATE events_readerposition SET position = %(head)s
WHERE id IN (
    SELECT id FROM events_readerposition
    WHERE reader = %(reader)s AND position < %(head)s AND shard <> ALL(%(busy)s::smallint[])
    ORDER BY id FOR UPDATE SKIP LOCKED
)
"""


def read_batch(reader: Reader, shard: int, at: datetime, size: int = 500) -> bool:
    """Takes the next events of one shard and commits their effects with the position. True when there may be more.

    Another process that reads this shard at the moment makes this a no-op. A batch that fails is tried again event by event.
    """
    try:
        return _advance(reader, shard, at, size)
    except Exception:  # whatever a handler raises must not stop the reader
        logger.exception("reader failed", reader=reader.name, shard=shard)
        return _advance_carefully(reader, shard, at)


def catch_up(readers: Iterable[Reader], at: datetime) -> int:
    """Reads all shards of these readers until nothing is left; for commands, tests and the simulated clock. Batches read."""
    batches = 0
    for reader in readers:
        for shard in waiting_shards(reader):
            while read_batch(reader, shard, at):
                batches += 1
    return batches


def waiting_shards(reader: Reader) -> list[int]:
    """Shards that hold something for this reader; all others are moved to the head in one statement, so that idling costs little.

    Nothing can be skipped: positions rise in commit order, so no event at or below the head can still appear.
    """
    head = _horizon()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(position) FROM events_readerposition WHERE reader = %s", [reader.name])
        known, low = cursor.fetchone()
        if known < SHARDS:
            return list(range(SHARDS))
        if low >= head:
            return []
        cursor.execute(_BUSY, [low, head, sorted(reader.kinds)])
        busy = sorted(row[0] for row in cursor.fetchall())
        cursor.execute(_SKIP, {"head": head, "reader": reader.name, "busy": busy})
    return busy


def lag() -> dict[str, int]:
    """Events that each reader has not yet seen, at most: the log's head less its lowest position."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reader, (SELECT coalesce(max(position), 0) FROM events_event) - min(position) FROM events_readerposition GROUP BY reader"
        )
        return {name: max(int(behind), 0) for name, behind in cursor.fetchall()}


def _advance(reader: Reader, shard: int, at: datetime, size: int) -> bool:
    with transaction.atomic():
        place = _lock_position(reader, shard)
        if place is None:
            return False
        horizon = _horizon()
        events = _fetch(reader, shard, place.position, horizon, size)
        welcome = _without_parked(reader, events, at)
        if welcome:
            reader.handle(welcome, at)
        full = len(events) == size
        _move(place, events[-1].position if full else horizon)
        return full


def _advance_carefully(reader: Reader, shard: int, at: datetime) -> bool:
    """One event at a time: what works is committed, the one that fails is counted and in the end parked."""
    with transaction.atomic():
        place = _lock_position(reader, shard)
        if place is None:
            return False
        events = _without_parked(reader, _fetch(reader, shard, place.position, _horizon(), 1), at)
        if not events:
            return _advance(reader, shard, at, 1)
        try:
            with transaction.atomic():
                reader.handle(events, at)
        except Exception as error:  # noqa: BLE001  as above: the reason is kept, the reader goes on
            return _count_failure(reader, place, events[0], error, at)
        _move(place, events[0].position)
        return True


def _count_failure(reader: Reader, place: ReaderPosition, event: Recorded, error: Exception, at: datetime) -> bool:
    place.failures += 1
    if place.failures < PATIENCE:
        place.save(update_fields=["failures"])
        return False
    logger.error("event parked", reader=reader.name, position=event.position, reason=type(error).__name__)
    _park(reader, event, f"{type(error).__name__}: failed {PATIENCE} times", at)
    _move(place, event.position)
    return True


def _park(reader: Reader, event: Recorded, reason: str, at: datetime) -> None:
    ParkedEvent.objects.get_or_create(
        reader=reader.name,
        position=event.position,
        defaults={"profile_id": event.profile_id, "reason": reason, "parked_at": at},
    )


def _without_parked(reader: Reader, events: Sequence[Recorded], at: datetime) -> list[Recorded]:
    """Events of customers of whom nothing is parked; the others are parked behind what they wait for."""
    people = {e.profile_id for e in events if e.profile_id is not None}
    waiting = set(
        ParkedEvent.objects.filter(reader=reader.name, profile_id__in=people, replayed_at__isnull=True).values_list(
            "profile_id", flat=True
        )
    )
    for event in events:
        if event.profile_id in waiting:
            _park(reader, event, "An earlier event of this customer is parked", at)
    return [e for e in events if e.profile_id not in waiting]


def replay_parked(reader: Reader, profile_id: int | None, at: datetime) -> int:
    """Handles what is parked of one profile again, in order, all or nothing. Returns the events replayed; raises what the handler raises."""
    with transaction.atomic():
        parked = list(
            ParkedEvent.objects.select_for_update()
            .filter(reader=reader.name, profile_id=profile_id, replayed_at__isnull=True)
            .order_by("position")
        )
        events = _at_positions([p.position for p in parked])
        if events:
            reader.handle(events, at)
        ParkedEvent.objects.filter(id__in=[p.id for p in parked]).update(replayed_at=at)
        return len(events)


def _lock_position(reader: Reader, shard: int) -> ReaderPosition | None:
    """This shard's position, locked; None while another process holds it."""
    mine = ReaderPosition.objects.select_for_update(skip_locked=True).filter(reader=reader.name, shard=shard)
    place = mine.first()
    if place is None:
        ReaderPosition.objects.bulk_create([ReaderPosition(reader=reader.name, shard=shard)], ignore_conflicts=True)
        place = mine.first()
    return place


def _horizon() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(position), 0) FROM events_event")
        return int(cursor.fetchone()[0])


def _move(place: ReaderPosition, position: int) -> None:
    if position > place.position or place.failures:
        place.position, place.failures = max(position, place.position), 0
        place.save(update_fields=["position", "failures"])


def _fetch(reader: Reader, shard: int, after: int, until: int, size: int) -> list[Recorded]:
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, [after, until, shard, sorted(reader.kinds), size])
        return [_recorded(row) for row in cursor.fetchall()]


def _at_positions(positions: Sequence[int]) -> list[Recorded]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM events_event WHERE position = ANY(%s) ORDER BY position",
            [list(positions)],
        )
        return [_recorded(row) for row in cursor.fetchall()]


def _recorded(row: tuple[Any, ...]) -> Recorded:
    """A row of the two statements above; Django leaves jsonb as text."""
    values = dict(zip(_COLUMNS, row, strict=True))
    return Recorded(**values | {"data": json.loads(values["data"])})
