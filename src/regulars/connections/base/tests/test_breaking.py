"""What somebody found who tried to break it: each stays mended."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from regulars.connections.base import reading
from regulars.connections.base.accounts import keep_secrets, read_secrets
from regulars.connections.base.errors import BadAddress, ConnectedAlready
from regulars.connections.base.models import Connection, Pull, PullKind, PullState, Tell, TellState
from regulars.connections.base.operations.connecting import begin_connection, shop_address
from regulars.connections.base.operations.pulling import begin_pull, pull_on
from regulars.connections.base.operations.telling import tell_shops
from regulars.connections.base.platforms import PLATFORMS, Account, ConsentChange
from regulars.connections.base.tests.contract import Sent, post, pull, read_all
from regulars.connections.base.tests.toy import Toy, order, sign
from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.loops import Stop
from regulars.record.customers.models import Profile
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    platform = Toy()
    monkeypatch.setitem(PLATFORMS._entries, "toy", platform)
    return platform


@pytest.fixture
def store(db: None) -> Store:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@toys.net")
    return Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP")


@pytest.fixture
def row(toy: Toy, store: Store) -> Connection:
    from_shop = begin_connection("toy", store, "https://toys.example", SYSTEM, clock.now())
    keep_secrets(from_shop, read_secrets(from_shop))
    Connection.objects.filter(pk=from_shop.pk).update(state="active")
    from_shop.refresh_from_db()
    secrets = read_secrets(from_shop)
    secrets.credentials["key"] = "right"
    keep_secrets(from_shop, secrets)
    from_shop.save()
    return from_shop


def test_what_the_record_refuses_leaves_no_event_behind(toy: Toy, row: Connection) -> None:
    toy.shop.orders = {"1": order(1), "2": order(2, currency="NOPE")}
    pull(row, PullKind.HISTORY)
    kinds = Counter(Event.objects.values_list("kind", flat=True))
    assert (kinds["customer.created"], kinds["order.placed"], Order.objects.count(), Profile.objects.count()) == (
        1,
        1,
        1,
        1,
    )


def test_a_pull_of_which_a_page_cannot_be_read_ends_and_the_next_begins(
    toy: Toy, row: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.shop.orders = {"1": order(1)}

    def fail(*said: Any) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(reading, "write", fail)
        asked = begin_pull(row, PullKind.QUARTER, clock.now())
        assert asked is not None
        for _ in range(3):
            pull_on(asked.pk, clock.now)
            read_all()
    pull_on(asked.pk, clock.now)
    asked.refresh_from_db()
    assert asked.state == PullState.DONE
    assert begin_pull(row, PullKind.QUARTER, clock.now()) is not None


def test_what_was_begun_for_another_store_is_not_taken_over(toy: Toy, store: Store) -> None:
    other = Store.objects.create(code="de", name="Other", brand=store.brand, currency="EUR")
    begun = begin_connection("toy", store, "https://toys.example", SYSTEM, clock.now())
    secrets = read_secrets(begun)
    secrets.credentials["key"] = "right"
    keep_secrets(begun, secrets)
    begun.save()
    limited = Viewer(None, frozenset({"connections.view", "connections.manage"}), frozenset({other.pk}))
    with pytest.raises(ConnectedAlready):
        begin_connection("toy", other, "https://toys.example", limited, clock.now())
    begun.refresh_from_db()
    assert (begun.store_id, read_secrets(begun).credentials) == (store.pk, {"key": "right"})
    moved = begin_connection("toy", other, "https://toys.example", SYSTEM, clock.now())
    assert (moved.pk, moved.store_id, read_secrets(moved).credentials) == (begun.pk, other.pk, {})


@pytest.mark.parametrize(("size", "status"), [(2_700_000, 200), (4_900_000, 200), (5_000_001, 413)])
def test_a_large_delivery_is_taken_up_to_the_limit(row: Connection, client: Client, size: int, status: int) -> None:
    body = json.dumps(["a" * (size - 4)]).encode()
    assert post(client, row, Sent({"X-Toy-Signature": sign(read_secrets(row).signing, body)}, body)) == status


@pytest.mark.parametrize(
    "text",
    [
        "https://toys.example:99999",
        "https://toys.example:ab",
        "https://[::1",
        "https://[x]/",
        "http://℀.example",
        "https://ex\x00ample.com",
        "x" * 5000,
        "https://toys.example/" + "a" * 400,
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadAddress):
        shop_address(text)


@pytest.mark.parametrize("name", ["con_%00", "con_%C3%BC", "con_" + "a" * 5000, "con_" + "0" * 26, "con_" + "z" * 26])
def test_hooks_of_nobody(row: Connection, client: Client, name: str) -> None:
    assert client.post(f"/hooks/toy/{name}", data=b"x", content_type="application/json").status_code == 404


def test_a_consent_that_cannot_be_told_holds_up_no_other(
    toy: Toy, row: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.shop.orders = {str(n): order(n) for n in range(3)}
    pull(row, PullKind.HISTORY)
    at, real = clock.now(), toy.write_consent
    for profile in Profile.objects.order_by("pk"):
        Tell.objects.create(
            connection=row, profile=profile, channel="email", consent="granted", occurred_at=at, next_at=at
        )

    def stumble(account: Account, change: ConsentChange) -> None:
        if change.customer_key == "c0":
            raise KeyError("an odd answer")
        real(account, change)

    monkeypatch.setattr(toy, "write_consent", stumble)
    for turn in range(40):
        tell_shops(Stop(), at + timedelta(hours=7 * turn))
    assert sorted(change.customer_key for change in toy.shop.told) == ["c1", "c2"]
    assert sorted(Tell.objects.values_list("state", flat=True)) == [TellState.REFUSED, TellState.TOLD, TellState.TOLD]
    assert Pull.objects.count() == 1


def test_a_worker_that_stood_still_lets_the_pull_go(toy: Toy, row: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.shop.orders = {str(n): order(n) for n in range(5)}
    asked, real = begin_pull(row, PullKind.HISTORY, clock.now()), toy.fetch
    assert asked is not None

    def slow(*said: Any) -> Any:
        page = real(*said)
        monkeypatch.setattr(toy, "fetch", real)
        pull(row, PullKind.HISTORY)  # another worker, from here to the end
        return page

    monkeypatch.setattr(toy, "fetch", slow)
    pull_on(asked.pk, clock.now)
    asked.refresh_from_db()
    assert (asked.state, asked.topics, asked.counts["orders"]["fetched"]) == (PullState.DONE, [], 5)
