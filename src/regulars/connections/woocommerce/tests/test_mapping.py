"""Recorded payloads become exactly these inputs; and each trap of WooCommerce's payloads."""

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from regulars.connections.base.platforms import PersonGone
from regulars.connections.woocommerce.tests.shop import NOW, account, payload, read_page, read_webhook
from regulars.record.catalog.inputs import ProductInput, ProductRemoval, VariantInput
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentState
from regulars.record.coupons.inputs import CouponInput, CouponRemoval
from regulars.record.coupons.models import CouponKind, CouponStatus
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


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def order(**fields: Any) -> dict[str, Any]:
    """The recorded order 727 of a guest, with a real address, changed."""
    said = copy.deepcopy(payload("orders")[0])
    said["billing"] |= {"email": "Jo@Shop-Guest.net", "phone": "+1 415 555 2671"}
    return said | fields


def line(**fields: Any) -> dict[str, Any]:
    known: dict[str, Any] = payload("orders")[0]["line_items"][0]
    return known | fields


def only_order(**fields: Any) -> OrderInput:
    (found,) = read_webhook("order.updated", order(**fields)).orders
    return found


JO = PersonInput(
    (IdentityInput(IdentityKind.EMAIL, "jo@shop-guest.net"), IdentityInput(IdentityKind.PHONE, "+14155552671")),
    at("2017-03-22T19:28:02"),
    7,
    evidence="shop order",
    contact=ContactCard(
        first_name="John",
        last_name="Doe",
        email="jo@shop-guest.net",
        phone="+14155552671",
        street="969 Market",
        city="San Francisco",
        postal_code="94103",
        region="CA",
        country="US",
    ),
)


def test_a_recorded_order_of_a_guest() -> None:
    assert only_order() == OrderInput(
        number="727",
        external_id="727",
        placed_at=at("2017-03-22T19:28:02"),
        stated_at=at("2017-03-22T19:28:08"),
        currency="USD",
        lines=(
            LineInput("", "Woo Single #1", 2, Decimal("3"), "93", 0, 45, variant_key="93"),
            LineInput(
                "Bar3", "Ship Your Idea – Color: Black, Size: M Test", 1, Decimal("12"), "22", 0, 90, variant_key="23"
            ),
        ),
        person=JO,
        channel="rest-api",
        shipping_minor=1000,
        tax_minor=135,
        tax_included=False,
        total_minor=2935,
        status=OrderStatus.OPEN,
        payment_status=PaymentStatus.PAID,
        fulfilment_status=FulfilmentStatus.UNFULFILLED,
        country="US",
        payments=(PaymentInput("sale", "success", 2935, "USD", at("2017-03-22T19:28:08"), "bacs"),),
        has_all_refunds=True,
    )


def test_a_recorded_order_with_refunds_told_and_asked_for() -> None:
    said = read_page("orders", payload("orders")[1:], {"723": payload("refunds")})
    (found,) = said.orders
    person = found.person
    assert person is not None
    assert person.identities == (IdentityInput(IdentityKind.STORE_CUSTOMER, "26", "uk"),)
    assert (found.status, found.payment_status) == (OrderStatus.COMPLETED, PaymentStatus.PARTIALLY_REFUNDED)
    assert found.fulfilments == (FulfilmentInput("success", at("2017-03-21T19:54:51")),)
    told: dict[str, Any] = {"currency": "USD", "person": person, "order_external_id": "723"}
    begun, changed = at("2017-03-21T19:16:00"), at("2017-03-21T19:54:51")
    assert found.refunds == (
        RefundInput("726", changed, amount_minor=1000, stated_at=begun, **told),
        RefundInput("724", changed, amount_minor=900, stated_at=begun, **told),
    )
    album = LineInput("", "Woo Album #2", 1, Decimal("9"), "87", variant_key="87")
    first, second = at("2017-03-21T20:07:11"), at("2017-03-21T19:55:37")
    assert said.refunds == [
        RefundInput("726", first, amount_minor=1000, stated_at=first, **told),
        RefundInput("724", second, amount_minor=900, lines=(album,), stated_at=second, **told),
    ]


