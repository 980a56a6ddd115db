"""Readers of the log: each event has its effect once, in order for each customer.

A reader keeps one position per shard and commits its effects together with it. An event is handed out only when nothing of the same
customer that came before it still waits in another shard, so a merge or split, which changes the shard, changes no order
(docs/decisions/0008-order-across-a-merge.md). An event on which a reader fails three times is parked, with that customer's later ones,
and the reader goes on; parked events are shown and can be replayed.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum, auto
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import F, QuerySet

from regulars.foundation.errors import Conflict, NotFound
from regulars.foundation.registry import Registry
from regulars.foundation.retrying import Busy, is_passing, retry
from regulars.record.events.log import SHARDS
from regulars.record.events.models import ParkedEvent, ReaderPosition

logger = structlog.get_logger()
PATIENCE = 3  # failures at one event before it is parked
BEHIND = "An earlier event of this customer is parked"


class EarlierIsParked(Conflict):
    """An earlier event of this customer is parked: replay that one first, or all of the customer."""

    code = "earlier-is-parked"


class NoSuchReader(NotFound):
    """The reader that put this event aside is gone: no module of this version registers it."""

    code = "no-such-reader"


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

Families = Callable[[Collection[int]], Mapping[int, frozenset[int]]]
# For each profile all those that are one customer with it at present, itself included. Who is who is known above: it is registered
# in config/readers.py. Without it every profile stands for itself.
FAMILIES: Registry[Families] = Registry("families of profiles")


class Progress(Enum):
    """How a shard stands after an attempt: DONE for now, MORE is there, or its next event WAITS for another shard."""

    DONE = auto()
    MORE = auto()
    WAITS = auto()


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


# Events of these profiles that this reader has not seen, in other shards, before a position.
_EARLIER = """
SELECT e.profile_id, min(e.position) FROM events_readerposition p
JOIN events_event e ON e.shard = p.shard AND e.position > p.position
WHERE p.reader = %(reader)s AND p.shard <> %(shard)s AND e.profile_id = ANY(%(profiles)s) AND e.kind = ANY(%(kinds)s)
    AND e.position > %(low)s AND e.position < %(last)s
