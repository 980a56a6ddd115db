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
from regulars.connections.base.models import (
    Connection,
    PlatformRequest,
    Pull,
    PullKind,
    PullState,
    Tell,
    TellState,
)
from regulars.connections.base.operations.connecting import begin_connection, shop_address
from regulars.connections.base.operations.pulling import begin_pull, pull_on
from regulars.connections.base.operations.requested import carry_out_requests
from regulars.connections.base.operations.telling import tell_shops
from regulars.connections.base.platforms import Account, ConsentChange
from regulars.connections.base.tests.contract import Sent, post, pull, read_all
from regulars.connections.base.tests.toy import Toy, order, sign
from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.shop.models import Store
from regulars.foundation.vault import keys
from regulars.foundation.work.loops import Stop
from regulars.record.customers.models import ContactVersion, Profile
from regulars.record.customers.operations.erasure import erase_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db


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


def _erase(client: Client, row: Connection, **said: Any) -> None:
    body = json.dumps(said).encode()
    assert post(client, row, Sent({"X-Toy-Signature": sign(read_secrets(row).signing, body)}, body)) == 200


def test_who_comes_with_the_history_after_the_erasure_was_asked_for_is_erased(
    toy: Toy, row: Connection, client: Client
) -> None:
    toy.shop.orders = {"1": order(1)}
    asked = begin_pull(row, PullKind.HISTORY, clock.now())
    _erase(client, row, erase="c1")
    read_all()
    carry_out_requests(Stop(), clock.now())
    assert asked is not None
    assert PlatformRequest.objects.get().done_at is None
    pull(row, PullKind.HISTORY)
    carry_out_requests(Stop(), clock.now())
    assert PlatformRequest.objects.get().outcome == "Erased."
    assert keys.still_held(Profile.objects.values_list("pk", flat=True)) == set()


def test_what_was_fetched_before_an_erasure_brings_nobody_back(toy: Toy, row: Connection) -> None:
    toy.shop.orders = {"1": order(1)}
    pull(row, PullKind.HISTORY)
    [profile] = Profile.objects.values_list("pk", flat=True)
    asked = begin_pull(row, PullKind.HAND, clock.now())
    assert asked is not None
    pull_on(asked.pk, clock.now)
    erase_profiles(customers_of([profile])[profile], [profile], SYSTEM, clock.now())
    read_all()
    assert list(Profile.objects.values_list("pk", flat=True)) == [profile]
    assert ContactVersion.objects.count() == 0
    assert Order.objects.count() == 1


def test_a_guest_of_an_order_that_is_to_be_redacted_is_erased_and_another_account_is_not(
    toy: Toy, row: Connection, client: Client
) -> None:
    toy.shop.orders = {"1": order(1), "2": order(2, customer=""), "3": order(3)}
    pull(row, PullKind.HISTORY)
    _erase(client, row, erase="c1", orders=["2", "3"])
    read_all()
    carry_out_requests(Stop(), clock.now())
    held = keys.still_held(Profile.objects.values_list("pk", flat=True))
    assert sorted(Order.objects.filter(profile__in=held).values_list("number", flat=True)) == ["3"]


def test_an_account_that_the_shop_deleted_is_noted_once(toy: Toy, row: Connection, client: Client) -> None:
    toy.shop.orders = {"1": order(1)}
    pull(row, PullKind.HISTORY)
    for _ in range(2):
        _erase(client, row, gone="c1")
        _erase(client, row, gone="nobody")
    read_all()
    assert Event.objects.filter(kind="connection.customer_gone").count() == 1


def test_half_a_character_is_refused_by_itself(toy: Toy, row: Connection) -> None:
    toy.shop.page = 5
    toy.shop.orders = {"1": order(1), "2": order("\ud800")}
    pull(row, PullKind.HISTORY)
    assert [one.number for one in Order.objects.all()] == ["1"]
    assert Item.objects.filter(state=ItemState.QUARANTINED).count() == 1
