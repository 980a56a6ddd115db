"""The 28 events of Segment's e-commerce spec, version 2 (segment.com/docs/connections/spec/ecommerce/v2), field by field.

Values of another type are coerced only where nothing is lost ('19.99' is a number, 10 is a name); otherwise the event is kept, the
value stays among its raw parts, and the field is named as invalid. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from regulars.foundation.card_numbers import mask_card_numbers

LONGEST_TEXT = 200  # of what stays in clear; longer texts go to the sealed part
_LARGEST = Decimal(10) ** 12
_LARGEST_INTEGER = 10**12  # the same; numbers of one type are compared sooner
_DECIMALS = 6
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)


class Type(Enum):
    """What a field holds. FREE is text that may speak of a person: it is always sealed."""

    TEXT = "text"
    FREE = "free text"
    NUMBER = "number"
    PRODUCTS = "list of products"
    PAIRS = "list of type and value"


T, F, N = Type.TEXT, Type.FREE, Type.NUMBER
PRODUCT: dict[str, Type] = {
    "product_id": T, "sku": T, "category": T, "name": T, "brand": T, "variant": T, "price": N, "quantity": N,
    "coupon": T, "position": N, "url": F, "image_url": F,
}  # fmt: skip
_SUMS = dict.fromkeys(("total", "revenue", "shipping", "tax", "discount"), N)
_ORDER = {"order_id": T, "affiliation": T, **_SUMS, "coupon": T, "currency": T, "products": Type.PRODUCTS}
_STEP = {"checkout_id": T, "step": T, "shipping_method": T, "payment_method": T}
_COUPON = {"order_id": T, "cart_id": T, "coupon_id": T}
_PROMOTION = {"promotion_id": T, "creative": T, "name": T, "position": T}
_LIST = {"list_id": T, "category": T, "products": Type.PRODUCTS}
_WISHLIST = {"wishlist_id": T, "wishlist_name": T, **PRODUCT}
# Numbers of things may be as long as a card's, and pass its check by chance: masked, they would name nothing.
_NUMBERED = frozenset(
    ["product_id", "sku", "list_id", "promotion_id", "cart_id", "checkout_id", "order_id", "wishlist_id", "review_id"]
)
_SHARE = {"share_via": T, "share_message": F, "recipient": F}

_FIELDS: dict[str, dict[str, Type]] = {
    "Products Searched": {"query": F},
    "Product List Viewed": _LIST,
    "Product List Filtered": {**_LIST, "filters": Type.PAIRS, "sorts": Type.PAIRS},
    "Promotion Viewed": _PROMOTION,
    "Promotion Clicked": _PROMOTION,
    "Product Clicked": PRODUCT,
    "Product Viewed": {**PRODUCT, "currency": T, "value": N},
    "Product Added": {"cart_id": T, **PRODUCT, "currency": T},
    "Product Removed": {"cart_id": T, **PRODUCT, "currency": T},
    "Cart Viewed": {"cart_id": T, "currency": T, "products": Type.PRODUCTS},
    "Checkout Started": {**_ORDER, "cart_id": T, "checkout_id": T, "value": N},
    "Checkout Step Viewed": _STEP,
    "Checkout Step Completed": _STEP,
    "Payment Info Entered": {**_STEP, "order_id": T},
    "Order Completed": {**_ORDER, "cart_id": T, "checkout_id": T, "subtotal": N},
    "Order Updated": {**_ORDER, "subtotal": N},
    "Order Refunded": _ORDER,
    "Order Cancelled": {**_ORDER, "subtotal": N},
    "Coupon Entered": _COUPON,
    "Coupon Applied": {**_COUPON, "coupon_name": T, "discount": N},
    "Coupon Denied": {**_COUPON, "coupon_name": T, "reason": F},
    "Coupon Removed": {**_COUPON, "coupon_name": T, "discount": N},
    "Product Added to Wishlist": _WISHLIST,
    "Product Removed from Wishlist": _WISHLIST,
    "Wishlist Product Added to Cart": {**_WISHLIST, "cart_id": T, "currency": T},
    "Product Shared": {**_SHARE, **PRODUCT},
    "Cart Shared": {**_SHARE, "cart_id": T, "products": Type.PRODUCTS},
    "Product Reviewed": {"product_id": T, "review_id": T, "review_body": F, "rating": T},
}


@dataclass(frozen=True)
class EventSpec:
    """One event of the spec: its name there, the kind under which the log knows it, and its typed fields."""

    name: str
    kind: str
    fields: Mapping[str, Type]


def _key(name: str) -> str:
    return " ".join(name.lower().split())


SPEC: dict[str, EventSpec] = {
    _key(name): EventSpec(name, f"tracked.{_key(name).replace(' ', '_')}", fields) for name, fields in _FIELDS.items()
}


_BY_NAME = {spec.name: spec for spec in SPEC.values()}


def find_spec(name: str) -> EventSpec | None:
    """By name, whatever its case and spaces."""
    return _BY_NAME.get(name) or SPEC.get(_key(name))


class Typed(NamedTuple):
    """Properties sorted: ``clear`` typed ones, ``rest`` as they came (free text, unknown, wrong type), names of the ``invalid``."""

    clear: dict[str, Any]
    rest: dict[str, Any]
    invalid: tuple[str, ...] = ()


def type_properties(fields: Mapping[str, Type], properties: Mapping[str, Any]) -> Typed:
    """Sorts the properties of one event. Null is 'not said'."""
    clear: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    invalid: list[str] = []
    for name, value in properties.items():
        if value is None:
            continue
        wanted = fields.get(name)
        if wanted is T:
            text = value.strip() if type(value) is str else to_text(value)
            if text is not None and len(text) <= LONGEST_TEXT and "@" not in text:
                clear[name] = text if name in _NUMBERED else mask_card_numbers(text)
                continue
            rest[name] = value
            if text is None:
                invalid.append(name)
        elif wanted is N:
            number = to_number(value)
            if number is not None:
                clear[name] = number
                continue
            rest[name] = value
            invalid.append(name)
        elif wanted is None or wanted is F:
            rest[name] = value
        else:
            _type_rows(name, value, PRODUCT if wanted is Type.PRODUCTS else _PAIR, clear, rest, invalid)
    return Typed(clear, rest, tuple(invalid))


_PAIR = {"type": T, "value": T}


def _type_rows(
    name: str, value: Any, fields: Mapping[str, Type], clear: dict[str, Any], rest: dict[str, Any], invalid: list[str]
) -> None:
    """A list of products or pairs: the typed part of each in clear, the list as it came among the rest where anything is not."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        rest[name] = value
        invalid.append(name)
        return
    rows = [type_properties(fields, row) for row in value]
    clear[name] = [row.clear for row in rows]
    invalid += sorted({f"{name}.{wrong}" for row in rows for wrong in row.invalid})
    if any(row.rest for row in rows):
        rest[name] = value


def to_number(value: Any) -> Decimal | None:
    """A number that money and quantities can be: at most 12 digits before and 6 after the point. None where something would be lost."""
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    if type(value) is float:
        return _of_fraction(repr(value))
    if type(value) is int:
        return Decimal(value) if -_LARGEST_INTEGER < value < _LARGEST_INTEGER else None
    if not isinstance(value, Decimal):
        return None
    try:
        fits = -_LARGEST < value < _LARGEST and value == round(value, _DECIMALS)
    except (InvalidOperation, OverflowError):
        return None
    return value if fits else None


@lru_cache(4_096)
def _of_fraction(text: str) -> Decimal | None:
    """As ``to_number``: prices are few, and come again and again."""
    return to_number(Decimal(text))


def to_text(value: Any) -> str | None:
    """A name or code. A number is one as it was written; yes and no, lists and objects are none."""
    if type(value) is str:
        return value.strip()
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def is_plain(value: object) -> bool:
    """Whether a typed value may stand in clear: no long text and nothing that looks like a mail address or a card number."""
    if not isinstance(value, str):
        return True
    return len(value) <= LONGEST_TEXT and "@" not in value and mask_card_numbers(value) == value
