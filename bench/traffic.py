"""What a shop's visitors do, as batches of a tracking library: seeded, so that the same traffic can be made again."""

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

KNOWN_VISITORS = 2_000
NEW = 0.2  # of the visits are somebody's first
_SIGNED_IN = 0.3
_AT_ONCE = 60  # visits whose events come in between each other
_EVENTS_A_VISIT = 8
_BUYERS = 0.2  # of the visits put something into a cart
_BROWSING = {
    "page": 42, "Product Viewed": 30, "Product List Viewed": 12, "Products Searched": 8, "Newsletter Opened": 5, "identify": 3,
}  # fmt: skip
_BUYING = {
    "page": 28, "Product Viewed": 22, "Product List Viewed": 8, "Products Searched": 4, "Product Added": 14, "Product Removed": 2,
    "Cart Viewed": 6, "Checkout Started": 4, "Checkout Step Viewed": 6, "Coupon Applied": 2, "Order Completed": 2, "identify": 2,
}  # fmt: skip
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


@dataclass(frozen=True)
class _Visit:
    anonymous_id: str
    user_id: str
    cart_id: str
    is_buyer: bool


class Traffic:
    """Batches of one shop's visitors; ``name`` keeps its visitors and message ids apart from those of others."""

    def __init__(self, name: str, seed: int, at: datetime) -> None:
        self._name, self._dice, self._at = name, random.Random(f"{name}{seed}"), at  # noqa: S311  no secret
        self._count = self._newcomers = 0
        self._visits = [self._visit() for _ in range(_AT_ONCE)]

    def batch(self, size: int) -> bytes:
        """The body of a call to ``/v1/batch`` with so many events."""
        calls = [self._call() for _ in range(size)]
        return json.dumps({"batch": calls, "sentAt": self._stamp()}, separators=(",", ":")).encode()

    def introductions(self, size: int) -> Iterator[bytes]:
        """Batches in which every known visitor comes for the first time."""
        for start in range(0, KNOWN_VISITORS, size):
            calls = [self._call("page", self._visitor(n)) for n in range(start, min(start + size, KNOWN_VISITORS))]
            yield json.dumps({"batch": calls, "sentAt": self._stamp()}, separators=(",", ":")).encode()

    def batches(self, count: int, size: int) -> Iterator[bytes]:
        return (self.batch(size) for _ in range(count))

    def single(self) -> bytes:
        """The body of one call to ``/v1/track``."""
        call = self._call("Product Viewed")
        return json.dumps(call | {"sentAt": self._stamp()}, separators=(",", ":")).encode()

    def _visit(self) -> _Visit:
        if self._dice.random() < NEW:
            self._newcomers += 1
            return self._visitor(KNOWN_VISITORS + self._newcomers)
        return self._visitor(self._dice.randrange(KNOWN_VISITORS))

    def _next(self) -> _Visit:
        """Whose turn it is; one visit in eight ends with it."""
        place = self._dice.randrange(_AT_ONCE)
        visit = self._visits[place]
        if self._dice.random() < 1 / _EVENTS_A_VISIT:
            self._visits[place] = self._visit()
        return visit

    def _visitor(self, number: int) -> _Visit:
        user = f"user-{self._name}-{number}" if number % 10 < _SIGNED_IN * 10 else ""
        visitor = uuid.uuid5(uuid.NAMESPACE_URL, f"{self._name}-{number}")
        return _Visit(str(visitor), user, f"cart-{visitor.hex[:12]}", self._dice.random() < _BUYERS)

    def _stamp(self) -> str:
        return f"{self._at + timedelta(milliseconds=self._count * 5):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"

    def _call(self, name: str = "", visit: _Visit | None = None) -> dict[str, Any]:
        visit = visit or self._next()
        self._count += 1
        weights = _BUYING if visit.is_buyer else _BROWSING
        name = name or self._dice.choices(list(weights), list(weights.values()))[0]
        call = {
            "type": name if name in {"page", "identify"} else "track",
            "messageId": f"{self._name}-{uuid.UUID(int=self._dice.getrandbits(128))}",
            "anonymousId": visit.anonymous_id,
            "timestamp": self._stamp(),
            "context": {
                "library": {"name": "analytics-node", "version": "2.3.0"},
                "ip": f"203.0.113.{self._dice.randrange(256)}",
                "userAgent": _AGENT,
                "locale": "en-GB",
                "page": {"path": "/kitchen/mugs", "referrer": "https://shop.example/", "title": "Mugs and cups",
                         "url": "https://shop.example/kitchen/mugs"},
            },
            "integrations": {},
        }  # fmt: skip
        call |= {"userId": visit.user_id} if visit.user_id else {}
        return call | self._content(name, visit)

    def _content(self, name: str, visit: _Visit) -> dict[str, Any]:
        if name == "page":
            return {"name": "Category", "properties": {"path": "/kitchen/mugs", "title": "Mugs and cups",
                    "url": "https://shop.example/kitchen/mugs", "width": 1440}}  # fmt: skip
        if name == "identify":
            return {"traits": {"email": f"{visit.anonymous_id}@mail.example", "firstName": "Ada", "lastName": "Smith"}}
        return {"event": name, "properties": self._properties(name, visit)}

    def _properties(self, name: str, visit: _Visit) -> dict[str, Any]:
        if name in {"Product Viewed", "Product Added", "Product Removed"}:
            return self._product() | {"currency": "GBP", "cart_id": visit.cart_id} | {"theme": "dark"}
        products = [self._product() for _ in range(self._dice.randint(2, 5))]
        total = round(sum(one["price"] * one["quantity"] for one in products), 2)
        return {
            "Product List Viewed": {"list_id": "mugs", "category": "Kitchen", "products": products},
            "Cart Viewed": {"cart_id": visit.cart_id, "currency": "GBP", "products": products},
            "Checkout Started": {"cart_id": visit.cart_id, "currency": "GBP", "value": total, "products": products},
            "Checkout Step Viewed": {"checkout_id": visit.cart_id, "step": "2", "shipping_method": "Courier"},
            "Products Searched": {"query": "blue mug"},
            "Coupon Applied": {"cart_id": visit.cart_id, "coupon_id": "SPRING", "discount": 5},
            "Order Completed": {"order_id": f"{self._name}-{self._count}", "cart_id": visit.cart_id, "total": total,
                                "currency": "GBP", "products": products},
        }.get(name, {"issue": 12, "is_first": True, "subject": "News of spring"})  # fmt: skip

    def _product(self) -> dict[str, Any]:
        number = self._dice.randrange(2_000)
        return {"product_id": str(number), "sku": f"SKU-{number}", "name": f"Mug number {number}", "category": "Kitchen",
                "brand": "Potter", "price": round(3 + number * 0.07, 2), "quantity": 1 + number % 3, "position": number % 20,
                "url": f"https://shop.example/p/{number}", "image_url": f"https://shop.example/p/{number}.jpg"}  # fmt: skip
