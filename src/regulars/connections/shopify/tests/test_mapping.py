"""What Shopify says, in the record's inputs: exact values, and the same ones whichever way a state comes."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.connections.base.platforms import PersonGone, PrivacyRequest, Why
from regulars.connections.shopify.tests import state
from regulars.connections.shopify.tests.shop import PLATFORM, RECEIVED, account, incoming, pulled, told
from regulars.foundation.money import line_total
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.catalog.inputs import ProductInput, ProductRemoval, StockInput, VariantInput
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentState
from regulars.record.coupons.inputs import CouponInput, CouponRemoval
from regulars.record.coupons.models import CouponKind
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.orders import rules
from regulars.record.orders.inputs import (
    FulfilmentInput,
    LineInput,
    OrderInput,
    OrderRemoval,
    PaymentInput,
    RefundInput,
)
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus

CREATED = datetime(2026, 3, 1, 10, tzinfo=UTC)
CHANGED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OWN = IdentityInput(IdentityKind.STORE_CUSTOMER, "7001", "tea")
ADA = (
    OWN,
    IdentityInput(IdentityKind.EMAIL, "ada.marsh@ringstrasse.net"),
    IdentityInput(IdentityKind.PHONE, "+4930123456"),
)
CARD = ContactCard(
    first_name="Ada",
    last_name="Marsh",
    email="ada.marsh@ringstrasse.net",
    phone="+4930123456",
    company="Marsh & Co",
    street="Ringstrasse 5, Hof",
    city="Berlin",
    postal_code="10115",
    region="Berlin",
    country="DE",
)
ORDER = OrderInput(
    number="#1001",
    placed_at=CREATED,
    currency="EUR",
    lines=(
        LineInput("TEA-1", "Tea 1 - 100 g", 2, Decimal("12.50"), "501", 250, 147, variant_key="601"),
        LineInput("TEA-2", "Tea 2 - 100 g", 1, Decimal("30.00"), "502", 0, 196, variant_key="602"),
    ),
    person=PersonInput(ADA, CHANGED, 3, evidence="shopify", contact=ContactCard(language="de")),
    external_id="450789469",
    channel="web",
    shipping_minor=500,
    tax_minor=376,
    tax_included=True,
    discount_minor=0,
    discount_codes="SPRING",
    total_minor=5750,
    status=OrderStatus.OPEN,
    payment_status=PaymentStatus.PAID,
    fulfilment_status=FulfilmentStatus.UNFULFILLED,
    country="DE",
    remarks="Leave it at the door",
    payments=(PaymentInput("sale", "success", 5750, "EUR", CREATED, "shopify_payments", "81"),),
    stated_at=CHANGED,
    has_all_refunds=True,
    cart_keys=("hWN1c9Zx", "b1946ac92492d2347c6235b4d2611184"),
)
REFUND = RefundInput(
    number="509562969",
    occurred_at=CHANGED,
    currency="EUR",
    amount_minor=1625,
    lines=(
        LineInput("TEA-1", "Tea 1 - 100 g", 1, Decimal("12.50"), "501", 125, 74, variant_key="601"),
        LineInput("", "Shipping", 1, Decimal("5.00"), tax_minor=33, is_service=True),
    ),
    order_external_id="450789469",
    stated_at=CHANGED,
)


def _untold(order: OrderInput) -> OrderInput:
    """As a webhook tells it: without payments."""
    return replace(order, payments=(), tells_payments=False)


# --- orders ---


def test_an_order_of_the_api() -> None:
    said = pulled("orders", state.order_node())
    assert said.orders == [ORDER]
    assert rules.amounts(ORDER).total == sum(rules.amounts(ORDER).lines) + 500 == 5750


def test_the_webhook_of_the_same_state_says_the_same_but_for_payments() -> None:
    assert told("orders/updated", state.order_payload()).orders == [_untold(ORDER)]


def test_every_webhook_of_an_order_is_read_alike() -> None:
    topics = ("create", "updated", "cancelled", "paid", "fulfilled", "partially_fulfilled")
    assert [told(f"orders/{topic}", state.order_payload()).orders for topic in topics] == [[_untold(ORDER)]] * 6


def test_what_was_sent_with_its_tracking_numbers() -> None:
    node = state.order_node(displayFulfillmentStatus="FULFILLED", fulfillments=[state.SENT_NODE])
    payload = state.order_payload(fulfillment_status="fulfilled", fulfillments=[state.SENT_PAYLOAD])
    links = "https://www.dhl.de/JD014600, https://www.dhl.de/JD014601"
    expected = replace(
        ORDER,
        status=OrderStatus.COMPLETED,
        fulfilment_status=FulfilmentStatus.FULFILLED,
        fulfilments=(FulfilmentInput("success", CHANGED, "DHL", "JD014600, JD014601", links),),
    )
    assert pulled("orders", node).orders == [expected]
    assert told("orders/fulfilled", payload).orders == [_untold(expected)]


def test_a_delivered_parcel_says_so() -> None:
    node = state.order_node(fulfillments=[state.SENT_NODE | {"displayStatus": "DELIVERED"}])
    payload = state.order_payload(fulfillments=[state.SENT_PAYLOAD | {"shipment_status": "delivered"}])
    for said in (pulled("orders", node), told("orders/updated", payload)):
        [order] = said.orders
        assert order.fulfilments[0].status == "delivered"
        assert order.fulfilment_status == FulfilmentStatus.PARTIAL


@pytest.mark.parametrize(
    ("display", "status", "sent", "expected"),
    [
        ("IN_PROGRESS", "partial", True, FulfilmentStatus.PARTIAL),
        ("PARTIALLY_FULFILLED", "partial", True, FulfilmentStatus.PARTIAL),
        ("ON_HOLD", None, False, FulfilmentStatus.UNFULFILLED),
        ("RESTOCKED", "restocked", True, FulfilmentStatus.UNFULFILLED),
        ("FULFILLED", "fulfilled", True, FulfilmentStatus.FULFILLED),
    ],
)
def test_how_much_was_sent(display: str, status: str | None, sent: bool, expected: FulfilmentStatus) -> None:
    node = state.order_node(displayFulfillmentStatus=display, fulfillments=[state.SENT_NODE] if sent else [])
    payload = state.order_payload(fulfillment_status=status, fulfillments=[state.SENT_PAYLOAD] if sent else [])
    assert [pulled("orders", node).orders[0].fulfilment_status] == [expected]
    assert [told("orders/updated", payload).orders[0].fulfilment_status] == [expected]


def test_what_needs_no_parcel_is_sent() -> None:
    lines = [line | {"requires_shipping": False} for line in state.order_payload()["line_items"]]
    assert pulled("orders", state.order_node(requiresShipping=False)).orders[0].status == OrderStatus.COMPLETED
    assert told("orders/paid", state.order_payload(line_items=lines)).orders[0].status == OrderStatus.COMPLETED


def test_a_refund_of_a_part_with_postage() -> None:
    status = PaymentStatus.PARTIALLY_REFUNDED
    node = state.order_node(displayFinancialStatus="PARTIALLY_REFUNDED", refunds=[state.refund_node()])
    payload = state.order_payload(financial_status="partially_refunded", refunds=[state.refund_payload()])
    expected = replace(ORDER, payment_status=status, refunds=(REFUND,))
    assert pulled("orders", node).orders == [expected]
    assert told("orders/updated", payload).orders == [_untold(expected)]


def test_the_refund_that_comes_alone_is_the_same() -> None:
    assert told("refunds/create", state.refund_payload()).refunds == [REFUND]


def test_a_refund_of_nothing_but_money() -> None:
    node = state.order_node(refunds=[state.refund_node("10.00", (), "")])
    payload = state.order_payload(refunds=[state.refund_payload("10.00", (), "")])
    for said in (pulled("orders", node), told("orders/updated", payload)):
        [order] = said.orders
        assert order.total_minor == 5750
        assert [(one.amount_minor, one.lines) for one in order.refunds] == [(1000, ())]


def test_older_payloads_book_postage_below_zero() -> None:
    payload = state.refund_payload()
    del payload["refund_shipping_lines"]
    booking = {"id": 3, "kind": "shipping_refund", "amount_set": state.money_set("-5.00")}
    payload["order_adjustments"] = [booking | {"tax_amount_set": state.money_set("-0.33")}]
    assert told("refunds/create", payload).refunds == [REFUND]


def test_an_edit_before_payment_makes_the_order_less() -> None:
    """One of two packets taken out: 12.50 less its share of the discount, and its tax; nothing was given back."""
    node = state.order_node(displayFinancialStatus="PENDING", refunds=[state.refund_node("", postage="")])
    payload = state.order_payload(financial_status="pending", refunds=[state.refund_payload("", postage="")])
    for said in (pulled("orders", node), told("orders/updated", payload)):
        [order] = said.orders
        assert order.total_minor == 4625
        assert [(line.quantity, line.discount_minor, line.tax_minor) for line in order.lines] == [
            (1, 125, 73),
            (1, 0, 196),
        ]
        assert (order.shipping_minor, order.tax_minor, order.discount_minor) == (500, 302, 0)
        assert order.refunds == ()
        assert rules.amounts(order).subtotal == 4125


def test_an_edit_after_payment_stands_against_the_money_given_back() -> None:
    node = state.order_node(
        refunds=[state.refund_node("", postage=""), state.refund_node("11.25", (), "") | {"id": "9"}]
    )
    [order] = pulled("orders", node).orders
    assert order.total_minor == 5750
    assert [one.amount_minor for one in order.refunds] == [1125]


def test_a_cancelled_order_keeps_what_it_was() -> None:
    node = state.order_node(cancelledAt=state.CHANGED, refunds=[state.refund_node("", postage="")])
    payload = state.order_payload(cancelled_at=state.CHANGED, refunds=[state.refund_payload("", postage="")])
    for said in (pulled("orders", node), told("orders/cancelled", payload)):
        [order] = said.orders
        assert (order.status, order.total_minor, order.cancelled_at) == (OrderStatus.CANCELLED, 5750, CHANGED)


def test_another_currency_is_shown_and_the_shops_counts() -> None:
    shown = {"totalPriceSet": state.both("57.50", "62.10", "USD")}
    [order] = pulled("orders", state.order_node(**shown)).orders
    assert order == replace(ORDER, presentment_currency="USD", presentment_total_minor=6210)
    back = state.refund_payload("17.55")
    back["transactions"][0]["currency"] = "USD"
    payload = state.order_payload(total_price_set=state.money_set("57.50", "62.10", "USD"), refunds=[back])
    [order] = told("orders/updated", payload).orders
    assert (order.presentment_total_minor, order.refunds[0].amount_minor) == (6210, 1625)


def test_tips_and_duties_are_in_the_postage() -> None:
    node = state.order_node(totalPriceSet=state.both("63.50"))
    assert pulled("orders", node).orders[0].shipping_minor == 1100


def test_prices_without_tax() -> None:
    node = state.order_node(taxesIncluded=False, totalPriceSet=state.both("61.26"))
    [order] = pulled("orders", node).orders
    assert (order.shipping_minor, order.tax_minor, order.tax_included, order.total_minor) == (500, 376, False, 6126)


def test_a_test_order_is_marked() -> None:
    assert pulled("orders", state.order_node(test=True)).orders[0].is_test
    assert told("orders/create", state.order_payload(test=True)).orders[0].is_test


def test_a_guest_is_named_by_the_order() -> None:
    guest = PersonInput(ADA[1:2], CHANGED, 3, evidence="shopify", contact=replace(CARD, phone="", language="de"))
    assert pulled("orders", state.order_node(customer=None)).orders[0].person == guest
    assert told("orders/create", state.order_payload(customer=None)).orders[0].person == guest
    nobody = state.order_node(customer=None, email=None)
    assert pulled("orders", nobody).orders[0].person is None


def test_a_custom_item_has_no_product() -> None:
    line = state.line_node(1, "12.50", 2) | {"product": None, "variant": None, "sku": None}
    payload = state.line_payload(1, "12.50", 2) | {"product_id": None, "variant_id": None, "sku": None}
    plain = {"subtotalPriceSet": state.bag("25.00"), "totalPriceSet": state.both("25.00")}
    [one] = pulled("orders", state.order_node(lineItems={"nodes": [line]}, **plain)).orders
    sums = {"subtotal_price_set": state.money_set("25.00"), "total_price_set": state.money_set("25.00")}
    [other] = told("orders/create", state.order_payload(line_items=[payload], **sums)).orders
    assert one.lines == other.lines == (LineInput("", "Tea 1 - 100 g", 2, Decimal("12.50")),)


@given(
    prices=st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 99_999), st.integers(0, 999), st.integers(0, 500)),
        min_size=1,
        max_size=6,
    ),
    postage=st.integers(0, 5_000),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    included=st.booleans(),
)
def test_sums_add_up_whatever_the_amounts(
    prices: list[tuple[int, int, int, int]], postage: int, currency: str, included: bool
) -> None:
    """Amounts are in minor units of the currency; what Shopify states is what the record counts, and its parts make it up."""
    places = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]

    def shown(amount: int) -> str:
        return str(Decimal(amount).scaleb(-places))

    lines = [
        state.line_node(number, shown(price), count, (shown(min(less, count * price)),), shown(tax))
        for number, (count, price, less, tax) in enumerate(prices)
    ]
    subtotal = sum(count * price - min(less, count * price) for count, price, less, _ in prices)
    tax = sum(tax for *_, tax in prices)
    total = subtotal + postage + (0 if included else tax)
    node = state.order_node(
        currencyCode=currency,
        taxesIncluded=included,
        lineItems={"nodes": lines},
        totalPriceSet=state.bag(shown(total), currency),
        subtotalPriceSet=state.bag(shown(subtotal), currency),
        totalTaxSet=state.bag(shown(tax), currency),
        transactions=[],
    )
    [order] = pulled("orders", node).orders
    amounts = rules.amounts(order)
    assert (amounts.total, amounts.subtotal, order.shipping_minor, order.tax_minor) == (total, subtotal, postage, tax)
    assert sum(amounts.lines) - order.discount_minor == subtotal
    assert [line_total(line.quantity, line.unit_price, currency) for line in order.lines] == [
        count * price for count, price, _, _ in prices
    ]


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
    assert pulled("products", state.product_node()).products == [_product(Decimal("4.20"))]
    assert told("products/update", state.product_payload()).products == [_product(None)]


def test_the_one_variant_of_a_product_without_any_has_no_name() -> None:
    variant = state.product_node()["variants"]["nodes"][0] | {"title": "Default Title"}
    [product] = pulled(
        "products", state.product_node(variants={"nodes": [variant]}, status="UNLISTED", publishedAt=None)
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
    assert pulled("checkouts", state.checkout_node()).carts == [expected]
    named = replace(expected, other_keys=("901414060", "hWN1c9Zx"))  # a webhook names the cart too
    assert told("checkouts/update", state.checkout_payload()).carts == [named]


def test_a_checkout_that_became_an_order_is_the_orders_to_tell() -> None:
    assert pulled("checkouts", state.checkout_node(completedAt=state.CHANGED)).carts == []
    assert told("checkouts/update", state.checkout_payload(completed_at=state.CHANGED)).carts == []


def test_a_checkout_that_is_gone() -> None:
    assert told("checkouts/delete", {"id": 901414060}).carts == [
        CartInput("901414060", RECEIVED, "EUR", is_closed=True)
    ]


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
    assert request == PrivacyRequest("erase", AT, None, ("1",), "954889:1")
    asked = {"customer": who, "orders_requested": [450789469], "data_request": {"id": 9999}}
    assert told("customers/data_request", shop | asked, **WHEN).requests == [
        PrivacyRequest("export", AT, OWN, ("450789469",), "9999")
    ]
    [request] = told("shop/redact", shop, **WHEN).requests
    assert (request.kind, request.identity) == ("erase-shop", None)


# --- what is not as documented ---


def test_one_thing_that_cannot_be_read_keeps_no_other_out() -> None:
    bad = b'{"id": "gid://shopify/Order/1", "name": 7}'
    body = b"\n".join([b"{", bad, b'{"total": NaN}'])
    good = pulled("orders", state.order_node()).orders
    said = PLATFORM.read(account(), incoming("orders", body, Why.RECONCILE))
    assert (said.orders, [one.body for one in said.unreadable]) == ([], [b"{", bad, b'{"total": NaN}'])
    assert [one.reason for one in said.unreadable][1] == "This is not as Shopify documents it (KeyError)."
    assert good == [ORDER]


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
    with pytest.raises(ValueError, match=r"^\w+$"):
        PLATFORM.read(account(), incoming("orders/updated", body))


def test_an_unknown_topic_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown topic"):
        told("loyalty/points", {})
