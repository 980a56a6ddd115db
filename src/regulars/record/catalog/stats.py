"""What ``regulars stats`` says of the catalog."""

from regulars.record.catalog.models import Product


def stats() -> dict[str, object]:
    """Products, whatever their state."""
    return {"products": Product.objects.count()}
