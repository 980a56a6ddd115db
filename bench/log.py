"""Appending to the log: deduplication keys, positions in commit order and events, beside ``COPY`` of the same rows.

The limit writes the same rows (keys and events) into the same tables by ``COPY``, in the same batches, each committed
with fsync, with no deduplication and no position drawn under a lock.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import connection, transaction

from bench import Figure, Scale, against
from regulars.record.events import log
from regulars.record.events.log import Entry, event_key

_BATCHES = (100, 1_000)
_EVENTS = 100_000
_WRITERS = 2
_START = datetime(2026, 1, 1, tzinfo=UTC)
_GOAL = "0.10 of COPY"


def run(scale: Scale) -> list[Figure]:
    """Events a second by one writer and by two, in batches of 100 and of 1,000."""
    count = scale.of(_EVENTS, 2_000)
    figures = []
    for size in _BATCHES:
        limit = count / _timed(partial(_copy, count, size, f"limit-{size}"))
        for writers in (1, _WRITERS):
            seconds = _in_threads(writers, partial(_append, count // writers, size, f"{size}-{writers}"))
            name = f"Log: events appended, batches of {size}, {writers} writer{'s' if writers > 1 else ''}"
            figures.append(against(name, count / seconds, "a second", limit, goal=_GOAL, note=f"{count:,} events"))
    return [*figures, _row_bytes()]


def _append(count: int, size: int, name: str, writer: int) -> None:
    source = f"{name}-{writer}"
    for start in range(0, count, size):
        with log.transaction("api", source) as entries:
            numbers = range(start, min(start + size, count))
            keys = {event_key(source, str(n)): n for n in numbers}
            fresh = entries.claim(keys)
            entries.append(*(_entry(n) for key, n in keys.items() if key in fresh))


def _copy(count: int, size: int, source: str) -> None:
    """The bare limit: two COPY statements a batch and a commit. Positions from a far place, so that they clash with nobody's."""
    far = 10**12
    for start in range(0, count, size):
        numbers = range(start, min(start + size, count))
        with transaction.atomic(), connection.cursor() as cursor:
            with cursor.copy("COPY events_eventkey (key, recorded_at) FROM STDIN") as copy:
                for n in numbers:
                    copy.write_row((event_key(source, str(n)), _START))
            tails = [log._tail(_entry(n), 0) for n in numbers]
            log._write(cursor, tails, far + start, datetime.now(UTC))


def _entry(number: int) -> Entry:
    at = _START + timedelta(seconds=number)
    data = {"sku": f"P{number % 5000}", "price_minor": 100 + number % 900, "currency": "GBP"}
    return Entry(
        "product.viewed",
        at,
        profile_id=number % 10_000 + 1,
        customer_id=number % 10_000 + 1,
        subject_id=number % 5_000,
        data=data,
    )


def _in_threads(count: int, work: Callable[[int], None]) -> float:
    def job(number: int) -> None:
        work(number)
        connection.close()

    threads = [threading.Thread(target=job, args=(n,)) for n in range(count)]

    def all_of_them() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return _timed(all_of_them)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _row_bytes() -> Figure:
    """What one event costs on disk, its indexes and key included: the log's growth."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('events_event'))"
            " + pg_total_relation_size('events_eventkey'), (SELECT count(*) FROM events_event)"
        )
        total, rows = cursor.fetchone()
    return Figure("Log: disk for one event, indexes and key included", float(total) / rows, "bytes")
