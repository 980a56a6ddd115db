"""What a template may say: one person's own data, gathered for many messages at once, as plain values only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from django.db import connection

from regulars.foundation.money import line_total, to_minor
from regulars.foundation.pages.formats import format_money
from regulars.foundation.shop.models import Brand
from regulars.messages import links
from regulars.messages.models import Message
from regulars.record.carts.left_behind import LeftCart, left_carts
from regulars.record.coupons.models import WantedCode
from regulars.record.coupons.queries import codes_of_runs
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.queries import customers_of, profiles_of, read_cards

PRODUCTS = 3
_LAST_PRODUCTS = """
SELECT c.customer, x.title, x.unit_price, x.currency, x.placed_at, x.url, x.image_url
FROM unnest(%(customers)s::bigint[]) AS c(customer)
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT DISTINCT ON (coalesce(p.id, -l.id)) coalesce(nullif(l.title, ''), p.title) AS title, l.unit_price, o.currency, o.placed_at,
            coalesce(p.url, '') AS url, coalesce(p.image_url, '') AS image_url, l.total_minor
        FROM orders_order o
        JOIN orders_orderline l ON l.order_id = o.id AND l.until_batch_id IS NULL
        LEFT JOIN catalog_variant v ON v.id = l.variant_id LEFT JOIN catalog_product p ON p.id = v.product_id
        WHERE o.id IN (
            SELECT id FROM orders_order
            WHERE profile_id IN (SELECT profile_id FROM customers_customerprofile WHERE customer_id = c.customer AND until_batch_id IS NULL)
                AND placed_at <= %(at)s AND status <> 'cancelled' ORDER BY placed_at DESC LIMIT 3
        ) AND l.quantity > 0 AND l.unit_price > 0 AND NOT coalesce(p.is_service, false)
        ORDER BY coalesce(p.id, -l.id), o.placed_at DESC
    ) one_each ORDER BY placed_at DESC, total_minor DESC, title LIMIT %(limit)s
) x
"""


@dataclass(frozen=True)
class Prepared:
    """One message with everything that is needed to render and address it."""

    message: Message
    customer_id: int
    profile_ids: tuple[int, ...]
    card: ContactCard
    context: dict[str, Any]


def prepare(messages: Sequence[Message], at: datetime) -> list[Prepared]:
    """Contexts of these messages, by their profiles' present customers. Number of queries: fixed, whatever theirs."""
    owners = customers_of(m.profile_id for m in messages)
    customers = sorted(set(owners.values()))
    cards, members = read_cards(customers), profiles_of(customers)
    products, carts = last_products(customers, at), left_carts(customers)
    codes = codes_of_runs(message.run_id for message in messages if message.run_id)
    prepared = []
    for message in messages:
        customer = owners.get(message.profile_id, message.customer_id)
        card = cards.get(customer, ContactCard())
        cart = next((c for c in carts.get(customer, ()) if c.brand_id == message.brand_id), None)
        context = build_context(message, card, products.get(customer, []), cart, at)
        context["coupon"] = coupon_of(codes.get(message.run_id or 0))
        prepared.append(Prepared(message, customer, tuple(members.get(customer, [])), card, context))
    return prepared


def build_context(
    message: Message, card: ContactCard, products: list[dict[str, Any]], cart: LeftCart | None, at: datetime
) -> dict[str, Any]:
    """The names that templates can use (docs/workflows.md). Everything that the mail's bytes depend on is in here, its date included."""
    public_id = links.public_id_of(message)
    brand = message.brand
    return {
        "to": {"address": card.email, "name": card.full_name},
        "from": {"address": brand.from_address, "name": brand.from_name},
        "message_id": message_id_of(bytes(message.effect_key), brand),
        "date": format_datetime(at),
        "is_marketing": message.is_marketing,
        "customer": {
            "name": card.full_name,
            "first_name": first_name(card),
            "language": card.language,
            "country": card.country,
        },
        "shop": shop_of(brand),
        "products": products,
        "cart": cart_of(cart, brand),
        "links": {name: links.link_to(name, public_id) for name in (links.UNSUBSCRIBE, links.PREFERENCES)},
    }


def cart_of(cart: LeftCart | None, brand: Brand) -> dict[str, Any]:
    """The cart that this person left behind in this brand's shops, last touched first; without lines where there is none.

    ``url`` brings it back where the shop gave such a link; else it is the shop's address.
    """
    if cart is None:
        return {"lines": [], "value": "", "url": brand.website}
    lines = [
        {
            "title": display_title(item.title),
            "quantity": item.quantity,
            "price": format_money(to_minor(item.unit_price, cart.currency), cart.currency),
            "total": format_money(line_total(item.quantity, item.unit_price, cart.currency), cart.currency),
            "url": item.url,
            "image_url": item.image_url,
        }
        for item in cart.items
    ]
    return {
        "lines": lines,
        "value": format_money(cart.value_minor, cart.currency),
        "url": cart.link or brand.website,
    }


def coupon_of(code: WantedCode | None) -> dict[str, str]:
    """The code that the run made for this person; '' where it made none."""
    if code is None:
        return {"code": "", "ends_on": ""}
    ends = code.expires_at
    return {"code": code.code, "ends_on": f"{ends.day} {ends:%B %Y}" if ends else ""}


def shop_of(brand: Brand) -> dict[str, str]:
    """What templates can say of the shop."""
    return {
        "name": brand.name,
        "website": brand.website,
        "postal_address": ", ".join(brand.postal_address.split("\n")),
    }


def message_id_of(effect_key: bytes, brand: Brand) -> str:
    """The same for every attempt, so that whoever gets it twice can tell (RFC 5322, 3.6.4)."""
    return f"<{effect_key.hex()}@{brand.from_address.rpartition('@')[2]}>"


def first_name(card: ContactCard) -> str:
    """How to greet: the first name, else the first word of the name; '' where only an initial or nothing is known."""
    word = card.first_name or card.full_name.split(" ")[0]
    return word if len(word.rstrip(".")) > 1 else ""


def last_products(customer_ids: Sequence[int], at: datetime) -> dict[int, list[dict[str, Any]]]:
    """What each customer bought last before ``at``, newest first: title, price as the shop writes it, when."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_PRODUCTS, {"customers": list(customer_ids), "at": at, "limit": PRODUCTS})
        rows = cursor.fetchall()
    found: dict[int, list[dict[str, Any]]] = {}
    for customer, *product in rows:
        found.setdefault(customer, []).append(_product(*product))
    return found


def _product(
    title: str, unit_price: Any, currency: str, placed_at: datetime, url: str, image_url: str
) -> dict[str, Any]:
    return {
        "title": display_title(title),
        "price": format_money(to_minor(unit_price, currency), currency),
        "ordered_on": f"{placed_at.day} {placed_at:%B %Y}",
        "url": url,
        "image_url": image_url,
    }


def display_title(title: str) -> str:
    """Titles in capitals only are a till's habit; people are not shouted at."""
    words = " ".join(title.split())
    return words.capitalize() if words.isupper() else words


def to_bytes(context: Mapping[str, Any]) -> bytes:
    """The form that is sealed and kept: JSON with sorted keys."""
    return json.dumps(context, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
