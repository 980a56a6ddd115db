"""Taking in what comes from outside: one statement, committed before whoever sent it gets an answer."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from regulars.foundation.deduplication import key_of
from regulars.foundation.errors import RegularsError
from regulars.foundation.inbox.keys import ensure_day_key
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.shop.settings import read_setting

MOST_HEADER_BYTES = 8_192
_LONGEST_HEADER = 1_000
# Never Authorization or Cookie: what lets somebody in is not kept.
_KEPT_HEADERS = (":path", "content-type", "content-encoding", "user-agent", "origin", "x-wc-", "x-shopify-", "shopify-")
_LOOK_EVERY = 1.0  # seconds between two looks at how much of a source waits

_INSERT = """
WITH said AS (
    SELECT * FROM unnest(%(keys)s::bytea[], %(is_keyed)s::boolean[], %(sources)s::text[], %(kinds)s::text[], %(stores)s::bigint[],
        %(headers)s::bytea[], %(bodies)s::bytea[], %(sizes)s::integer[])
        WITH ORDINALITY AS s(key, is_keyed, source, kind, store_id, headers, body, size, place)
), fresh AS (
    INSERT INTO inbox_inputkey (key, recorded_at) SELECT key, %(at)s FROM said WHERE is_keyed ORDER BY key
    ON CONFLICT DO NOTHING RETURNING key
)
INSERT INTO inbox_item (received_at, source, kind, store_id, key, headers, body, size)
SELECT %(at)s, source, kind, store_id, key, headers, body, size FROM said
WHERE NOT is_keyed OR key IN (SELECT key FROM fresh) ORDER BY place
"""


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


def receive(arrivals: Sequence[Arrival], at: datetime) -> int:
    """Stores and commits them, or joins the caller's transaction; how many were new. Whoever sent them may then be thanked.

    While the database is away or full this raises OperationalError, which is answered with 503: the sender sends again.
    """
    key = ensure_day_key(at)
    rows: dict[bytes, Arrival] = {}
    for arrival in arrivals:
        own = key_of(arrival.source, arrival.own_id) if arrival.own_id else os.urandom(16)
        rows.setdefault(own, arrival)
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "at": at,
                "keys": list(rows),
                "is_keyed": [bool(a.own_id) for a in rows.values()],
                "sources": [a.source for a in rows.values()],
                "kinds": [a.kind for a in rows.values()],
                "stores": [a.store_id for a in rows.values()],
                "headers": [seal(key, _kept(a.headers), cell("headers", own)) for own, a in rows.items()],
                "bodies": [seal(key, a.body, cell("body", own)) for own, a in rows.items()],
                "sizes": [len(a.body) for a in rows.values()],
            },
        )
        return int(cursor.rowcount)


def cell(column: str, key: bytes) -> Cell:
    """Where a sealed part stands. Bound to the item's key: its number is drawn only after it was sealed."""
    return Cell("inbox_item", column, int.from_bytes(key))


def _kept(headers: Mapping[str, str]) -> bytes:
    """The headers that are kept, as JSON of at most 8 KB: they hold an attacker's text too."""
    kept: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower().startswith(_KEPT_HEADERS):
            more = kept | {name.lower()[:100]: value[:_LONGEST_HEADER]}
            kept = more if len(json.dumps(more)) <= MOST_HEADER_BYTES else kept
    return json.dumps(kept).encode()


@dataclass
class _Look:
    """What this process last saw of a source."""

    until: float
    is_full: bool


_looks: dict[str, _Look] = {}


def require_room(source: str) -> None:
    """Raises TooBusy while too much of a source waits. For public ingest only: never for signed webhooks, opt-outs and erasures."""
    look = _looks.get(source)
    if look is None or look.until < time.monotonic():
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
