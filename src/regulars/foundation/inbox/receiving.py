"""Taking in what comes from outside: one statement, committed before whoever sent it gets an answer."""

import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from regulars.foundation.crash import crash_point, declare
from regulars.foundation.deduplication import key_of
from regulars.foundation.errors import RegularsError
from regulars.foundation.inbox.grouping import Grouped
from regulars.foundation.inbox.keys import ensure_day_key, get_day_key
from regulars.foundation.prepared import Wire, blobs, moments, numbers, run, texts
from regulars.foundation.sealing import CannotOpen, Cell, seal, unseal
from regulars.foundation.shop.settings import read_setting

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST_HEADER_BYTES = 8_192
_LONGEST_HEADER = 1_000
# Never Authorization or Cookie: what lets somebody in is not kept.
_KEPT_HEADERS = (":path", "content-type", "content-encoding", "user-agent", "origin", "x-wc-", "x-shopify-", "shopify-")
_LOOK_EVERY = 1.0  # seconds between two looks at how much of a source waits

_COLUMNS = "(received_at, source, kind, store_id, key, headers, body, size)"
_VALUES = "%(at)s, %(source)s, %(kind)s, nullif(%(store)s, 0), %(key)s, %(headers)s, %(body)s, %(size)s"
_INSERT = f"""
INSERT INTO inbox_item {_COLUMNS}
SELECT at, source, kind, nullif(store, 0), key, headers, body, size
FROM unnest(%(at)b::timestamptz[], %(source)b::text[], %(kind)b::text[], %(store)b::bigint[], %(key)b::bytea[], %(headers)b::bytea[],
    %(body)b::bytea[], %(size)b::bigint[]) AS w(at, source, kind, store, key, headers, body, size)
"""
_INSERT_NEW = f"""
WITH fresh AS (
    INSERT INTO inbox_inputkey (key, recorded_at) VALUES (%(key)s, %(at)s) ON CONFLICT DO NOTHING RETURNING key
)
INSERT INTO inbox_item {_COLUMNS} SELECT {_VALUES} FROM fresh
"""
Row = Mapping[str, Any]
_PACKED = ":packed"  # among the headers: the body was compressed before it was sealed; no real header can begin so
_PACK_FROM = 2_048  # bytes
_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {"zstd": zstd.decompress, "zlib": zlib.decompress}  # zlib was first
STORED = declare("inbox.stored", "what came in is stored and committed, nobody is thanked for it yet")


class TooBusy(RegularsError):
    """More comes in than can be read at the moment: nothing was taken, send it again later."""

    code = "too-busy"
    status = 429
    retry_after = 30  # seconds


@dataclass(frozen=True)
class Arrival:
    """One body from outside. With ``own_id`` (the sender's, unique within ``source``) the same one is stored once."""

    source: str
    kind: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    store_id: int | None = None
    own_id: str = ""
    size: int = 0  # bytes in clear, of a body that came compressed: what reading it takes


def receive(arrivals: Sequence[Arrival], at: datetime) -> int:
    """Stores and commits them together, or joins the caller's transaction; how many were new. Whoever sent them may then be thanked.

    While the database is away or full this raises OperationalError, which is answered with 503: the sender sends again.
    """
    day_key = ensure_day_key(at)
    rows = [_sealed(arrival, day_key, at) for arrival in arrivals]
    if len(rows) != 1:
        with transaction.atomic():
            count = sum(_store(arrival, row) for arrival, row in zip(arrivals, rows, strict=True))
    elif arrivals[0].own_id or connection.in_atomic_block:
        count = _store(arrivals[0], rows[0])
    else:
        _GROUPED.add(rows[0])
        count = 1
    crash_point(STORED)
    return count


