"""What can be done to the catalog."""

from regulars.record.catalog.operations.sold import SoldItem, ensure_variants

__all__ = ["SoldItem", "ensure_variants"]
