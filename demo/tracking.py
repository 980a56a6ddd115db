"""The demo's web shop as the installation knows it: its address, its keys, and what of the record lies on its shelf."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from demo.shop import ensure_shop
from demo.wares import Ware, choose
from regulars.connections.tracking.keys import create_key, find_key
from regulars.connections.tracking.models import KeyKind
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.settings import write_setting
from regulars.record.catalog.models import PriceEntry, Product, StockEntry, Variant

SILENCE_MINUTES = 1  # so that whoever tries it out can wait for it; the shop's pages say so


def connect_web_shop(address: str, home: Path, at: datetime) -> None:
    """Writes down what the shop needs to run, for its owner's eyes only; done again, it makes no other keys."""
    store = ensure_shop(at)
    store.brand.website = address
    store.brand.save(update_fields=["website"])
    path = home / "demo" / "web-shop.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if not known:
        write_setting("carts.silence_minutes", SILENCE_MINUTES, at)
    kept = {
        "keys": _ensure_keys(store, known.get("keys", {}), at),
        "wares": [asdict(ware) for ware in choose(_stocked(store)).values()],
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file)


def _ensure_keys(store: Store, known: dict[str, str], at: datetime) -> dict[str, str]:
    """A key's text is shown once, and only its hash is in the database: so the shop has to keep it."""
    if all(kind in known and find_key(known[kind]) for kind in KeyKind.values):
        return known
    return {kind: create_key(f"Web shop, {kind}", kind, store.pk, SYSTEM, at)[1] for kind in KeyKind.values}


def _stocked(store: Store) -> Iterator[tuple[Ware, int]]:
    """Every article with a price, and how many of it lie in stock: newest entries stand last and win."""
    of_store = {"variant__product__store": store}
    prices = dict(
        PriceEntry.objects.filter(kind="list", **of_store)
        .order_by("occurred_at", "pk")
        .values_list("variant", "amount")
    )
    stocks = dict(StockEntry.objects.filter(**of_store).order_by("occurred_at", "pk").values_list("variant", "on_hand"))
    categories = _categories(store)
    for pk, product, sku, title in Variant.objects.filter(product__store=store).values_list(
        "pk", "product", "sku", "product__title"
    ):
        if prices.get(pk) and product in categories:
            yield Ware(sku, title.capitalize(), categories[product], f"{prices[pk]:.2f}"), stocks.get(pk, 0)


def _categories(store: Store) -> dict[int, str]:
    """Category of each product, with the one above it."""
    columns = ("pk", "categories__parent__name", "categories__name")
    rows = Product.objects.filter(store=store, categories__isnull=False).values_list(*columns)
    return {pk: f"{above} > {name}" if above else str(name) for pk, above, name in rows}
