"""A seeded shop: guests and regulars, four currencies, discounts, refunds of a part, edits, tills, tests, tags and emoji."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from fakes.shopify.records import Customer, Order, Product, Variant
from fakes.shopify.sales import Wanted
from fakes.shopify.settings import Clock
from fakes.shopify.shop import Shop

FIRST = (
    "Ana",
    "Bjørn",
    "Chloé",
    "Dmitri",
    "Elif",
    "Fatima",
    "Günter",
    "Hana",
    "Ivo",
    "Jiří",
    "Keiko",
    "Łukasz",
    "Mei",
    "Nóra",
)
LAST = (
    "Alvarez",
    "Bauer",
    "O'Connor",
    "De Vries",
    "Ektaş",
    "Fuchs",
    "García",
    "Horák",
    "Itō",
    "Jensen",
    "Kováč",
    "Lund",
)
CITIES = (
    ("Berlin", "Germany", "DE", "10115"),
    ("Wien", "Austria", "AT", "1010"),
    ("Tokyo", "Japan", "JP", "100-0001"),
    ("Kuwait City", "Kuwait", "KW", "13001"),
    ("Portland", "United States", "US", "97201"),
)
GOODS = ("Teapot", "Lantern", "Cushion", "Notebook", "Candle 🕯️", "Söckchen", "Mug ☕", "Basket", "Ribbon", "Tin box")
TAGS = ("gift", "fragile", "sale", "vip", "réservé", "🎄")
CURRENCIES = ("EUR", "EUR", "EUR", "EUR", "USD", "JPY", "KWD")


@dataclass
class Sower:
    """``at`` of an order goes back from now; what happens to it later happens in between."""

    shop: Shop
    random: Random
    clock: Clock

    def product(self, place: int) -> Product:
        draw = self.random
        sizes = ("S", "M", "L")[: draw.randint(1, 3)]
        colours = ("red", "blue")[: draw.randint(1, 2)]
        price = draw.randint(3, 120) * 100 + draw.choice((0, 49, 90, 99))
        options = [{"Size": size, "Colour": colour} for size in sizes for colour in colours]
        variants = [
            {
                "options": one,
                "price": price,
                "sku": f"SKU-{place:04d}-{number}",
                "barcode": f"40{place:06d}{number:05d}",
            }
            for number, one in enumerate(options, 1)
        ]
        if draw.random() < 0.2:
            variants = [{"price": price, "sku": f"SKU-{place:04d}", "unit_cost": price // 2}]
        status = draw.choices(("ACTIVE", "DRAFT", "ARCHIVED"), (18, 1, 1))[0]
        return self.shop.add_product(
            f"{GOODS[place % len(GOODS)]} {place}",
            variants=variants,
            status=status,
            vendor=draw.choice(("Acme", "Manufaktur Süd")),
            product_type="Household",
            tags=draw.sample(TAGS, draw.randint(0, 2)),
            description_html="<p>A <b>fine</b> thing &amp; more.</p>",
        )

    def customer(self, place: int) -> Customer:
        draw = self.random
        first, last = draw.choice(FIRST), draw.choice(LAST)
        city, country, code, postcode = draw.choice(CITIES)
        customer = self.shop.add_customer(
            None if draw.random() < 0.03 else f"customer{place}@{draw.choice(('people.test', 'People.TEST'))}",
            first_name=first,
            last_name=last,
            phone=f"+4915112{place:06d}" if draw.random() < 0.6 else None,
            tags=draw.sample(TAGS, draw.randint(0, 2)),
            note="Likes 🍰" if draw.random() < 0.1 else None,
            address={
                "address1": f"Street {place}",
                "city": city,
                "country": country,
                "country_code": code,
                "zip": postcode,
            },
        )
        self._consent(customer)
        return customer

    def _consent(self, customer: Customer) -> None:
        die = self.random.random()
        if customer.email and die < 0.7:
            state = "SUBSCRIBED" if die < 0.5 else "UNSUBSCRIBED" if die < 0.62 else "PENDING"
            level = self.random.choice(("SINGLE_OPT_IN", "CONFIRMED_OPT_IN", "UNKNOWN"))
            self.shop.set_consent(customer, state, level=level)
        if customer.phone and die < 0.3:
            self.shop.set_consent(customer, "SUBSCRIBED", channel="sms")

    def order(self, customers: list[Customer], variants: list[Variant], place: int) -> Order:
        draw = self.random
        is_guest, is_till = draw.random() < 0.25, draw.random() < 0.1
        wanted: list[Wanted | tuple[Variant, int]] = [
            (one, draw.randint(1, 3)) for one in draw.sample(variants, min(len(variants), draw.randint(1, 4)))
        ]
        if draw.random() < 0.04:
            wanted.append(Wanted(title="Gift wrapping 🎁", price=350, properties={"Message": "Alles Gute!"}))
        order = self.shop.add_order(
            wanted,
            customer=self._buyer(customers, place, is_guest=is_guest, is_till=is_till),
            currency=None if is_till else draw.choice(CURRENCIES),
            code=draw.choice((None, None, None, "WELCOME10", "FIVEOFF", "SHIPFREE")),
            shipping=None if is_till else draw.choice((0, 490, 990)),
            payment="paid" if is_till else draw.choices(("paid", "authorized", "pending"), (17, 2, 1))[0],
            **self._about(place, is_guest=is_guest, is_till=is_till),
        )
        for change in self._later(order):
            self.clock.advance(minutes=draw.randint(1, 90))
            change()
        return order

    def _buyer(self, customers: list[Customer], place: int, *, is_guest: bool, is_till: bool) -> Customer | None:
        """Shopify makes a customer of most guests too, without an account; those of a till and of imports may have none."""
        if is_till or (is_guest and place % 3 == 0):
            return None
        return self.customer(10_000 + place) if is_guest else self.random.choice(customers)

    def _about(self, place: int, *, is_guest: bool, is_till: bool) -> dict[str, Any]:
        facts: dict[str, Any] = {"source_name": "pos" if is_till else "web", "test": self.random.random() < 0.03}
        if is_guest and not is_till:
            city, country, code, postcode = self.random.choice(CITIES)
            known = {
                "first_name": "Guest",
                "last_name": f"No. {place}",
                "city": city,
                "country": country,
                "zip": postcode,
            }
            facts |= {"email": f"guest{place % 40}@guests.test"} if place % 3 == 0 else {}
            facts["shipping_address"] = facts["billing_address"] = self.shop.guest_address(country_code=code, **known)
        if not is_till and self.random.random() < 0.3:
            facts["landing_page"] = "https://fake-goods.example/?utm_source=letter&utm_medium=email&utm_campaign=spring"
            facts["utm"] = {"source": "letter", "medium": "email", "campaign": "spring"}
        return facts

    def _later(self, order: Order) -> list[Callable[[], object]]:
        draw, shop = self.random, self.shop
        is_unpaid = bool(order.transactions) and order.transactions[0].kind == "AUTHORIZATION"
        changes: list[Callable[[], object]] = [lambda: shop.pay(order)] if is_unpaid and draw.random() < 0.5 else []
        die = draw.random()
        line = order.lines[0]
        if die < 0.05:
            return [*changes, lambda: shop.cancel(order, draw.choice(("CUSTOMER", "INVENTORY", "FRAUD")))]
        if die < 0.75:
            number = f"PARCEL{order.number}"
            changes.append(lambda: shop.fulfil(order, company="DHL", tracking=[number]))
        elif die < 0.8:
            changes.append(lambda: shop.fulfil(order, {line.number_of_kind: 1}, company="UPS", tracking=["1Z", "1Y"]))
        if die > 0.93:
            changes.append(lambda: shop.edit_order(order, add=[Wanted(title="Extra", price=1250)]))
        elif die > 0.9 and line.quantity > 1:
            changes.append(lambda: shop.edit_order(order, remove={line.number_of_kind: 1}))
        elif 0.1 < die < 0.2:
            changes.append(lambda: shop.refund(order, {line.number_of_kind: 1}, note="Damaged"))
        elif 0.2 < die < 0.23:
            changes.append(lambda: shop.refund(order, amount=300, note="For the wait"))
        if draw.random() < 0.15:
            changes.append(lambda: shop.update_order(order, tags=draw.sample(TAGS, 2), note="Bitte klingeln 🔔"))
        return changes


def fill(
    shop: Shop, *, orders: int = 100, customers: int = 30, products: int = 10, seed: int = 0, days: int = 400
) -> None:
    """Fills an empty shop with a past of ``days`` until now. Webhooks of it are thrown away: nobody was subscribed yet."""
    draw, now = Random(seed), shop.now()  # noqa: S311  the same shop again
    sower = Sower(shop, draw, Clock(now - timedelta(days=days)))
    with shop.living_by(sower.clock):
        for code, facts in (("WELCOME10", {"percentage": 0.1}), ("FIVEOFF", {"amount": 500}), ("SHIPFREE", {})):
            shop.add_coupon(code, **facts)
        goods = [sower.product(place) for place in range(products)]
        shop.add_collection("All of it", goods)
        people = [sower.customer(place) for place in range(max(customers, 1))]
        variants = [variant for product in goods for variant in product.variants]
        for place in range(orders):
            sower.clock.at = now - timedelta(days=days) * (1 - (place + 1) / (orders + 1))
            sower.order(people, variants, place)
        sower.clock.at = now - timedelta(hours=2)
        for place in range(max(orders // 20, 1)):
            cart = shop.add_cart([(draw.choice(variants), 1)])
            shop.add_checkout([(draw.choice(variants), 2)], cart=cart, email=f"left{place}@guests.test")
    shop.post.pending.clear()
