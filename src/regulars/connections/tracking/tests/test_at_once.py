"""With real connections and processes: the same delivery from many at once, readers that are killed, a database that goes away."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from regulars.connections.tracking import jobs, keys
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.crash import KILLED
from regulars.foundation.inbox import keys as inbox_keys
from regulars.foundation.inbox import reading, receiving
from regulars.foundation.inbox.models import Item
from regulars.foundation.inbox.receiving import Arrival, receive
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault.keys import key_ring
from regulars.foundation.work.loops import Stop
from regulars.record.carts.models import Cart
from regulars.record.customers.models import Customer
from regulars.record.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[5]
CALLS = 10


@pytest.fixture
def key(db: None) -> Iterator[tuple[str, str]]:
    """Source and text of a browser key."""
    inbox_keys.forget_cached()
    keys.forget_remembered()
    receiving._looks.clear()
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="UK", brand=brand, currency="EUR")
    row, text = keys.create_key("Web", "browser", store.pk, SYSTEM, AT)
    yield row.source, text
    inbox_keys.forget_cached()
    keys.forget_remembered()


def read_all() -> None:
    while reading.read_waiting(Stop(), AT):
        pass


def body(number: int) -> dict[str, Any]:
    mug = {"product_id": "1", "name": "Mug", "price": 5}
    names = ("Product Viewed", "Product Added")
    return {
        "batch": [
            {
                "type": "track",
                "event": names[n % 2],
                "anonymousId": f"a{n}",
                "messageId": f"{number}-{n}",
                "properties": mug,
            }
            for n in range(CALLS)
        ]
    }


def send(client: Client, text: str, payload: Any) -> int:
    headers = {"Authorization": "Basic " + base64.b64encode(f"{text}:".encode()).decode()}
    return client.post("/v1/batch", json.dumps(payload), content_type="application/json", headers=headers).status_code


def test_one_delivery_a_hundred_times_from_twenty_connections_is_one(key: tuple[str, str]) -> None:
    def take_in(_: int) -> int:
        try:
            return receive([Arrival(key[0], jobs.KIND, b"{}", own_id="delivery-1")], AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(take_in, range(100))) == 1
    assert Item.objects.count() == 1


def test_one_call_a_hundred_times_from_twenty_connections_has_its_effect_once(key: tuple[str, str]) -> None:
    def post(_: int) -> int:
        try:
            return send(Client(), key[1], body(1))
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(post, range(100))) == {200}
    assert Item.objects.count() == 100
    read_all()
    assert Event.objects.filter(kind__startswith="tracked.").count() == CALLS
    assert sorted(Cart.objects.values_list("value_minor", flat=True)) == [500] * (CALLS // 2)


@pytest.mark.parametrize("point", [reading.TAKEN, reading.READ])
def test_a_reader_that_is_killed_loses_nothing_and_doubles_nothing(
    key: tuple[str, str], point: str, process_environment: dict[str, str]
) -> None:
    for number in range(3):
        assert send(Client(), key[1], body(number)) == 200
    ring = ",".join(f"{name}:{base64.b64encode(master).decode()}" for name, master in key_ring().keys)
    environment = process_environment | {"REGULARS_CRASH_AT": point, "REGULARS_MASTER_KEYS": ring}
    command = [sys.executable, "-m", "regulars", "worker", "--only", "inbox.read"]
    dead = subprocess.run(command, env=environment, cwd=ROOT, timeout=120, check=False, capture_output=True)
    assert dead.returncode == KILLED, dead.stderr[-2_000:]
    assert list(Item.objects.values_list("state", "attempts")) == [("received", 0)] * 3
    assert not Event.objects.filter(kind__startswith="tracked.").exists()
    read_all()
    assert not Event.objects.filter(kind__startswith="tracked.").exists()  # it still holds its lease
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE work_lease SET until = clock_timestamp() WHERE until < clock_timestamp() + interval '30 s'"
        )
        assert cursor.rowcount >= 1
    read_all()
    assert list(Item.objects.values_list("state", "attempts")) == [("parsed", 2)] * 3  # that of the dead one too
    assert Event.objects.filter(kind__startswith="tracked.").count() == 3 * CALLS
    assert Customer.objects.count() == CALLS
    assert sorted(Cart.objects.values_list("value_minor", flat=True)) == [1500] * (CALLS // 2)


def test_a_connection_that_was_cut_costs_no_call(key: tuple[str, str], database_url: str) -> None:
    client = Client(raise_request_exception=False)
    assert send(client, key[1], body(1)) == 200
    name = connection.settings_dict["NAME"]
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )
    assert [send(client, key[1], body(n)) for n in (2, 3)] == [200, 200]
    assert Item.objects.count() == 3
    read_all()
    assert Event.objects.filter(kind__startswith="tracked.").count() == 3 * CALLS


def test_while_the_database_is_away_nobody_is_thanked_and_afterwards_it_goes_on(
    key: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    assert send(client, key[1], body(1)) == 200
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", "1")
        connection.close()
        assert [send(client, key[1], body(n)) for n in (2, 3)] == [503, 503]
    connection.close()
    assert send(client, key[1], body(4)) == 200
    assert Item.objects.count() == 2
    read_all()
    assert Event.objects.filter(kind__startswith="tracked.").count() == 2 * CALLS