GROUP BY e.profile_id
"""


def read_batch(reader: Reader, shard: int, at: datetime, size: int = 500) -> bool:
    """Takes the next events of one shard and commits their effects with the position. True when there may be more.

    Another process that reads this shard at the moment makes this a no-op. A batch that fails is tried again event by event.
    """
    return _read(reader, shard, at, size) is Progress.MORE


def catch_up(readers: Iterable[Reader], at: datetime) -> int:
    """Reads all shards of these readers until nothing is left; for commands, tests and the simulated clock. Batches read."""
    return sum(_catch_up(reader, at) for reader in readers)


def _catch_up(reader: Reader, at: datetime) -> int:
    """Shards that wait for others are asked again for as long as any of them gets on."""
    batches = 0
    while True:
        before = _positions(reader)
        waits = False
        for shard in waiting_shards(reader):
            while (progress := _read(reader, shard, at, 500)) is Progress.MORE:
                batches += 1
            waits |= progress is Progress.WAITS
        if not waits or _positions(reader) == before:
            return batches


def _positions(reader: Reader) -> list[int]:
    return list(ReaderPosition.objects.filter(reader=reader.name).order_by("shard").values_list("position", flat=True))


def _read(reader: Reader, shard: int, at: datetime, size: int) -> Progress:
    try:
        return retry(lambda: _advance(reader, shard, at, size))
    except Busy:
        return Progress.DONE  # others write the same rows: the event is not to blame, its turn comes again
    except Exception:  # whatever a handler raises must not stop the reader
        logger.exception("reader failed", reader=reader.name, shard=shard)
        return _read_carefully(reader, shard, at)


def _read_carefully(reader: Reader, shard: int, at: datetime) -> Progress:
    try:
        return retry(lambda: _advance_carefully(reader, shard, at))
    except Busy:
        return Progress.DONE


def waiting_shards(reader: Reader) -> list[int]:
    """Shards that hold something for this reader; all others are moved to the head in one statement, so that idling costs little.

    Nothing can be skipped: positions rise in commit order, so no event at or below the head can still appear.
    """
    head = _horizon()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(position) FROM events_readerposition WHERE reader = %s", [reader.name])
        known, low = cursor.fetchone()
        if known < SHARDS:
            _ensure_positions(reader)
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


def _advance(reader: Reader, shard: int, at: datetime, size: int) -> Progress:
    with transaction.atomic():
        place = _lock_position(reader, shard)
        if place is None:
            return Progress.DONE
        horizon = _horizon()
        events = _fetch(reader, shard, place.position, horizon, size)
        ready = _until_one_waits(reader, shard, events)
        welcome = _without_parked(reader, ready, at)
        if welcome:
            reader.handle(welcome, at)
        if len(ready) < len(events):
            _move(place, ready[-1].position if ready else place.position)
            return Progress.WAITS
        full = len(events) == size
        _move(place, events[-1].position if full else horizon)
        return Progress.MORE if full else Progress.DONE


def _advance_carefully(reader: Reader, shard: int, at: datetime) -> Progress:
    """One event at a time: what works is committed, the one that fails is counted and in the end parked."""
    with transaction.atomic():
        place = _lock_position(reader, shard)
        if place is None:
            return Progress.DONE
        ready = _until_one_waits(reader, shard, _fetch(reader, shard, place.position, _horizon(), 1))
        events = _without_parked(reader, ready, at)
        if not events:
            return _advance(reader, shard, at, 1)
        try:
            with transaction.atomic():
                reader.handle(events, at)
        except Exception as error:  # as above: the reason is kept, the reader goes on
            if is_passing(error):
                raise
            return _count_failure(reader, place, events[0], error, at)
        _move(place, events[0].position)
        return Progress.MORE


def _until_one_waits(reader: Reader, shard: int, events: list[Recorded]) -> list[Recorded]:
    """``events`` up to the first whose customer has an earlier one that this reader has yet to see in another shard.

    Positions of the others are read once: they only rise, so what is found to be passed is passed. Of all shards the one with the
    lowest event never waits, so somebody always gets on.
    """
    people = {e.profile_id for e in events if e.profile_id is not None}
    low = min((p.position for p in ReaderPosition.objects.filter(reader=reader.name).exclude(shard=shard)), default=0)
    if not people or low >= events[-1].position:
        return events
    families = _families(people)
    bound: dict[str, Any] = {
        "reader": reader.name,
        "shard": shard,
        "kinds": sorted(reader.kinds),
        "profiles": sorted(frozenset().union(*families.values())),
        "low": low,
        "last": events[-1].position,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, bound)
        earlier: dict[int, int] = dict(cursor.fetchall())
    for number, event in enumerate(events):
        family = families.get(event.profile_id or 0, frozenset())
        if any(earlier.get(profile, event.position) < event.position for profile in family):
            return events[:number]
    return events


def _families(people: Collection[int]) -> dict[int, frozenset[int]]:
    found = {profile: frozenset({profile}) for profile in people}
    for _, families in FAMILIES.items():
        found |= families(people)
    return found


def _count_failure(reader: Reader, place: ReaderPosition, event: Recorded, error: Exception, at: datetime) -> Progress:
    place.failures += 1
    if place.failures < PATIENCE:
        place.save(update_fields=["failures"])
        return Progress.DONE
    logger.error("event parked", reader=reader.name, position=event.position, reason=type(error).__name__)
    _park(reader, event, f"{type(error).__name__}: failed {PATIENCE} times", at, attempts=PATIENCE)
    _move(place, event.position)
    return Progress.MORE


def _park(reader: Reader, event: Recorded, reason: str, at: datetime, attempts: int = 0) -> None:
    ParkedEvent.objects.get_or_create(
        reader=reader.name,
        position=event.position,
        defaults={"profile_id": event.profile_id, "reason": reason, "parked_at": at, "attempts": attempts},
    )


def _without_parked(reader: Reader, events: Sequence[Recorded], at: datetime) -> list[Recorded]:
    """Events of customers of whom nothing is parked; the others are parked behind what they wait for.

    What is being replayed at the moment is waited for, so that nothing is parked behind it which it then leaves there.
    """
    waiting = _parked_of(reader).filter(profile_id__isnull=False)
    if not events or not waiting.exists():
        return list(events)
    families = _families({e.profile_id for e in events if e.profile_id is not None})
    members = frozenset().union(*families.values())
    held = set(
        waiting.filter(profile_id__in=members).order_by("id").select_for_update().values_list("profile_id", flat=True)
    )
    welcome = []
    for event in events:
        if held & families.get(event.profile_id or 0, frozenset()):
            _park(reader, event, BEHIND, at)
        else:
            welcome.append(event)
    return welcome


def _parked_of(reader: Reader) -> QuerySet[ParkedEvent]:
    return ParkedEvent.objects.filter(reader=reader.name, replayed_at__isnull=True)


def replay_parked(reader: Reader, profile_id: int | None, at: datetime) -> int:
    """Handles what is parked of one customer again, named by any of its profiles, in the log's order; each that works is committed.

    Returns the events replayed. Raises what the handler raises at the first that fails: it and those behind it stay parked.
    """
    done = 0
    while waiting := parked_of_customer(reader, profile_id).order_by("position").first():
        _replay(reader, waiting, at)
        done += 1
    return done


def replay_one(waiting: ParkedEvent, at: datetime) -> None:
    """Handles one parked event again. Raises EarlierIsParked, NoSuchReader, and what the handler raises."""
    reader = READERS.get(waiting.reader)
    if reader is None:
        raise NoSuchReader
    earlier = parked_of_customer(reader, waiting.profile_id).filter(position__lt=waiting.position)
    if waiting.profile_id is not None and earlier.exists():
        raise EarlierIsParked
    _replay(reader, waiting, at)


def parked_of_customer(reader: Reader, profile_id: int | None) -> QuerySet[ParkedEvent]:
    """What is parked of whoever this profile is; of None: what is about nobody."""
    if profile_id is None:
        return _parked_of(reader).filter(profile_id=None)
    return _parked_of(reader).filter(profile_id__in=_families([profile_id])[profile_id])


def _replay(reader: Reader, waiting: ParkedEvent, at: datetime) -> None:
    try:
        retry(lambda: _handle_parked(reader, waiting, at))
    except Busy:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: failed when replayed"
        ParkedEvent.objects.filter(pk=waiting.pk).update(attempts=F("attempts") + 1, reason=reason)
        raise


def _handle_parked(reader: Reader, waiting: ParkedEvent, at: datetime) -> None:
    with transaction.atomic():
        if not _parked_of(reader).select_for_update().filter(pk=waiting.pk).exists():
            return  # somebody else replayed it meanwhile
        if events := _at_positions([waiting.position]):
            reader.handle(events, at)
        ParkedEvent.objects.filter(pk=waiting.pk).update(replayed_at=at)


def _lock_position(reader: Reader, shard: int) -> ReaderPosition | None:
    """This shard's position, locked; None while another process holds it."""
    mine = ReaderPosition.objects.select_for_update(skip_locked=True).filter(reader=reader.name, shard=shard)
    place = mine.first()
    if place is None:
        _ensure_positions(reader)
        place = mine.first()
    return place


def _ensure_positions(reader: Reader) -> None:
    """All shards at once: one that has no position yet would look as if it held nothing up."""
    every = [ReaderPosition(reader=reader.name, shard=shard) for shard in range(SHARDS)]
    ReaderPosition.objects.bulk_create(every, ignore_conflicts=True)


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
