"""Taking back what one batch of an import did to the catalog."""

import json
from typing import Any

from regulars.foundation.bulk import copy_rows, execute, fetch

# Rows that point to a variant: what was sold stays in the catalog. Named here, though two of the tables stand above this module:
# the database would refuse the deletion anyway, and this way one statement knows what may go.
_SOLD = """
SELECT v.id FROM catalog_variant v WHERE v.id = ANY(%s) AND (
    EXISTS (SELECT 1 FROM orders_orderline o WHERE o.variant_id = v.id)
    OR EXISTS (SELECT 1 FROM orders_refundline o WHERE o.variant_id = v.id)
    OR EXISTS (SELECT 1 FROM carts_cartline o WHERE o.variant_id = v.id)
    OR EXISTS (SELECT 1 FROM catalog_priceentry o WHERE o.variant_id = v.id)
    OR EXISTS (SELECT 1 FROM catalog_costentry o WHERE o.variant_id = v.id)
    OR EXISTS (SELECT 1 FROM catalog_stockentry o WHERE o.variant_id = v.id)
)
"""


def undo_products(batch_id: int) -> int:
    """Undoes one batch, after its orders; what is still sold, or was changed since, stays. How many products and variants went."""
    for table in ("catalog_priceentry", "catalog_costentry", "catalog_stockentry"):
        execute(f"DELETE FROM {table} WHERE batch_id = %s", [batch_id])
    for change, product, before in fetch(
        "SELECT c.id, c.product_id, c.before FROM catalog_productchange c WHERE c.batch_id = %s AND NOT EXISTS"
        " (SELECT 1 FROM catalog_productchange later WHERE later.product_id = c.product_id AND later.batch_id > c.batch_id)",
        [batch_id],
    ):
        _restore(product, json.loads(before))
        execute("DELETE FROM catalog_productchange WHERE id = %s", [change])
    variants = [row for (row,) in fetch("SELECT id FROM catalog_variant WHERE batch_id = %s", [batch_id])]
    sold = {row for (row,) in fetch(_SOLD, [variants])}
    removed = execute("DELETE FROM catalog_variant WHERE id = ANY(%s)", [[row for row in variants if row not in sold]])
    return removed + _remove_empty(batch_id)


def _restore(product_id: int, before: dict[str, Any]) -> None:
    columns = ("title", "brand_name", "status", "is_service", "url", "image_url")
    settings = ", ".join(f"{column} = %s" for column in columns)
    execute(
        f"UPDATE catalog_product SET {settings} WHERE id = %s", [*(before[column] for column in columns), product_id]
    )
    execute("DELETE FROM catalog_product_categories WHERE product_id = %s", [product_id])
    copy_rows(
        "catalog_product_categories",
        ("product_id", "category_id"),
        ((product_id, shelf) for shelf in before["categories"]),
    )
    for name, (title, barcode, *_) in before["variants"].items():
        execute(
            "UPDATE catalog_variant SET title = %s, barcode = %s WHERE product_id = %s AND (key = %s OR key = '' AND sku = %s)",
            [title, barcode, product_id, name, name],
        )


def _remove_empty(batch_id: int) -> int:
    """Products that the batch made and that have no variant left."""
    rows = fetch(
        "SELECT p.id FROM catalog_product p WHERE p.batch_id = %s AND NOT EXISTS (SELECT 1 FROM catalog_variant v WHERE v.product_id = p.id)"
        " AND NOT EXISTS (SELECT 1 FROM catalog_productchange c WHERE c.product_id = p.id)",
        [batch_id],
    )
    ids = [row for (row,) in rows]
    execute("DELETE FROM catalog_product_categories WHERE product_id = ANY(%s)", [ids])
    return execute("DELETE FROM catalog_product WHERE id = ANY(%s)", [ids])
