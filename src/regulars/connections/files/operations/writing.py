"""What units say goes to the record's own operations; the record does not know that it came from a file."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import TypeVar

from regulars.connections.files.layouts.base import Built
from regulars.foundation.shop.models import Store
from regulars.record.catalog.inputs import ProductInput
from regulars.record.catalog.operations import apply_products
from regulars.record.consent.operations import record_consents, record_suppressions
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import LogTransaction
from regulars.record.orders.operations import Known, apply_orders

Said = TypeVar("Said")

# What the record gained, for one and for many.
LABELS = {
    "orders_created": ("new order", "new orders"),
    "orders_updated": ("changed order", "changed orders"),
    "orders_unchanged": ("order known already", "orders known already"),
    "refunds_created": ("new refund", "new refunds"),
    "refunds_updated": ("changed refund", "changed refunds"),
    "refunds_unchanged": ("refund known already", "refunds known already"),
    "adjustments_created": ("adjustment", "adjustments"),
    "adjustments_unchanged": ("adjustment known already", "adjustments known already"),
    "people": ("customer record read", "customer records read"),
    "products_created": ("new product", "new products"),
    "products_updated": ("changed product", "changed products"),
    "products_unchanged": ("product known already", "products known already"),
    "consents": ("new consent entry", "new consent entries"),
    "suppressions": ("new suppression", "new suppressions"),
    "list_put": ("customer put on the list", "customers put on the list"),
    "list_taken": ("customer taken off the list", "customers taken off the list"),
    "list_made": ("new profile", "new profiles"),
}


def _all(lists: Iterable[Sequence[Said]]) -> list[Said]:
    return list(chain.from_iterable(lists))


def write(built: Sequence[Built], log: LogTransaction, store: Store, at: datetime, known: Known) -> Counter[str]:
    """Hands everything to the record as history; what it gained, by the names of ``LABELS``."""
    gained: Counter[str] = Counter()
    people = _all(b.people for b in built)
    ensure_profiles(people, log, is_history=True)
    gained["people"] = len(people)
    _write_products(built, log, store, at, gained)
    gained.update(_write_orders(built, log, store, at, known))
    gained["consents"] = record_consents(_all(b.consents for b in built), store.brand_id, log, is_history=True)
    gained["suppressions"] = record_suppressions(_all(b.suppressions for b in built), log, is_history=True)
    return gained


def _write_products(
    built: Sequence[Built], log: LogTransaction, store: Store, at: datetime, gained: Counter[str]
) -> None:
    done = apply_products(_merged(_all(b.products for b in built)), log, store_id=store.pk, at=at, is_history=True)
    gained.update(products_created=done.created, products_updated=done.updated, products_unchanged=done.unchanged)


def _merged(products: Sequence[ProductInput]) -> list[ProductInput]:
    """One input for each key: a later row of the same product adds its variants and what the earlier one did not say."""
    merged: dict[str, ProductInput] = {}
    for product in products:
        before = merged.get(product.key)
        merged[product.key] = product if before is None else _joined(before, product)
    return list(merged.values())


def _joined(before: ProductInput, after: ProductInput) -> ProductInput:
    said = {
        name: getattr(after, name) or getattr(before, name)
        for name in ("title", "brand_name", "url", "image_url", "categories")
    }
    variants = {v.sku: v for v in (*before.variants, *after.variants)}
    return replace(after, **said, status=before.status, variants=tuple(variants.values()))


def _write_orders(
    built: Sequence[Built], log: LogTransaction, store: Store, at: datetime, known: Known
) -> dict[str, int]:
    orders, refunds = _all(b.orders for b in built), _all(b.refunds for b in built)
    adjustments = _all(b.adjustments for b in built)
    if not (orders or refunds or adjustments):
        return {}
    done = apply_orders(
        orders, log, store_id=store.pk, at=at, refunds=refunds, adjustments=adjustments, is_history=True, known=known
    )
    names = {
        "created": "orders_created",
        "updated": "orders_updated",
        "unchanged": "orders_unchanged",
        "lines": "order_lines",
    }
    return {names.get(name, name): count for name, count in vars(done).items() if name != "order_ids"}
