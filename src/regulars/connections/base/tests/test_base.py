"""What the base does for every platform, by a platform without a network."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from regulars.connections.base import jobs
from regulars.connections.base.accounts import account_of, read_secrets
from regulars.connections.base.client import TryLater, Unreachable
from regulars.connections.base.codes import ConnectedShops
from regulars.connections.base.models import (
    Connection,
    ConnectionState,
    PlatformRequest,
    Pull,
    PullKind,
    PullState,
    Tell,
    TellState,
)
from regulars.connections.base.operations.checking import check_webhooks, hook_address
from regulars.connections.base.operations.connecting import begin_connection, complete_connection, end_connection
from regulars.connections.base.operations.pulling import begin_pull, pull_on
from regulars.connections.base.operations.requested import carry_out_requests
from regulars.connections.base.operations.telling import CONSENTS, tell_shops
from regulars.connections.base.platforms import Account, CouponRule, KeyRefused, Refused
from regulars.connections.base.queries import reconciliations_of
from regulars.connections.base.tests.contract import Sent, post, pull, read_all
from regulars.connections.base.tests.toy import Toy, order, signed
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.shop.models import Store
from regulars.foundation.vault import keys
from regulars.foundation.work.loops import Stop
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentState
from regulars.record.consent.operations import record_consents
from regulars.record.coupons.makers import CannotMake, CodeRule, MakeLater
from regulars.record.customers.models import Profile
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.events.readers import catch_up
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db


def test_a_wrong_key_connects_nothing(toy: Toy, store: Store) -> None:
    row = begin_connection("toy", store, "https://toys.example", SYSTEM, clock.now())
    with pytest.raises(Refused, match="make a new one there"):
        complete_connection(row, {"key": "wrong"}, SYSTEM, clock.now())
    row.refresh_from_db()
    assert row.state == ConnectionState.NEW
    assert read_secrets(row).credentials == {}
    assert not Pull.objects.exists()


def test_connecting_fetches_the_history_and_says_what_the_key_may_not_do(toy: Toy, row: Connection) -> None:
    toy.shop.orders = {str(n): order(n) for n in range(5)}
    done = pull(row, PullKind.HISTORY)
    assert done.counts == {"orders": {"fetched": 5, "total": 5, "new": 5, "changed": 0}}
    assert toy.shop.fetched == ["", "2", "4"]
    assert row.name == "The Toy Box"
    assert row.about["missing"] == ["It may not read reviews."]
    assert Order.objects.filter(store=row.store).count() == 5


def test_what_a_shop_names_no_currency_with_is_of_its_own_and_not_of_the_store(
    toy: Toy, row: Connection, store: Store
) -> None:
    Store.objects.filter(pk=store.pk).update(currency="USD")
    row = Connection.objects.select_related("store").get(pk=row.pk)
    assert (row.store.currency, account_of(row, clock.now()).currency) == ("USD", "GBP")
    row.about = {}  # of before it was kept
    assert account_of(row, clock.now()).currency == "USD"


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (Refused("It does something else."), CannotMake),
        (KeyRefused("The key was revoked."), MakeLater),
        (TryLater(9), MakeLater),
    ],
    ids=str,
)
def test_a_code_waits_for_a_key_that_works(
    toy: Toy, row: Connection, monkeypatch: pytest.MonkeyPatch, trouble: Exception, outcome: type[Exception]
) -> None:
    def make(account: Account, rule: CouponRule) -> str:
        raise trouble

    monkeypatch.setattr(toy, "make_coupon", make)
    with pytest.raises(outcome):
        ConnectedShops().make(row.store_id, CodeRule("SPRING", "Spring", percent=Decimal(5)), clock.now())


def test_one_bad_thing_of_a_page_waits_apart(toy: Toy, row: Connection) -> None:
    toy.shop.page = 10
    toy.shop.orders = {"1": order(1), "2": order(2, total=7), "3": order(3, currency="NOPE"), "4": order(4)}
    pull(row, PullKind.HISTORY)
    assert sorted(Order.objects.values_list("number", flat=True)) == ["1", "4"]
    apart = Item.objects.filter(state=ItemState.QUARANTINED).order_by("reason")
    assert [item.source for item in apart] == [f"toy:{row.pk}:history"] * 2
    assert [item.reason for item in apart] == ["Its total is no amount.", "The record cannot hold this."]


def test_a_shop_that_is_away_is_asked_again_and_shown(toy: Toy, row: Connection) -> None:
    toy.shop.orders = {"1": order(1)}
    toy.shop.away = Unreachable("The shop answers with the error 503.")
    asked = Pull.objects.get()
    pull_on(asked.pk, clock.now)
    row.refresh_from_db()
    assert (row.state, row.problem) == (ConnectionState.FAILING, "The shop answers with the error 503.")
    toy.shop.away = TryLater(9)
    pull_on(asked.pk, clock.now)
    toy.shop.away = None
    pull(row, PullKind.HISTORY)
    row.refresh_from_db()
    assert (row.state, row.problem) == (ConnectionState.ACTIVE, "")
    assert Order.objects.count() == 1


def test_one_pull_of_a_kind_at_a_time(row: Connection) -> None:
    assert begin_pull(row, PullKind.HISTORY, clock.now()) is None
    assert Pull.objects.count() == 1


def test_the_quarter_of_an_hour_and_the_night_are_asked_for_when_they_are_due(toy: Toy, row: Connection) -> None:
    began = clock.now()
    jobs.schedule(Stop(), began + timedelta(hours=30))
    assert Pull.objects.count() == 1  # its history is not here
    pull(row, PullKind.HISTORY)
    asked = [
        (minutes, list(Pull.objects.exclude(kind="history").order_by("pk").values_list("kind", flat=True)))
        for minutes in (10, 16, 20, 24 * 60 + 1)
        if _look(row, began + timedelta(minutes=minutes))
    ]
    assert asked == [(10, []), (16, ["quarter"]), (20, ["quarter"]), (1441, ["quarter", "night"])]


def _look(row: Connection, at: Any) -> bool:
    Pull.objects.exclude(kind=PullKind.HISTORY).update(state=PullState.DONE)
    jobs.schedule(Stop(), at)
    return True


def test_what_reconciliation_finds_is_counted_and_alarming(toy: Toy, row: Connection) -> None:
    pull(row, PullKind.HISTORY)
    toy.shop.orders = {str(n): order(n) for n in range(3)}
    pull(row, PullKind.QUARTER)
    found = reconciliations_of(row)[0]
    assert (found.seen, found.missed, found.is_alarming) == (3, 3, True)
    pull(row, PullKind.HAND)
    found = reconciliations_of(row)[0]
    assert (found.seen, found.missed, found.is_alarming) == (3, 0, False)


def test_webhooks_that_the_shop_switched_off_are_revived_and_told_of(toy: Toy, row: Connection) -> None:
    check_webhooks(row.pk, clock.now)
    toy.shop.hooks[hook_address(row)] = False
    check_webhooks(row.pk, clock.now)
    row.refresh_from_db()
    assert row.webhooks["revived"] == row.webhooks["last_mended"] == 1
    check_webhooks(row.pk, clock.now)
    row.refresh_from_db()
    assert (row.webhooks["revived"], row.webhooks["last_mended"]) == (0, 1)


@pytest.mark.parametrize(
    "trouble", [Unreachable("Nobody answers."), TryLater(900), Refused("It may only read.")], ids=str
)
def test_webhooks_that_were_never_made_before_are_none_that_were_switched_off(
    toy: Toy, row: Connection, trouble: Exception
) -> None:
    toy.shop.away = trouble
    check_webhooks(row.pk, clock.now)
    toy.shop.away = None
    row.refresh_from_db()
    assert row.state == (ConnectionState.ACTIVE if isinstance(trouble, TryLater) else ConnectionState.FAILING)
    check_webhooks(row.pk, clock.now)
    row.refresh_from_db()
    assert (row.state, row.webhooks["made"], "last_mended" in row.webhooks) == (ConnectionState.ACTIVE, 1, False)
    toy.shop.hooks.clear()
    check_webhooks(row.pk, clock.now)
    row.refresh_from_db()
    assert row.webhooks["last_mended"] == 1


def test_a_ping_is_thanked_and_kept_nowhere(row: Connection, client: Client) -> None:
    assert post(client, row, Sent({}, b"ping")) == 200
    assert not Item.objects.exists()


def test_the_same_delivery_often_is_stored_once(row: Connection, client: Client) -> None:
    one = signed(row, json.dumps(order(1)).encode(), "d1")
    assert [post(client, row, one) for _ in range(5)] == [200] * 5
    assert Item.objects.count() == 1
    read_all()
    assert Order.objects.get().external_id == "1"


@pytest.mark.parametrize(("path", "status"), [("toy/con_nobody", 404), ("other/{}", 404)])
def test_unknown_addresses(row: Connection, client: Client, path: str, status: int) -> None:
    answer = client.post("/hooks/" + path.format(row.public_id), data=b"{}", content_type="application/json")
    assert answer.status_code == status


def test_what_is_too_large_is_refused(row: Connection, client: Client) -> None:
    assert post(client, row, signed(row, b"x" * 5_000_001)) == 413
    assert not Item.objects.exists()


def _say(row: Connection, mail: str, state: ConsentState, source: str = "") -> None:
    with transaction("test") as log:
        said = ConsentInput(mail, state, clock.now(), "form", source=source)
        assert record_consents([said], row.store.brand_id, log) == 1


def test_consent_is_told_to_the_shop_once_and_never_echoed(toy: Toy, row: Connection) -> None:
    toy.shop.orders = {"1": order(1), "2": order(2)}
    pull(row, PullKind.HISTORY)
    _say(row, "child1@toys.net", ConsentState.GRANTED)
    _say(row, "child1@toys.net", ConsentState.DENIED)
    _say(row, "child2@toys.net", ConsentState.GRANTED, source=row.public_id)
    catch_up([CONSENTS], clock.now())
    tell_shops(Stop(), clock.now())
    tell_shops(Stop(), clock.now())
    assert [(c.customer_key, c.address, c.channel, c.is_granted) for c in toy.shop.told] == [
        ("c1", "child1@toys.net", "email", False)
    ]
    assert Tell.objects.get().state == TellState.TOLD


def test_a_shop_that_is_away_is_told_later(toy: Toy, row: Connection) -> None:
    toy.shop.orders = {"1": order(1)}
    pull(row, PullKind.HISTORY)
    _say(row, "child1@toys.net", ConsentState.GRANTED)
    catch_up([CONSENTS], clock.now())
    toy.shop.away = Unreachable("Nobody answers.")
    tell_shops(Stop(), clock.now())
    assert (Tell.objects.get().state, Tell.objects.get().problem) == (TellState.WAITING, "Nobody answers.")
    toy.shop.away = None
    tell_shops(Stop(), clock.now())
    assert toy.shop.told == []  # it is not due yet
    tell_shops(Stop(), clock.now() + timedelta(minutes=10))
    assert len(toy.shop.told) == 1


def test_who_is_erased_at_the_shop_is_erased_here(toy: Toy, row: Connection, client: Client) -> None:
    toy.shop.orders = {"1": order(1), "2": order(2)}
    pull(row, PullKind.HISTORY)
    assert post(client, row, signed(row, b'{"erase": "c1"}', "e1")) == 200
    assert post(client, row, signed(row, b'{"erase": "c1"}', "e2")) == 200
    read_all()
    carry_out_requests(Stop(), clock.now())
    held = keys.still_held(Profile.objects.values_list("pk", flat=True))
    assert len(held) == 1
    asked = PlatformRequest.objects.get()
    assert asked.outcome == "Erased."
    assert "c1" not in asked.reference
    assert Order.objects.count() == 2


def test_the_end_forgets_the_credentials_and_keeps_what_was_told(toy: Toy, row: Connection, client: Client) -> None:
    toy.shop.orders = {"1": order(1)}
    pull(row, PullKind.HISTORY)
    one = signed(row, b"{}", "x")
    end_connection(row, SYSTEM, clock.now())
    row.refresh_from_db()
    assert (row.state, bytes(row.sealed)) == (ConnectionState.OVER, b"")
    assert post(client, row, one) == 410
    assert Order.objects.count() == 1
    assert list(
        Event.objects.filter(kind__startswith="connection.").order_by("position").values_list("kind", flat=True)
    ) == [
        "connection.made",
        "connection.ended",
    ]
