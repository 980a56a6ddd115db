"""What every source of products hands in."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class VariantInput:
    """One form of a product; None is 'not said'."""

    sku: str
    title: str = ""
    barcode: str = ""
    price: Decimal | None = None
    compare_at: Decimal | None = None
    cost: Decimal | None = None
    currency: str = ""
    on_hand: int | None = None
    location: str = ""


@dataclass(frozen=True)
class ProductInput:
    """One product as its source states it now. ``categories`` are paths such as ('Home', 'Kitchen')."""

    key: str
    title: str
    occurred_at: datetime
    variants: tuple[VariantInput, ...]
    brand_name: str = ""
    status: str = "active"
    is_service: bool = False
    url: str = ""
    image_url: str = ""
    categories: tuple[tuple[str, ...], ...] = ()
