"""From the fake shop into the record: webhooks in any order, lost ones found again, and nothing counted as missed that was told."""

import contextlib
import functools
import itertools
import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from fakes.shopify.serving import FakeShopify
from regulars.connections.base import accounts
from regulars.connections.base.models import Connection, Pull, PullKind
from regulars.connections.base.operations.connecting import begin_connection, complete_connection
from regulars.connections.base.platforms import PLATFORMS, Incoming, Why
from regulars.connections.base.tests.contract import Sent, ask_all, post, pull, read_all
from regulars.connections.shopify.tests.test_contract import ShopifyStand
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.parsers import RawInput
from regulars.foundation.shop.models import Brand, Store
from regulars.record.carts.models import Cart, CartState
from regulars.record.carts.readers import SETTLING
from regulars.record.catalog.models import StockEntry, Variant
from regulars.record.consent.models import ConsentEntry
from regulars.record.coupons.models import Coupon
from regulars.record.events import log as event_log
from regulars.record.events.readers import catch_up
from regulars.record.orders import rules
from regulars.record.orders.inputs import OrderInput
from regulars.record.orders.models import Order, Payment
from regulars.record.orders.operations import apply_orders

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stand() -> Iterator[ShopifyStand]:
    stand = ShopifyStand()
    with stand.fake as fake:
        yield stand
        assert fake.server.errors == []


@pytest.fixture
def row(stand: ShopifyStand, settings: Any) -> Iterator[Connection]:
    settings.REACHABLE = [stand.address.partition("://")[2]]
    accounts.client_of.cache_clear()
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@ringstrasse.net")
    store = Store.objects.create(code="uk", name="Shop", brand=brand, currency="EUR", time_zone="Europe/Berlin")
    row = begin_connection("shopify", store, stand.address, SYSTEM, clock.now())
    accounts.client_of("shopify", row.address).sleep = lambda seconds: None
    complete_connection(row, stand.credentials(), SYSTEM, clock.now())
    row.refresh_from_db()
    hook = f"https://crm.example/hooks/shopify/{row.public_id}"
    PLATFORMS["shopify"].ensure_webhooks(accounts.account_of(row, clock.now()), hook)
    yield row
    accounts.client_of.cache_clear()


def _take(client: Client, row: Connection, sent: list[Sent]) -> None:
    for one in sent:
        assert post(client, row, one) == 200
    read_all()


def _missed(done: Pull) -> dict[str, int]:
    return {topic: count for topic, one in done.counts.items() if (count := one.get("new", 0) + one.get("changed", 0))}


def _state() -> dict[str, Any]:
    """Everything that hangs on orders, without the numbers of rows."""
    return {
        order.external_id: (
            order.number,
            order.status,
            order.payment_status,
            order.fulfilment_status,
            order.total_minor,
            order.stated_at,
            sorted(order.lines.filter(until_batch=None).values_list("sku", "quantity", "total_minor")),
            sorted(order.refunds.values_list("number", "amount_minor")),
            sorted(order.fulfilments.filter(until_batch=None).values_list("status", "carrier")),
        )
        for order in Order.objects.all()
    }


def test_five_states_of_an_order_in_every_order_end_in_the_last(
    stand: ShopifyStand, row: Connection, client: Client
) -> None:
    """Bar 7. Placed, paid, sent, refunded twice: which word stands in all 120 orders of arrival, and the record after ten of them."""
    key, states = stand.place_order(), []
    order = stand.orders[key][0]
    for deed in (
        lambda: None,
        lambda: stand.fake.shop.pay(order),
        lambda: stand.fake.shop.fulfil(order, company="DHL", tracking=["JD1"]),
        lambda: stand.fake.shop.refund(order, {order.lines[0].number_of_kind: 1}),
        lambda: stand.fake.shop.refund(order, {order.lines[0].number_of_kind: 2}),
    ):
        stand.pass_time(timedelta(seconds=2))
        deed()
        sent = stand.deliveries()
        states.append([one for one in sent if one.headers["X-Shopify-Topic"].startswith("orders/")][-1])
    account = accounts.account_of(row, clock.now())
    orders = [PLATFORMS["shopify"].read(account, _incoming(one)).orders[0] for one in states]
    turns = list(itertools.permutations(orders))
    assert {id(functools.reduce(rules.said_later, turn)) for turn in turns} == {id(orders[-1])}
    ends = {repr(_after(turn, row)) for turn in random.Random(9).sample(turns, 10)}
    _take(client, row, states[::-1])
    assert _state()[key][:4] == ("#1001", "completed", "partially_refunded", "fulfilled")
    assert ends == {repr(_state())}


