"""Orders, deliveries and refunds as Shopify says them, in the record's inputs: the same whichever way a state comes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.connections.base.platforms import Why
from regulars.connections.shopify.tests import state
from regulars.connections.shopify.tests.said import ADA, CARD, CHANGED, CREATED
from regulars.connections.shopify.tests.shop import PLATFORM, account, incoming, pulled, told
from regulars.foundation.money import line_total
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import PersonInput
from regulars.record.orders import rules
from regulars.record.orders.inputs import (
    FulfilmentInput,
    LineInput,
    OrderInput,
    PaymentInput,
    RefundInput,
)
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus

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


def test_a_refund_that_comes_alone_is_in_the_shops_own_money() -> None:
    """Whatever currency the store has here; what was paid back in dollars is turned at the rate of the refund's own lines."""
    payload = state.refund_payload("17.55")
    payload["transactions"][0]["currency"] = "USD"
    payload["refund_line_items"][0]["subtotal_set"] = state.money_set("11.25", "12.15", "USD")
    here = account(currency="GBP")
    assert PLATFORM.read(here, incoming("refunds/create", payload)).refunds == [REFUND]
    alone = state.refund_payload("0.999", (), "")
    alone["transactions"][0]["currency"] = "KWD"
    assert told("refunds/create", alone).refunds == []  # nothing tells what that is here: its order will
    booking = {"kind": "refund_discrepancy", "amount_set": state.money_set("-3.00", "-0.999", "KWD")}
    alone["order_adjustments"] = [booking | {"tax_amount_set": state.money_set("0.00", "0.000", "KWD")}]
    assert [one.amount_minor for one in told("refunds/create", alone).refunds] == [300]


def test_the_shops_side_of_a_refund_is_exact() -> None:
    """100 yen are 0.61 or 0.62 euro by the order's rate; what the refund is made of says which, with tax on top where it is."""
    lines = state.refund_payload("2121", (), "")
    lines["transactions"][0]["currency"] = "JPY"
    line = {"line_item_id": 1, "quantity": 1, "line_item": state.line_payload(1, "12.50", 2)}
    line |= {
        "subtotal_set": state.money_set("12.99", "2021", "JPY"),
        "total_tax_set": state.money_set("0.61", "100", "JPY"),
    }
    lines["refund_line_items"] = [line]
    assert [one.amount_minor for one in told("refunds/create", lines).refunds] == [1360]
    lines["transactions"][0]["amount"] = "2021"
    assert [one.amount_minor for one in told("refunds/create", lines).refunds] == [1299]
    assert told("refunds/create", state.refund_payload("")).refunds == []


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


def test_one_thing_that_cannot_be_read_keeps_no_other_out() -> None:
    bad = b'{"id": "gid://shopify/Order/1", "name": 7}'
    body = b"\n".join([b"{", bad, b'{"total": NaN}'])
    good = pulled("orders", state.order_node()).orders
    said = PLATFORM.read(account(), incoming("orders", body, Why.RECONCILE))
    assert (said.orders, [one.body for one in said.unreadable]) == ([], [b"{", bad, b'{"total": NaN}'])
    assert [one.reason for one in said.unreadable][1] == "It is not as the platform documents it (KeyError)."
    assert good == [ORDER]
