"""Many deliveries at once, over real connections: each is committed before it is thanked, and nobody needs to read meanwhile."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection
from django.test import Client

from regulars.connections.base import jobs, reading
from regulars.connections.base.accounts import read_secrets
from regulars.connections.base.models import Connection
from regulars.connections.base.operations.connecting import begin_connection, complete_connection
from regulars.connections.base.platforms import PLATFORMS
from regulars.connections.base.tests.contract import Sent, post, read_all
from regulars.connections.base.tests.toy import Toy, order, sign
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.deduplication import key_of
from regulars.foundation.inbox import keys
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db(transaction=True)
assert jobs.__doc__  # its import registers the parser
CONNECTIONS, BURST = 20, 200
IS_STORED = "SELECT 1 FROM inbox_item WHERE key = %s AND state = 'received'"


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setitem(PLATFORMS._entries, "toy", Toy())
    keys.forget_cached()
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@toys.net")
    store = Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP")
    row = begin_connection("toy", store, "https://toys.example", SYSTEM, clock.now())
    complete_connection(row, {"key": "right"}, SYSTEM, clock.now())
    row.refresh_from_db()
    yield row
    keys.forget_cached()


def _signed(row: Connection, number: int) -> Sent:
    body = json.dumps(order(number)).encode()
    return Sent({"X-Toy-Signature": sign(read_secrets(row).signing, body), "X-Toy-Id": f"d{number}"}, body)


def _all_at_once(row: Connection, sent: Sequence[Sent], look: Callable[[Sent], bool]) -> Counter[tuple[int, bool]]:
    """What came of each: its status, and what ``look`` found right after it. Each thread has a connection of its own."""

    def send(part: Sequence[Sent]) -> list[tuple[int, bool]]:
        client = Client(raise_request_exception=False)
        try:
            return [(post(client, row, one), look(one)) for one in part]
        finally:
            connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = [sent[n::CONNECTIONS] for n in range(CONNECTIONS)]
        return Counter(result for part in pool.map(send, parts) for result in part)


def test_one_delivery_a_hundred_times_from_twenty_connections_is_one(row: Connection) -> None:
    """Bar 4."""
    found = _all_at_once(row, [_signed(row, 1)] * 100, lambda one: True)
    assert found == {(200, True): 100}
    assert Item.objects.count() == 1
    read_all()
    assert Order.objects.count() == Event.objects.filter(kind="order.placed").count() == 1
    assert Item.objects.get().state == ItemState.PARSED


def test_a_burst_is_thanked_after_its_commit_and_before_anybody_reads(
    row: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bar 10, but for its times, which ``bench/webhooks.py`` takes: thanking depends on nobody who reads."""
    sent = [_signed(row, number) for number in range(BURST)]

    def never(*given: object) -> None:
        raise AssertionError("a delivery was read before it was thanked for")

    lock = threading.Lock()
    with monkeypatch.context() as patched, psycopg.connect(database_url, autocommit=True) as other:
        for name in ("read", "split"):
            patched.setattr(Toy, name, never)
        patched.setattr(reading, "write", never)
        before = Event.objects.count()

        def is_committed(one: Sent) -> bool:
            """Whether somebody else sees it now."""
            with lock:
                return bool(other.execute(IS_STORED, [key_of(row.source, one.headers["X-Toy-Id"])]).fetchone())

        assert _all_at_once(row, sent, is_committed) == {(200, True): BURST}
        assert Event.objects.count() == before
        assert Item.objects.filter(state=ItemState.RECEIVED).count() == BURST
    read_all()
    assert Order.objects.count() == Event.objects.filter(kind="order.placed").count() == BURST
    assert not Item.objects.exclude(state=ItemState.PARSED).exists()


def test_a_queue_that_is_full_turns_no_shop_away(row: Connection, client: Client) -> None:
    """Bar 24: 429 is for public senders, who come again; a shop that is turned away may give up."""
    write_setting("inbox.most_waiting", 1, clock.now())
    assert [post(client, row, _signed(row, number)) for number in range(5)] == [200] * 5
    assert Item.objects.filter(state=ItemState.RECEIVED).count() == 5