def _incoming(sent: Sent) -> Incoming:
    raw = RawInput(1, "shopify:1", "shop", 1, b"k" * 16, clock.now(), {}, sent.body)
    return Incoming(sent.headers["X-Shopify-Topic"], Why.WEBHOOK, raw)


class _Undone(Exception):
    """Nothing of it stays."""


def _after(turn: tuple[OrderInput, ...], row: Connection) -> dict[str, Any]:
    """How the record stands after these statements, one batch each; then it is as before."""
    found: dict[str, Any] = {}
    with contextlib.suppress(_Undone), transaction.atomic():
        for said in turn:
            with event_log.transaction("shopify", "test") as log:
                apply_orders([said], log, store_id=row.store_id, at=clock.now())
        found = _state()
        raise _Undone
    return found


def _busy_day(fake: FakeShopify, dice: random.Random, deeds: int) -> Iterator[None]:
    """What happens in a shop, one deed at a time."""
    shop = fake.shop
    products = [shop.add_product(f"Tea {n}", variants=[{"price": 1000 + n, "sku": f"T{n}"}]) for n in range(3)]
    people = [shop.add_customer(f"c{n}@ringstrasse.net") for n in range(4)]
    orders: list[Any] = []
    yield
    for number in range(deeds):
        variant = dice.choice(products).variants[0]
        kind = dice.randrange(12)
        order = dice.choice(orders) if orders else None
        if kind < 3 or order is None or order.cancelled_at:
            payment = dice.choice(["paid", "authorized", "pending"])
            orders.append(
                shop.add_order(
                    [(variant, dice.randint(1, 3))],
                    customer=dice.choice(people),
                    payment=payment,
                    currency=dice.choice(["EUR", "JPY"]),
                )
            )
        elif kind == 3:
            shop.set_consent(dice.choice(people), dice.choice(["SUBSCRIBED", "UNSUBSCRIBED"]))
        elif kind == 4:
            shop.set_stock(variant, dice.randint(0, 50))
        elif kind == 5:
            shop.update_product(dice.choice(products), title=f"Tea of today {number}")
        elif kind == 6:
            shop.update_customer(dice.choice(people), first_name=f"Ada {number}")
        elif kind == 7:
            shop.add_checkout([(variant, 2)], customer=dice.choice(people), email=f"c{number % 4}@ringstrasse.net")
        elif kind == 8:
            shop.update_order(order, note=f"Note {number}")
        elif kind == 9:
            shop.pay(order)
        elif kind == 10:
            shop.fulfil(order, company="DHL", tracking=[f"JD{number}"])
        else:
            fact = shop.truth()["orders"][order.number_of_kind]
            left = fact["received"][0] - fact["refunded"][0]
            if left > 500:
                shop.refund(order, amount=500)
        yield


@pytest.mark.parametrize("seed", [1, 2])
def test_what_every_webhook_told_is_not_missed(stand: ShopifyStand, row: Connection, client: Client, seed: int) -> None:
    """The webhook of a state and the page with it say the same, whatever happens in the shop."""
    day = _busy_day(stand.fake, random.Random(seed), 40)
    next(day)
    _take(client, row, stand.deliveries())
    pull(row, PullKind.HAND)  # the fake sends nothing of a new product's first counts
    for _ in day:
        _take(client, row, stand.deliveries())
        stand.pass_time(timedelta(seconds=1))
    refused = Item.objects.filter(state=ItemState.QUARANTINED)
    assert list(refused.values_list("reason", flat=True)) == []
    assert Payment.objects.count() == 0
    before = _state()
    assert _missed(pull(row, PullKind.QUARTER)) == {}
    assert _state() == before
    assert Payment.objects.count() > 5
    assert _missed(pull(row, PullKind.HAND)) == {}


