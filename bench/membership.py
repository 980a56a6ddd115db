"""From an event to the membership that it changes: events are told at their rate, while the product's workers keep fifty segments right.

The events are those of a shop that is open: most look at products, some search, fill carts, or order. Each is one committed with nineteen
others; its delay is what passes between that commit and the moment at which its membership's change can be seen by others, looked for
every twenty milliseconds. So it holds the wait of the loop that reads the log, and one of it is counted for each row of the ledger.
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.db import connection

from bench import Figure, Scale, crowd
from bench.running import running
from bench.segments import mixed
from regulars.foundation import clock
from regulars.foundation.bulk import execute, fetch
from regulars.insight.conditions import asking
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments import operations as rfm
from regulars.insight.segments.models import Segment
from regulars.insight.segments.operations import refreshing, saving
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.warehouse import operations as warehouse
from regulars.record.events import log
from regulars.record.events.log import SHARDS, Entry
from regulars.record.events.readers import READERS

_CUSTOMERS, _EVENTS_EACH = 100_000, 10
RATE, _BATCH, _SECONDS = 500, 20, 30
_WORKERS = 2
_PATIENCE = 180.0
_LOOKED = 0.02  # seconds
_FEW, _DECIDED = 500, 5  # people, and how often
_NAMES = {"product.viewed": "tracked.product_viewed", "product.searched": "tracked.products_searched"}
_KINDS = (
    ["tracked.product_viewed"] * 12
    + ["tracked.page_viewed"] * 4
    + ["tracked.products_searched"] * 2
    + ["cart.changed", "order.updated"]
)
_PAST = """
INSERT INTO events_event (position, recorded_at, occurred_at, kind, batch_id, profile_id, shard, is_history, data)
SELECT nextval('events_position'), clock_timestamp(), %(at)s - power(w.c, 2) * interval '365 days', (%(kinds)s::text[])[1 + (w.d * 19)::int],
    %(batch)s, 1 + floor(power(w.a, 2) * %(count)s)::bigint, (1 + floor(power(w.a, 2) * %(count)s)::bigint) %% 16, false,
    jsonb_build_object('properties', jsonb_build_object('product_id', 'P' || (w.b * 5000)::int, 'category', 'C' || (w.c * 40)::int))
FROM (
    SELECT (hashint8extended(n, %(seed)s) & 1048575) / 1048576.0 AS a, (hashint8extended(n, %(seed)s + 1) & 1048575) / 1048576.0 AS b,
        (hashint8extended(n, %(seed)s + 2) & 1048575) / 1048576.0 AS c, (hashint8extended(n, %(seed)s + 3) & 1048575) / 1048576.0 AS d
    FROM generate_series(1, %(events)s) n
) w
"""
_CHANGED = """
SELECT position, (data ->> 'position')::bigint FROM events_event
WHERE position > %s AND kind || '' = ANY('{segment.entered,segment.left}') ORDER BY position
"""


def run(scale: Scale) -> list[Figure]:
    customers = _make(scale)
    few = _decide_few(customers, scale.seed)
    with running(_WORKERS, loops=(), has_web=False) as house:
        _wait_until_at_work()
        cpu = {name: house.cpu(name) for name in ("worker", "postgresql")}
        seen = _Seen()
        watcher = threading.Thread(target=_watch, args=(seen,))
        watcher.start()
        committed, seconds = _tell(customers, scale.seed)
        _wait_until_heard()
        seen.stopping.set()
        watcher.join()
        spent = ", ".join(f"{name} {house.cpu(name) - cpu[name]:.0f} s" for name in cpu)
    delays = sorted(at - committed[position] for position, at in seen.changes if position in committed)
    total = len(committed)
    said = f"{total:,} events in {seconds:.0f} s, {len(delays):,} changes of 50 segments, {customers:,} customers"
    note = f"{said}, {_WORKERS} workers; processor: {spent}"
    return [
        few,
        Figure("Event to membership, events told", total / seconds, "a second", goal=f"{RATE} a second", note=note),
        Figure("Event to membership, p50", _quantile(delays, 0.50), "s"),
        Figure("Event to membership, p95", _quantile(delays, 0.95), "s", goal="2 s"),
        Figure("Event to membership, p99", _quantile(delays, 0.99), "s"),
    ]


def _make(scale: Scale) -> int:
    """The shop with its past, and fifty segments computed."""
    at = clock.now()
    customers = scale.of(_CUSTOMERS, 1_000)
    crowd.fill(customers, scale.seed, at)
    with log.transaction("import", "bench") as entries:
        bound = {"batch": entries.batch_id, "at": at, "seed": scale.seed, "count": customers, "kinds": _KINDS}
        execute(_PAST, bound | {"events": customers * _EVENTS_EACH})
    crowd.settle()
    _hear_all()
    warehouse.sync(clock.now())  # as rfm: else workers would write years of it while delays are taken
    rfm.refresh_if_due(clock.now())
    for place, definition in enumerate(mixed()):
        condition = read_condition(_as_recorded(definition))
        saving.create_segment(f"Bench {place}", condition, None, at)
    for segment in Segment.objects.filter(kind="conditions").order_by("id"):
        refreshing.refresh(segment, clock.now)
    _hear_all()
    warehouse.sync(clock.now())
    execute("ANALYZE", [])
    return customers


def _hear_all() -> None:
    """As if all readers had heard what was told so far: the past, and who entered by a first computation, which starts nothing."""
    execute(_HEARD, [[name for name, _ in READERS.items()], SHARDS - 1])


_HEARD = """
INSERT INTO events_readerposition (reader, shard, position, failures)
SELECT r, s, (SELECT max(position) FROM events_event), 0 FROM unnest(%s::text[]) r, generate_series(0, %s) s
ON CONFLICT (reader, shard) DO UPDATE SET position = excluded.position
"""


def _as_recorded(definition: Any) -> Any:
    """With the kinds that the log knows."""
    text = json.dumps(definition)
    for name, recorded in _NAMES.items():
        text = text.replace(name, recorded)
    return json.loads(text)


def _decide_few(customers: int, seed: int) -> Figure:
    """All fifty segments of these people, as after an event."""
    chance = Random(f"few {seed}")  # noqa: S311
    conditions = [read_condition(_as_recorded(one)) for one in mixed()]
    took = []
    for _ in range(_DECIDED + 1):
        people = sorted(chance.sample(range(1, customers + 1), _FEW))
        began = time.perf_counter()
        asking.decide_all([asking.Question(one, people) for one in conditions], clock.now())
        took.append(time.perf_counter() - began)
    each = min(took) / len(conditions) * 1000
    note = f"{len(conditions)} segments in {min(took) * 1000:.0f} ms, best of {_DECIDED}"
    return Figure(f"One segment decided for {_FEW} people", each, "ms", goal="7 to 17 ms", note=note)


@dataclass
class _Seen:
    """Positions of events with the moments at which their changes could be seen; one for each change."""

    changes: list[tuple[int, float]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)


def _watch(seen: _Seen) -> None:
    """By its own connection. A change and its event are committed together, and the log's positions rise in the order of commits."""
    last = log.head()
    try:
        while True:
            is_last = seen.stopping.is_set()
            rows, at = fetch(_CHANGED, [last]), time.perf_counter()
            for position, heard in rows:
                last = position
                if heard is not None:
                    seen.changes.append((heard, at))
            if is_last:
                return
            time.sleep(_LOOKED)
    finally:
        connection.close()


