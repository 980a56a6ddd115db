"""One golden fixture for each of the 28 events of the e-commerce spec, and what becomes of values of another type."""

from decimal import Decimal
from typing import Any

import pytest

from regulars.connections.tracking.spec import SPEC, Type, find_spec, to_number, to_text, type_properties

MUG = {"product_id": "10", "sku": "MUG1", "category": "Kitchen", "name": "Mug", "brand": "Pott", "variant": "blue",
       "price": "12.50", "quantity": 2, "coupon": "MAY", "position": 3, "url": "https://shop.example/mug?mail=a@b.example",
       "image_url": "https://shop.example/mug.jpg"}  # fmt: skip
MUG_CLEAR = {"product_id": "10", "sku": "MUG1", "category": "Kitchen", "name": "Mug", "brand": "Pott", "variant": "blue",
             "price": Decimal("12.50"), "quantity": Decimal(2), "coupon": "MAY", "position": Decimal(3)}  # fmt: skip
MUG_REST = {name: MUG[name] for name in ("url", "image_url")}
ORDER = {"order_id": "o-1", "affiliation": "Web", "total": Decimal("27.50"), "revenue": 25, "shipping": 3, "tax": 2,
         "discount": Decimal("2.5"), "coupon": "hasbros", "currency": "EUR"}  # fmt: skip
ORDER_CLEAR = ORDER | {"revenue": Decimal(25), "shipping": Decimal(3), "tax": Decimal(2)}
STEP = {"checkout_id": "c-1", "step": "2", "shipping_method": "DHL", "payment_method": "Visa"}
COUPON = {"order_id": "o-1", "cart_id": "k-1", "coupon_id": "MAY"}
PROMOTION = {"promotion_id": "p1", "creative": "top", "name": "75 % off", "position": "home_top"}
LIST = {"list_id": "hot", "category": "Deals", "products": [MUG]}
LIST_CLEAR = LIST | {"products": [MUG_CLEAR]}
PAIRS = [{"type": "price", "value": "under-25"}]
WISH = {"wishlist_id": "w1", "wishlist_name": "Loved"}
SHARE = {"share_via": "email", "share_message": "Look at this", "recipient": "friend@shop.example"}
SHARE_REST = {"share_message": "Look at this", "recipient": "friend@shop.example"}

# name: properties as sent, those in clear, those that are sealed as they came
GOLDEN: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "Products Searched": ({"query": "blue mug"}, {}, {"query": "blue mug"}),
    "Product List Viewed": (LIST, LIST_CLEAR, {"products": [MUG]}),
    "Product List Filtered": (
        LIST | {"filters": PAIRS, "sorts": [{"type": "price", "value": "desc"}]},
        LIST_CLEAR | {"filters": PAIRS, "sorts": [{"type": "price", "value": "desc"}]},
        {"products": [MUG]},
    ),
    "Promotion Viewed": (PROMOTION, PROMOTION, {}),
    "Promotion Clicked": (PROMOTION, PROMOTION, {}),
    "Product Clicked": (MUG, MUG_CLEAR, MUG_REST),
    "Product Viewed": (
        MUG | {"currency": "EUR", "value": "12.5"},
        MUG_CLEAR | {"currency": "EUR", "value": Decimal("12.5")},
        MUG_REST,
    ),
    "Product Added": (MUG | {"cart_id": "k-1"}, MUG_CLEAR | {"cart_id": "k-1"}, MUG_REST),
    "Product Removed": (MUG | {"cart_id": "k-1"}, MUG_CLEAR | {"cart_id": "k-1"}, MUG_REST),
    "Cart Viewed": (
        {"cart_id": "k-1", "products": [MUG]},
        {"cart_id": "k-1", "products": [MUG_CLEAR]},
        {"products": [MUG]},
    ),
    "Checkout Started": (
        ORDER | {"value": 30, "products": [MUG]},
        ORDER_CLEAR | {"value": Decimal(30), "products": [MUG_CLEAR]},
        {"products": [MUG]},
    ),
    "Checkout Step Viewed": (STEP, STEP, {}),
    "Checkout Step Completed": (STEP | {"step": 2}, STEP, {}),
    "Payment Info Entered": (STEP | {"order_id": "o-1"}, STEP | {"order_id": "o-1"}, {}),
    "Order Completed": (
        ORDER | {"checkout_id": "c-1", "subtotal": "22.5", "products": [MUG]},
        ORDER_CLEAR | {"checkout_id": "c-1", "subtotal": Decimal("22.5"), "products": [MUG_CLEAR]},
        {"products": [MUG]},
    ),
    "Order Updated": (ORDER | {"products": [MUG]}, ORDER_CLEAR | {"products": [MUG_CLEAR]}, {"products": [MUG]}),
    "Order Refunded": (ORDER, ORDER_CLEAR, {}),
    "Order Cancelled": (ORDER | {"products": []}, ORDER_CLEAR | {"products": []}, {}),
    "Coupon Entered": (COUPON, COUPON, {}),
    "Coupon Applied": (
        COUPON | {"coupon_name": "May", "discount": "23.32"},
        COUPON | {"coupon_name": "May", "discount": Decimal("23.32")},
        {},
    ),
    "Coupon Denied": (
        COUPON | {"coupon_name": "May", "reason": "Ann has used it"},
        COUPON | {"coupon_name": "May"},
        {"reason": "Ann has used it"},
    ),
    "Coupon Removed": (
        COUPON | {"coupon_name": "May", "discount": 1},
        COUPON | {"coupon_name": "May", "discount": Decimal(1)},
        {},
    ),
    "Product Added to Wishlist": (WISH | MUG, WISH | MUG_CLEAR, MUG_REST),
    "Product Removed from Wishlist": (WISH | MUG, WISH | MUG_CLEAR, MUG_REST),
    "Wishlist Product Added to Cart": (
        WISH | MUG | {"cart_id": "k-1"},
        WISH | MUG_CLEAR | {"cart_id": "k-1"},
        MUG_REST,
    ),
    "Product Shared": (SHARE | MUG, {"share_via": "email"} | MUG_CLEAR, SHARE_REST | MUG_REST),
    "Cart Shared": (
        SHARE | {"cart_id": "k-1", "products": [{"product_id": "10"}]},
        {"share_via": "email", "cart_id": "k-1", "products": [{"product_id": "10"}]},
        SHARE_REST,
    ),
    "Product Reviewed": (
        {"product_id": "10", "review_id": "r1", "review_body": "Fine", "rating": 5},
        {"product_id": "10", "review_id": "r1", "rating": "5"},
        {"review_body": "Fine"},
    ),
}