def test_what_webhooks_leave_out_is_asked_for_at_once(stand: ShopifyStand, row: Connection, client: Client) -> None:
    """An order's payments, and what a discount does."""
    key, shop = stand.place_order(), stand.fake.shop
    shop.pay(stand.orders[key][0])
    spring = shop.add_coupon("SPRING", percentage=0.1)
    _take(client, row, stand.deliveries())
    assert (Payment.objects.count(), Coupon.objects.count()) == (0, 0)
    assert ask_all() == 2  # several webhooks of one order ask once
    told = Payment.objects.filter(until_batch=None).values_list("order__external_id", "kind", "status", "amount_minor")
    assert set(told) == {(key, "authorization", "success", 4387), (key, "capture", "success", 4387)}
    assert list(Coupon.objects.values_list("code", "kind", "amount", "expires_at")) == [
        ("SPRING", "percent", Decimal(10), None)
    ]
    assert _missed(pull(row, PullKind.QUARTER)) == {
        "stock": 1
    }  # the fake sends nothing of a new product's first counts
    stand.pass_time(timedelta(seconds=5))
    shop.end_coupon(spring)
    _take(client, row, stand.deliveries())
    shop.delete_coupon(spring)
    assert (ask_all(), Coupon.objects.get().expires_at) == (1, None)  # it is gone by now: there is nothing to be asked
    _take(client, row, stand.deliveries())
    assert Coupon.objects.get().status == "deleted"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_third_of_the_webhooks_lost_and_the_record_is_the_shops(
    stand: ShopifyStand, row: Connection, client: Client, seed: int
) -> None:
    """Bar 9: orders, what they agreed to, stock and codes, by the fake's own truth."""
    stand.disturbance.deliveries_dropped, stand.disturbance.deliveries_duplicated = 0.3, 0.2
    stand.disturbance.deliveries_reordered = 0.3
    for _ in _busy_day(stand.fake, random.Random(seed), 40):
        stand.pass_time(timedelta(seconds=1))
    stand.fake.shop.add_coupon("SPRING", "SUMMER", percentage=0.1)
    _take(client, row, stand.deliveries())
    assert _missed(pull(row, PullKind.QUARTER)) != {}
    truth = stand.fake.shop.truth()
    told = {order.external_id: order for order in Order.objects.all()}
    assert {key: (o.total_minor, o.number) for key, o in told.items()} == {
        str(key): (fact["total"][0], fact["name"]) for key, fact in truth["orders"].items()
    }
    for fact in truth["variants"].values():
        variant = Variant.objects.get(sku=fact["sku"])
        counts = {
            count.location: count.on_hand
            for count in StockEntry.objects.filter(variant=variant).order_by("occurred_at", "id")
        }
        assert counts == {str(place): count for place, count in fact["stock"].items()}
    assert set(Coupon.objects.values_list("code", flat=True)) == {"SPRING", "SUMMER"}
    agreed = {"SUBSCRIBED": "granted", "UNSUBSCRIBED": "denied"}
    last = (
        ConsentEntry.objects.order_by("address", "-occurred_at", "-id")
        .distinct("address")
        .values_list("state", flat=True)
    )
    expected = [
        agreed[fact["email_consent"]["state"]]
        for fact in truth["customers"].values()
        if fact["email_consent"]["state"] in agreed
    ]
    assert sorted(last) == sorted(expected)
    assert _missed(pull(row, PullKind.HAND)) == {}


def test_a_checkout_is_one_cart_and_its_order_ends_it(stand: ShopifyStand, row: Connection, client: Client) -> None:
    shop = stand.fake.shop
    product = shop.add_product("Assam", variants=[{"price": 1250, "sku": "A"}])
    cart = shop.add_cart([(product.variants[0], 2)])
    _take(client, row, stand.deliveries())
    stand.pass_time(timedelta(seconds=5))
    checkout = shop.add_checkout([(product.variants[0], 2)], cart=cart, email="ada@ringstrasse.net")
    _take(client, row, stand.deliveries())
    pull(row, PullKind.QUARTER)
    [one] = Cart.objects.all()
    assert (one.state, one.value_minor) == (CartState.CHECKOUT, 2500)
    stand.pass_time(timedelta(seconds=5))
    shop.finish_checkout(checkout)
    _take(client, row, stand.deliveries())
    catch_up([SETTLING], clock.now())
    one.refresh_from_db()
    assert (one.state, one.order is not None) == (CartState.ORDERED, True)
