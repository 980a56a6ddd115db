"""Products that the shop sold: order lines name them, known or not."""

from collections import defaultdict
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
    variant_key: str = ""

    @property
    def name(self) -> tuple[str, str, str]:
        """What tells one item from another: keys and sku, never the title where there is either."""
        return (self.product_key or self.sku or self.title[:120], self.sku, self.variant_key)

    @property
    def place(self) -> tuple[str, str]:
        """Where the catalog keeps it: a platform's id of a variant is its own in all of the store."""
        return ("", self.variant_key) if self.variant_key else (self.name[0], self.sku)


Name = tuple[str, str, str]
Names = dict[Name, int]


def ensure_variants(
    items: Iterable[SoldItem], log: LogTransaction, *, store_id: int, at: datetime, is_history: bool = False
) -> Names:
    """Variant of each item by ``item.name``; what the catalog does not know is added to it. An item without any name has no variant.

    The platform's id of a variant names it, whatever its sku. A line that gives a sku only is the store's variant of that sku, whatever
    the product's key; one that gives no more than its product is the only variant of that. Events: product.created.
    """
    wanted: dict[Name, SoldItem] = {}
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


# OFFSET 0: one look at an index for each (see ``customers.operations.links._FIND``), where the planner may read the whole catalog.
_FIND = """
SELECT p.key, v.sku, v.key, v.id FROM unnest(%(products)s::text[]) AS w(key)
CROSS JOIN LATERAL (SELECT id, key FROM catalog_product WHERE store_id = %(store)s AND key = w.key OFFSET 0) p
CROSS JOIN LATERAL (SELECT id, sku, key FROM catalog_variant WHERE product_id = p.id OFFSET 0) v
UNION
SELECT p.key, v.sku, v.key, v.id FROM unnest(%(skus)s::text[]) AS w(sku)
CROSS JOIN LATERAL (SELECT id, product_id, sku, key FROM catalog_variant WHERE sku = w.sku OFFSET 0) v
CROSS JOIN LATERAL (SELECT key, store_id FROM catalog_product WHERE id = v.product_id OFFSET 0) p WHERE p.store_id = %(store)s
UNION
SELECT p.key, v.sku, v.key, v.id FROM unnest(%(keys)s::text[]) AS w(key)
CROSS JOIN LATERAL (SELECT id, product_id, sku, key FROM catalog_variant WHERE key <> '' AND key = w.key OFFSET 0) v
CROSS JOIN LATERAL (SELECT key, store_id FROM catalog_product WHERE id = v.product_id OFFSET 0) p WHERE p.store_id = %(store)s
ORDER BY 4 DESC
"""


def _find(wanted: dict[Name, SoldItem], store_id: int) -> Names:
    """By the variant's own key; else by product and sku; then by the sku alone, or as the only variant of its product."""
    products, skus, keys = (sorted({name[part] for name in wanted} - {""}) for part in range(3))
    rows = fetch(_FIND, {"store": store_id, "products": products, "skus": skus, "keys": keys})
    keyed = {key: variant for _, _, key, variant in rows if key}
    exact = {(product, sku): (variant, key) for product, sku, key, variant in rows}
    by_sku = {sku: variant for _, sku, _, variant in rows if sku}
    forms: dict[str, list[int]] = defaultdict(list)
    for product, _, _, variant in rows:
        forms[product].append(variant)
    found, adopted = {}, {}
    for name, item in wanted.items():
        variant, key = exact.get(name[:2], (None, ""))
        if item.variant_key:
            if not key and variant and item.variant_key not in keyed and variant not in adopted:
                adopted[variant] = item.variant_key  # met before under its sku alone
                keyed[item.variant_key] = variant
            variant = keyed.get(item.variant_key)
        elif variant is None:
            variant = by_sku.get(item.sku) if not item.product_key else _only(item, forms)
        if variant:
            found[name] = variant
    _give_keys(adopted)
    return found


def _only(item: SoldItem, forms: dict[str, list[int]]) -> int | None:
    """The only variant of a product that is named by nothing else."""
    [*some] = forms.get(item.product_key, [])
    return some[0] if len(some) == 1 and item.sku in {"", item.product_key} else None


def _give_keys(adopted: dict[int, str]) -> None:
    if adopted:
        execute(
            "UPDATE catalog_variant v SET key = n.key FROM unnest(%s::bigint[], %s::text[]) AS n(id, key) WHERE v.id = n.id",
            [list(adopted), list(adopted.values())],
        )


def _create(missing: dict[Name, SoldItem], log: LogTransaction, store_id: int, at: datetime, is_history: bool) -> Names:
    products = _products(missing, log, store_id, at, is_history)
    first = {item.place: name for name, item in reversed(missing.items())}
    ids = dict(zip(first, reserve_ids("catalog_variant", len(first)), strict=True))
    rows = ((ids[place], products[name[0]], name[1], "", "", name[2], log.batch_id) for place, name in first.items())
    copy_rows("catalog_variant", ("id", "product_id", "sku", "title", "barcode", "key", "batch_id"), rows)
    return {name: ids[item.place] for name, item in missing.items()}


def _products(
    missing: dict[Name, SoldItem], log: LogTransaction, store_id: int, at: datetime, is_history: bool
) -> dict[str, int]:
    """Product of each key among ``missing``, made where there is none."""
    items = {key: item for (key, _, _), item in missing.items()}
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


def _name_the_nameless(wanted: dict[Name, SoldItem], store_id: int) -> None:
    """A product first met without a title takes the first that a line gives it."""
    titles = {key: item.title for (key, _, _), item in wanted.items() if item.title}
    if titles:
        execute(_NAME, [list(titles), list(titles.values()), store_id])


_NAME = """
UPDATE catalog_product p SET title = n.title FROM (
    SELECT there.id, t.title FROM unnest(%s::text[], %s::text[]) AS t(key, title)
    CROSS JOIN LATERAL (SELECT id FROM catalog_product WHERE store_id = %s AND key = t.key AND title = '' OFFSET 0) there
) n WHERE p.id = n.id
"""