def test_there_are_28() -> None:
    assert len(SPEC) == 28
    assert {spec.name for spec in SPEC.values()} == set(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_every_event_is_typed_and_nothing_is_lost(name: str) -> None:
    sent, clear, rest = GOLDEN[name]
    spec = find_spec(f"  {name.upper()} ")
    assert spec is not None
    found = type_properties(spec.fields, sent | {"own": {"deep": [1]}, "nothing": None})
    assert (found.clear, found.rest, found.invalid) == (clear, rest | {"own": {"deep": [1]}}, ())


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("19.99", "19.99"), (" 7 ", "7"), (-3, "-3"), (Decimal("0.000001"), "0.000001"), ("999999999999", "999999999999"),
        ("19,99", None), ("1e3", None), ("", None), ("NaN", None), (True, None), ([], None), ({}, None), ("£5", None),
        (10**12, None), (10**4000, None), (Decimal("1E+400"), None), (Decimal("0.0000001"), None), ("٣", None),
    ],
)  # fmt: skip
def test_a_number_is_one_only_where_nothing_is_lost(sent: Any, number: str | None) -> None:
    assert to_number(sent) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("sent", "text"), [("a ", "a"), (10, "10"), (Decimal("1.50"), "1.50"), (True, None), ([], None), ({"a": 1}, None)]
)
def test_a_name_is_one_only_where_nothing_is_lost(sent: Any, text: str | None) -> None:
    assert to_text(sent) == text


@pytest.mark.parametrize("name", list(GOLDEN))
def test_wrong_types_in_every_field_are_named_and_kept(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    sent = {field: {"not": "this"} for field in spec.fields}
    found = type_properties(spec.fields, sent)
    wanted = [field for field, kind in spec.fields.items() if kind is not Type.FREE]
    assert (list(found.invalid), found.clear, found.rest) == (wanted, {}, sent)


def test_wrong_types_within_products_are_named_and_the_list_is_kept() -> None:
    spec = find_spec("cart viewed")
    assert spec is not None
    products = [{"product_id": "1", "price": "12,5"}, {"product_id": ["x"], "quantity": "2"}]
    found = type_properties(spec.fields, {"products": products})
    assert found.clear == {"products": [{"product_id": "1"}, {"quantity": Decimal(2)}]}
    assert (found.rest, found.invalid) == ({"products": products}, ("products.price", "products.product_id"))


def test_card_numbers_are_masked_but_not_the_numbers_of_things() -> None:
    spec = find_spec("Order Completed")
    assert spec is not None
    number = "4111111111111111"
    product = {"product_id": number, "sku": number, "name": f"Mug {number}", "coupon": "4111 1111 1111 1111"}
    sent = {"order_id": number, "coupon": number, "affiliation": f"pos {number}", "products": [product]}
    assert type_properties(spec.fields, sent).clear == {
        "order_id": number,
        "coupon": "[card …1111]",
        "affiliation": "pos [card …1111]",
        "products": [product | {"name": "Mug [card …1111]", "coupon": "[card …1111]"}],
    }


def test_text_that_may_speak_of_a_person_never_stands_in_clear() -> None:
    spec = find_spec("Order Completed")
    assert spec is not None
    sent = {"coupon": "ann@shop.example", "affiliation": "x" * 201, "order_id": "1"}
    found = type_properties(spec.fields, sent)
    assert found.clear == {"order_id": "1"}
    assert found.rest == {"coupon": "ann@shop.example", "affiliation": "x" * 201}
    assert found.invalid == ()
