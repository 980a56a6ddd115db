"""``regulars stats --json``: the figures that the issue names, exact."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command

from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction
from regulars.record.orders.inputs import AdjustmentInput, LineInput, OrderInput, RefundInput
from regulars.record.orders.models import OrderStatus
from regulars.record.orders.operations.apply import apply_orders

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
NAMES = {
    "profiles", "customers", "identities", "orders", "order_lines", "refunds", "products", "events", "revenue_minor",
    "messages", "runs", "rows_skipped", "quarantined_inputs",
}  # fmt: skip


def _stats(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    call_command("stats", "--json")
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.django_db
def test_an_empty_shop(capsys: pytest.CaptureFixture[str]) -> None:
    found = _stats(capsys)
    assert set(found) >= NAMES
    assert (found["orders"], found["revenue_minor"], found["rows_skipped"]) == (0, {}, {})
    call_command("stats")
    assert "orders: 0" in capsys.readouterr().out


@pytest.mark.django_db
def test_revenue_is_orders_that_count_less_refunds(capsys: pytest.CaptureFixture[str]) -> None:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    ann = PersonInput((IdentityInput(IdentityKind.EMAIL, "ann@shop.example"),), AT, store_id=store.pk)
    lines = (LineInput("A", "Mug", 2, Decimal("4.50")), LineInput("A", "Mug", 2, Decimal("4.50")))
    orders = [
        OrderInput("1", AT, "GBP", lines, ann),
        OrderInput("2", AT, "EUR", lines[:1], None),
        OrderInput("3", AT, "GBP", lines, ann, status=OrderStatus.CANCELLED),
    ]
    refunds = [RefundInput("R1", AT, "GBP", 350, person=ann)]
    adjustments = [AdjustmentInput("A1", AT, "GBP", -9999)]
    with transaction("import") as log:
        apply_orders(orders, log, store_id=store.pk, at=AT, refunds=refunds, adjustments=adjustments)
    found = _stats(capsys)
    assert (found["orders"], found["order_lines"], found["refunds"], found["products"]) == (3, 5, 1, 1)
    assert (found["profiles"], found["customers"], found["identities"]) == (1, 1, 1)
    assert found["revenue_minor"] == {"EUR": 900, "GBP": 1800 - 350}
    assert found["adjustments_minor"] == {"GBP": -9999}
