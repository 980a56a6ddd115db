"""Products: list, get, create or update by store and key."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field, model_validator

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Code, Currency, Moment, Short, Strict, Text
from regulars.foundation.api.idempotency import idempotent
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.api.stores import codes_of_stores, find_store, get_store
from regulars.foundation.ids import to_public
from regulars.record.catalog.inputs import ProductInput, VariantInput
from regulars.record.catalog.models import Product
from regulars.record.catalog.operations import apply_products
from regulars.record.catalog.queries import get_product, prices_of, stock_of
from regulars.record.events import log as event_log

router = Router(tags=["products"])
ROUTERS = {"/products": router}
Amount = Annotated[Decimal, Field(ge=0, le=Decimal(10**7), decimal_places=6, max_digits=18)]
Address = Annotated[str, Field(max_length=2000, pattern=r"^(https?://[^\s\x00]+)?$")]


class ProductOut(Schema):
    """A product as lists show it: its present list price from the lowest to the highest variant, and how many are
    there.
    """

    id: str
    store: str
    key: str
    title: str
    brand_name: str
    status: str
    is_service: bool
    url: str
    image_url: str
    since: datetime
    currency: str
    price_low: Decimal | None
    price_high: Decimal | None
    on_hand: int | None


class VariantOut(Schema):
    """One form in which a product is sold."""

    sku: str
    title: str
    barcode: str


class ProductDetailOut(ProductOut):
    """A product with its variants and categories."""

    variants: list[VariantOut]
    categories: list[str]


class VariantIn(Strict):
    """One form of a product. What is left out is not said, and changes nothing."""

    sku: Code
    title: Text = ""
    barcode: Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")] = ""
    price: Amount | None = None
    compare_at: Amount | None = None
    cost: Amount | None = None
    currency: Currency | None = None
    on_hand: Annotated[int, Field(ge=-(10**8), le=10**8)] | None = None
    location: Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")] = ""

    @model_validator(mode="after")
    def _has_currency(self) -> "VariantIn":
        if self.currency is None and any(amount is not None for amount in (self.price, self.compare_at, self.cost)):
            raise ValueError("an amount needs its currency")
        return self

    def as_input(self) -> VariantInput:
        return VariantInput(**self.dict() | {"currency": self.currency or ""})


class ProductIn(Strict):
    """One product as its source states it now. Categories are paths such as ["Home", "Kitchen"]."""

    store: Short = ""
    key: Code
    title: Text = ""
    variants: Annotated[list[VariantIn], Field(max_length=200)] = []
    brand_name: Short = ""
    status: Annotated[str, Field(pattern="^(active|draft|archived)$")] = "active"
    is_service: bool = False
    url: Address = ""
    image_url: Address = ""
    categories: Annotated[list[Annotated[list[Code], Field(min_length=1, max_length=6)]], Field(max_length=20)] = []
    occurred_at: Moment | None = None
    is_history: bool = False

    def as_input(self, at: datetime) -> ProductInput:
        return ProductInput(
            key=self.key,
            title=self.title,
            occurred_at=self.occurred_at or at,
            variants=tuple(variant.as_input() for variant in self.variants),
            brand_name=self.brand_name,
            status=self.status,
            is_service=self.is_service,
            url=self.url,
            image_url=self.image_url,
            categories=tuple(tuple(path) for path in self.categories),
        )


class ProductFilters(PageQuery):
    """Which products."""

    store: Short = ""
    key: Annotated[str, Field(max_length=120)] = ""
    sku: Annotated[str, Field(max_length=120)] = ""
    status: Annotated[str, Field(pattern="^(active|draft|archived)?$")] = ""


@router.get("", auth=needs("products:read"), response={200: Page[ProductOut], **ERRORS}, summary="List products")
def list_products(request: HttpRequest, query: Query[ProductFilters]) -> Page[ProductOut]:
    viewer = caller(request)
    found, following = take(_filtered(_visible(viewer), query, viewer), query)
    return Page[ProductOut](items=_show(found), next=following)


@router.get(
    "/{product_id}", auth=needs("products:read"), response={200: ProductDetailOut, **ERRORS}, summary="Get a product"
)
def one_product(request: HttpRequest, product_id: str) -> ProductDetailOut:
    return _detail(product_id, caller(request))


@router.post(
    "",
    auth=needs("products:write"),
    response={200: ProductDetailOut, 201: ProductDetailOut, **ERRORS},
    summary="Create or update a product",
)
@idempotent
def write_product(request: HttpRequest, payload: ProductIn) -> tuple[int, ProductDetailOut]:
    """Known by store and key; prices, costs and stock grow a history only where they differ from the newest."""
    viewer, at = caller(request), clock.now()
    store = get_store(payload.store, viewer)
    with event_log.transaction("api", viewer.actor) as log:
        applied = apply_products([payload.as_input(at)], log, store_id=store.pk, at=at, is_history=payload.is_history)
    uid = Product.objects.values_list("uid", flat=True).get(pk=applied.product_ids[payload.key])
    return (201 if applied.created else 200), _detail(to_public(Product.PREFIX, uid), viewer)


def _visible(viewer: Viewer) -> QuerySet[Product]:
    return Product.objects.all() if viewer.store_ids is None else Product.objects.filter(store__in=viewer.store_ids)


def _filtered(rows: QuerySet[Product], query: ProductFilters, viewer: Viewer) -> QuerySet[Product]:
    if query.store:
        rows = rows.filter(store=find_store(query.store, viewer))
    if query.key:
        rows = rows.filter(key=query.key)
    if query.sku:
        rows = rows.filter(variant__sku=query.sku).distinct()
    return rows.filter(status=query.status) if query.status else rows


def _show(products: Sequence[Product]) -> list[ProductOut]:
    ids = [product.pk for product in products]
    prices, stock, codes = prices_of(ids), stock_of(ids), codes_of_stores()
    shown = []
    for product in products:
        price = prices.get(product.pk)
        shown.append(
            ProductOut(
                id=to_public(Product.PREFIX, product.uid),
                store=codes[product.store_id],
                key=product.key,
                title=product.title,
                brand_name=product.brand_name,
                status=product.status,
                is_service=product.is_service,
                url=product.url,
                image_url=product.image_url,
                since=product.occurred_at,
                currency=price.currency if price else "",
                price_low=price.low if price else None,
                price_high=price.high if price else None,
                on_hand=stock.get(product.pk),
            )
        )
    return shown


def _detail(product_id: str, viewer: Viewer) -> ProductDetailOut:
    found = get_product(product_id, viewer)
    [shown] = _show([found.product])
    variants = [VariantOut.from_orm(variant) for variant in found.variants]
    return ProductDetailOut(**shown.dict(), variants=variants, categories=list(found.categories))
