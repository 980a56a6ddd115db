"""The tracking API from HTTP to the log: a burst of batches, one with another store beside it, and single calls beside a steady stream.

The limit is ``COPY`` of the very events and keys that the burst left in the log into the same tables, a thousand at a time, each committed
with fsync: no parsing, no sealing, nobody found, no deduplication. One web process and two workers, which do nothing but read the inbox;
the load generators run on the same cores. Single calls come from wrk where it is installed, else from ``bench.sender``.
"""

import base64
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings
from django.db import connection, transaction

from bench import Figure, Scale, against
from bench.running import Running, running
from bench.traffic import Traffic
from regulars.connections.tracking.keys import create_key
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.bulk import execute, fetch
from regulars.foundation.shop.models import Brand, Store
from regulars.record.events import log
from regulars.record.events.log import event_key

BATCH = 100
_BURST = 100_000  # events
_KEYS = 2  # of the store that sends them
_WORKERS = 2
_STEADY, _SINGLES = 50, 1_000  # batches and calls a second
_STEADY_SECONDS = 12
_SENDERS = 4  # connections of each key
_PATIENCE = 150.0  # seconds for what came in to be read


@dataclass(frozen=True)
class _Key:
    """A write key with its shop's visitors."""

    text: str
    source: str
    traffic: Traffic


def run(scale: Scale) -> list[Figure]:
    """Throughput and cost of a burst, bytes of an event, the delay of another store beside a burst, single calls beside a stream."""
    at = datetime.now(UTC)
    keys = [_key(n, f"s{n}", scale.seed, at) for n in range(_KEYS)]
    other = _key(0, "other", scale.seed, at)
    with running(_WORKERS) as house:
        _introduce(house, [*keys, other])
        figures = _burst(house, keys, scale)
        figures += _beside(house, keys, other, scale)
        figures += _singles(house, keys[0], scale)
    return figures


def _key(number: int, name: str, seed: int, at: datetime) -> _Key:
    brand, _ = Brand.objects.get_or_create(
        name="Bench", defaults={"from_name": "B", "from_address": "b@volume.example"}
    )
    code = "other" if name == "other" else "bench"
    store, _ = Store.objects.get_or_create(code=code, defaults={"name": code, "brand": brand, "currency": "GBP"})
    row, text = create_key(name, "server", store.pk, SYSTEM, at)
    return _Key(text, row.source, Traffic(name, seed + number, at))


def _introduce(house: Running, keys: list[_Key]) -> None:
    """Everybody who is not new comes for the first time."""
    for key in keys:
        _send(house, key, list(key.traffic.introductions(BATCH))).wait()
    _wait_until_read()
    execute("ANALYZE", [])


def _burst(house: Running, keys: list[_Key], scale: Scale) -> list[Figure]:
    bodies = _burst_of(keys, scale)
    count = len(bodies[0])
    total, first = count * BATCH * len(keys), log.head()
    names = ("web", "worker", "postgresql")
    before = {name: (house.cpu(name), house.megabytes(name)) for name in names}
    generators = _of_children()
    began = time.perf_counter()
    accepted = _send_at_once(house, keys, bodies)
    sent = time.perf_counter() - began
    _wait_until_read()
    seconds = time.perf_counter() - began
    generators = (_of_children() - generators) / total * 1e6
    cpu = {name: (house.cpu(name) - before[name][0]) / total * 1e6 for name in names}
    found = _recorded(keys, bodies, first)
    if found != (total, total) or any(one["statuses"] != {"200": count} for one in accepted):
        raise AssertionError(f"{total} events were sent, {found} are in the log (events, calls), answers: {accepted}")
    disk = _bytes_an_event()  # before the copy, whose rows leave their room behind
    limit = total / _copy_of(first)
    note = f"{total:,} events accepted in {sent:.0f} s and drained in {seconds:.0f} s, each once; {_WORKERS} workers, {_KEYS} keys"
    name = "Ingest: events accepted, in the log and resolved"
    figures = [against(name, total / seconds, "a second", limit, goal="10,000 a second and 0.10 of COPY", note=note)]
    shares = ", ".join(f"{name} {cpu[name]:.0f}" for name in names)
    figures.append(
        Figure(
            "Ingest: processor time of an event",
            sum(cpu.values()),
            "us",
            note=f"{shares}, and {generators:.0f} of the load generators; 200 on 2 cores is 10,000 a second",
        )
    )
    for name in ("web", "worker"):
        megabytes = house.megabytes(name)
        figures.append(
            against(f"Ingest: memory of {name} after the burst", megabytes, "MB", before[name][1], goal="flat")
        )
    return [*figures, disk]


