"""What can be done to the catalog."""

from regulars.record.catalog.operations.apply import AppliedProducts, apply_products, remove_products
from regulars.record.catalog.operations.histories import count_stock
from regulars.record.catalog.operations.sold import SoldItem, ensure_variants

__all__ = ["AppliedProducts", "SoldItem", "apply_products", "count_stock", "ensure_variants", "remove_products"]