def _tell(customers: int, seed: int) -> tuple[dict[int, float], float]:
    """The moment after the commit of each event, by its position; and how long it took in all."""
    committed: dict[int, float] = {}
    batches = _batches(customers, seed)
    began = time.perf_counter()
    for number in range(RATE * _SECONDS // _BATCH):
        time.sleep(max(0.0, began + number * _BATCH / RATE - time.perf_counter()))
        with log.transaction("tracking", "bench") as entries:
            entries.append(*next(batches))
        at = time.perf_counter()
        [(first, last)] = fetch(
            "SELECT first_position, last_position FROM events_batch WHERE id = %s", [entries.batch_id]
        )
        committed |= dict.fromkeys(range(first, last + 1), at)
    return committed, time.perf_counter() - began


def _batches(customers: int, seed: int) -> Iterator[list[Entry]]:
    chance = Random(f"told {seed}")  # noqa: S311
    while True:
        at = datetime.now(UTC) - timedelta(seconds=1)
        yield [_event(chance, 1 + int(chance.random() ** 2 * customers), at) for _ in range(_BATCH)]


def _event(chance: Random, customer: int, at: datetime) -> Entry:
    properties = {"product_id": f"P{chance.randrange(5000)}", "category": f"C{int(chance.random() ** 2 * 40)}"}
    kind = chance.choice(_KINDS)
    data = {"properties": properties} if kind.startswith("tracked") else {}
    return Entry(kind, at, profile_id=customer, customer_id=customer, data=data)


def _wait_until_at_work() -> None:
    """Until workers hear what is told now, with all segments' questions compiled, as they are a moment after a worker began."""
    with log.transaction("system", "bench") as entries:
        for kind in sorted(set(_KINDS)):
            entries.append(Entry(kind, clock.now(), profile_id=1, customer_id=1))
    _wait_until_heard()


def _wait_until_heard() -> None:
    last, until = log.head(), time.monotonic() + _PATIENCE
    while fetch(_WAITS, [CONDITIONS.name, last]):
        if time.monotonic() > until:
            raise RuntimeError("the log is not read in time")
        time.sleep(0.2)


_WAITS = "SELECT 1 FROM events_readerposition WHERE reader = %s AND position < %s LIMIT 1"


def _quantile(delays: list[float], share: float) -> float:
    return delays[min(int(len(delays) * share), len(delays) - 1)]
