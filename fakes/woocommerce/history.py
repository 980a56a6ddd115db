"""A past for a shop, drawn from a seed: recorded resources, varied as live shops vary."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from fakes.woocommerce.catalog import CONSENT_KEY
from fakes.woocommerce.shop import CART_KEY, Shop
from fakes.woocommerce.values import stamp, written

_FIRST = (
    "Anna",
    "José",
    "Zoë",
    "Bjørn",
    "李",
    "Mary-Jane",
    "Ali",
    "D&#039;Arcy",
    "O&amp;O",
    "Ida 🌷",
    "",
    "Łukasz",
    "Yuki",
)
_LAST = (
    "Müller",
    "Smith &amp; Co",
    "O'Neil",
    "García",
    "王",
    "van der Berg",
    "Ng",
    "",
    "Şahin",
    "Doe\u00a0",
    "🦊",
    "Tanaka",
)
_GOODS = (
    "Album",
    "T-Shirt &ndash; long",
    "Hoodie",
    "Mug &amp; Plate",
    "Poster „Nord“",
    "Cap",
    "Café au lait 250 g",
    "日本茶",
    "Gift card",
)
_PRICES = ("20.00", "9.99", "0.01", "120", "7.5", "1999.00", "0", "34.90")
_COUNTRIES = ("DE", "DE", "DE", "AT", "GB", "US", "JP", "CH", "")
_CURRENCIES = ("EUR", "EUR", "EUR", "EUR", "USD", "GBP", "JPY", "KWD")
_STATUSES = (
    "completed",
    "completed",
    "completed",
    "processing",
    "processing",
    "on-hold",
    "pending",
    "cancelled",
    "failed",
)
_RARE = ("shipped", "checkout-draft", "refunded")
_ROLES = ("customer", "customer", "customer", "customer", "subscriber", "shop_manager")
_ODD_META: tuple[tuple[str, Any], ...] = (
    ("_download_permissions_granted", "yes"),
    ("is_vat_exempt", "no"),
    ("_wc_order_attribution_source_type", "utm"),
    ("_plugin_settings", {"a": [1, 2, {"b": None}], "5": "x"}),
    ("_empty", ""),
    ("_list", []),
    ("_number", 12.5),
    ("emoji 🌷 &amp; Co", "<b>bold</b>"),
)


@dataclass
class History:
    """``fill`` makes so much, in order of time, up to ``until``; the same for the same seed."""

    shop: Shop
    until: datetime
    seed: int = 0
    days: int = 700
    customers: list[int] = field(default_factory=list)
    sellable: list[int] = field(default_factory=list)
    guests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)  # noqa: S311  the same shop again

    def fill(self, *, products: int = 20, customers: int = 50, orders: int = 100) -> None:
        start = self.until - timedelta(days=self.days)
        category = self.shop.add_category("Clothing &amp; more")
        for place in range(products):
            self._product(place, category, start)
        for place in range(customers):
            self._customer(place, start + timedelta(days=self.days) * self.chance.random())
        for code, kind, amount in (
            ("10off", "percent", "10.00"),
            ("five", "fixed_cart", "5.00"),
            ("ünder", "percent", "50.00"),
        ):
            self.shop.add_coupon(code, amount, discount_type=kind, at=start)
        for at in sorted(start + timedelta(days=self.days) * self.chance.random() for _ in range(orders)):
            self._order(at.replace(microsecond=0))

    def _pick(self, choices: Sequence[str]) -> str:
        return self.chance.choice(choices)

    def _often(self, share: float) -> bool:
        return self.chance.random() < share

    def _product(self, place: int, category: int, at: datetime) -> None:
        sizes = {"Size": ["S", "M", "L"], "Color": ["Black", "Green"]} if self._often(0.3) else None
        number = self.shop.add_product(
            f"{self._pick(_GOODS)} {place + 1}",
            self._pick(_PRICES),
            sku=f"SKU-{place}" if self._often(0.8) else "",
            stock=self.chance.randrange(2000) if self._often(0.7) else None,
            categories=[category] if self._often(0.8) else [],
            variable=sizes,
            at=at,
            status="draft" if self._often(0.05) else "publish",
        )
        self.sellable += self.shop.products[number]["variations"] or [number]

    def _customer(self, place: int, at: datetime) -> None:
        first, last = self._pick(_FIRST), self._pick(_LAST)
        mail = f"person{place}@{self._pick(('people.test', 'People.TEST', 'mail.people.test'))}"
        number = self.shop.add_customer(
            mail,
            first,
            last,
            role=self._pick(_ROLES),
            at=at,
            billing=self._address(mail) if self._often(0.7) else {"email": ""},
        )
        self.customers.append(number)
        if self._often(0.3):
            consent = {"agreed": self._often(0.7), "channel": "email", "text": "Send me news", "at": f"{written(at)}Z"}
            self.shop.set_meta(self.shop.customers[number], CONSENT_KEY, consent | {"source": "account"})

    def _address(self, mail: str) -> dict[str, str]:
        country = self._pick(_COUNTRIES)
        return {
            "first_name": self._pick(_FIRST),
            "last_name": self._pick(_LAST),
            "company": self._pick(("", "", "Müller &amp; Söhne")),
            "address_1": f"Street {self.chance.randrange(200)}",
            "city": "Berlin" if country == "DE" else "Town",
            "postcode": f"{self.chance.randrange(100000):05}",
            "country": country,
            "state": "",
            "email": mail,
            "phone": self._pick(("", "030 1234567", "+49 170 1234567", "(555) 555-5555", "n/a")),
        }

    def _guest(self) -> str:
        if self.guests and self._often(0.4):
            return self._pick(self.guests)
        self.guests.append(f"guest{len(self.guests)}@guests.test")
        return self.guests[-1]

    def _order(self, at: datetime) -> None:
        customer = self.chance.choice(self.customers) if self.customers and self._often(0.5) else 0
        mail = "" if customer else self._guest()
        billing = self._address(mail) if not customer and self._often(0.9) else {}
        items = [
            (self.chance.choice(self.sellable), self.chance.choice((1, 1, 2, 5)))
            for _ in range(self.chance.choice((1, 1, 2, 3)))
        ]
        number = self.shop.add_order(
            items,
            email=mail,
            customer_id=customer,
            status=self._pick(_RARE) if self._often(0.06) else self._pick(_STATUSES),
            currency=self._pick(_CURRENCIES),
            coupon=self._pick(("10off", "five", "ünder")) if self._often(0.2) else "",
            shipping=self._pick(("4.90", "10.00")) if self._often(0.6) else "",
            fee="2.50" if self._often(0.1) else "",
            billing=billing,
            meta=self._meta(at),
            at=at,
            customer_note="Bitte klingeln &amp; warten 🙏" if self._often(0.1) else "",
        )
        self._refund(number, at)
        if self._often(0.03):
            stamp(
                self.shop.orders[number], "modified", None, self.shop.zone
            )  # as plugins that write past WooCommerce leave it
        if self._often(0.02):
            self.shop.trash_order(number)
            stamp(self.shop.orders[number], "modified", at, self.shop.zone)

    def _meta(self, at: datetime) -> dict[str, object]:
        found = dict(self.chance.sample(_ODD_META, self.chance.randrange(3)))
        if self._often(0.5):
            found[CART_KEY] = f"{self.chance.getrandbits(128):032x}"
        if self._often(0.25):
            consent = {"agreed": True, "channel": "email", "text": "Send me news &amp; offers", "at": f"{written(at)}Z"}
            found[CONSENT_KEY] = consent | {"source": "checkout"}
        return found

    def _refund(self, number: int, at: datetime) -> None:
        order = self.shop.orders[number]
        if order["status"] == "refunded" or (order["status"] == "completed" and self._often(0.15)):
            line = order["line_items"][0]
            later = min(self.until, at + timedelta(days=self.chance.randrange(1, 20)))
            if order["status"] == "completed" and self._often(0.5):
                self.shop.refund(number, lines={line["id"]: 1}, reason="Zu klein &amp; eng", at=later)
            elif float(order["total"]) > 0:
                self.shop.refund(number, at=later)
