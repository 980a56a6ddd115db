"""Reading what came in: in batches, in order within a source, in parallel over sources; what fails never stops what follows.

A source is read under a lease, so that one worker reads it at a time; every write checks the lease's fence. A batch costs no write until
it is read: that a reader died is known by its lease, which it did not give back. Then an attempt of all that it held is counted, and they
are taken one by one, each counted when it is taken: one that kills the process that reads it is found out after three.
"""

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import Any

import structlog
from django.db import connection, transaction

from regulars.foundation.bulk import execute
from regulars.foundation.crash import crash_point, declare
from regulars.foundation.inbox.models import ItemState
from regulars.foundation.inbox.operations import forget_bodies
from regulars.foundation.inbox.parsers import PARSERS, Outcome, RawInput
from regulars.foundation.inbox.receiving import open_parts
from regulars.foundation.retrying import Busy, is_away, retry
from regulars.foundation.work import loops
from regulars.foundation.work.leases import Held, LeaseLost, check_lease, extend_lease, release_lease, take_lease
from regulars.foundation.work.loops import Stop

LEASE_SECONDS = loops.LEASE_SECONDS  # of one source
FEW = 20  # inputs of a source that are read beside the others' floods
MOST_ATTEMPTS = 3
KILLED = f"Reading it ended the process, {MOST_ATTEMPTS} times."
TAKEN = declare("inbox.taken", "what came in is taken, nothing is read")
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
_OPEN = """
SELECT id, source, kind, store_id, key, received_at, headers, body, attempts FROM inbox_item
WHERE id = ANY(%(ids)s) AND received_at >= %(first)s AND received_at <= %(last)s AND state = 'received'
"""
_COUNT = """
UPDATE inbox_item SET attempts = attempts + 1
WHERE id = ANY(%(ids)s) AND received_at >= %(first)s AND received_at <= %(last)s AND state = 'received'
"""
# The numbers stand there twice: of a day that grew since it was analysed PostgreSQL believes that nothing was received at that time, and reads
# its whole index for it.
_MARK = """
UPDATE inbox_item i
SET state = w.state, reason = w.reason, people = w.people::bigint[], read_at = %(at)s, attempts = greatest(attempts, 1)
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(people)s::text[]) AS w(id, state, reason, people)
WHERE i.id = ANY(%(ids)s) AND i.id = w.id AND i.received_at >= %(first)s AND i.received_at <= %(last)s
"""
_GIVE_BACK = "UPDATE inbox_item SET attempts = attempts - 1 WHERE id = ANY(%s) AND state = 'received' AND attempts > 0"


@dataclass(frozen=True)
class _Taken:
    """An item as it lies in the table; ``attempts`` were counted of it: none for one of a batch, this one too for what is taken alone."""

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
    _pay_debts()
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
        taken = _take(source, was_left=held.was_left) if held else []
    if held is None:
        return False
    is_given_back = False
    try:
        crash_point(TAKEN)
        if taken:
            is_given_back = _read(taken, held, at)
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
        if not is_given_back:
            _debts.append(partial(release_lease, held))
        _pay_debts()


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


