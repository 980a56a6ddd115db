"""Figures follow a merge and a split."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import decide_link
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import transaction
from regulars.record.events.readers import catch_up
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import CustomerFigures, Order
from regulars.record.orders.operations import apply_orders, verify_figures
from regulars.record.orders.readers import FIGURES

AT = datetime(2026, 11, 1, tzinfo=UTC)


def order(number: str, customer: str) -> OrderInput:
    who = PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, customer, "uk"),), AT)
    return OrderInput(number, AT, "GBP", (LineInput("A", "A", 1, Decimal("10.00")),), who)


@pytest.mark.django_db
def test_figures_follow_a_merge_and_a_split() -> None:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    with transaction("import") as log:
        apply_orders([order("1", "a"), order("2", "b")], log, store_id=store.id, at=AT)
    one, other = Order.objects.order_by("number").values_list("profile_id", flat=True)
    assert one is not None
    assert other is not None
    for verdict, expected in (("must-link", [2]), ("cannot-link", [1, 1])):
        decide_link(one, other, verdict, staff_id=1, at=AT)
        catch_up([FIGURES], AT)
        assert list(CustomerFigures.objects.order_by("order_count").values_list("order_count", flat=True)) == expected
        assert verify_figures() == []
    assert customer_of(one) != customer_of(other)
