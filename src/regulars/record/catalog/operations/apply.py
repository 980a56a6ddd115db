"""Products as their source states them: set-wise, idempotent by (store, key); histories grow only where something changed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.foundation.ids import new_uid
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.catalog import events
from regulars.record.catalog.inputs import ProductInput, ProductRemoval
from regulars.record.catalog.operations.forms import ensure_forms
from regulars.record.catalog.operations.histories import append_histories, name_of
from regulars.record.catalog.operations.shelves import Shelves, find_shelves
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.events.log import LogTransaction
from regulars.record.events.tombstones import Buried, bury, find_buried

_COLUMNS = ("title", "brand_name", "status", "is_service", "url", "image_url")
State = dict[str, Any]
KIND, ARCHIVED = "product", "archived"


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
    """Makes the catalog say what the inputs say; of two with one key the later stated counts, and the variants of both.

    Text that is not said ('') changes nothing, and a variant that the input does not name stays. What is stated earlier than what is
    stored changes nothing of the product; a product that is gone stays archived. Prices, costs and stock are appended with the input's
    own time where they differ from the newest entry. Number of statements: fixed, but for the depth of the categories. Events:
    product.created, product.updated, product.price_changed, product.cost_changed, product.stock_counted.
    """
    wanted = _together(inputs)
    if not wanted:
        return AppliedProducts()
    take_turns(store_id)
    shelves = find_shelves(wanted.values(), store_id)
    before = _present(wanted, store_id)
    fresh = [key for key in wanted if key not in before]
    ids = dict(zip(fresh, reserve_ids("catalog_product", len(fresh)), strict=True)) | {
        key: before[key]["id"] for key in before
    }
    gone = find_buried(wanted.keys(), KIND, store_id)
    after = {
        key: _stated(product, ids[key], before.get(key), shelves, gone.get(key)) for key, product in wanted.items()
    }
    changed = {key: names for key in before if (names := _differing(before[key], after[key]))}
    _insert(fresh, wanted, after, log, store_id)
    _update(changed, before, after, log, at)
    _move_on([after[key] for key in before])
    _shelve([*fresh, *(key for key, names in changed.items() if "categories" in names)], after)
    variants = ensure_forms(wanted, ids, log)
    log.append(*(events.product_created(ids[key], key, wanted[key].occurred_at, is_history) for key in fresh))
    log.append(*(events.product_updated(ids[key], names, at, is_history) for key, names in changed.items()))
    moved = append_histories(sorted(inputs, key=lambda one: one.occurred_at), ids, variants, log, is_history)
    updated = (changed.keys() | moved) - set(fresh)
    return AppliedProducts(
        len(fresh), len(updated), len(wanted) - len(fresh) - len(updated), {key: ids[key] for key in wanted}
    )


def remove_products(inputs: Sequence[ProductRemoval], log: LogTransaction, *, store_id: int, at: datetime) -> int:
    """Archives products that are gone at their source, known or not yet; how many known ones that changed. Event: product.updated."""
    if not inputs:
        return 0
    take_turns(store_id)
    gone = {one.key: Buried(one.stated_at) for one in sorted(inputs, key=lambda one: one.stated_at)}
    bury(gone, KIND, log, store_id)
    before = _present(gone, store_id)
    after = {
        key: {**state, "status": ARCHIVED}
        for key, state in before.items()
        if state["status"] != ARCHIVED and (state["stated_at"] is None or gone[key].holds(state["stated_at"]))
    }
    _update({key: ["status"] for key in after}, before, after, log, at)
    log.append(*(events.product_updated(state["id"], ["status"], at, False) for state in after.values()))
    return len(after)


def _together(inputs: Sequence[ProductInput]) -> dict[str, ProductInput]:
    """One input of each key, with the variants of all."""
    wanted: dict[str, ProductInput] = {}
    for product in sorted(inputs, key=lambda one: one.stated_at or one.occurred_at):
        other = wanted.get(product.key)
        if other is None:
            wanted[product.key] = product
            continue
        forms = {name_of(v): v for v in (*other.variants, *product.variants)}
        whole = other if is_part(product) else product
        wanted[product.key] = replace(whole, variants=tuple(forms.values()))
    return wanted


def is_part(product: ProductInput) -> bool:
    """Whether it states variants of a product, and nothing of the product itself."""
    return not (product.title or product.status)


def _present(keys: Iterable[str], store_id: int) -> dict[str, State]:
    """Present state of the products that exist, with their categories and variants; locked in the order of their ids."""
    rows = fetch(
        f"SELECT id, key, stated_at, {', '.join(_COLUMNS)} FROM catalog_product WHERE store_id = %s AND key = ANY(%s) ORDER BY id FOR UPDATE",
        [store_id, list(keys)],
    )
    found: dict[int, State] = {}
    for row, key, stated_at, *values in rows:
        found[row] = {
            "id": row,
            "key": key,
            "stated_at": stated_at,
            **dict(zip(_COLUMNS, values, strict=True)),
            "categories": [],
            "variants": {},
        }
    shelved = (
        "SELECT product_id, category_id FROM catalog_product_categories WHERE product_id = ANY(%s) ORDER BY category_id"
    )
    for product, category in fetch(shelved, [list(found)]):
        found[product]["categories"].append(category)
    for product, key, sku, title, barcode in fetch(
        "SELECT product_id, key, sku, title, barcode FROM catalog_variant WHERE product_id = ANY(%s)", [list(found)]
    ):
        found[product]["variants"][key or sku] = [title, barcode, sku] if key else [title, barcode]
    return {state["key"]: state for state in found.values()}


def _stated(product: ProductInput, row: int, before: State | None, shelves: Shelves, gone: Buried | None) -> State:
    """The product's state after the input: what it does not say stays as it was."""
    old: State = before or {"categories": [], "variants": {}, "stated_at": None}
    is_late = bool(product.stated_at and old["stated_at"] and product.stated_at < old["stated_at"])
    state = {"id": row, "key": product.key, "variants": _forms_stated(product, old["variants"], is_late)}
    if before and (is_late or is_part(product)):
        return {**before, **state}
    is_gone = gone is not None and gone.holds(product.stated_at)
    return {
        **state,
        "stated_at": None if is_part(product) else product.stated_at or old["stated_at"],
        **{name: getattr(product, name) or old.get(name, "") for name in ("title", "brand_name", "url", "image_url")},
        "status": ARCHIVED if is_gone else product.status or old.get("status", "active"),
        "is_service": product.is_service,
        "categories": shelves.of(product, old["categories"]),
    }


