"""The one writer of orders: new, the same again, changed, cancelled, refunded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault import keys
from regulars.record.catalog.models import Product
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.orders.inputs import (
    AdjustmentInput,
    FulfilmentInput,
    LineInput,
    OrderInput,
    PaymentInput,
    RefundInput,
)
from regulars.record.orders.models import (
    Adjustment,
    CustomerFigures,
    FulfilmentStatus,
    Order,
    OrderChange,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    Refund,
    RefundLine,
)
from regulars.record.orders.operations import Applied, apply_orders, verify_figures

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


def person(number: str = "17850", at: datetime = AT) -> PersonInput:
    return PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, number, "uk"),), at)


def line(sku: str = "85123A", quantity: int = 6, price: str = "2.55", **more: object) -> LineInput:
    return LineInput(sku, f"THING {sku}", quantity, Decimal(price), **more)  # type: ignore[arg-type]


def order(number: str = "536365", *lines: LineInput, **more: object) -> OrderInput:
    values: dict[str, object] = {"person": person(), "placed_at": AT - timedelta(days=30), **more}
    return OrderInput(number=number, currency="GBP", lines=lines or (line(), line("71053", 6, "3.39")), **values)  # type: ignore[arg-type]


def give_back(number: str, *lines: LineInput, **more: object) -> RefundInput:
    amount = sum(int(x.quantity * x.unit_price * 100) for x in lines)
    values: dict[str, object] = {"person": person(), "amount_minor": amount, "occurred_at": AT, **more}
    return RefundInput(number=number, currency="GBP", lines=lines, **values)  # type: ignore[arg-type]


def apply(store: Store, *orders: OrderInput, at: datetime = AT, **more: object) -> Applied:
    with transaction("import", "imp_test") as log:
        return apply_orders(orders, log, store_id=store.pk, at=at, **more)  # type: ignore[arg-type]


def kinds() -> list[str]:
    return list(Event.objects.order_by("position").values_list("kind", flat=True))


def present(number: str) -> list[tuple[str, int]]:
    lines = OrderLine.objects.filter(order__number=number, until_batch=None)
    return sorted(lines.values_list("sku", "quantity"))


def test_a_new_order_is_written_with_its_person_products_and_sums(store: Store) -> None:
    done = apply(store, order(shipping_minor=495, discount_minor=100))
    row = Order.objects.get()
    assert done == Applied(created=1, lines=2, order_ids={"536365": row.pk})
    assert (row.subtotal_minor, row.total_minor, row.line_count) == (1530 + 2034 - 100, 1530 + 2034 - 100 + 495, 2)
    assert sorted(Product.objects.values_list("key", "title")) == [("71053", "THING 71053"), ("85123A", "THING 85123A")]
    assert set(row.lines.values_list("variant__sku", flat=True)) == {"71053", "85123A"}
    assert kinds() == ["customer.created", "product.created", "product.created", "order.placed"]
    figures = CustomerFigures.objects.get()
    assert (figures.order_count, figures.spent_minor, figures.refunded_minor) == (1, 3959, 0)
    assert figures.first_order_at == figures.last_order_at == row.placed_at


def test_the_same_again_changes_nothing(store: Store) -> None:
    known = order(refunds=(give_back("r1", line(quantity=1)),))
    apply(store, known)
    before = kinds()
    done = apply(store, known, replace(known, lines=known.lines[::-1]))
    assert (done.created, done.updated, done.unchanged) == (0, 0, 1)
    assert kinds() == before
    assert OrderChange.objects.count() == 0


def test_a_newer_statement_keeps_equal_lines_and_the_state_before(store: Store) -> None:
    twice = order("1", line(), line(), line("B", 1))
    apply(store, twice)
    kept = set(OrderLine.objects.filter(sku="85123A").values_list("id", flat=True))
    newer = replace(twice, lines=(line("C", 2), line(), line("B", 1)), payment_status=PaymentStatus.PARTIALLY_PAID)
    done = apply(store, newer)
    assert (done.created, done.updated) == (0, 1)
    assert present("1") == [("85123A", 6), ("B", 1), ("C", 2)]
    assert OrderLine.objects.filter(sku="85123A", until_batch=None).get().pk in kept
    change = OrderChange.objects.get()
    assert change.changed == ["payment_status", "subtotal_minor", "total_minor", "orderline"]
    assert (change.before["total_minor"], change.before["payment_status"]) == (3060 + 255, "paid")
    assert kinds()[-1] == "order.updated"


def test_an_order_that_becomes_paid_fulfilled_or_cancelled_says_so(store: Store) -> None:
    unpaid = order(
        "1",
        payment_status=PaymentStatus.PENDING,
        fulfilment_status=FulfilmentStatus.UNFULFILLED,
        status=OrderStatus.OPEN,
    )
    apply(store, unpaid)
    sent = FulfilmentInput("success", AT, "post", "TRACK1")
    paid = PaymentInput("sale", "success", 3564, "GBP", AT, "card", "ch_1")
    apply(
        store,
        replace(
            unpaid,
            payment_status=PaymentStatus.PAID,
            fulfilment_status=FulfilmentStatus.FULFILLED,
            fulfilments=(sent,),
            payments=(paid,),
        ),
    )
    assert kinds()[-3:] == ["order.updated", "order.paid", "order.fulfilled"]
    apply(store, replace(unpaid, status=OrderStatus.CANCELLED, cancelled_at=AT))
    assert kinds()[-1] == "order.cancelled"
    assert not CustomerFigures.objects.exists()
    fulfilment = Order.objects.get().fulfilments.get()
    profile = Order.objects.get().profile_id
    assert profile is not None
    number = unseal(
        keys.find_keys([profile])[profile],
        bytes(fulfilment.tracking_number or b""),
        Cell("orders_fulfilment", "tracking_number", fulfilment.pk),
    )
    assert number == b"TRACK1"


def test_refunds_count_on_their_own_day_and_match_an_earlier_line_of_the_same_quantity(store: Store) -> None:
    refunds = [
        give_back("C1", line(quantity=6)),
        give_back("C2", line(quantity=1)),
        give_back("C3", line("71053", 6, "3.00"), line("Z", 9)),
    ]
    done = apply(store, order(), refunds=refunds)
    assert done.refunds_created == 3
    matched = dict(RefundLine.objects.filter(line__isnull=False).values_list("refund__number", "line__sku"))
    assert matched == {"C1": "85123A", "C3": "71053"}
    assert dict(Refund.objects.values_list("number", "order__number")) == {"C1": "536365", "C2": None, "C3": None}
    figures = CustomerFigures.objects.get()
    assert (figures.spent_minor, figures.refunded_minor) == (3564, 1530 + 255 + 1800 + 2295)
    assert figures.last_order_at == AT - timedelta(days=30)
    assert kinds()[-3:] == ["order.refunded"] * 3
    assert apply(store, order(), refunds=refunds).refunds_unchanged == 3


def test_a_refund_that_grows_is_the_same_refund(store: Store) -> None:
    apply(store, order(), refunds=[give_back("C1", line(quantity=1))])
    done = apply(store, refunds=[give_back("C1", line(quantity=2))])
    assert (done.refunds_created, done.refunds_updated) == (0, 1)
    assert CustomerFigures.objects.get().refunded_minor == 510
    assert list(RefundLine.objects.values_list("quantity", flat=True)) == [2]


def test_guests_without_identity_are_kept_and_have_no_figures(store: Store) -> None:
    apply(store, order(person=None), refunds=[give_back("C1", line(), person=None)])
    assert Order.objects.get().profile_id is None
    assert not CustomerFigures.objects.exists()


def test_adjustments_are_booked_once(store: Store) -> None:
    booked = AdjustmentInput("A1", AT, "GBP", -1106206, "Adjust bad debt")
    assert apply(store, adjustments=[booked]).adjustments_created == 1
    assert apply(store, adjustments=[booked]).adjustments_unchanged == 1
    assert Adjustment.objects.get().amount_minor == -1106206


def test_remarks_are_sealed_and_card_numbers_masked(store: Store) -> None:
    apply(store, order(remarks="ring twice, 4111 1111 1111 1111"))
    row = Order.objects.get()
    assert row.profile_id is not None
    plain = unseal(
        keys.find_keys([row.profile_id])[row.profile_id],
        bytes(row.sealed or b""),
        Cell("orders_order", "sealed", row.pk),
    )
    assert plain.decode() == '{"remarks": "ring twice, [card …1111]"}'


def test_the_number_of_statements_does_not_depend_on_the_number_of_orders(store: Store) -> None:
    def statements(count: int, first: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            apply(store, *(order(str(first + n), person=person(str(first + n))) for n in range(count)))
        return len(queries)

    statements(1, 1)
    assert statements(2, 10) == statements(40, 100)


def test_the_figures_are_what_the_facts_come_to(store: Store) -> None:
    apply(store, order("1"), order("2", person=person("2")), refunds=[give_back("C1", line())])
    assert verify_figures() == []
    CustomerFigures.objects.filter(order_count=1, refunded_minor=0).update(spent_minor=1)
    wrong = verify_figures()
    assert [(w.folded["spent_minor"], w.cached["spent_minor"]) for w in wrong if w.folded and w.cached] == [(3564, 1)]
