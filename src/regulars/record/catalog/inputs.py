"""What every source of products hands in."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class VariantInput:
    """One form of a product; None is 'not said'.

    ``key`` is the platform's own id of the variant (of a product without variants: the product's own id) and tells it from others,
    whatever its sku: skus of real shops are empty, doubled and changed. Without it the sku does.
    """

    sku: str
    title: str = ""
    barcode: str = ""
    price: Decimal | None = None
    compare_at: Decimal | None = None
    cost: Decimal | None = None
    currency: str = ""
    on_hand: int | None = None
    location: str = ""
    key: str = ""
    stock_key: str = ""  # what the platform calls it where it counts stock (Shopify's inventory item)


@dataclass(frozen=True)
class StockInput:
    """How many of a known variant were at a location at that moment. Named by ``stock_key``, else by ``variant_key``."""

    on_hand: int
    occurred_at: datetime
    location: str = ""
    stock_key: str = ""
    variant_key: str = ""


@dataclass(frozen=True)
class ProductRemoval:
    """A product that its source says is gone: it is archived. Nothing stated up to ``stated_at`` brings it back; a later word does."""

    key: str
    stated_at: datetime


@dataclass(frozen=True)
class ProductInput:
    """One product as its source states it now. ``categories`` are paths such as ('Home', 'Kitchen'), ``category_names`` those of which
    the source does not say here what stands above them.

    ``stated_at`` is the platform's time of that state (``updated_at``): an input stated earlier than what is stored changes nothing
    of the product, and its prices and counts are kept as the past ones that they are. None: what comes later stands.
    """

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
    category_names: tuple[str, ...] = ()
    stated_at: datetime | None = None
