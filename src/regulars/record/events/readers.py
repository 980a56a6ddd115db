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
from django.db.models import F, Min, QuerySet, Value
from django.db.models.functions import Greatest

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

    ``handle(events, at)`` runs inside the transaction that moves the position: it writes to the database only. ``parts``: into how many
    batches the shards are divided at a time; few for what costs little more for many people than for one. Processes read them beside each
    other.
    """

    name: str
    kinds: frozenset[str]
    handle: Callable[[Sequence[Recorded], datetime], None]
    parts: int = SHARDS


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
SELECT {", ".join(f"e.{column}" for column in _COLUMNS)}
FROM unnest(%s::smallint[], %s::bigint[]) AS p(shard, position)
CROSS JOIN LATERAL (
    SELECT * FROM events_event o
    WHERE o.position > p.position AND o.position <= %s AND o.shard = p.shard AND o.kind = ANY(%s) ORDER BY o.position LIMIT %s
) e
ORDER BY e.position LIMIT %s
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
WHERE p.reader = %(reader)s AND p.shard <> ALL(%(shards)s::smallint[]) AND e.profile_id = ANY(%(profiles)s) AND e.kind = ANY(%(kinds)s)
    AND e.position > %(low)s AND e.position < %(last)s
GROUP BY e.profile_id
"""


def read_batch(reader: Reader, shard: int, at: datetime, size: int = 500) -> bool:
    """Takes the next events of one shard and commits their effects with the position. True when there may be more.

    Another process that reads this shard at the moment makes this a no-op. A batch that fails is tried again event by event.
    """
    return _read(reader, [shard], at, size) is Progress.MORE


def read_on(reader: Reader, at: datetime, size: int = 500, should_stop: Callable[[], bool] = lambda: False) -> bool:
    """One batch of each part that holds something for this reader. True when there may be more."""
    more = False
    for shards in _parts(reader, waiting_shards(reader)):
        if should_stop():
            return False
        more |= _read(reader, shards, at, size) is Progress.MORE
    return more


def _parts(reader: Reader, shards: Iterable[int]) -> list[list[int]]:
    """Which shards are read in one transaction."""
    parts: dict[int, list[int]] = {}
    for shard in shards:
        parts.setdefault(shard % reader.parts, []).append(shard)
    return list(parts.values())


def catch_up(readers: Iterable[Reader], at: datetime) -> int:
    """Reads all shards of these readers until nothing is left; for commands, tests and the simulated clock. Batches read."""
    return sum(_catch_up(reader, at) for reader in readers)


def _catch_up(reader: Reader, at: datetime) -> int:
    """Shards that wait for others are asked again for as long as any of them gets on."""
    batches = 0
    while waiting := waiting_shards(reader):
        before = _positions(reader)
        waits = False
        for shards in _parts(reader, waiting):
            while (progress := _read(reader, shards, at, 500)) is Progress.MORE:
                batches += 1
            waits |= progress is Progress.WAITS
        if not waits or _positions(reader) == before:
            break
    return batches


def _positions(reader: Reader) -> list[int]:
    return list(ReaderPosition.objects.filter(reader=reader.name).order_by("shard").values_list("position", flat=True))


def _read(reader: Reader, shards: Sequence[int], at: datetime, size: int) -> Progress:
    try:
        return retry(lambda: _advance(reader, shards, at, size))
    except Busy:
        return Progress.DONE  # others write the same rows: the event is not to blame, its turn comes again
    except Exception:  # whatever a handler raises must not stop the reader
        logger.exception("reader failed", reader=reader.name, shards=shards)
        found = {_read_carefully(reader, shard, at) for shard in shards}
        return next(one for one in (Progress.MORE, Progress.WAITS, Progress.DONE) if one in found)


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
            low = 0
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


def _advance(reader: Reader, shards: Sequence[int], at: datetime, size: int) -> Progress:
    """The next events of these shards, in the order of the log."""
    with transaction.atomic():
        places = _lock_positions(reader, shards)
        if not places:
            return Progress.DONE
        horizon = _horizon()
        events = _fetch(reader, places, horizon, size)
        ready = _until_one_waits(reader, [place.shard for place in places], events)
        welcome = _without_parked(reader, ready, at)
        if welcome:
            reader.handle(welcome, at)
        if len(ready) < len(events):
            _move(places, ready[-1].position if ready else 0)
            return Progress.WAITS
        full = len(events) == size
        _move(places, events[-1].position if full else horizon)
        return Progress.MORE if full else Progress.DONE


def _advance_carefully(reader: Reader, shard: int, at: datetime) -> Progress:
    """One event at a time: what works is committed, the one that fails is counted and in the end parked."""
    with transaction.atomic():
        places = _lock_positions(reader, [shard])
        if not places:
            return Progress.DONE
        ready = _until_one_waits(reader, [shard], _fetch(reader, places, _horizon(), 1))
        events = _without_parked(reader, ready, at)
        if not events:
            return _advance(reader, [shard], at, 1)
        try:
            with transaction.atomic():
                reader.handle(events, at)
        except Exception as error:  # as above: the reason is kept, the reader goes on
            if is_passing(error):
                raise
            return _count_failure(reader, places[0], events[0], error, at)
        _move(places, events[0].position)
        return Progress.MORE


def _until_one_waits(reader: Reader, shards: Sequence[int], events: list[Recorded]) -> list[Recorded]:
    """``events`` of these shards up to the first whose customer has an earlier one that this reader has yet to see in another shard.

    Positions of the others are read once: they only rise, so what is found to be passed is passed. Of all shards the one with the
    lowest event never waits, so somebody always gets on.
    """
    people = {e.profile_id for e in events if e.profile_id is not None}
    others = ReaderPosition.objects.filter(reader=reader.name).exclude(shard__in=shards)
    low = others.aggregate(low=Min("position"))["low"]
    if not people or low is None or low >= events[-1].position:
        return events
    families = _families(people)
    bound: dict[str, Any] = {
        "reader": reader.name,
        "shards": list(shards),
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
    _move([place], event.position)
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


def _lock_positions(reader: Reader, shards: Sequence[int]) -> list[ReaderPosition]:
    """Positions of these shards, locked; without those that another process holds."""
    rows = ReaderPosition.objects.select_for_update(skip_locked=True).filter(reader=reader.name, shard__in=shards)
    places = list(rows.order_by("shard"))
    if not places and not ReaderPosition.objects.filter(reader=reader.name).exists():
        _ensure_positions(reader)
        places = list(rows.order_by("shard"))
    return places


def _ensure_positions(reader: Reader) -> None:
    """All shards at once: one that has no position yet would look as if it held nothing up."""
    every = [ReaderPosition(reader=reader.name, shard=shard) for shard in range(SHARDS)]
    ReaderPosition.objects.bulk_create(every, ignore_conflicts=True)


def _horizon() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(position), 0) FROM events_event")
        return int(cursor.fetchone()[0])


def _move(places: Sequence[ReaderPosition], position: int) -> None:
    behind = [place.pk for place in places if position > place.position or place.failures]
    if behind:
        moved = ReaderPosition.objects.filter(pk__in=behind)
        moved.update(position=Greatest("position", Value(position)), failures=0)


def _fetch(reader: Reader, places: Sequence[ReaderPosition], until: int, size: int) -> list[Recorded]:
    """The next after these positions, in the order of the log."""
    shards, positions = [place.shard for place in places], [place.position for place in places]
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, [shards, positions, until, sorted(reader.kinds), size, size])
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
