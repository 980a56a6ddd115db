"""Products that the shop sold: order lines name them, known or not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.foundation.ids import new_uid
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.catalog.events import product_created
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.events.log import LogTransaction


@dataclass(frozen=True)
class SoldItem:
    """What an order line says of a product. ``product_key`` may be empty: then the sku, or failing that the title, names it."""

    product_key: str
    sku: str
    title: str = ""
    is_service: bool = False

    @property
    def name(self) -> tuple[str, str]:
        """What tells one item from another: key and sku, never the title where there is either."""
        return (self.product_key or self.sku or self.title[:120], self.sku)


Names = dict[tuple[str, str], int]


def ensure_variants(
    items: Iterable[SoldItem], log: LogTransaction, *, store_id: int, at: datetime, is_history: bool = False
) -> Names:
    """Variant of each item by ``item.name``; what the catalog does not know is added to it. An item without any name has no variant.

    A line that gives a sku only is the store's variant of that sku, whatever the product's key. Events: product.created.
    """
    wanted: dict[tuple[str, str], SoldItem] = {}
    for item in items:
        if item.name[0] and (item.name not in wanted or not wanted[item.name].title):
            wanted[item.name] = item
    if not wanted:
        return {}
    take_turns(store_id)
    found = _find(wanted, store_id)
    missing = {name: item for name, item in wanted.items() if name not in found}
    if missing:
        found |= _create(missing, log, store_id, at, is_history)
    _name_the_nameless(wanted, store_id)
    return found


_FIND = """
SELECT p.key, v.sku, v.id FROM catalog_product p JOIN catalog_variant v ON v.product_id = p.id
WHERE p.store_id = %s AND p.key = ANY(%s)
UNION
SELECT p.key, v.sku, v.id FROM catalog_product p JOIN catalog_variant v ON v.product_id = p.id
WHERE p.store_id = %s AND v.sku = ANY(%s)
ORDER BY 3 DESC
"""


def _find(wanted: dict[tuple[str, str], SoldItem], store_id: int) -> Names:
    """Exact matches by key and sku; then by the sku alone, for items that give no key."""
    rows = fetch(_FIND, [store_id, list({key for key, _ in wanted}), store_id, list({sku for _, sku in wanted if sku})])
    exact = {(key, sku): variant for key, sku, variant in rows}
    by_sku = {sku: variant for _, sku, variant in rows if sku}
    found = {}
    for name, item in wanted.items():
        variant = exact.get(name) or (None if item.product_key else by_sku.get(item.sku))
        if variant:
            found[name] = variant
    return found


def _create(
    missing: dict[tuple[str, str], SoldItem], log: LogTransaction, store_id: int, at: datetime, is_history: bool
) -> Names:
    products = _products(missing, log, store_id, at, is_history)
    ids = reserve_ids("catalog_variant", len(missing))
    rows = (
        (variant, products[key], sku, "", "", log.batch_id) for variant, (key, sku) in zip(ids, missing, strict=True)
    )
    copy_rows("catalog_variant", ("id", "product_id", "sku", "title", "barcode", "batch_id"), rows)
    return dict(zip(missing, ids, strict=True))


def _products(
    missing: dict[tuple[str, str], SoldItem], log: LogTransaction, store_id: int, at: datetime, is_history: bool
) -> dict[str, int]:
    """Product of each key among ``missing``, made where there is none."""
    items = {key: item for (key, _), item in missing.items()}
    known: dict[str, int] = dict(
        fetch("SELECT key, id FROM catalog_product WHERE store_id = %s AND key = ANY(%s)", [store_id, list(items)])
    )
    fresh = [key for key in items if key not in known]
    made = dict(zip(fresh, reserve_ids("catalog_product", len(fresh)), strict=True))
    columns = (
        "id",
        "uid",
        "store_id",
        "key",
        "title",
        "brand_name",
        "status",
        "is_service",
        "url",
        "image_url",
        "occurred_at",
        "batch_id",
    )
    copy_rows(
        "catalog_product",
        columns,
        (
            (
                made[key],
                new_uid(),
                store_id,
                key,
                items[key].title,
                "",
                "active",
                items[key].is_service,
                "",
                "",
                at,
                log.batch_id,
            )
            for key in fresh
        ),
    )
    log.append(*(product_created(made[key], key, at, is_history) for key in fresh))
    return known | made


def _name_the_nameless(wanted: dict[tuple[str, str], SoldItem], store_id: int) -> None:
    """A product first met without a title takes the first that a line gives it."""
    titles = {key: item.title for (key, _), item in wanted.items() if item.title}
    execute(
        "UPDATE catalog_product p SET title = t.title FROM unnest(%s::text[], %s::text[]) AS t(key, title)"
        " WHERE p.store_id = %s AND p.key = t.key AND p.title = ''",
        [list(titles), list(titles.values()), store_id],
    )
