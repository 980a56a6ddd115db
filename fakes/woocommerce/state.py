"""What a shop holds, and how a change of it becomes known."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from fakes.disturbing import Disturbance
from fakes.woocommerce.keys import Keys
from fakes.woocommerce.values import Resource, stamp
from fakes.woocommerce.webhooks import Webhooks
from regulars.foundation import clock

STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft")


@dataclass
class State:
    """``places``: decimals of the shop, for every currency. ``clock`` gives what time it is in the shop.

    ``home`` is the shop's own address; empty: whatever the caller addressed.
    """

    name: str = "Fake Woo &amp; Sons"
    currency: str = "EUR"
    timezone: str = "Europe/Berlin"
    prices_include_tax: bool = True
    places: int = 2
    home: str = ""
    clock: Callable[[], datetime] = clock.now
    disturbance: Disturbance = field(default_factory=Disturbance)
    custom_statuses: Sequence[str] = ("shipped",)  # registered by plugins as wc-shipped
    keys: Keys = field(default_factory=Keys)
    orders: dict[int, Resource] = field(default_factory=dict)
    refunds: dict[int, dict[int, Resource]] = field(default_factory=dict)  # by order
    fulfillments: dict[int, list[Resource]] = field(default_factory=dict)  # by order
    has_fulfillments: bool = True  # whether the feature is switched on; without it its routes are not there
    customers: dict[int, Resource] = field(default_factory=dict)
    products: dict[int, Resource] = field(default_factory=dict)
    variations: dict[int, Resource] = field(default_factory=dict)
    categories: dict[int, Resource] = field(default_factory=dict)
    coupons: dict[int, Resource] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _last: int = 100

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.timezone)
        self.webhooks = Webhooks(self.payload, self.clock, lambda: self.home, self.disturbance)
        self.has_taken_stock: set[int] = set()  # orders
        self.in_trash: dict[int, str] = {}  # orders, with the status that they had

    @property
    def statuses(self) -> tuple[str, ...]:
        return (*STATUSES, *self.custom_statuses)

    def next_id(self) -> int:
        """Posts, orders, users and webhooks draw from one row here, so that no two things share a number by chance."""
        self._last += 1
        return self._last

    def payload(self, resource: str, number: int) -> Resource | None:
        """The REST body of now; for a product's webhook the number may be a variation's."""
        with self.lock:
            if resource == "product":
                return self.products.get(number) or self.variations.get(number)
            kept: dict[int, Resource] = getattr(self, f"{resource}s")
            return kept.get(number)

    def touch(self, resource: str, thing: Resource, event: str = "updated", at: datetime | None = None) -> None:
        """Stamps a change and queues its webhooks."""
        stamp(thing, "modified", at or self.clock(), self.zone)
        self.webhooks.happened(f"{resource}.{event}", thing["id"])

    def set_meta(self, thing: Resource, key: str, value: object) -> None:
        kept = [entry for entry in thing["meta_data"] if entry["key"] != key]
        thing["meta_data"] = [*kept, {"id": self.next_id(), "key": key, "value": value}]
