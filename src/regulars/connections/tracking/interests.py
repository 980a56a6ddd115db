"""What calls of the e-commerce spec say of wishes, searches, reviews and coupons."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from regulars.connections.tracking.people import Speaker
from regulars.connections.tracking.shopping import currency_of
from regulars.connections.tracking.spec import to_number
from regulars.connections.tracking.told import Told
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.foundation.shop.models import Store
from regulars.record.events.log import LogTransaction
from regulars.record.interest.inputs import ReviewInput, SearchInput, TriedCouponInput, WishInput
from regulars.record.interest.models import CouponStep
from regulars.record.interest.operations import apply_reviews, apply_searches, apply_tried_coupons, apply_wishes

_WISHES = {"Product Added to Wishlist": False, "Product Removed from Wishlist": True}
_COUPONS = {
    "Coupon Entered": CouponStep.ENTERED,
    "Coupon Denied": CouponStep.DENIED,
    "Coupon Removed": CouponStep.REMOVED,
    "Coupon Applied": CouponStep.APPLIED,
}
_BEST_RATING = 100


def apply(told: Sequence[Told], speaker: Speaker, store: Store, log: LogTransaction) -> None:
    """Writes them, each as its profile's own: nobody says by a browser what others wish for. Calls that name nothing are on the log alone."""
    named: dict[str, list[Told]] = {}
    for one in told:
        if one.spec:
            named.setdefault(one.spec.name, []).append(one)
    wishes = (_wish(one, store, is_removed) for name, is_removed in _WISHES.items() for one in named.get(name, ()))
    apply_wishes((wish for wish in wishes if wish.item_key), log)
    apply_searches(map(_search, named.get("Products Searched", ())), log)
    apply_reviews((review for one in named.get("Product Reviewed", ()) if (review := _review(one, speaker))), log)
    apply_tried_coupons(
        (_coupon(one, store, step) for name, step in _COUPONS.items() for one in named.get(name, ())), log
    )


def _wish(one: Told, store: Store, is_removed: bool) -> WishInput:
    said = one.typed.clear
    return WishInput(
        one.profile,
        one.call.times.occurred_at,
        currency_of(one.typed.rest, store.currency),
        is_removed=is_removed,
        list_key=_text(said, "wishlist_id"),
        product_key=_text(said, "product_id"),
        sku=_text(said, "sku"),
        title=_text(said, "name"),
        unit_price=max(said["price"], Decimal(0)) if "price" in said else None,
    )


def _search(one: Told) -> SearchInput:
    query = one.typed.rest.get("query")
    return SearchInput(one.profile, one.call.times.occurred_at, _masked(query))


def _review(one: Told, speaker: Speaker) -> ReviewInput | None:
    said = one.typed.clear
    product = _text(said, "product_id")
    key = _text(said, "review_id") or product
    if not key:
        return None
    return ReviewInput(
        one.profile,
        one.call.times.occurred_at,
        key,
        is_claimed=not speaker.is_server,
        product_key=product,
        rating=_rating(said),
        body=_masked(one.typed.rest.get("review_body")),
    )


def _coupon(one: Told, store: Store, step: CouponStep) -> TriedCouponInput:
    said = one.typed.clear
    return TriedCouponInput(
        one.profile,
        one.call.times.occurred_at,
        _text(said, "coupon_id") or _text(said, "coupon_name"),
        step,
        discount=max(said["discount"], Decimal(0)) if "discount" in said else None,
        currency=currency_of(one.typed.rest, store.currency),
    )


def _rating(said: Mapping[str, Any]) -> Decimal | None:
    """A number from 0 to 100, whatever the shop counts in; None for words."""
    rating = to_number(said.get("rating"))
    return round(rating, 2) if rating is not None and 0 <= rating <= _BEST_RATING else None


def _text(said: Mapping[str, Any], name: str) -> str:
    return str(said.get(name, ""))


def _masked(value: Any) -> str:
    """Free text without card numbers; '' for what is no text."""
    return mask_card_numbers(value) if isinstance(value, str) else ""
