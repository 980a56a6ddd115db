"""What every platform must pass, played with WooCommerce against a fake shop that other hands wrote; and the bars that are its own."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import pytest
from django.test import Client

from fakes.disturbing import Disturbance
from fakes.woocommerce import FakeWooCommerce, Shop
from fakes.woocommerce.history import History
from regulars.connections.base.models import Connection, Pull, PullKind
from regulars.connections.base.tests.contract import Contract, Sent, Stand, post, pull, read_all, recorded
from regulars.connections.woocommerce.signing import webhook_signature
from regulars.foundation import clock
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.money import to_minor
from regulars.record.catalog.models import Product, StockEntry
from regulars.record.consent.models import ConsentEntry
from regulars.record.coupons.models import Coupon
from regulars.record.orders.models import Order, RefundLine

pytestmark = pytest.mark.django_db

# In the order in which an order of the stand goes through life.
_STEPS = ("paid", "completed", "refund a part", "refund the rest")


class WooStand(Stand):
    platform: ClassVar[str] = "woocommerce"
    vector: ClassVar[tuple[str, str, str]] = (
        "a&amp;b",
        "X-WC-Webhook-Signature",
        "3uECSBIrEaJNx/sgmKwZNkjLkgcb5mggyqzWs7gNYPA=",
    )

    def __init__(self) -> None:
        self.now = clock.now().replace(microsecond=0) - timedelta(minutes=10)
        self.shop = Shop(clock=lambda: self.now)
        self.shop.webhooks.send = lambda url, headers, body: 200
        self.server = FakeWooCommerce(self.shop)
        self.address = self.server.address
        self.disturbance: Disturbance = self.shop.disturbance
        self.key = self.shop.keys.add()
        self.product = self.shop.add_product(price="19.90", stock=100)
        self.steps: dict[str, int] = {}

    def served(self) -> AbstractContextManager[object]:
        return self.server

    def credentials(self) -> dict[str, str]:
        return {"consumer_key": self.key.consumer_key, "consumer_secret": self.key.consumer_secret}

    def pass_time(self, by: timedelta) -> None:
        self.now += by

    def place_order(self) -> str:
        count = len(self.shop.orders)
        customer = self.shop.add_customer(f"p{count}@shop-guest.net") if count % 2 else 0
        number = self.shop.add_order(
            [(self.product, 1 + count % 3)],
            email=f"p{count}@shop-guest.net",
            customer_id=customer,
            status="pending",
            shipping="4.90",
            billing={"country": "DE"},
        )
        self.steps[str(number)] = 0
        return str(number)

    def advance_order(self, key: str) -> None:
        number, step = int(key), self.steps[key]
        self.steps[key] += 1
        if number % 3 == 0:
            self.shop.update_order(number, status="cancelled" if step == 0 else "processing")
        elif step < 2:
            self.shop.update_order(number, status="processing" if step == 0 else "completed")
        else:
            self.shop.refund(number, "1.50" if step == 2 else "", reason="too small")

    def deliver(self, send: Callable[[Sent], int]) -> None:
        self.shop.webhooks.send = lambda url, headers, body: send(Sent(headers, body))
        self.shop.webhooks.deliver_all()

    def truth(self) -> dict[str, tuple[str, int, int]]:
        states = {"completed": "completed", "refunded": "completed", "cancelled": "cancelled", "failed": "cancelled"}
        return {
            str(number): (states.get(one.status, "open"), _cents(one.total), _cents(one.refunded))
            for number, one in self.shop.truth().orders.items()
        }

    def signed(self, body: bytes, like: Sent, secret: str = "") -> Sent:
        secret = secret or next(iter(self.shop.webhooks.secrets.values()))
        signature = webhook_signature(body, secret).decode()
        return Sent({**like.headers, "X-WC-Webhook-Signature": signature}, body)


def missed(pull: Pull) -> int:
    return sum(one.get("new", 0) + one.get("changed", 0) for one in pull.counts.values())


def _cents(amount: Decimal) -> int:
    return int(amount * 100)


@pytest.fixture
def stand() -> Iterator[WooStand]:
    stand = WooStand()
    with stand.server:
        yield stand
        assert stand.server.server.errors == []


class TestWooCommerce(Contract):
    """The contract, and below what is WooCommerce's own."""

    def test_deliveries_of_one_second_are_told_apart_and_a_repeated_one_is_one(
        self, stand: WooStand, row: Connection, client: Client
    ) -> None:
        keys = [stand.place_order() for _ in range(2)]
        orders = [one for one in stand.deliveries() if one.headers["X-WC-Webhook-Topic"] == "order.created"]
        assert len({one.headers["X-WC-Webhook-Delivery-ID"] for one in orders}) == 1
        assert [post(client, row, one) for one in [*orders, *orders]] == [200] * 4
        assert Item.objects.count() == 2
        read_all()
        assert set(recorded(row)) == set(keys)

    def test_the_ping_gets_exactly_200_and_leaves_nothing(
        self, stand: WooStand, row: Connection, client: Client
    ) -> None:
        pings = [one for one in stand.shop.webhooks.sent if one.body.startswith(b"webhook_id=")]
        assert len(pings) == 15
        for one in pings:
            assert post(client, row, Sent(one.headers, one.body)) == 200
        assert not Item.objects.exists()

    def test_a_webhook_that_comes_days_late_changes_nothing(
        self, stand: WooStand, row: Connection, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = stand.place_order()
        early = stand.deliveries()
        for _ in range(3):
            stand.pass_time(timedelta(seconds=5))
            stand.advance_order(key)
        for one in stand.deliveries():
            post(client, row, one)
        read_all()
        known = recorded(row)
        later = clock.now() + timedelta(days=29)
        monkeypatch.setattr(clock, "now", lambda: later)
        for one in early:
            assert post(client, row, one) == 200
        read_all()
        assert recorded(row) == known == stand.truth()

    def test_a_refund_is_one_whether_told_or_asked_for(self, stand: WooStand, row: Connection, client: Client) -> None:
        pull(row, PullKind.HISTORY)
        number = int(stand.place_order())
        stand.shop.update_order(number, status="completed")
        stand.pass_time(timedelta(seconds=5))
        line = stand.shop.orders[number]["line_items"][0]["id"]
        stand.shop.refund(number, lines={line: 1})
        told = stand.deliveries()
        for one in told:
            post(client, row, one)
        read_all()
        assert recorded(row) == stand.truth()
        looked = pull(row, PullKind.QUARTER)
        assert recorded(row) == stand.truth()
        assert missed(looked) == 0  # that a page knows more of the refund than the webhook did is no miss
        assert RefundLine.objects.get().quantity == 1
        stand.pass_time(timedelta(seconds=5))
        stand.shop.update_order(number, customer_note="thanks")
        for one in [*stand.deliveries(), *told]:
            post(client, row, one)
        read_all()
        assert recorded(row) == stand.truth()
        stand.pass_time(timedelta(seconds=5))
        stand.shop.delete_refund(number, next(iter(stand.shop.refunds[number])))
        stand.pass_time(
            timedelta(seconds=5)
        )  # it leaves the order's time of change, so that the next change tells of it
        stand.shop.update_order(number, customer_note="after all")
        for one in stand.deliveries():
            post(client, row, one)
        read_all()
        assert recorded(row) == stand.truth()

    def test_a_shop_that_loses_a_third_of_its_webhooks_is_known_whole(
        self, stand: WooStand, row: Connection, client: Client
    ) -> None:
        pull(row, PullKind.HISTORY)
        dice = random.Random(5)
        keys = [stand.place_order() for _ in range(8)]
        for _ in range(24):
            stand.pass_time(timedelta(seconds=dice.randrange(1, 4)))
            stand.advance_order(dice.choice(keys))
            if dice.random() < 0.5:
                sent = [one for one in stand.deliveries() if dice.random() > 0.3]
                dice.shuffle(sent)
                for one in sent:
                    assert post(client, row, one) == 200
                read_all()
        stand.deliveries()
        pull(row, PullKind.QUARTER)
        assert recorded(row) == stand.truth()
        assert missed(pull(row, PullKind.HAND)) == 0
        assert not Item.objects.filter(state=ItemState.QUARANTINED).exists()

    def test_a_past_is_in_the_record_as_the_shop_knows_it(self, stand: WooStand, row: Connection) -> None:
        History(stand.shop, stand.now, seed=2).fill(products=12, customers=12, orders=40)
        pull(row, PullKind.HISTORY)
        truth = stand.shop.truth()
        assert not Item.objects.filter(state=ItemState.QUARANTINED).exists()
        said = {
            order.external_id: (order.total_minor, sum(refund.amount_minor for refund in order.refunds.all()))
            for order in Order.objects.prefetch_related("refunds")
        }
        assert said == {
            str(number): (to_minor(one.total, one.currency), to_minor(one.refunded, one.currency))
            for number, one in truth.orders.items()
        }
        goods = Product.objects.exclude(is_service=True).exclude(key="")
        assert {key for key in goods.values_list("key", flat=True) if key.isdecimal()} == set(map(str, truth.products))
        newest = StockEntry.objects.order_by("variant", "-occurred_at", "-id").distinct("variant")
        counted = dict(newest.values_list("variant__key", "on_hand"))
        assert counted == {str(number): count for number, count in truth.stock.items()}
        assert set(Coupon.objects.values_list("code", flat=True)) == set(truth.coupons.values())
        assert ConsentEntry.objects.exists()
        assert missed(pull(row, PullKind.HAND)) == 0

    def test_deleted_and_restored_orders(self, stand: WooStand, row: Connection, client: Client) -> None:
        kept, gone, lost = (stand.place_order() for _ in range(3))
        for one in stand.deliveries():
            post(client, row, one)
        stand.pass_time(timedelta(minutes=1))
        stand.shop.trash_order(int(gone))
        for one in stand.deliveries():
            post(client, row, one)
        stand.shop.trash_order(int(lost))
        stand.deliveries()
        read_all()
        pull(row, PullKind.HISTORY)
        pull(row, PullKind.QUARTER)
        states = {key: state for key, (state, _, _) in recorded(row).items()}
        assert states == {kept: "open", gone: "cancelled", lost: "cancelled"}
        stand.now = clock.now().replace(microsecond=0) + timedelta(seconds=1)  # that one went is known by our clock
        stand.shop.restore_order(int(gone))
        for one in stand.deliveries():
            post(client, row, one)
        read_all()
        states = {key: state for key, (state, _, _) in recorded(row).items()}
        assert states == {kept: "open", gone: "open", lost: "cancelled"}

    def test_what_the_shop_could_not_build_is_seen(self, stand: WooStand, row: Connection, client: Client) -> None:
        stand.place_order()
        like = stand.deliveries()[0]
        gone = {"code": "woocommerce_rest_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
        forbidden = {"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": {"status": 401}}
        for body in (gone, forbidden):
            assert post(client, row, stand.signed(json.dumps(body).encode(), like)) == 200
        read_all()
        assert sorted(Item.objects.values_list("state", flat=True)) == sorted([ItemState.PARSED, ItemState.QUARANTINED])

    def test_the_clock_of_the_stand_is_near(self, stand: WooStand) -> None:
        assert abs(stand.now - datetime.now(stand.now.tzinfo)) < timedelta(
            minutes=14
        )  # OAuth allows for a quarter of an hour