def _forms_stated(product: ProductInput, old: dict[str, list[str]], is_late: bool) -> dict[str, list[str]]:
    """Titles and barcodes of the variants, by key or sku; those that have a key now and were met by their sku lose that name."""
    forms = dict(old)
    for one in product.variants:
        name = one.key or one.sku
        if is_late and name in forms:
            continue
        known = forms.get(name) or (forms.pop(one.sku, None) if one.key else None) or ["", ""]
        sku = (one.sku or [*known, ""][2],) if one.key else ()
        forms[name] = [one.title or known[0], one.barcode or known[1], *sku]
    return forms


def _differing(before: State, after: State) -> list[str]:
    return sorted(name for name in after if name != "stated_at" and before[name] != after[name])


def _move_on(states: Sequence[State]) -> None:
    """Notes of when the newest statement is, whether or not it says anything new."""
    execute(
        "UPDATE catalog_product p SET stated_at = n.stated_at FROM unnest(%s::bigint[], %s::timestamptz[]) AS n(id, stated_at)"
        " WHERE p.id = n.id AND p.stated_at IS DISTINCT FROM n.stated_at",
        [[s["id"] for s in states], [s["stated_at"] for s in states]],
    )


def _insert(
    fresh: Sequence[str], wanted: dict[str, ProductInput], after: dict[str, State], log: LogTransaction, store_id: int
) -> None:
    columns = ("id", "uid", "store_id", "key", *_COLUMNS, "occurred_at", "stated_at", "batch_id")
    rows = (
        (
            after[key]["id"],
            new_uid(),
            store_id,
            key,
            *(after[key][c] for c in _COLUMNS),
            wanted[key].occurred_at,
            after[key]["stated_at"],
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
    kept = ((before[key]["id"], json.dumps(_kept(before[key])), at, log.batch_id) for key in changed)
    copy_rows("catalog_productchange", ("product_id", "before", "occurred_at", "batch_id"), kept)
    execute(
        "UPDATE catalog_product p SET title = n.title, brand_name = n.brand_name, status = n.status, is_service = n.is_service,"
        " url = n.url, image_url = n.image_url"
        " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::text[], %s::text[])"
        " AS n(id, title, brand_name, status, is_service, url, image_url) WHERE p.id = n.id",
        [[s["id"] for s in states], *([s[column] for s in states] for column in _COLUMNS)],
    )


def _kept(state: State) -> State:
    return {name: value for name, value in state.items() if name != "stated_at"}


def _shelve(keys: Sequence[str], after: dict[str, State]) -> None:
    execute("DELETE FROM catalog_product_categories WHERE product_id = ANY(%s)", [[after[key]["id"] for key in keys]])
    rows = ((after[key]["id"], category) for key in keys for category in after[key]["categories"])
    copy_rows("catalog_product_categories", ("product_id", "category_id"), rows)