def _beside(house: Running, keys: list[_Key], other: _Key, scale: Scale) -> list[Figure]:
    """How long a call of another store takes to be in the log during such a burst."""
    bodies = _burst_of(keys, scale)
    _keep_wal_files()
    with _probing(house, other) as quiet:
        time.sleep(8)
    with _probing(house, other) as flooded:
        _send_at_once(house, keys, bodies)
        _wait_until_read()
    name = "Ingest: another store's p95 until its call is in the log, in a burst"
    goal = "below 2 times its quiet value"
    return [against(name, _p95(flooded.delays), "ms", _p95(quiet.delays), goal=goal)]


def _singles(house: Running, key: _Key, scale: Scale) -> list[Figure]:
    """Single calls at their rate beside batches at theirs."""
    seconds = _STEADY_SECONDS
    bodies = [key.traffic.single() for _ in range(_SINGLES * seconds * 2)]
    _keep_wal_files()
    steady = _send(house, key, list(key.traffic.batches(_STEADY * seconds, BATCH)), _STEADY, seconds)
    found, generator = _call(house, key, bodies, seconds)
    batches = steady.wait()
    waiting = fetch("SELECT count(*) FROM inbox_item WHERE state = 'received'", [])[0][0]
    rate = batches["count"] * BATCH / batches["seconds"]
    beside = f"beside {rate:,.0f} batched events a second; {generator}; {waiting:,} inputs waited at the end"
    goal = "1,000 a second beside 5,000 events, p99 under 50 ms"
    _wait_until_read()
    return [
        Figure(
            "Ingest: single calls answered after their commit",
            found["count"] / found["seconds"],
            "a second",
            goal=goal,
            note=beside,
        ),
        Figure("Ingest: single calls, p50", found["p50"], "ms"),
        Figure("Ingest: single calls, p99", found["p99"], "ms", goal="under 50 ms"),
    ]


def _call(house: Running, key: _Key, bodies: list[bytes], seconds: int) -> tuple[dict[str, Any], str]:
    path = _file(bodies)
    wrk = shutil.which("wrk")
    if wrk is None:
        return _Sending(house, key, "track", path, _SINGLES, seconds).wait(), "sent by bench.sender"
    connections, pause = 64, 54  # 1,000 a second where an answer takes 10 ms, and no more than 1,185
    named = "Basic " + base64.b64encode(f"{key.text}:".encode()).decode()
    environment = os.environ | {"REGULARS_BODIES": str(path), "REGULARS_PAUSE": str(pause), "REGULARS_KEY": named}
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", "bench/single.lua", f"{house.address}/v1/track"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found, f"sent by wrk, {connections} connections with {pause} ms between two calls, {found['errors']} errors"


class _Sending:
    """A sender at work in a process of its own."""

    def __init__(self, house: Running, key: _Key, path: str, file: Path, rate: float, seconds: float) -> None:
        command = [
            sys.executable,
            "-m",
            "bench.sender",
            f"{house.address}/v1/{path}",
            key.text,
            str(file),
            str(rate),
            str(_SENDERS),
            str(seconds),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def wait(self) -> dict[str, Any]:
        said, _ = self._process.communicate()
        found: dict[str, Any] = json.loads(said)
        return found


def _send(house: Running, key: _Key, bodies: list[bytes], rate: float = 0, seconds: float = _PATIENCE) -> _Sending:
    return _Sending(house, key, "batch", _file(bodies), rate, seconds)


def _burst_of(keys: list[_Key], scale: Scale) -> list[list[bytes]]:
    """Bodies of each key."""
    count = scale.of(_BURST, 5_000) // BATCH // len(keys)
    return [list(key.traffic.batches(count, BATCH)) for key in keys]


def _send_at_once(house: Running, keys: list[_Key], bodies: list[list[bytes]]) -> list[dict[str, Any]]:
    senders = [_send(house, key, some) for key, some in zip(keys, bodies, strict=True)]
    return [sender.wait() for sender in senders]


def _keep_wal_files() -> None:
    """A server that has run for some minutes writes its WAL into files that it has; a new one makes each, and all commits wait for it."""
    execute("CHECKPOINT", [])


def _of_children() -> float:
    """Seconds of processor that ended processes of ours have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


_files: Iterator[int] = iter(range(10**6))


def _file(bodies: list[bytes]) -> Path:
    path = Path(settings.HOME) / f"bodies-{next(_files)}"
    path.write_bytes(b"\n".join(bodies))
    return path


@dataclass
class _Probe:
    """A call under the other store's key now and then, and how long each took to be in the log (milliseconds)."""

    delays: list[float] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)


