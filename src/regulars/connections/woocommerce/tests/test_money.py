"""Whatever a shop sells, what we read of it adds up: drawn orders of a fake shop that other hands wrote."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fakes.woocommerce import Shop
from regulars.connections.woocommerce.tests.shop import read_page, read_webhook
from regulars.foundation.money import exponent, line_total, to_minor
from regulars.record.orders import rules
from regulars.record.orders.inputs import OrderInput

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
MONEY = st.decimals(min_value=0, max_value=3000, places=2).map(str)
SALE = st.fixed_dictionaries(
    {
        "items": st.lists(st.tuples(MONEY, st.integers(1, 12)), min_size=1, max_size=4),
        "coupon": st.sampled_from(["", "", "third", "five"]),
        "shipping": st.one_of(st.just(""), MONEY),
        "fee": st.one_of(st.just(""), MONEY, st.just("-3.33")),
        "country": st.sampled_from(["DE", "GB", "US", "JP", ""]),
        "currency": st.sampled_from(["EUR", "GBP", "JPY", "KWD"]),
    }
)


def _sell(sale: dict[str, object], with_tax: bool) -> tuple[Shop, int]:
    shop = Shop(clock=lambda: AT, prices_include_tax=with_tax, places=exponent(str(sale["currency"])))
    shop.add_coupon("third", "33.33")
    shop.add_coupon("five", "5.00", discount_type="fixed_cart")
    items = [(shop.add_product(price=price), count) for price, count in sale["items"]]  # type: ignore[attr-defined]
    number = shop.add_order(
        items,
        coupon=str(sale["coupon"]),
        shipping=str(sale["shipping"]),
        fee=str(sale["fee"]),
        currency=str(sale["currency"]),
        billing={"country": str(sale["country"])},
        status="completed",
    )
    return shop, number


def _order(shop: Shop, number: int) -> OrderInput:
    (found,) = read_webhook("order.updated", shop.orders[number]).orders
    return found


@settings(max_examples=100)
@given(SALE, st.booleans())
def test_the_parts_of_an_order_come_to_its_total(sale: dict[str, object], with_tax: bool) -> None:
    shop, number = _sell(sale, with_tax)
    told, found = shop.orders[number], _order(shop, number)
    assert found.total_minor == to_minor(Decimal(told["total"]), found.currency)
    sums = rules.amounts(found)
    assert sums.subtotal + found.shipping_minor + (0 if found.tax_included else found.tax_minor) == found.total_minor
    assert found.tax_minor == to_minor(Decimal(told["total_tax"]), found.currency)
    assert abs(found.discount_minor) <= len(found.lines) + 1  # what rounding each line leaves, and no more
    for one in found.lines:
        full = line_total(one.quantity, one.unit_price, found.currency)
        assert rules.line_amount(one, found.currency) == full - one.discount_minor
        assert one.is_service or one.discount_minor >= -1
    net = sum(to_minor(Decimal(line["total"]), found.currency) for line in told["line_items"])
    goods = [one for one in found.lines if not one.is_service]
    taxes = sum(one.tax_minor for one in goods) if found.tax_included else 0
    assert sum(rules.line_amount(one, found.currency) for one in goods) == net + taxes


@settings(max_examples=40)
@given(SALE, st.booleans(), st.data())
def test_refunds_told_and_asked_for_are_the_same_money(
    sale: dict[str, object], with_tax: bool, data: st.DataObject
) -> None:
    shop, number = _sell(sale, with_tax)
    assume(Decimal(shop.orders[number]["total"]) > 0)
    for line in shop.orders[number]["line_items"]:
        if data.draw(st.booleans()):
            shop.refund(number, lines={line["id"]: data.draw(st.integers(1, line["quantity"]))})
    said = read_page("orders", [shop.orders[number]], {str(number): list(shop.refunds[number].values())})
    (order,) = said.orders
    assert {one.number: one.amount_minor for one in order.refunds} == {
        one.number: one.amount_minor for one in said.refunds
    }
    given_back = sum(Decimal(refund["amount"]) for refund in shop.refunds[number].values())
    assert sum(one.amount_minor for one in order.refunds) == to_minor(Decimal(given_back), order.currency)
    for one in said.refunds:
        asked = shop.refunds[number][int(one.number)]["line_items"]
        net = [-Decimal(line["total"]) + (-Decimal(line["total_tax"]) if with_tax else 0) for line in asked]
        assert [rules.line_amount(line, order.currency) for line in one.lines] == [
            to_minor(amount, order.currency) for amount in net
        ]
        assert all(line.quantity > 0 for line in one.lines)


@settings(max_examples=30)
@given(SALE, st.booleans())
def test_a_webhook_and_a_page_read_the_same_state_alike(sale: dict[str, object], with_tax: bool) -> None:
    shop, number = _sell(sale, with_tax)
    shop.refund(number, "0.50" if shop.places else "1") if Decimal(shop.orders[number]["total"]) > 2 else None
    thing = json.loads(json.dumps(shop.orders[number]))
    page = read_page("orders", [thing], {str(number): list(shop.refunds[number].values())})
    webhook = read_webhook("order.updated", thing)
    assert page.orders == webhook.orders
    assert rules.digest(page.orders[0]) == rules.digest(webhook.orders[0])
    assert (page.consents, page.people) == (webhook.consents, webhook.people)