def test_recorded_customers_and_staff() -> None:
    joao, john = payload("customers")
    john["role"] = "shop_manager"
    joao["email"] = "joao.silva@correio.br"
    assert read_page("customers", [joao, john]).people == [
        PersonInput(
            (
                IdentityInput(IdentityKind.STORE_CUSTOMER, "26", "uk"),
                IdentityInput(IdentityKind.EMAIL, "joao.silva@correio.br"),
            ),
            at("2017-03-21T19:11:16"),
            7,
            evidence="shop account",
            contact=ContactCard(
                first_name="João",
                last_name="Silva",
                email="joao.silva@correio.br",
                street="Av. Brasil, 432",
                city="Rio de Janeiro",
                postal_code="12345-000",
                region="RJ",
                country="BR",
            ),
        )
    ]
    john["is_paying_customer"] = True
    assert len(read_page("customers", [john]).people) == 1


def test_recorded_products_with_and_without_variations() -> None:
    variable, simple = payload("products")
    variable["variations"] = [733, 732]
    shirts = ("Clothing", "T-shirts")
    pictures = "https://example.com/wp-content/uploads/2017/03/"
    nine: dict[str, Any] = {"price": Decimal(9), "compare_at": Decimal(9), "currency": "USD"}
    many = ProductInput(
        "799",
        "Ship Your Idea",
        at("2017-03-23T20:03:12"),
        (VariantInput("", "Green", key="733", **nine), VariantInput("", "Black", key="732", **nine)),
        url="https://example.com/product/ship-your-idea-22/",
        image_url=pictures + "T_4_front-11.jpg",
        category_names=shirts,
        stated_at=at("2017-03-23T20:03:12"),
    )
    price: dict[str, Any] = {"price": Decimal("21.99"), "compare_at": Decimal("21.99"), "currency": "USD"}
    one = ProductInput(
        "794",
        "Premium Quality",
        at("2017-03-23T20:01:14"),
        (VariantInput("", key="794", **price),),
        url="https://example.com/product/premium-quality-19/",
        image_url=pictures + "T_2_front-4.jpg",
        category_names=shirts,
        stated_at=at("2017-03-23T20:01:14"),
    )
    assert read_page("products", [variable, simple], {"799": payload("variations")}).products == [many, one]


def test_recorded_coupons() -> None:
    free, ten = payload("coupons")
    ten |= {"usage_limit": 5, "usage_count": 2, "email_restrictions": ["Jo@Shop-Guest.net"]}
    ten |= {"date_expires_gmt": "2017-12-31T23:00:00", "status": "draft"}
    person = PersonInput(
        (IdentityInput(IdentityKind.EMAIL, "jo@shop-guest.net"),),
        at("2017-03-21T18:23:00"),
        7,
        evidence="shop coupon",
    )
    assert read_page("coupons", [free, ten]).coupons == [
        CouponInput(
            "free shipping",
            CouponKind.FREE_SHIPPING,
            currency="USD",
            used=0,
            external_id="720",
            stated_at=at("2017-03-21T18:25:02"),
        ),
        CouponInput(
            "10off",
            CouponKind.PERCENT,
            Decimal(10),
            "USD",
            Decimal(100),
            5,
            2,
            expires_at=at("2017-12-31T23:00:00"),
            status=CouponStatus.DISABLED,
            external_id="719",
            person=person,
            stated_at=at("2017-03-21T18:23:00"),
        ),
    ]


def test_what_was_deleted_says_only_its_number() -> None:
    assert read_webhook("order.deleted", {"id": 5}).orders_gone == [OrderRemoval(NOW, external_id="5")]
    assert read_webhook("product.deleted", {"id": 5}).products_gone == [ProductRemoval("5", NOW)]
    assert read_webhook("coupon.deleted", {"id": 5}).coupons_gone == [CouponRemoval(NOW, external_id="5")]
    own = IdentityInput(IdentityKind.STORE_CUSTOMER, "5", "uk")
    assert read_webhook("customer.deleted", {"id": 5}).people_gone == [PersonGone(own, NOW)]
    with pytest.raises(LookupError):
        read_webhook("order.updated", {"id": 5})
    assert read_webhook("order.deleted", order()).orders == [
        only_order()
    ]  # what it holds counts, not what it is called


