"""The contract of all connections, played against the fake Shopify."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from fakes.disturbing import Disturbance
from fakes.shopify.records import Order
from fakes.shopify.serving import FakeShopify
from fakes.shopify.settings import App
from regulars.connections.base.signing import signature_of
from regulars.connections.base.tests.contract import Contract, Sent, Stand
from regulars.foundation import clock

PAID = ("PAID", "PARTIALLY_REFUNDED", "REFUNDED")


class ShopifyStand(Stand):
    """A shop whose clock stands still unless it is moved."""

    platform = "shopify"
    vector = ("hush", "X-Shopify-Hmac-Sha256", "gHDQy76+38chKmG/hW2suoASSgJPriCh7sYbzaB7OQI=")

    def __init__(self) -> None:
        self.now = clock.now().replace(microsecond=0) - timedelta(minutes=10)
        self.disturbance = Disturbance(5)
        self.fake = FakeShopify(seed=6, now=lambda: self.now, disturbance=self.disturbance)
        self.fake.bucket.size = self.fake.bucket.available = 10**9  # time stands still: nothing would be restored
        self.address = self.fake.address
        self.orders: dict[str, tuple[Order, int]] = {}

    def served(self) -> AbstractContextManager[object]:
        return self.fake

    def credentials(self) -> dict[str, str]:
        return {"client_id": App().client_id, "client_secret": self.signing(), "access_token": self.fake.token}

    def signing(self) -> str:
        return App().client_secret

    def pass_time(self, by: timedelta) -> None:
        self.now += by

    def place_order(self) -> str:
        number, shop = len(self.orders), self.fake.shop
        product = shop.add_product(f"Tea {number}", variants=[{"price": 1299, "sku": f"T-{number}"}])
        customer = shop.add_customer(f"ada{number}@ringstrasse.net")
        order = shop.add_order([(product.variants[0], 3)], customer=customer, payment="authorized")
        key = str(order.number_of_kind)
        self.orders[key] = (order, 0)
        return key

    def advance_order(self, key: str) -> None:
        """Paid, sent and refunded in part; every other one refunded and then cancelled."""
        (order, step), shop = self.orders[key], self.fake.shop
        is_cancelled = list(self.orders).index(key) % 2
        unit = {order.lines[0].number_of_kind: 1}
        if step == 0:
            shop.pay(order)
        elif step == 1 and not is_cancelled:
            shop.fulfil(order, company="DHL", tracking=["JD014600"])
        elif step == 2 and is_cancelled:
            shop.cancel(order)
        else:
            shop.refund(order, unit)
        self.orders[key] = (order, step + 1)

    def deliver(self, send: Callable[[Sent], int]) -> None:
        self.fake.deliver(lambda one: send(Sent(one.headers, one.body)))

    def truth(self) -> dict[str, tuple[str, int, int]]:
        return {str(key): _told(fact) for key, fact in self.fake.shop.truth()["orders"].items()}

    def signed(self, body: bytes, like: Sent, secret: str = "") -> Sent:
        """As a delivery of its own."""
        own = {
            "X-Shopify-Hmac-Sha256": signature_of(body, secret or self.signing()).decode(),
            "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        }
        return Sent({**like.headers, **own}, body)


def _told(fact: dict[str, Any]) -> tuple[str, int, int]:
    is_settled = fact["financial_status"] in PAID and fact["fulfillment_status"] == "FULFILLED"
    status = "cancelled" if fact["cancelled_at"] else "completed" if is_settled else "open"
    return status, fact["total"][0], fact["refunded"][0]


@pytest.fixture
def stand() -> Iterator[ShopifyStand]:
    stand = ShopifyStand()
    with stand.fake as fake:
        yield stand
        assert fake.server.errors == []


class TestShopify(Contract):
    """All of it."""
