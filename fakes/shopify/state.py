"""What every happening in a fake shop needs: numbers, moments, who is where, and the post."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

from fakes.shopify.records import (
    Cart,
    Checkout,
    Collection,
    Coupon,
    Customer,
    InventoryItem,
    Location,
    Order,
    Product,
    Record,
    Variant,
)
from fakes.shopify.settings import VERSION, App, Clock, Settings
from fakes.shopify.webhooks import PostOffice

FIRST_NUMBER = 7_000_000_000_001  # ids are above 2^32, as real ones are

Happened = tuple[str, Callable[[], dict[str, Any]]]  # a topic, and how its body is made: only if somebody is subscribed
_Kind = TypeVar("_Kind", bound=Record)


def system_time() -> datetime:
    return datetime.now(UTC)


class State:
    """All that stands in the shop. ``lock`` is held by whoever reads or changes it."""

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        app: App | None = None,
        now: Callable[[], datetime] | None = None,
        seed: int = 0,
    ) -> None:
        self.settings, self.app = settings or Settings(), app or App()
        self._now = now or Clock()
        self.random = Random(seed)  # noqa: S311  tokens that come again
        self.lock = threading.RLock()
        self.post = PostOffice(self.settings.domain, self.app.client_secret, VERSION, self._now, seed)
        self.customers: dict[int, Customer] = {}
        self.products: dict[int, Product] = {}
        self.collections: dict[int, Collection] = {}
        self.locations: dict[int, Location] = {}
        self.orders: dict[int, Order] = {}
        self.coupons: dict[int, Coupon] = {}
        self.checkouts: dict[str, Checkout] = {}
        self.carts: dict[str, Cart] = {}
        self.pixel: tuple[int, dict[str, Any]] | None = None
        self.is_installed = True
        self._products_by_variant: dict[int, Product] = {}
        self._orders_by_customer: dict[int, list[Order]] = {}
        self._last_number, self._last_order = FIRST_NUMBER, 1000
        self.warehouse = self._new_location("Warehouse")
        self.till = self._new_location("Shop floor")

    @contextmanager
    def living_by(self, clock: Callable[[], datetime]) -> Iterator[None]:
        """For a while another clock goes: so a past is filled in."""
        before, self._now = self._now, clock
        try:
            yield
        finally:
            self._now = before

    def now(self) -> datetime:
        """Whole seconds: Shopify's ``updatedAt`` has no finer ones, so two changes may well carry the same."""
        return self._now().replace(microsecond=0)

    def next_number(self) -> int:
        self._last_number += 7
        return self._last_number

    def next_order_number(self) -> int:
        self._last_order += 1
        return self._last_order

    def token(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def _new_location(self, name: str) -> Location:
        location = Location(self.next_number(), self.now(), name)
        self.locations[location.number_of_kind] = location
        return location

    def variants(self) -> list[Variant]:
        return [variant for product in self.products.values() for variant in product.variants]

    def product_of(self, variant: Variant) -> Product:
        return self._products_by_variant[variant.number_of_kind]

    def variant_of(self, item: InventoryItem) -> Variant:
        return next(variant for variant in self.variants() if variant.item is item)

    def orders_of(self, customer: Customer) -> list[Order]:
        """The oldest first."""
        return list(self._orders_by_customer.get(customer.number_of_kind, []))

    def hand_orders(self, orders: Iterable[Order], to: Customer | None) -> None:
        for order in orders:
            if order.customer and order in self._orders_by_customer.get(order.customer.number_of_kind, []):
                self._orders_by_customer[order.customer.number_of_kind].remove(order)
            order.customer = to
            if to:
                self._orders_by_customer.setdefault(to.number_of_kind, []).append(order)

    def find(self, gid: str) -> Record | None:
        """By global id; of the kinds that a client may ask for."""
        kind, _, number = gid.removeprefix("gid://shopify/").partition("/")
        if not number.partition("?")[0].isdigit():
            return None
        return self._kind(kind).get(int(number.partition("?")[0]))

    def _kind(self, kind: str) -> dict[int, Any]:
        plain: dict[str, dict[int, Any]] = {
            "Customer": self.customers,
            "Product": self.products,
            "Collection": self.collections,
            "Location": self.locations,
            "Order": self.orders,
            "DiscountCodeNode": self.coupons,
        }
        if kind in plain:
            return plain[kind]
        return {one.number_of_kind: one for one in self._inner(kind)}

    def _inner(self, kind: str) -> list[Any]:
        if kind == "ProductVariant":
            return self.variants()
        if kind == "InventoryItem":
            return [variant.item for variant in self.variants()]
        if kind == "AbandonedCheckout":
            return list(self.checkouts.values())
        if kind == "WebhookSubscription":
            return list(self.post.subscriptions)
        return []

    def fire(self, *happened: Happened) -> None:
        """The topics that one action of the merchant or the customer brings: one event id for all of them."""
        event_id = self.post.new_event_id()
        for topic, content in happened:
            self.post.emit(topic, content, event_id)

    def copied(self, record: _Kind) -> _Kind:
        """With a number of its own: an order keeps its address though the customer moves."""
        return replace(record, number_of_kind=self.next_number())
