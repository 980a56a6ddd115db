"""The log: appending to it (docs/decisions/0001-the-log.md).

Positions rise in commit order. That holds because they are drawn under one advisory transaction lock which is taken last, at the
outermost exit of :func:`transaction`, and released by the commit that makes the rows visible. A reader can therefore never
skip a row whose transaction committed late, and a long transaction elsewhere stalls nobody.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection
from django.db import transaction as database

from regulars.foundation.bulk import fetch
from regulars.foundation.deduplication import key_of
from regulars.record.events import rows

SHARDS = 16
event_key = key_of
LOCK = 0x5245_4755  # 'REGU': the one advisory lock under which positions are drawn


@dataclass(slots=True)
class Entry:
    """One event to append. ``data`` holds clear typed fields only; personal strings go sealed (see ``customers.contacts``).

    Not frozen: that costs three times as much to make, and thousands a second are made.
    """

    kind: str
    occurred_at: datetime
    profile_id: int | None = None
    customer_id: int | None = None  # decides the shard, so that one person's events keep their order
    subject_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    sealed: bytes | None = None
    is_history: bool = False

    @property
    def shard(self) -> int:
        return (self.customer_id or self.profile_id or self.subject_id or 0) % SHARDS


@dataclass
class LogTransaction:
    """What one transaction appends. ``batch_id`` goes onto every row that the transaction writes."""

    batch_id: int
    entries: list[Entry] = field(default_factory=list)

    def append(self, *entries: Entry) -> None:
        self.entries.extend(entries)

    @contextmanager
    def part(self) -> Iterator[None]:
        """A savepoint: what is written and appended within it stands as a whole, or not at all."""
        mark = len(self.entries)
        try:
            with database.atomic():
                yield
        except BaseException:
            del self.entries[mark:]
            raise

    def claim(self, keys: Iterable[bytes]) -> set[bytes]:
        """Those of ``keys`` that nobody recorded before; they now belong to this transaction. Sorted against deadlock."""
        with connection.cursor() as cursor:
            wanted = sorted(set(keys))
            cursor.execute(_CLAIM, [b"".join(wanted), len(wanted)])
            return {bytes(row[0]) for row in cursor.fetchall()}


# One value of 16 bytes each: an array is put together element by element, which costs more than all the rest.
_CLAIM = """
INSERT INTO events_eventkey (key, recorded_at)
SELECT substr(w.keys, n * 16 + 1, 16), clock_timestamp() FROM (SELECT %s::bytea AS keys) w, generate_series(0, %s - 1) n
ON CONFLICT DO NOTHING RETURNING key
"""

_current: ContextVar[LogTransaction | None] = ContextVar("log_transaction", default=None)


_BEGIN = "INSERT INTO events_batch (source, reference) VALUES (%s, %s) RETURNING id"


@contextmanager
def transaction(source: str, reference: str = "") -> Iterator[LogTransaction]:
    """One database transaction that changes the record and appends to the log at its very end.

    Nested calls join the outermost one, whose ``source`` and ``reference`` stand; its exit writes all events at once.
    """
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    with database.atomic():
        [(batch_id,)] = fetch(_BEGIN, [source, reference])
        log = LogTransaction(batch_id)
        token = _current.set(log)
        try:
            yield log
        finally:
            _current.reset(token)
        _number_and_write(log)


_COPY = f"COPY events_event ({', '.join(rows.COLUMNS)}) FROM STDIN (FORMAT BINARY)"
# What the commit would look at is looked at before the lock is taken, not while all others wait for it.
_LOOK_NOW = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


def _number_and_write(log: LogTransaction) -> None:
    """Draws the positions under the lock, writes the events and tells the batch its positions.

    A transaction without events still draws one position: its rows must have a place in time.
    """
    tails, count = [_tail(entry, log.batch_id) for entry in log.entries], max(len(log.entries), 1)
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_NOW)
        first, recorded_at = _draw(cursor, count)
        _write(cursor, tails, first, recorded_at)
        cursor.execute(
            "UPDATE events_batch SET first_position = %s, last_position = %s, recorded_at = %s WHERE id = %s",
            [first, first + count - 1, recorded_at, log.batch_id],
        )


def _as_text(value: object) -> str:
    """What JSON does not know; a subclass of text as the text that it is."""
    return str.__str__(value) if isinstance(value, str) else str(value)


_to_json = msgspec.json.Encoder(enc_hook=_as_text).encode


def _tail(entry: Entry, batch_id: int) -> bytes:
    return rows.tail(
        entry.occurred_at,
        entry.kind,
        batch_id,
        profile_id=entry.profile_id,
        shard=entry.shard,
        subject_id=entry.subject_id,
        is_history=entry.is_history,
        data=_to_json(entry.data),
        sealed=entry.sealed,
    )


# The lock is had before anything is drawn: the row that is drawn for comes out of it.
_DRAW = """
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s))
SELECT setval('events_position', nextval('events_position') + %s), clock_timestamp() FROM held
"""


def _draw(cursor: Any, count: int) -> tuple[int, datetime]:
    """First of ``count`` positions in a row, and the time of recording. Holds the lock until the commit."""
    cursor.execute(_DRAW, [LOCK, count - 1])
    last, recorded_at = cursor.fetchone()
    return last - count + 1, recorded_at


def _write(cursor: Any, tails: Sequence[bytes], first: int, recorded_at: datetime) -> None:
    if tails:
        with cursor.copy(_COPY) as copy:
            for piece in rows.whole(tails, first, recorded_at):
                copy.write(piece)


def head() -> int:
    """Position of the newest event that can be seen; 0 for an empty log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(position), 0) FROM events_event")
        return int(cursor.fetchone()[0])
