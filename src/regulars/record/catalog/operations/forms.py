"""Variants of products as their source states them: found by the platform's key or by sku, made, renamed, moved to their product."""

from collections.abc import Mapping, Sequence

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.catalog.inputs import ProductInput, VariantInput
from regulars.record.catalog.operations.histories import name_of
from regulars.record.events.log import LogTransaction

Form = tuple[int, str, str]  # product, the platform's key, and the sku where there is no key

_THERE = """
SELECT product_id, key, sku, id FROM catalog_variant WHERE product_id = ANY(%(products)s)
UNION
SELECT v.product_id, v.key, v.sku, v.id FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id
WHERE v.key <> '' AND v.key = ANY(%(keys)s) AND p.store_id = (SELECT store_id FROM catalog_product WHERE id = %(product)s)
ORDER BY 4 DESC
"""


def ensure_forms(wanted: Mapping[str, ProductInput], ids: Mapping[str, int], log: LogTransaction) -> dict[Form, int]:
    """Variant of each (product, key or sku) of the inputs."""
    said = {(ids[key], *name_of(v)): v for key, product in wanted.items() for v in product.variants}
    if not said:
        return {}
    known = _known(said, list(ids.values()))
    adopted = _adopted({v.sku: name[0] for name, v in said.items() if v.sku and name not in known})
    known |= {name: adopted[v.sku] for name, v in said.items() if name not in known and v.sku in adopted}
    fresh = [name for name in said if name not in known]
    made = dict(zip(fresh, reserve_ids("catalog_variant", len(fresh)), strict=True))
    columns = ("id", "product_id", "sku", "title", "barcode", "key", "stock_key", "batch_id")
    rows = (
        (made[n], n[0], v.sku, v.title, v.barcode, v.key, v.stock_key, log.batch_id) for n in fresh for v in (said[n],)
    )
    copy_rows("catalog_variant", columns, rows)
    _rename({known[name]: (name[0], said[name]) for name in said if name in known})
    return known | made


def _known(said: Mapping[Form, VariantInput], products: Sequence[int]) -> dict[Form, int]:
    """Those that are there: by the key, else by the sku; a variant that was met without its key is the one of that sku."""
    rows = fetch(_THERE, {"products": products, "keys": [key for _, key, _ in said if key], "product": products[0]})
    keyed = {key: row for _, key, _, row in rows if key}
    by_sku = {(product, sku): row for product, key, sku, row in rows}
    nameless = {(product, sku): row for product, key, sku, row in rows if not key}
    found: dict[Form, int] = {}
    for name, variant in said.items():
        product, key, _ = name
        row = (
            keyed.get(key) or nameless.pop((product, variant.sku), None) if key else by_sku.get((product, variant.sku))
        )
        if row is not None:
            found[name] = row
    return found


_RENAME = """
UPDATE catalog_variant v SET product_id = n.product_id, key = coalesce(nullif(n.key, ''), v.key),
    sku = CASE WHEN n.key <> '' AND n.sku <> '' THEN n.sku ELSE v.sku END,
    title = coalesce(nullif(n.title, ''), v.title), barcode = coalesce(nullif(n.barcode, ''), v.barcode),
    stock_key = coalesce(nullif(n.stock_key, ''), v.stock_key)
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS n(id, product_id, key, sku, title, barcode, stock_key)
WHERE v.id = n.id AND (v.product_id <> n.product_id OR n.key NOT IN ('', v.key) OR n.key <> '' AND n.sku NOT IN ('', v.sku)
    OR n.title NOT IN ('', v.title) OR n.barcode NOT IN ('', v.barcode) OR n.stock_key NOT IN ('', v.stock_key))
"""


def _rename(known: Mapping[int, tuple[int, VariantInput]]) -> None:
    rows = [(row, product, v.key, v.sku, v.title, v.barcode, v.stock_key) for row, (product, v) in known.items()]
    if rows:
        execute(_RENAME, [list(column) for column in zip(*rows, strict=True)])


_PLACEHOLDERS = """
SELECT v.sku, v.id, p.id FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id
WHERE v.sku = ANY(%(skus)s) AND p.key = v.sku AND p.store_id = (SELECT store_id FROM catalog_product WHERE id = %(product)s)
  AND NOT EXISTS (SELECT 1 FROM catalog_variant other WHERE other.product_id = p.id AND other.id <> v.id)
  AND NOT EXISTS (SELECT 1 FROM catalog_priceentry e WHERE e.variant_id = v.id)
  AND NOT EXISTS (SELECT 1 FROM catalog_productchange c WHERE c.product_id = p.id)
"""


def _adopted(products: Mapping[str, int]) -> dict[str, int]:
    """Variants that order lines made before their product was known, under a product named by the sku alone: they move to the real one."""
    if not products:
        return {}
    rows = fetch(_PLACEHOLDERS, {"skus": list(products), "product": next(iter(products.values()))})
    moved = [(sku, variant, placeholder) for sku, variant, placeholder in rows if placeholder != products[sku]]
    for sku, variant, _ in moved:
        execute("UPDATE catalog_variant SET product_id = %s WHERE id = %s", [products[sku], variant])
    gone = [placeholder for _, _, placeholder in moved]
    execute("DELETE FROM catalog_product_categories WHERE product_id = ANY(%s)", [gone])
    execute("DELETE FROM catalog_product WHERE id = ANY(%s)", [gone])
    return {sku: variant for sku, variant, _ in moved}