def _sealed(arrival: Arrival, day_key: bytes, at: datetime) -> Row:
    """The arrival as its row in the inbox."""
    key = key_of(arrival.source, arrival.own_id) if arrival.own_id else os.urandom(16)
    packed = _packed(arrival.body)
    return {
        "at": at,
        "source": arrival.source,
        "kind": arrival.kind,
        "store": arrival.store_id or 0,
        "key": key,
        "headers": seal(day_key, _kept(arrival.headers, packed), cell("headers", key)),
        "body": seal(day_key, arrival.body if packed is None else packed, cell("body", key)),
        "size": max(arrival.size, len(arrival.body)),
    }


def _store(arrival: Arrival, row: Row) -> int:
    return _execute(_INSERT_NEW, row) if arrival.own_id else _insert([row])


def _insert(rows: Sequence[Row]) -> int:
    return _execute(_INSERT, {name: array([row[name] for row in rows]) for name, array in _ARRAYS.items()})


_ARRAYS: Mapping[str, Callable[[list[Any]], Wire]] = {
    "at": moments, "source": texts, "kind": texts, "store": numbers, "key": blobs, "headers": blobs, "body": blobs, "size": numbers,
}  # fmt: skip


_GROUPED: Grouped[Row] = Grouped(_insert)


def _execute(statement: str, values: Mapping[str, Any]) -> int:
    """Runs it, and once more where nothing but the connection was gone: what is taken in costs no look at the connection before."""
    try:
        return run(statement, values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return run(statement, values)


def _packed(body: bytes) -> bytes | None:
    """The body compressed, where that makes it much smaller: calls of trackers shrink to a tenth."""
    if len(body) < _PACK_FROM:
        return None
    packed = zstd.compress(body, 1)
    return packed if len(packed) < len(body) * 0.8 else None


def open_parts(key: bytes, received_at: datetime, headers: bytes, body: bytes | None) -> tuple[dict[str, str], bytes]:
    """Headers and body in clear. Raises CannotOpen once the day was forgotten, or somebody of whom it spoke was erased."""
    if body is None:
        raise CannotOpen("Somebody of whom this input spoke was erased, so it was forgotten.")
    plain = get_day_key(received_at)
    opened: dict[str, str] = json.loads(unseal(plain, headers, cell("headers", key)))
    text = unseal(plain, body, cell("body", key))
    packing = opened.pop(_PACKED, "")
    return opened, _UNPACK[packing](text) if packing else text


def cell(column: str, key: bytes) -> Cell:
    """Where a sealed part stands. Bound to the item's key: its number is drawn only after it was sealed."""
    return Cell("inbox_item", column, int.from_bytes(key))


def _kept(headers: Mapping[str, str], packed: bytes | None) -> bytes:
    """The headers that are kept, as JSON of at most 8 KB, those that come first: they hold an attacker's text too."""
    kept = {} if packed is None else {_PACKED: "zstd"}
    for name, value in headers.items():
        if (small := name.lower()).startswith(_KEPT_HEADERS):
            kept[small[:100]] = value[:_LONGEST_HEADER]
    while len(text := json.dumps(kept)) > MOST_HEADER_BYTES:
        kept.popitem()
    return text.encode()


@dataclass
class _Look:
    """What this process last saw of a source."""

    until: float
    is_full: bool


_looks: dict[str, _Look] = {}


def require_room(source: str) -> None:
    """Raises TooBusy while too much of a source waits. For public ingest only: never for signed webhooks, opt-outs and erasures.

    Of those who come at once one looks; the others go on with what was seen before.
    """
    look = _looks.get(source)
    if look is None or look.until < time.monotonic():
        _looks[source] = _Look(time.monotonic() + _LOOK_EVERY, look is not None and look.is_full)
        look = _looks[source] = _Look(time.monotonic() + _LOOK_EVERY, _is_full(source))
    if look.is_full:
        raise TooBusy(retry_after=TooBusy.retry_after)


def _is_full(source: str) -> bool:
    most = int(read_setting("inbox.most_waiting"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM inbox_item WHERE state = 'received' AND source = %s LIMIT %s) w",
            [source, most],
        )
        return int(cursor.fetchone()[0]) >= most