def _take(source: str, *, was_left: bool) -> list[_Taken]:
    """The next items of a source, in order. One that was taken before is taken alone, and that is counted first."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [source, max((parser.most_inputs for _, parser in PARSERS.items()), default=0)])
        chosen = _batch(cursor.fetchall())
        if not chosen:
            return []
        if was_left and not chosen[0].attempts:
            cursor.execute(_COUNT, _these(chosen))  # the attempt of whoever held them
            chosen = [replace(one, attempts=1) for one in chosen[:1]]
        if chosen[0].attempts:
            cursor.execute(_COUNT, _these(chosen))
        cursor.execute(_OPEN, _these(chosen))
        taken = [_Taken(*row) for row in cursor.fetchall()]
    return sorted(taken, key=lambda item: item.id)


@dataclass(frozen=True)
class _Waits:
    """An item that waits, without its body."""

    id: int
    received_at: datetime
    kind: str
    attempts: int
    size: int


def _batch(rows: Sequence[tuple[int, datetime, str, int, int]]) -> list[_Waits]:
    """The longest run from the oldest one that was never taken before, is of one kind, and is not too large. None that nobody reads."""
    parser = PARSERS.get(rows[0][2]) if rows else None
    if parser is None:
        return []
    chosen: list[_Waits] = []
    total = 0
    for one in starmap(_Waits, rows[: parser.most_inputs]):
        total += one.size
        if chosen and (one.attempts or one.kind != parser.kind or total > parser.most_bytes):
            break
        chosen.append(one)
        if one.attempts:
            break
    return chosen


def _these(items: Sequence[_Waits | _Taken]) -> dict[str, Any]:
    """What statements name items by: the days of their partitions too."""
    moments = [item.received_at for item in items]
    return {"ids": [item.id for item in items], "first": min(moments), "last": max(moments)}


def _read(taken: Sequence[_Taken], held: Held, at: datetime) -> bool:
    """Whether the lease was given back with it."""
    if taken[0].attempts > MOST_ATTEMPTS:  # then it was taken alone
        _settle([(taken[0], Outcome(refused=KILLED))], held, at)
        return False
    try:
        retry(lambda: _read_together(taken, held, at, is_last=True))
        return True
    except LeaseLost:
        raise
    except Exception as error:
        if _is_of_the_database(error):
            _settle_attempt(taken)
            raise
        logger.warning("a batch could not be read", source=held.name, inputs=len(taken), why=reason_of(error))
        for item in taken:
            _read_alone(item, held, at)
        return False


def _read_together(taken: Sequence[_Taken], held: Held, at: datetime, *, is_last: bool) -> None:
    """All or nothing. The fence is checked first and held until the commit; with the last the lease is given back."""
    with _unhurried():
        check_lease(held)
        parser = PARSERS[taken[0].kind]
        outcomes = parser.read([_opened(item) for item in taken], at)
        crash_point(READ)
        _mark(list(zip(taken, outcomes, strict=True)), at)
        forget_bodies([item.id for item, outcome in zip(taken, outcomes, strict=True) if outcome.is_forgotten])
        if is_last:
            release_lease(held)


def _read_alone(item: _Taken, held: Held, at: datetime) -> None:
    if not extend_lease(held, LEASE_SECONDS):
        raise LeaseLost
    try:
        retry(lambda: _read_together([item], held, at, is_last=False))
    except LeaseLost:
        raise
    except Exception as error:
        if _is_of_the_database(error):
            _settle_attempt([item])
            raise
        logger.error("an input went to quarantine", source=item.source, item=item.id, why=reason_of(error))
        _settle([(item, Outcome(refused=reason_of(error)))], held, at)


def _settle(outcomes: Sequence[tuple[_Taken, Outcome]], held: Held, at: datetime) -> None:
    with transaction.atomic():
        check_lease(held)
        _mark(outcomes, at)


def _mark(outcomes: Sequence[tuple[_Taken, Outcome]], at: datetime) -> None:
    said = {
        "at": at,
        "states": [(ItemState.QUARANTINED if o.refused else ItemState.PARSED).value for _, o in outcomes],
        "reasons": [o.refused for _, o in outcomes],
        "people": ["{" + ",".join(map(str, sorted(o.people))) + "}" for _, o in outcomes],
    }
    execute(_MARK, said | _these([item for item, _ in outcomes]))


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


_debts: deque[Callable[[], object]] = deque()  # what is to be written as soon as the database answers


def _settle_attempt(taken: Sequence[_Taken]) -> None:
    """An attempt that ended because the database went away is no fault of the items: where it was counted, it is given back.

    Where the database still answers, the failure was of the statement: then the attempt counts, and one that always fails so is found out.
    """
    was_counted = bool(taken[0].attempts)
    if connection.is_usable() and not was_counted:
        execute(_COUNT, _these(taken))
    elif was_counted and not connection.is_usable():
        _debts.append(partial(execute, _GIVE_BACK, [[item.id for item in taken]]))


def _pay_debts() -> None:
    """Raises what the database raises; what could not be written is still owed."""
    while _debts:
        try:
            debt = _debts.popleft()
        except IndexError:  # another thread was quicker
            return
        try:
            with _unhurried():
                debt()
        except BaseException:
            _debts.append(debt)
            raise
