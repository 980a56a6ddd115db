"""Coupons on their pages and in the API: numbers lead to the orders, orders to their coupons, each staff to their own stores."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.record.coupons.inputs import CouponInput
from regulars.record.coupons.models import Coupon, CouponKind, CouponStatus
from regulars.record.coupons.operations import apply_coupons
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events import log as event_log
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import Order, OrderStatus
from regulars.record.orders.operations import apply_orders
from regulars.web.tests.shop import OWNER, make_staff

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
ANN = PersonInput((IdentityInput(IdentityKind.EMAIL, "ann@mail.example"),), NOW - timedelta(days=90))


@pytest.fixture
def owner(client: Client) -> StaffMember:
    member = make_staff(OWNER, "Ada Owner", Role.OWNER)
    client.force_login(member)
    return member


def order(number: str, codes: str, status: OrderStatus = OrderStatus.COMPLETED) -> OrderInput:
    line = LineInput("SKU-1", "Bunting", 1, Decimal(10), "bunting")
    return OrderInput(number, NOW - timedelta(days=3), "GBP", (line,), ANN, discount_codes=codes, status=status)


@pytest.fixture
def shop() -> dict[str, Coupon]:
    brand = Brand.objects.create(name="Acme", from_name="Acme", from_address="shop@acme.example")
    one, two = (
        Store.objects.create(code=code, name=code.title(), brand=brand, currency="GBP") for code in ("one", "two")
    )
    said = [
        CouponInput("Spring 10", CouponKind.PERCENT, Decimal(10), usage_limit=5, used=2, description="For spring"),
        CouponInput("FIVER", CouponKind.FIXED, Decimal(5), "GBP", Decimal(20), expires_at=NOW - timedelta(days=1)),
        CouponInput("ANN-1", CouponKind.FREE_SHIPPING, person=ANN, status=CouponStatus.DISABLED),
    ]
    with event_log.transaction("test", "t") as log:
        apply_coupons(said, log, store_id=one.pk, at=NOW)
        apply_coupons([CouponInput("SPRING 10", CouponKind.OTHER)], log, store_id=two.pk, at=NOW)
        orders = [order("1", "spring 10"), order("2", "FIVER, SPRING 10"), order("3", "fiver", OrderStatus.CANCELLED)]
        apply_orders([*orders, order("4", "SPRING 100")], log, store_id=one.pk, at=NOW)
        apply_orders([order("5", "Spring 10")], log, store_id=two.pk, at=NOW)
    return {coupon.code: coupon for coupon in Coupon.objects.all()}


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()[:300]
    return answer.content.decode()


def total(client: Client, address: str) -> int:
    found = re.search(r'data-total="(\d+)"', page(client, address))
    assert found
    return int(found.group(1))


def href(coupon: Coupon) -> str:
    return f"/coupons/{to_public(Coupon.PREFIX, coupon.uid)}"


def test_the_list_narrows_and_its_numbers_lead_to_as_many_orders(
    client: Client, owner: StaffMember, shop: dict[str, Coupon]
) -> None:
    assert [
        total(client, f"/coupons?{more}")
        for more in (
            "",
            "state=active",
            "state=expired",
            "state=disabled",
            "whose=one",
            "kind=percent",
            "q=spring",
            "store=two",
        )
    ] == [4, 2, 1, 1, 1, 1, 2, 1]
    shown = page(client, "/coupons")
    for code, uses in (("Spring 10", 2), ("SPRING 10", 1), ("FIVER", 1)):
        door = f"/orders?coupon={shop[code].pk}&amp;counts=1"
        assert door in shown
        assert total(client, door.replace("&amp;", "&")) == uses
    assert total(client, f"/orders?coupon={shop['FIVER'].pk}") == 2
    assert total(client, "/orders?coupon=999999") == 0


def test_one_coupon_and_its_orders_lead_to_each_other(
    client: Client, owner: StaffMember, shop: dict[str, Coupon]
) -> None:
    shown = page(client, href(shop["Spring 10"]))
    assert "Used in 2 orders." in shown
    assert "10 %" in shown
    assert "For spring" in shown
    assert "£20.00" in page(client, href(shop["FIVER"]))
    second = Order.objects.get(number="2")
    order_page = page(client, f"/orders/{to_public(Order.PREFIX, second.uid)}")
    assert href(shop["Spring 10"]) in order_page
    assert href(shop["FIVER"]) in order_page
    assert href(shop["SPRING 10"]) not in order_page
    assert "SPRING 100" in page(client, f"/orders/{to_public(Order.PREFIX, Order.objects.get(number='4').uid)}")
    assert client.get("/coupons/cpn_nothing").status_code == 404


def test_staff_of_one_store_see_its_coupons_only(client: Client, shop: dict[str, Coupon]) -> None:
    member = make_staff("two@acme.example", "Two", Role.AGENT)
    member.stores.add(Store.objects.get(code="two"))
    client.force_login(member)
    assert total(client, "/coupons") == 1
    assert client.get(href(shop["Spring 10"])).status_code == 404
    assert client.get(href(shop["SPRING 10"])).status_code == 200