@contextmanager
def _probing(house: Running, key: _Key) -> Iterator[_Probe]:
    probe = _Probe()
    thread = threading.Thread(target=_probe, args=(house, key, probe))
    thread.start()
    try:
        yield probe
    finally:
        probe.stopping.set()
        thread.join()


def _probe(house: Running, key: _Key, probe: _Probe) -> None:
    named = {
        "Authorization": "Basic " + base64.b64encode(f"{key.text}:".encode()).decode(),
        "Content-Type": "application/json",
    }
    try:
        while not probe.stopping.is_set():
            body = key.traffic.single()
            token = event_key(key.source, json.loads(body)["messageId"])
            began = time.perf_counter()
            with urlopen(Request(f"{house.address}/v1/track", body, named)) as answer:  # noqa: S310  our own
                answer.read()
            while not fetch("SELECT 1 FROM events_eventkey WHERE key = %s", [token]):
                time.sleep(0.01)
            probe.delays.append((time.perf_counter() - began) * 1000)
            time.sleep(0.05)
    finally:
        connection.close()


def _p95(delays: list[float]) -> float:
    return sorted(delays)[int(len(delays) * 0.95)]


def _wait_until_read() -> None:
    until = time.monotonic() + _PATIENCE
    while fetch("SELECT 1 FROM inbox_item WHERE state = 'received' LIMIT 1", []):
        if time.monotonic() > until:
            raise RuntimeError("what came in is not read in time")
        time.sleep(0.05)


def _recorded(keys: list[_Key], bodies: list[list[bytes]], after: int) -> tuple[int, int]:
    """Events of these keys in the log, and how many of the calls that were sent are among them."""
    numbers = [int(key.source.partition(":")[2]) for key in keys]
    [(events,)] = fetch(_EVENTS_OF, [after, numbers])
    known = 0
    for key, some in zip(keys, bodies, strict=True):
        for body in some:
            tokens = [event_key(key.source, call["messageId"]) for call in json.loads(body)["batch"]]
            known += fetch("SELECT count(*) FROM events_eventkey WHERE key = ANY(%s)", [tokens])[0][0]
    return events, known


_EVENTS_OF = """
SELECT count(*) FROM events_event WHERE position > %s AND kind LIKE 'tracked.%%' AND (data->>'key')::bigint = ANY(%s)
"""
_OUT = """
COPY (SELECT position + 1000000000000, recorded_at, occurred_at, kind, batch_id, profile_id, shard, subject_id, is_history, data, sealed
      FROM events_event WHERE position > {} AND position <= {}) TO STDOUT (FORMAT BINARY)
"""
_KEYS_IN = "COPY events_eventkey (key, recorded_at) FROM STDIN"


def _copy_of(first: int) -> float:
    """Seconds for the bare COPY of the events after this position and of as many keys."""
    size, last = 1_000, log.head()
    pieces = []
    for start in range(first, last, size):
        with connection.cursor() as cursor, cursor.copy(_OUT.format(start, min(start + size, last))) as copy:
            pieces.append(b"".join(bytes(part) for part in copy))
    stamp = datetime.now(UTC)
    began = time.perf_counter()
    for piece in pieces:
        with transaction.atomic(), connection.cursor() as cursor:
            with cursor.copy(_KEYS_IN) as copy:
                for _ in range(size):
                    copy.write_row((os.urandom(16), stamp))
            with cursor.copy(log._COPY) as copy:
                copy.write(piece)
    seconds = time.perf_counter() - began
    execute("DELETE FROM events_event WHERE position > 1000000000000", [])
    return seconds


def _bytes_an_event() -> Figure:
    [(size, rows, inbox)] = fetch(
        "SELECT (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('events_event')), (SELECT count(*) FROM events_event),"
        " (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('inbox_item'))",
        [],
    )
    note = f"and {float(inbox) / rows:.0f} in the inbox, for as long as that is kept"
    return Figure("Ingest: disk for an event, indexes included", float(size) / rows, "bytes", note=note)
