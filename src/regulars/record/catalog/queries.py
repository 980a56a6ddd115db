"""What can be asked of the catalog: lists for pages, and one product with its histories."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Count, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.pages.lists import ListQuery, as_row_id
from regulars.foundation.pages.paging import Order as Sorting
from regulars.record.catalog.models import Category, CostEntry, PriceEntry, Product, StockEntry, Variant

SORTS = {
    "title": Sorting("title", descending=False),
    "key": Sorting("key", descending=False),
    "added": Sorting("occurred_at"),
}


def products_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Product]:
    """Products that fit the filters of the list page and that the viewer may see. Words match by their beginnings."""
    rows = Product.objects.all()
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    if words := [word for word in ("".join(c if c.isalnum() else " " for c in query.text)).split() if word]:
        wanted = SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="simple")
        rows = rows.annotate(words=SearchVector("key", "title", config="simple")).filter(words=wanted)
    if chosen := query.choices.get("store"):
        rows = rows.filter(store__code__in=chosen)
    if chosen := query.choices.get("status"):
        rows = rows.filter(status__in=chosen)
    if chosen := query.choices.get("category"):
        rows = rows.filter(categories__in=[as_row_id(one) for one in chosen]).distinct()
    if kind := query.one("kind"):
        rows = rows.filter(is_service=kind == "service")
    return rows


def products_in(product_ids: Sequence[int]) -> list[Product]:
    """These products, in this order."""
    found = Product.objects.select_related("store").in_bulk(product_ids)
    return [found[product_id] for product_id in product_ids if product_id in found]


def find_products(text: str, viewer: Viewer, limit: int) -> list[Product]:
    return list(products_matching(ListQuery(text=text), viewer).order_by("title", "id")[:limit])


def list_categories(viewer: Viewer) -> list[tuple[int, str]]:
    """Id and name of every category that holds a product, the fullest first."""
    rows = Category.objects.annotate(n=Count("product")).filter(n__gt=0).order_by("-n", "name")
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    return [(row.pk, row.name) for row in rows[:200]]


@dataclass(frozen=True)
class Price:
    """Present list price of a product: that of its variants, from the lowest to the highest."""

    currency: str
    low: Decimal
    high: Decimal


_PRICES = """
SELECT product_id, currency, min(amount), max(amount) FROM (
    SELECT DISTINCT ON (v.product_id, p.variant_id, p.currency) v.product_id, p.currency, p.amount
    FROM catalog_priceentry p JOIN catalog_variant v ON v.id = p.variant_id
    WHERE v.product_id = ANY(%s) AND p.kind = 'list' ORDER BY v.product_id, p.variant_id, p.currency, p.occurred_at DESC, p.id DESC
) newest GROUP BY product_id, currency ORDER BY product_id, currency DESC
"""
_STOCK = """
SELECT product_id, sum(on_hand) FROM (
    SELECT DISTINCT ON (v.product_id, s.variant_id, s.location) v.product_id, s.on_hand
    FROM catalog_stockentry s JOIN catalog_variant v ON v.id = s.variant_id
    WHERE v.product_id = ANY(%s) ORDER BY v.product_id, s.variant_id, s.location, s.occurred_at DESC, s.id DESC
) newest GROUP BY product_id
"""


def prices_of(product_ids: Collection[int]) -> dict[int, Price]:
    """Present prices; of a product with several currencies one of them."""
    return {row[0]: Price(*row[1:]) for row in fetch(_PRICES, [list(product_ids)])}


def stock_of(product_ids: Collection[int]) -> dict[int, int]:
    """How many are there at the last count, over all variants and locations; nothing for those never counted."""
    return {product_id: int(on_hand) for product_id, on_hand in fetch(_STOCK, [list(product_ids)])}


@dataclass(frozen=True)
class ProductDetail:
    """One product with its variants and histories, newest first."""

    product: Product
    variants: Sequence[Variant]
    categories: Sequence[str]
    prices: Sequence[PriceEntry]
    costs: Sequence[CostEntry]
    stock: Sequence[StockEntry]


def get_product(public_id: str, viewer: Viewer) -> ProductDetail:
    """Raises NotFound, also for a product of a store that the viewer does not see."""
    product = Product.objects.filter(uid=from_public(Product.PREFIX, public_id)).select_related("store").first()
    if product is None or not viewer.sees_store(product.store_id):
        raise NotFound(f"There is no product {public_id}")
    newest = ("-occurred_at", "-id")
    of_product = {"variant__product": product}
    return ProductDetail(
        product,
        list(product.variant_set.order_by("sku", "id")[:200]),
        list(product.categories.order_by("name").values_list("name", flat=True)),
        list(PriceEntry.objects.filter(**of_product).select_related("variant").order_by(*newest)[:50]),
        list(CostEntry.objects.filter(**of_product).select_related("variant").order_by(*newest)[:50]),
        list(StockEntry.objects.filter(**of_product).select_related("variant").order_by(*newest)[:50]),
    )


def titles_of(product_ids: Collection[int]) -> dict[int, str]:
    """How products are called: by their title, else by the shop's key."""
    return {
        pk: title or key
        for pk, title, key in Product.objects.filter(pk__in=product_ids).values_list("pk", "title", "key")
    }
