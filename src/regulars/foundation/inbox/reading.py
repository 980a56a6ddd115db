"""Reading what came in: in batches, in order within a source, in parallel over sources; what fails never stops what follows.

A source is read under a lease, so that one worker reads it at a time; every write checks the lease's fence. An item's attempts are
counted when it is taken: one that kills the process that reads it is found out after three, and everything that was taken with it is
then read one by one.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from django.db import connection, transaction

from regulars.foundation.bulk import execute
from regulars.foundation.crash import crash_point, declare
from regulars.foundation.inbox.models import ItemState
from regulars.foundation.inbox.operations import forget_bodies
from regulars.foundation.inbox.parsers import PARSERS, Outcome, Parser, RawInput
from regulars.foundation.inbox.receiving import open_parts
from regulars.foundation.retrying import Busy, is_away, retry
from regulars.foundation.work import loops
from regulars.foundation.work.leases import Held, LeaseLost, check_lease, extend_lease, release_lease, take_lease
from regulars.foundation.work.loops import Stop

LEASE_SECONDS = loops.LEASE_SECONDS  # of one source
FEW = 20  # inputs of a source that are read beside the others' floods
MOST_ATTEMPTS = 3
KILLED = f"Reading it ended the process, {MOST_ATTEMPTS} times."
TAKEN = declare("inbox.taken", "what came in is taken and counted, nothing is read")
READ = declare("inbox.read", "what came in is in the record, it is not marked as read, nothing is committed")

logger = structlog.get_logger(__name__)

_SOURCES = """
WITH RECURSIVE sources AS (
    (SELECT source FROM inbox_item WHERE state = 'received' ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT source FROM inbox_item WHERE state = 'received' AND source > s.source ORDER BY source LIMIT 1)
    FROM sources s WHERE s.source IS NOT NULL
)
SELECT source FROM sources s WHERE source IS NOT NULL AND (%(most)s = 0 OR %(most)s >= (
    SELECT count(*) FROM (
        SELECT 1 FROM inbox_item i WHERE i.state = 'received' AND i.source = s.source LIMIT %(most)s + 1
    ) w
))
"""
_NEXT = """
SELECT id, received_at, kind, attempts, size FROM inbox_item
WHERE state = 'received' AND source = %s ORDER BY id LIMIT %s
"""
_TAKE = """
UPDATE inbox_item SET attempts = attempts + 1
WHERE id = ANY(%(ids)s) AND received_at >= %(first)s AND received_at <= %(last)s AND state = 'received'
RETURNING id, source, kind, store_id, key, received_at, headers, body, attempts
"""
_MARK = """
UPDATE inbox_item i SET state = w.state, reason = w.reason, people = w.people::bigint[], read_at = %(at)s
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(people)s::text[]) AS w(id, state, reason, people)
WHERE i.id = w.id AND i.received_at >= %(first)s AND i.received_at <= %(last)s
"""
_GIVE_BACK = "UPDATE inbox_item SET attempts = attempts - 1 WHERE id = ANY(%s) AND state = 'received' AND attempts > 0"


@dataclass(frozen=True)
class _Taken:
    """An item as it lies in the table, taken for the ``attempts``-th time."""

    id: int
    source: str
    kind: str
    store_id: int | None
    key: bytes
    received_at: datetime
    headers: bytes
    body: bytes | None
    attempts: int


def read_waiting(stop: Stop, at: datetime) -> bool:
    """One batch of every source that waits. True while there may be more."""
    return _read_each(_waiting_sources(), stop, at)


def read_few(stop: Stop, at: datetime) -> bool:
    """One batch of every source of which little waits, beside ``read_waiting``: so that nobody waits for the end of others' flood."""
    return _read_each(_waiting_sources(FEW), stop, at)


def _read_each(sources: Sequence[str], stop: Stop, at: datetime) -> bool:
    _give_back()
    more = False
    for source in sources:
        if stop.is_set():
            return False
        more |= read_source(source, at)
    return more


def read_source(source: str, at: datetime) -> bool:
    """One batch of one source. False where nothing waits, nobody reads its kind, or another worker reads it at the moment."""
    with _unhurried():
        held = take_lease(f"inbox:{source}", f"{socket.gethostname()}:{os.getpid()}", LEASE_SECONDS)
        taken = _take(source) if held else []
    if held is None:
        return False
    try:
        crash_point(TAKEN)
        if taken:
            _read(taken, held, at)
        return bool(taken)
    except LeaseLost:
        logger.warning("lease lost", source=source)
        return False
    except Exception as error:
        if not _is_of_the_database(error) or not connection.is_usable():
            raise
        logger.warning("a source waits for the database", source=source, why=reason_of(error))
        return False  # others need not wait for it
    finally:
        with _unhurried():
            release_lease(held)


@contextmanager
def _unhurried() -> Iterator[None]:
    """One transaction whose commit does not wait for the disk.

    Nobody is thanked for what is read, and it stays in the inbox: what is lost with the machine is read again. The log is flushed in
    order, so that nothing which is to outlast it (a mail that is marked as sent) can stand on what was lost.
    """
    with transaction.atomic():
        execute("SET LOCAL synchronous_commit TO off", [])
        yield


