"""Products as their source states them: set-wise, idempotent by (store, key); histories grow only where something changed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.foundation.ids import new_uid
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.catalog import events
from regulars.record.catalog.inputs import ProductInput
from regulars.record.catalog.operations.histories import append_histories
from regulars.record.catalog.operations.shelves import ensure_categories
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.events.log import LogTransaction

_COLUMNS = ("title", "brand_name", "status", "is_service", "url", "image_url")
State = dict[str, Any]


@dataclass(frozen=True)
class AppliedProducts:
    """What an application did. ``product_ids`` holds every product of the inputs, by key."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    product_ids: dict[str, int] = field(default_factory=dict)


def apply_products(
    inputs: Sequence[ProductInput], log: LogTransaction, *, store_id: int, at: datetime, is_history: bool = False
) -> AppliedProducts:
    """Makes the catalog say what the inputs say; of two with one key the last counts. Text that is not said ('') changes nothing.

    A variant that the input does not name stays. Prices, costs and stock are appended with the input's own time where they differ
    from the newest entry. Number of statements: fixed, but for the depth of the categories. Events: product.created,
    product.updated, product.price_changed, product.cost_changed, product.stock_counted.
    """
    wanted = {product.key: product for product in inputs}
    if not wanted:
        return AppliedProducts()
    take_turns(store_id)
    shelves = ensure_categories({path for p in wanted.values() for path in p.categories}, store_id)
    before = _present(wanted, store_id)
    fresh = [key for key in wanted if key not in before]
    ids = dict(zip(fresh, reserve_ids("catalog_product", len(fresh)), strict=True)) | {
        key: before[key]["id"] for key in before
    }
    after = {key: _stated(product, ids[key], before.get(key), shelves) for key, product in wanted.items()}
    changed = {key: names for key in before if (names := _differing(before[key], after[key]))}
    _insert(fresh, wanted, after, log, store_id)
    _update(changed, before, after, log, at)
    _shelve([*fresh, *(key for key, names in changed.items() if "categories" in names)], after)
    variants = _ensure_variants(wanted, ids, log)
    log.append(*(events.product_created(ids[key], key, wanted[key].occurred_at, is_history) for key in fresh))
    log.append(*(events.product_updated(ids[key], names, at, is_history) for key, names in changed.items()))
    moved = append_histories(wanted.values(), ids, variants, log, is_history)
    updated = (changed.keys() | moved) - set(fresh)
    return AppliedProducts(
        len(fresh), len(updated), len(wanted) - len(fresh) - len(updated), {key: ids[key] for key in wanted}
    )


def _present(keys: Iterable[str], store_id: int) -> dict[str, State]:
    """Present state of the products that exist, with their categories and variants; locked in the order of their ids."""
    rows = fetch(
        f"SELECT id, key, {', '.join(_COLUMNS)} FROM catalog_product WHERE store_id = %s AND key = ANY(%s) ORDER BY id FOR UPDATE",
        [store_id, list(keys)],
    )
    found: dict[int, State] = {}
    for row, key, *values in rows:
        found[row] = {
            "id": row,
            "key": key,
            **dict(zip(_COLUMNS, values, strict=True)),
            "categories": [],
            "variants": {},
        }
    shelved = (
        "SELECT product_id, category_id FROM catalog_product_categories WHERE product_id = ANY(%s) ORDER BY category_id"
    )
    for product, category in fetch(shelved, [list(found)]):
        found[product]["categories"].append(category)
    for product, sku, title, barcode in fetch(
        "SELECT product_id, sku, title, barcode FROM catalog_variant WHERE product_id = ANY(%s)", [list(found)]
    ):
        found[product]["variants"][sku] = [title, barcode]
    return {state["key"]: state for state in found.values()}


def _stated(product: ProductInput, row: int, before: State | None, shelves: dict[tuple[str, ...], int]) -> State:
    """The product's state after the input: what it does not say stays as it was."""
    old: State = before or {"categories": [], "variants": {}}
    variants = dict(old["variants"])
    for variant in product.variants:
        known = variants.get(variant.sku, ["", ""])
        variants[variant.sku] = [variant.title or known[0], variant.barcode or known[1]]
    return {
        "id": row,
        "key": product.key,
        **{
            name: getattr(product, name) or old.get(name, "")
            for name in ("title", "brand_name", "status", "url", "image_url")
        },
        "is_service": product.is_service,
        "categories": sorted({shelves[path] for path in product.categories}) or old["categories"],
        "variants": variants,
    }


def _differing(before: State, after: State) -> list[str]:
    return sorted(name for name in after if before[name] != after[name])


