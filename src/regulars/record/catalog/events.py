"""What happens to products."""

from datetime import datetime
from decimal import Decimal

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

PRODUCT_CREATED = register("product.created", "The shop began to sell a product", "product", key="the shop's own key")
PRODUCT_UPDATED = register(
    "product.updated",
    "A product's description, categories or variants changed",
    "product",
    changed="names of what changed",
)
PRICE_CHANGED = register(
    "product.price_changed",
    "A variant has another price",
    "variant",
    amount="decimal, in whole units",
    currency="ISO 4217",
    kind="list or compare-at",
)
COST_CHANGED = register(
    "product.cost_changed",
    "A variant costs the shop another amount",
    "variant",
    amount="decimal, in whole units",
    currency="ISO 4217",
)
STOCK_COUNTED = register(
    "product.stock_counted",
    "A variant's stock at a location is another number",
    "variant",
    on_hand="pieces",
    location="name of the place",
)


def product_created(product_id: int, key: str, occurred_at: datetime, is_history: bool) -> Entry:
    return Entry(PRODUCT_CREATED, occurred_at, subject_id=product_id, data={"key": key}, is_history=is_history)


def product_updated(product_id: int, changed: list[str], occurred_at: datetime, is_history: bool) -> Entry:
    return Entry(PRODUCT_UPDATED, occurred_at, subject_id=product_id, data={"changed": changed}, is_history=is_history)


def price_changed(
    variant_id: int, amount: Decimal, currency: str, kind: str, occurred_at: datetime, is_history: bool
) -> Entry:
    data = {"amount": str(amount), "currency": currency, "kind": kind}
    return Entry(PRICE_CHANGED, occurred_at, subject_id=variant_id, data=data, is_history=is_history)


def cost_changed(variant_id: int, amount: Decimal, currency: str, occurred_at: datetime, is_history: bool) -> Entry:
    data = {"amount": str(amount), "currency": currency}
    return Entry(COST_CHANGED, occurred_at, subject_id=variant_id, data=data, is_history=is_history)


def stock_counted(variant_id: int, on_hand: int, location: str, occurred_at: datetime, is_history: bool) -> Entry:
    return Entry(
        STOCK_COUNTED,
        occurred_at,
        subject_id=variant_id,
        data={"on_hand": on_hand, "location": location},
        is_history=is_history,
    )