def test_what_is_in_the_trash_went_when_it_was_changed() -> None:
    changed = at("2017-03-22T19:28:08")
    gone = [OrderRemoval(changed, external_id="727", reason="put in the shop's trash")]
    assert read_page("trashed-orders", [order(status="trash")]).orders_gone == gone
    product = payload("products")[1] | {"status": "trash"}
    assert read_page("trashed-products", [product]).products_gone == [ProductRemoval("794", at("2017-03-23T20:01:14"))]
    coupon = payload("coupons")[1] | {"status": "trash"}
    assert read_webhook("coupon.updated", coupon).coupons_gone == [CouponRemoval(at("2017-03-21T18:23:00"), "719")]


@pytest.mark.parametrize(
    ("status", "paid", "completed", "expected"),
    [
        ("pending", False, False, ("open", "pending", "unfulfilled")),
        ("on-hold", False, False, ("open", "pending", "unfulfilled")),
        ("on-hold", True, False, ("open", "paid", "unfulfilled")),
        ("processing", True, False, ("open", "paid", "unfulfilled")),
        ("processing", False, False, ("open", "pending", "unfulfilled")),  # cash on delivery
        ("completed", False, True, ("completed", "paid", "fulfilled")),
        ("wc-completed", True, True, ("completed", "paid", "fulfilled")),
        ("refunded", True, False, ("completed", "refunded", "unfulfilled")),
        ("refunded", True, True, ("completed", "refunded", "fulfilled")),
        ("cancelled", True, False, ("cancelled", "voided", "unfulfilled")),
        ("failed", False, False, ("cancelled", "voided", "unfulfilled")),
        ("shipped", True, False, ("completed", "paid", "fulfilled")),
        ("partial-shipped", True, False, ("open", "paid", "partial")),
        ("at-the-tailor", True, False, ("open", "paid", "unfulfilled")),
        ("at-the-tailor", False, True, ("open", "pending", "fulfilled")),
    ],
)
def test_states(status: str, paid: bool, completed: bool, expected: tuple[str, str, str]) -> None:
    when = "2017-03-23T10:00:00"
    found = only_order(
        status=status, date_paid_gmt=when if paid else None, date_completed_gmt=when if completed else ""
    )
    assert (found.status.value, found.payment_status.value, found.fulfilment_status.value) == expected
    assert found.cancelled_at == (at("2017-03-22T19:28:08") if expected[0] == "cancelled" else None)


@pytest.mark.parametrize("status", ["draft", "auto-draft", "checkout-draft"])
def test_a_draft_is_no_order_yet(status: str) -> None:
    said = read_webhook("order.created", order(status=status))
    assert (said.orders, said.orders_gone, said.unreadable) == ([], [], [])


def test_prices_that_include_tax_are_read_as_the_shopper_saw_them() -> None:
    """Three times 10.00 with 19 %: 8.403361 each without, shown as 8.40 and 1.60."""
    each = {"quantity": 1, "subtotal": "8.40", "subtotal_tax": "1.60", "total": "8.40", "total_tax": "1.60"}
    found = only_order(
        prices_include_tax=True,
        line_items=[line(**each)] * 3,
        shipping_total="4.12",
        shipping_tax="0.78",
        total="34.90",
        total_tax="5.57",
    )
    assert [rules.line_amount(one, "USD") for one in found.lines] == [1000, 1000, 1000]
    assert (found.shipping_minor, found.tax_minor, found.tax_included, found.discount_minor) == (490, 557, True, 0)
    sums = rules.amounts(found)
    assert (sums.subtotal, sums.total) == (3000, 3490)