def _waiting_sources(most: int = 0) -> list[str]:
    """Sources of which something waits, and not more than so many inputs (0: however many)."""
    with connection.cursor() as cursor:
        cursor.execute(_SOURCES, {"most": most})
        return [row[0] for row in cursor.fetchall()]


def _take(source: str) -> list[_Taken]:
    """The next items of a source, in order, their attempts counted and committed. One that was taken before is taken alone."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [source, 1])
        first = cursor.fetchone()
        parser = PARSERS.get(first[2]) if first else None
        if parser is None:
            return []
        cursor.execute(_NEXT, [source, parser.most_inputs])
        chosen = _batch(cursor.fetchall(), parser)
        moments = [row[1] for row in chosen]
        cursor.execute(_TAKE, {"ids": [row[0] for row in chosen], "first": min(moments), "last": max(moments)})
        taken = [_Taken(*row) for row in cursor.fetchall()]
    return sorted(taken, key=lambda item: item.id)


def _batch(rows: Sequence[tuple[int, datetime, str, int, int]], parser: Parser) -> list[tuple[int, datetime]]:
    """The longest run from the oldest one that was never taken before, is of one kind, and is not too large."""
    chosen: list[tuple[int, datetime]] = []
    total = 0
    for row_id, received_at, kind, attempts, size in rows:
        total += size
        if chosen and (attempts or kind != parser.kind or total > parser.most_bytes):
            break
        chosen.append((row_id, received_at))
        if attempts:
            break
    return chosen


def _read(taken: Sequence[_Taken], held: Held, at: datetime) -> None:
    if taken[0].attempts > MOST_ATTEMPTS:  # then it was taken alone
        _settle([(taken[0], Outcome(refused=KILLED))], held, at)
        return
    try:
        retry(lambda: _read_together(taken, held, at))
    except LeaseLost:
        raise
    except Exception as error:
        if _is_of_the_database(error):
            _owe(taken)
            raise
        logger.warning("a batch could not be read", source=held.name, inputs=len(taken), why=reason_of(error))
        for item in taken:
            _read_alone(item, held, at)


def _read_together(taken: Sequence[_Taken], held: Held, at: datetime) -> None:
    """All or nothing. The fence is checked first and held until the commit."""
    with _unhurried():
        check_lease(held)
        parser = PARSERS[taken[0].kind]
        outcomes = parser.read([_opened(item) for item in taken], at)
        crash_point(READ)
        _mark(list(zip(taken, outcomes, strict=True)), at)
        forget_bodies([item.id for item, outcome in zip(taken, outcomes, strict=True) if outcome.is_forgotten])


def _read_alone(item: _Taken, held: Held, at: datetime) -> None:
    if not extend_lease(held, LEASE_SECONDS):
        raise LeaseLost
    try:
        retry(lambda: _read_together([item], held, at))
    except LeaseLost:
        raise
    except Exception as error:
        if _is_of_the_database(error):
            _owe([item])
            raise
        logger.error("an input went to quarantine", source=item.source, item=item.id, why=reason_of(error))
        _settle([(item, Outcome(refused=reason_of(error)))], held, at)


def _settle(outcomes: Sequence[tuple[_Taken, Outcome]], held: Held, at: datetime) -> None:
    with transaction.atomic():
        check_lease(held)
        _mark(outcomes, at)


def _mark(outcomes: Sequence[tuple[_Taken, Outcome]], at: datetime) -> None:
    moments = [item.received_at for item, _ in outcomes]
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK,
            {
                "at": at,
                "ids": [item.id for item, _ in outcomes],
                "states": [(ItemState.QUARANTINED if o.refused else ItemState.PARSED).value for _, o in outcomes],
                "reasons": [o.refused for _, o in outcomes],
                "people": ["{" + ",".join(map(str, sorted(o.people))) + "}" for _, o in outcomes],
                "first": min(moments),
                "last": max(moments),
            },
        )


def _opened(item: _Taken) -> RawInput:
    """Raises CannotOpen once its day was forgotten, or somebody whom it spoke of was erased."""
    headers, body = open_parts(item.key, item.received_at, item.headers, item.body)
    return RawInput(item.id, item.source, item.kind, item.store_id, item.key, item.received_at, headers, body)


def _is_of_the_database(error: Exception) -> bool:
    """Whether the database failed, or others were in the way, and not what a parser made of the input, which must not stop its source."""
    return isinstance(error, Busy) or is_away(error)


def reason_of(error: Exception) -> str:
    """What failed and where, without its message, which may repeat what somebody sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and "regulars" in trace.tb_next.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}{place}"


_owed: list[int] = []


def _owe(taken: Sequence[_Taken]) -> None:
    """An attempt that ended because the database went away is no fault of the items: it is given back once it answers again.

    Where it still answers, the failure was of the statement: then the attempt counts, and one that always fails so is found out.
    """
    if not connection.is_usable():
        _owed.extend(item.id for item in taken)


def _give_back() -> None:
    owed = list(_owed)
    if owed:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [owed])
        del _owed[: len(owed)]