def _insert(
    fresh: Sequence[str], wanted: dict[str, ProductInput], after: dict[str, State], log: LogTransaction, store_id: int
) -> None:
    columns = ("id", "uid", "store_id", "key", *_COLUMNS, "occurred_at", "batch_id")
    rows = (
        (
            after[key]["id"],
            new_uid(),
            store_id,
            key,
            *(after[key][c] for c in _COLUMNS),
            wanted[key].occurred_at,
            log.batch_id,
        )
        for key in fresh
    )
    copy_rows("catalog_product", columns, rows)


def _update(
    changed: dict[str, list[str]], before: dict[str, State], after: dict[str, State], log: LogTransaction, at: datetime
) -> None:
    """Keeps the state before in ``ProductChange`` and writes the new columns."""
    states = [after[key] for key in changed]
    kept = ((before[key]["id"], json.dumps(before[key]), at, log.batch_id) for key in changed)
    copy_rows("catalog_productchange", ("product_id", "before", "occurred_at", "batch_id"), kept)
    execute(
        "UPDATE catalog_product p SET title = n.title, brand_name = n.brand_name, status = n.status, is_service = n.is_service,"
        " url = n.url, image_url = n.image_url"
        " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::text[], %s::text[])"
        " AS n(id, title, brand_name, status, is_service, url, image_url) WHERE p.id = n.id",
        [[s["id"] for s in states], *([s[column] for s in states] for column in _COLUMNS)],
    )


def _shelve(keys: Sequence[str], after: dict[str, State]) -> None:
    execute("DELETE FROM catalog_product_categories WHERE product_id = ANY(%s)", [[after[key]["id"] for key in keys]])
    rows = ((after[key]["id"], category) for key in keys for category in after[key]["categories"])
    copy_rows("catalog_product_categories", ("product_id", "category_id"), rows)


def _ensure_variants(
    wanted: dict[str, ProductInput], ids: dict[str, int], log: LogTransaction
) -> dict[tuple[int, str], int]:
    """Variant of each (product, sku) of the inputs, made or renamed."""
    said = {(ids[key], v.sku): v for key, product in wanted.items() for v in product.variants}
    there = fetch("SELECT product_id, sku, id FROM catalog_variant WHERE product_id = ANY(%s)", [list(ids.values())])
    known = {(product, sku): row for product, sku, row in there}
    known |= _adopted([name for name in said if name[1] and name not in known])
    fresh = [name for name in said if name not in known]
    made = dict(zip(fresh, reserve_ids("catalog_variant", len(fresh)), strict=True))
    rows = ((made[n], n[0], n[1], said[n].title, said[n].barcode, log.batch_id) for n in fresh)
    copy_rows("catalog_variant", ("id", "product_id", "sku", "title", "barcode", "batch_id"), rows)
    old = [(known[name], v.title, v.barcode) for name, v in said.items() if name in known]
    execute(
        "UPDATE catalog_variant v SET title = coalesce(nullif(n.title, ''), v.title), barcode = coalesce(nullif(n.barcode, ''), v.barcode)"
        " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n(id, title, barcode) WHERE v.id = n.id"
        " AND (n.title NOT IN ('', v.title) OR n.barcode NOT IN ('', v.barcode))",
        [[row for row, _, _ in old], [title for _, title, _ in old], [barcode for _, _, barcode in old]],
    )
    return known | made


_PLACEHOLDERS = """
SELECT v.sku, v.id, p.id FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id
WHERE v.sku = ANY(%(skus)s) AND p.key = v.sku AND p.store_id = (SELECT store_id FROM catalog_product WHERE id = %(product)s)
  AND NOT EXISTS (SELECT 1 FROM catalog_variant other WHERE other.product_id = p.id AND other.id <> v.id)
  AND NOT EXISTS (SELECT 1 FROM catalog_priceentry e WHERE e.variant_id = v.id)
  AND NOT EXISTS (SELECT 1 FROM catalog_productchange c WHERE c.product_id = p.id)
"""


def _adopted(names: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Variants that order lines made before their product was known, under a product named by the sku alone: they move to the real one."""
    if not names:
        return {}
    products = {sku: product for product, sku in names}
    rows = fetch(_PLACEHOLDERS, {"skus": list(products), "product": names[0][0]})
    moved = [(sku, variant, placeholder) for sku, variant, placeholder in rows if placeholder != products[sku]]
    for sku, variant, _ in moved:
        execute("UPDATE catalog_variant SET product_id = %s WHERE id = %s", [products[sku], variant])
    gone = [placeholder for _, _, placeholder in moved]
    execute("DELETE FROM catalog_product_categories WHERE product_id = ANY(%s)", [gone])
    execute("DELETE FROM catalog_product WHERE id = ANY(%s)", [gone])
    return {(products[sku], sku): variant for sku, variant, _ in moved}