def test_discounts_fees_and_gift_cards() -> None:
    items = [line(quantity=3, subtotal="30.00", subtotal_tax="0", total="25.00", total_tax="0")]
    fees = [{"name": "Gift &amp; wrapping", "total": "2.50", "total_tax": "0.00"}]
    fees += [{"name": "", "total": "-5.00", "total_tax": "0.00"}]
    found = only_order(line_items=items, fee_lines=fees, shipping_total="0", total="12.50", total_tax="0")
    assert found.lines == (
        LineInput("", "Woo Single #1", 3, Decimal(10), "93", 500, 0, variant_key="93"),
        LineInput("", "Gift & wrapping", 1, Decimal("2.5"), is_service=True),
        LineInput("", "Fee", 1, Decimal(-5), is_service=True),
    )
    assert found.discount_minor == 1000  # what a gift card took off the total
    assert (rules.amounts(found).subtotal, found.total_minor) == (1250, 1250)


def test_odd_lines() -> None:
    items = [
        line(product_id=0, variation_id=0, sku=None, name="Gone &ndash; for ever"),  # its product was deleted
        line(quantity="1.5", subtotal="9.00", total="9.00"),  # sold by weight
        line(quantity=7, subtotal="10.00", total="10.00"),
        line(quantity=0, subtotal="4.00", total="4.00"),
    ]
    found = only_order(line_items=items).lines
    assert (found[0].product_key, found[0].variant_key, found[0].sku, found[0].title) == ("", "", "", "Gone – for ever")
    assert (found[1].quantity, found[1].title, found[1].unit_price) == (1, "1.5 × Woo Single #1", Decimal(9))
    assert found[2].unit_price == Decimal("1.428571")
    assert [rules.line_amount(one, "USD") for one in found] == [600, 900, 1000, 400]


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 29), ("KWD", 29350), ("USD", 2935)])
def test_currencies_have_their_own_decimals(currency: str, minor: int) -> None:
    found = only_order(currency=currency, total="29.35")
    assert found.total_minor == minor
    assert rules.amounts(found).subtotal + found.shipping_minor + found.tax_minor == minor


def test_refunds_of_an_amount_of_postage_and_of_part_of_a_line() -> None:
    refund = {
        "id": 9,
        "date_created_gmt": "2017-03-24T10:00:00",
        "amount": "12.00",
        "reason": "",
        "line_items": [line(quantity=0, total="-2.00", total_tax="-0.15")],
        "shipping_lines": [{"method_title": "Flat rate", "total": "-9.85", "total_tax": "0"}],
    }
    said = read_page("orders", [order(refunds=[{"id": 9, "reason": "", "total": "-12.00"}])], {"727": [refund]})
    (found,) = said.refunds
    assert found.amount_minor == 1200
    assert [(one.title, one.quantity, rules.line_amount(one, "USD"), one.tax_minor) for one in found.lines] == [
        ("Woo Single #1", 0, 200, 15),
        ("Flat rate", 1, 985, 0),
    ]
    assert found.lines[1].is_service
    assert said.orders[0].payment_status == PaymentStatus.PARTIALLY_REFUNDED


def test_tracking_numbers_cart_and_meta_of_any_type() -> None:
    parcels = [
        {"tracking_provider": "DHL", "tracking_number": "JJD1", "date_shipped": "1490313600"},
        {
            "custom_tracking_provider": "Bike",
            "tracking_number": "B2",
            "custom_tracking_link": "https://bike.example/B2",
        },
        {"tracking_provider": "DHL", "tracking_number": ""},
        "nonsense",
    ]
    meta = [
        {"key": "_wc_shipment_tracking_items", "value": parcels},
        {"key": "_regulars_cart", "value": "0123abcd"},
        {"key": "_odd", "value": {"a": [1, None, 2.5]}},
        "nonsense",
    ]
    found = only_order(meta_data=meta, date_completed_gmt="2017-03-24T12:00:00")
    assert found.cart_keys == ("0123abcd",)
    assert found.fulfilments == (
        FulfilmentInput("success", at("2017-03-24T00:00:00"), "DHL", "JJD1"),
        FulfilmentInput("success", at("2017-03-24T12:00:00"), "Bike", "B2", "https://bike.example/B2"),
    )
    odds: list[Any] = [7, None, [], {"x": 1}]
    for odd in odds:
        strange = only_order(
            meta_data=[{"key": "_regulars_cart", "value": odd}, {"key": "_wc_shipment_tracking_items", "value": odd}]
        )
        assert (strange.cart_keys, strange.fulfilments) == ((), ())


