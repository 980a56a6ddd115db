"""A customer's wishes, searches, reviews and tried coupons. They come from shops and trackers; nobody writes them by hand."""

from datetime import datetime
from decimal import Decimal

from django.http import HttpRequest
from ninja import Router, Schema

from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.api.stores import codes_of_stores
from regulars.foundation.ids import to_public
from regulars.record.catalog.models import Product
from regulars.record.customers.api.customers import visible_customer
from regulars.record.interest.models import CouponStep
from regulars.record.interest.queries import Reviewed, Wish, coupons_of, reviews_of, searches_of, wishes_of

router = Router(tags=["customers"])
ROUTERS = {"/customers": router}


class WishOut(Schema):
    """Something on a wishlist now. ``wishlist`` is the shop's own id of the list; ``product`` is null for what the catalog does not know."""

    store: str
    wishlist: str
    title: str
    sku: str
    product_key: str
    product: str | None
    unit_price: Decimal | None
    currency: str
    added_at: datetime


class SearchOut(Schema):
    """Words that were searched for, and how often."""

    words: str
    count: int
    first_at: datetime
    last_at: datetime


class ReviewOut(Schema):
    """A review as it was stated last. ``rating`` is as the shop counts; ``is_claimed``: browsers alone speak of it."""

    store: str
    key: str
    product_key: str
    product: str | None
    rating: Decimal | None
    body: str
    is_claimed: bool
    written_at: datetime


class TriedOut(Schema):
    """A coupon code at the checkout: what became of it last. ``discount`` is what it took off, where it was applied."""

    store: str
    code: str
    step: CouponStep
    at: datetime
    discount: Decimal | None
    currency: str


class InterestOut(Schema):
    """The newest hundred of each."""

    wishlist: list[WishOut]
    searches: list[SearchOut]
    reviews: list[ReviewOut]
    coupons: list[TriedOut]


@router.get(
    "/{customer_id}/interest",
    auth=needs("customers:read"),
    response={200: InterestOut, **ERRORS},
    summary="Get a customer's wishlists, searches, reviews and tried coupons",
)
def one_interest(request: HttpRequest, customer_id: str) -> InterestOut:
    viewer = caller(request)
    customer, codes = visible_customer(customer_id, viewer).pk, codes_of_stores()
    return InterestOut(
        wishlist=[_wish(one, codes) for one in wishes_of(customer, viewer)],
        searches=[
            SearchOut(words=one.words, count=one.count, first_at=one.first_at, last_at=one.last_at)
            for one in searches_of(customer, viewer)
        ],
        reviews=[_review(one, codes) for one in reviews_of(customer, viewer)],
        coupons=[
            TriedOut(
                store=codes.get(one.store_id, ""),
                code=one.code,
                step=one.step,
                at=one.at,
                discount=one.discount,
                currency=one.currency,
            )
            for one in coupons_of(customer, viewer)
        ],
    )


def _wish(one: Wish, codes: dict[int, str]) -> WishOut:
    return WishOut(
        store=codes.get(one.store_id, ""),
        wishlist=one.list_key,
        title=one.title,
        sku=one.sku,
        product_key=one.product_key,
        product=_public(one.product),
        unit_price=one.unit_price,
        currency=one.currency,
        added_at=one.added_at,
    )


def _review(one: Reviewed, codes: dict[int, str]) -> ReviewOut:
    return ReviewOut(
        store=codes.get(one.store_id, ""),
        key=one.key,
        product_key=one.product_key,
        product=_public(one.product),
        rating=one.rating,
        body=one.body,
        is_claimed=one.is_claimed,
        written_at=one.written_at,
    )


def _public(product: Product | None) -> str | None:
    return to_public(Product.PREFIX, product.uid) if product else None
