"""Customers, goods, codes, carts and requests as Shopify says them, in the record's inputs; and what is not as documented."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from regulars.connections.base.platforms import PersonGone, PrivacyRequest
from regulars.connections.base.things import STRANGE
from regulars.connections.shopify.tests import goods, state
from regulars.connections.shopify.tests.said import ADA, CARD, CHANGED, CREATED, OWN
from regulars.connections.shopify.tests.shop import PLATFORM, RECEIVED, account, incoming, pulled, told
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.catalog.inputs import ProductInput, ProductRemoval, StockInput, VariantInput
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentState
from regulars.record.coupons.inputs import CouponInput, CouponRemoval
from regulars.record.coupons.models import CouponKind
from regulars.record.customers.inputs import PersonInput
from regulars.record.orders.inputs import (
    OrderRemoval,
)

# --- customers and consent ---


def test_a_customer_with_what_they_agreed_to() -> None:
    said = pulled("customers", state.customer_node())
    assert said.people == [
        PersonInput(
            ADA, CHANGED, 3, evidence="shopify", contact=CARD, tags=("wholesale", "newsletter"), note="Rings twice"
        )
    ]
    mail = "Shopify; level: confirmed_opt_in"
    sms = "Shopify; level: single_opt_in, collected from: other"
    assert said.consents == [
        ConsentInput(
            "ada.marsh@ringstrasse.net", ConsentState.GRANTED, CREATED, "double opt-in", proof=mail, source="con_test"
        ),
        ConsentInput(
            "+4930123456", ConsentState.DENIED, CHANGED, "single opt-in", Channel.SMS, proof=sms, source="con_test"
        ),
    ]


def test_the_webhook_of_a_customer_blanks_neither_tags_nor_consent() -> None:
    said = told("customers/update", state.customer_payload())
    assert said.people == [PersonInput(ADA, CHANGED, 3, evidence="shopify", contact=CARD, note="Rings twice")]
    assert said.consents == []


def test_consent_has_webhooks_of_its_own_which_say_the_same() -> None:
    word = {
        "state": "subscribed",
        "opt_in_level": "confirmed_opt_in",
        "consent_updated_at": state.SHOP_TIME[state.CREATED],
    }
    mail = {"customer_id": 7001, "email_address": "Ada.Marsh@ringstrasse.net", "email_marketing_consent": word}
    text = {
        "state": "unsubscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": state.SHOP_TIME[state.CHANGED],
    }
    sms = {"id": 7001, "phone": "+4930123456", "sms_marketing_consent": text | {"consent_collected_from": "other"}}
    consents = told("customers_email_marketing_consent/update", mail).consents
    consents += told("customers_marketing_consent/update", sms).consents
    assert consents == pulled("customers", state.customer_node()).consents


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("SUBSCRIBED", [ConsentState.GRANTED]),
        ("UNSUBSCRIBED", [ConsentState.DENIED]),
        ("PENDING", [ConsentState.UNKNOWN]),
        ("NOT_SUBSCRIBED", []),
        ("INVALID", []),
    ],
)
def test_what_shopifys_words_mean(word: str, meaning: list[ConsentState]) -> None:
    mail = state.customer_node()["defaultEmailAddress"] | {"marketingState": word}
    said = pulled("customers", state.customer_node(defaultEmailAddress=mail, defaultPhoneNumber=None))
    assert [one.state for one in said.consents] == meaning


def test_a_consent_without_a_day_is_as_old_as_the_customer() -> None:
    mail = state.customer_node()["defaultEmailAddress"] | {"marketingUpdatedAt": None}
    [consent] = pulled("customers", state.customer_node(defaultEmailAddress=mail, defaultPhoneNumber=None)).consents
    assert consent.occurred_at == CREATED


def test_tags_that_are_put_on_later() -> None:
    said = told("customer.tags_added", {"customerId": state.gid("Customer", 7001), "tags": ["vip"]})
    assert said.people == [PersonInput((OWN,), RECEIVED, 3, evidence="shopify", tags=("vip",))]


# --- products and stock ---


def _product(cost: Decimal | None) -> ProductInput:
    return ProductInput(
        key="501",
        title="Assam",
        occurred_at=CHANGED,
        variants=(
            VariantInput(
                "TEA-1",
                "100 g",
                "4006381333931",
                Decimal("12.50"),
                Decimal("15.00"),
                cost,
                "EUR",
                key="601",
                stock_key="701",
            ),
            VariantInput("", "250 g", "4006381333931", Decimal("29.00"), None, None, "EUR", key="602", stock_key="702"),
        ),
        brand_name="Teahouse",
        url="https://tea.myshopify.com/products/assam",
        image_url="https://cdn.shopify.com/s/files/1/assam.jpg",
        categories=(("Black tea",),),
        stated_at=CHANGED,
    )


def test_a_product_and_its_webhook_which_knows_no_cost() -> None:
    assert pulled("products", goods.product_node()).products == [_product(Decimal("4.20"))]
    assert told("products/update", goods.product_payload()).products == [_product(None)]


def test_the_one_variant_of_a_product_without_any_has_no_name() -> None:
    variant = goods.product_node()["variants"]["nodes"][0] | {"title": "Default Title"}
    [product] = pulled(
        "products", goods.product_node(variants={"nodes": [variant]}, status="UNLISTED", publishedAt=None)
    ).products
    assert (product.variants[0].title, product.status, product.url) == ("", "active", "")


def test_counts_by_location_and_their_webhook() -> None:
    level = {
        "id": "gid://shopify/InventoryLevel/55?inventory_item_id=701",
        "updatedAt": state.CHANGED,
        "location": {"id": state.gid("Location", 487838322)},
        "quantities": [{"name": "available", "quantity": 12}],
    }
    node = {"id": state.gid("InventoryItem", 701), "inventoryLevels": {"nodes": [level]}}
    payload = {
        "inventory_item_id": 701,
        "location_id": 487838322,
        "available": 12,
        "updated_at": state.SHOP_TIME[state.CHANGED],
    }
    expected = [StockInput(12, CHANGED, "487838322", "701")]
    assert pulled("stock", node).stocks == told("inventory_levels/update", payload).stocks == expected
    assert told("inventory_levels/update", payload | {"available": None}).stocks == []


# --- discount codes ---


def _discount(kind: str, **more: Any) -> dict[str, Any]:
    base = {
        "__typename": kind,
        "title": "Spring",
        "status": "ACTIVE",
        "startsAt": state.CREATED,
        "endsAt": None,
        "createdAt": state.CREATED,
        "updatedAt": state.CHANGED,
        "usageLimit": 100,
        "context": {},
        "codes": {"nodes": [{"id": state.gid("DiscountRedeemCode", 1), "code": "SPRING", "asyncUsageCount": 7}]},
    }
    return {"id": state.gid("DiscountCodeNode", 31), "codeDiscount": base | more}


def test_every_kind_of_code() -> None:
    tenth = _discount(
        "DiscountCodeBasic",
        customerGets={"value": {"percentage": 0.1}},
        minimumRequirement={"greaterThanOrEqualToSubtotal": {"amount": "20.0", "currencyCode": "EUR"}},
    )
    five = _discount("DiscountCodeBasic", customerGets={"value": {"amount": {"amount": "5.0", "currencyCode": "EUR"}}})
    own = _discount("DiscountCodeFreeShipping", context={"customers": [{"id": state.gid("Customer", 7001)}]})
    rest = [_discount("DiscountCodeBxgy", usageLimit=None), _discount("DiscountCodeApp")]
    said = pulled("coupons", tenth, five, own, *rest).coupons
    plain = CouponInput(
        "SPRING",
        CouponKind.PERCENT,
        Decimal(10),
        "EUR",
        Decimal(20),
        100,
        7,
        CREATED,
        external_id="31",
        description="Spring",
        stated_at=CHANGED,
    )
    other = replace(plain, kind=CouponKind.OTHER, amount=Decimal(0), currency="", minimum=None)
    assert said == [
        plain,
        replace(plain, kind=CouponKind.FIXED, amount=Decimal(5), minimum=None),
        replace(other, kind=CouponKind.FREE_SHIPPING, person=PersonInput((OWN,), CREATED, 3, evidence="shopify")),
        replace(other, usage_limit=None),
        other,
    ]


# --- checkouts and carts ---


def test_a_checkout_and_its_webhook() -> None:
    expected = CartInput(
        "b1946ac92492d2347c6235b4d2611184",
        CHANGED,
        "EUR",
        (CartLineInput("TEA-1", "Assam - 100 g", 3, Decimal("12.50"), "501", "601"),),
        PersonInput(ADA, CHANGED, 3, evidence="shopify"),
        is_checkout=True,
        recovery_url="https://tea.example/548380009/checkouts/b1946ac92492d2347c6235b4d2611184/recover?key=1f2e",
        other_keys=("901414060",),
    )
    assert pulled("checkouts", goods.checkout_node()).carts == [expected]
    named = replace(expected, other_keys=("901414060", "hWN1c9Zx"))  # a webhook names the cart too
    assert told("checkouts/update", goods.checkout_payload()).carts == [named]


def test_a_checkout_that_became_an_order_is_the_orders_to_tell() -> None:
    assert pulled("checkouts", goods.checkout_node(completedAt=state.CHANGED)).carts == []
    assert told("checkouts/update", goods.checkout_payload(completed_at=state.CHANGED)).carts == []


def test_a_checkout_that_is_gone() -> None:
    assert told("checkouts/delete", {"id": 901414060}).carts == [
        CartInput("901414060", RECEIVED, "EUR", is_closed=True)
    ]


def test_a_checkout_is_known_by_its_token_where_its_webhook_tells_no_number() -> None:
    payload = {name: value for name, value in goods.checkout_payload().items() if name != "id"}
    [cart] = told("checkouts/create", payload).carts
    assert (cart.key, cart.other_keys) == ("b1946ac92492d2347c6235b4d2611184", ("hWN1c9Zx",))


def test_a_cart_of_nobody_known() -> None:
    line = {"quantity": 2, "sku": "TEA-1", "title": "Assam", "product_id": 501, "variant_id": 601}
    payload = {
        "id": "hWN1c9Zx",
        "token": "hWN1c9Zx",
        "line_items": [line | {"price": "12.50", "price_set": state.money_set("12.50")}],
        "note": None,
        "updated_at": "2026-03-02T09:30:00.000Z",
        "created_at": "2026-03-01T10:00:00.000Z",
    }
    lines = (CartLineInput("TEA-1", "Assam", 2, Decimal("12.50"), "501", "601"),)
    assert told("carts/update", payload).carts == [CartInput("hWN1c9Zx", CHANGED, "EUR", lines)]
    assert told("carts/update", payload | {"line_items": []}).carts == [CartInput("hWN1c9Zx", CHANGED, "EUR")]


# --- what is gone, and what is asked in people's names ---

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
WHEN = {"x_shopify_triggered_at": "2026-03-02T08:00:00Z"}


def test_what_the_shop_deleted() -> None:
    assert told("orders/delete", {"id": 450789469}, **WHEN).orders_gone == [OrderRemoval(AT, "450789469")]
    assert told("products/delete", {"id": 501}, **WHEN).products_gone == [ProductRemoval("501", AT)]
    assert told("customers/delete", {"id": 7001}, **WHEN).people_gone == [PersonGone(OWN, AT)]
    gone = told("discounts/delete", {"admin_graphql_api_id": "gid://shopify/DiscountCodeNode/31"}, **WHEN)
    assert gone.coupons_gone == [CouponRemoval(AT, "31")]
    code = {
        "admin_graphql_api_id": "gid://shopify/DiscountCodeNode/31",
        "redeem_code": {"id": "gid://x/1", "code": "SPRING"},
    }
    assert told("discounts/redeemcode_removed", code, **WHEN).coupons_gone == [CouponRemoval(AT, code="SPRING")]
    assert told("app/uninstalled", {"id": 548380009}).is_over


def test_erasing_goes_by_the_shops_number_and_never_by_mail() -> None:
    shop = {"shop_id": 954889, "shop_domain": "tea.myshopify.com"}
    who = {"id": 7001, "email": "ada.marsh@ringstrasse.net", "phone": "+4930123456"}
    erase = told("customers/redact", shop | {"customer": who, "orders_to_redact": [450789469, 450789470]}, **WHEN)
    assert erase.requests == [PrivacyRequest("erase", AT, OWN, ("450789469", "450789470"), "7001")]
    nameless = {"email": "ada.marsh@ringstrasse.net"}
    [request] = told("customers/redact", shop | {"customer": nameless, "orders_to_redact": [1]}, **WHEN).requests
    assert request == PrivacyRequest("erase", AT, None, ("1",), "954889 2026-03-02 1")
    asked = {"customer": who, "orders_requested": [450789469], "data_request": {"id": 9999}}
    assert told("customers/data_request", shop | asked, **WHEN).requests == [
        PrivacyRequest("export", AT, OWN, ("450789469",), "9999")
    ]
    [request] = told("shop/redact", shop, **WHEN).requests
    assert (request.kind, request.identity) == ("erase-shop", None)


# --- what is not as documented ---


@pytest.mark.parametrize(
    "body",
    [
        b"\x00",
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5_000 + b"}",
        b'{"id": "\\ud800"}',
        b"NaN",
        b'"x"',
        b'{"id": {"a": []}}',
    ],
)
def test_a_webhook_that_is_none_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(STRANGE):
        PLATFORM.read(account(), incoming("orders/updated", body))


def test_an_unknown_topic_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown topic"):
        told("loyalty/points", {})