def test_consent_is_what_our_plugin_noted_and_nothing_else() -> None:
    noted = {
        "agreed": True,
        "channel": "email",
        "text": "News &amp; offers",
        "at": "2017-03-22T19:27:00Z",
        "source": "checkout",
    }
    (found,) = read_webhook("order.created", order(meta_data=[{"key": "_regulars_consent", "value": noted}])).consents
    assert found == ConsentInput(
        "jo@shop-guest.net",
        ConsentState.GRANTED,
        at("2017-03-22T19:27:00"),
        "checkout",
        Channel.EMAIL,
        proof="con_1 727",
        text="News & offers",
        source="con_1",
    )
    several = [noted | {"agreed": False}, noted | {"channel": "sms"}]
    said = read_webhook("order.created", order(meta_data=[{"key": "_regulars_consent", "value": several}])).consents
    assert [(one.address, one.state) for one in said] == [
        ("jo@shop-guest.net", ConsentState.DENIED),
        ("+14155552671", ConsentState.GRANTED),
    ]
    assert read_webhook("order.created", order(meta_data=[{"key": "marketing", "value": "yes"}])).consents == []
    with pytest.raises(ValueError, match="neither yes nor no"):
        read_webhook("order.created", order(meta_data=[{"key": "_regulars_consent", "value": noted | {"agreed": "1"}}]))


def test_a_guest_who_left_nothing_is_nobody_and_a_name_is_read_as_it_is_meant() -> None:
    nobody = order()["billing"] | {"email": "", "phone": "n/a"}
    assert only_order(billing=nobody).person is None
    named = only_order(
        billing=nobody | {"email": "d@shop-guest.net", "first_name": "D&#039;Arcy", "country": "Elsewhere"}
    )
    assert named.person is not None
    assert named.person.contact is not None
    assert (named.person.contact.first_name, named.person.contact.country) == ("D'Arcy", "")


def test_a_variation_tells_of_itself_only() -> None:
    variation = payload("variations")[0] | {
        "type": "variation",
        "parent_id": 799,
        "manage_stock": True,
        "stock_quantity": 4,
    }
    when = at("2017-03-23T03:53:11")
    form = VariantInput("", "Green", "", Decimal(9), Decimal(9), currency="USD", on_hand=4, key="733")
    assert read_webhook("product.updated", variation).products == [
        ProductInput("799", "", when, (form,), status="", stated_at=when)
    ]
    shared = read_webhook("product.updated", variation | {"manage_stock": "parent"}).products[0]
    assert shared.variants[0].on_hand is None  # counted with its product, not once for each


def test_a_product_is_as_new_as_its_newest_variation() -> None:
    newer = payload("variations")[0] | {"date_modified_gmt": "2018-01-01T00:00:00"}
    (found,) = read_page("products", payload("products")[:1], {"799": [newer]}).products
    assert found.stated_at == at("2018-01-01T00:00:00")


def test_what_the_shop_answered_to_itself_is_no_thing() -> None:
    gone = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
    assert vars(read_webhook("order.updated", gone)) == vars(type(read_webhook("order.updated", gone))())
    forbidden = {"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": {"status": 401}}
    with pytest.raises(ValueError, match="may not read"):
        read_webhook("order.updated", forbidden)


def test_times_without_a_zone_are_utc_and_an_order_that_was_never_changed_has_its_beginning() -> None:
    assert only_order(date_modified_gmt=None).stated_at == at("2017-03-22T19:28:02")
    assert only_order(date_modified_gmt="2017-03-22T20:28:08+01:00").stated_at == at("2017-03-22T19:28:08")


def test_an_account_of_another_store_has_its_own_scope() -> None:
    said = read_webhook("order.updated", order(customer_id=26), store_code="de", store_id=9)
    person = said.orders[0].person
    assert person is not None
    assert (person.identities[0].scope, person.store_id) == ("de", 9)
    assert account().store_code == "uk"
