"""Large bodies are compressed before they are sealed, which leaves nothing to compress."""

import json
import zlib
from datetime import UTC, datetime

import pytest

from regulars.foundation.inbox.keys import get_day_key
from regulars.foundation.inbox.models import Item
from regulars.foundation.inbox.receiving import Arrival, cell, open_parts, receive
from regulars.foundation.sealing import seal

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = json.dumps([{"event": "Product Viewed", "number": n} for n in range(500)]).encode()


def stored() -> Item:
    receive([Arrival("echo:1", "echo", BODY)], AT)
    return Item.objects.get()


def test_a_large_body_is_kept_small() -> None:
    item = stored()
    kept = bytes(item.body or b"")
    assert (item.size, len(kept) < len(BODY) / 5) == (len(BODY), True)
    assert open_parts(bytes(item.key), item.received_at, bytes(item.headers), kept) == ({}, BODY)


def test_one_that_zlib_packed_is_still_read() -> None:
    item = stored()
    key, day_key = bytes(item.key), get_day_key(item.received_at)
    headers = seal(day_key, b'{":packed": "zlib", "content-type": "text/plain"}', cell("headers", key))
    body = seal(day_key, zlib.compress(BODY, 1), cell("body", key))
    assert open_parts(key, item.received_at, headers, body) == ({"content-type": "text/plain"}, BODY)
