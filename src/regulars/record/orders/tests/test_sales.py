"""Who bought for the first time and who again, in the points of a span and in the whole of it; sales beside them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.bulk import fetch
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput
from regulars.record.orders.models import OrderStatus, PaymentStatus
from regulars.record.orders.operations import apply_orders, money
from regulars.record.orders.rates import parse_rate
from regulars.record.orders.sales import People, Sales, Span, people_over_time, sales_over_time

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = everything()


@pytest.fixture(autouse=True)
def _reporting() -> None:
    write_setting("shop.reporting_currency", "GBP", FIRST)


@pytest.fixture
def store() -> Store:
    return _store("uk")


def _store(code: str) -> Store:
    brand = Brand.objects.create(name=code, from_name=code, from_address=f"{code}@shop.example")
    return Store.objects.create(code=code, name=code, brand=brand, currency="GBP")


def buy(store: Store, who: str, *days: int, currency: str = "GBP", price: str = "10.00") -> None:
    """An order on each of these days, counted from the first of the span; the same mail address is the same person in each store."""
    at = FIRST + 90 * DAY
    person = PersonInput((IdentityInput(IdentityKind.EMAIL, f"{who}@volume.example", ""),), at, store.pk)
    line = LineInput("A", "Mug", 1, Decimal(price))
    moments = [(f"{store.code}-{who}-{day}", FIRST + day * DAY + timedelta(hours=9)) for day in days]
    with transaction("api") as log:
        given = [OrderInput(number, moment, currency, (line,), person) for number, moment in moments]
        apply_orders(given, log, store_id=store.pk, at=at)


def span(days: int, step: int = 1) -> Span:
    return Span(FIRST.date(), FIRST, FIRST + days * DAY, "UTC", step)


def points(found: Sequence[People]) -> list[tuple[int, int]]:
    return [(one.new, one.again) for one in found]


def test_everybody_counts_once_in_each_point_and_once_in_the_whole(store: Store) -> None:
    buy(store, "new", 0, 0, 1)
    buy(store, "back", -5, 1, 1, 2)
    buy(store, "before", -5)
    buy(store, "after", 9)
    found = people_over_time(span(3), ALL)
    assert points(found.points) == [(1, 0), (0, 2), (0, 1)]
    assert found.total == People(new=1, again=1)


def test_who_bought_before_and_after_is_counted_where_they_bought_meanwhile(store: Store) -> None:
    buy(store, "meanwhile", -5, 1, 9)
    buy(store, "not-meanwhile", -5, 9)
    buy(store, "new-and-later", 1, 9)
    assert people_over_time(span(3), ALL).total == People(new=1, again=1)
    whole = people_over_time(span(3, step=3), ALL)
    assert (points(whole.points), whole.total) == ([(1, 1)], People(new=1, again=1))


def test_a_store_knows_its_own_first_order_only(store: Store) -> None:
    other = _store("de")
    buy(store, "both", -5, 9)
    buy(other, "both", 1)
    here, there = (Viewer(1, ALL.permissions, frozenset({one.pk})) for one in (store, other))
    assert fetch("SELECT count(*) FROM orders_customerfigures", []) == [(1,)]
    assert people_over_time(span(3), here).total == People()
    assert people_over_time(span(3), there).total == People(new=1)
    assert points(people_over_time(span(3), there).points) == [(0, 0), (1, 0), (0, 0)]
    both = Viewer(1, ALL.permissions, frozenset({store.pk, other.pk}))
    assert people_over_time(span(3), both) == people_over_time(span(3), ALL)
    assert people_over_time(span(3), ALL).total == People(again=1)


def test_equal_amounts_of_a_day_are_each_rounded(store: Store) -> None:
    money.set_rates([parse_rate("EUR", "GBP", date(2026, 10, 1).isoformat(), "0.5", "a bank")], ALL, FIRST)
    buy(store, "a", 0, currency="EUR", price="0.05")  # 2.5 pence each, which makes 2
    buy(store, "b", 0, currency="EUR", price="0.05")
    buy(store, "c", 0)
    buy(store, "d", 0)
    buy(store, "e", 1, currency="USD")  # without a rate: it counts, its amount does not
    found = sales_over_time(span(2), ALL)
    assert list(found.points) == [Sales(4, 2004), Sales(1, 0)]
    assert found.total == Sales(5, 2004)


def test_refunds_of_orders_that_do_not_count_are_in_no_sum(store: Store) -> None:
    person = PersonInput((IdentityInput(IdentityKind.EMAIL, "a@volume.example", ""),), FIRST, store.pk)
    line = LineInput("A", "Mug", 1, Decimal("10.00"))

    def given(number: str, minor: int) -> OrderInput:
        refund = RefundInput(f"R{number}", FIRST, "GBP", minor)
        return OrderInput(number, FIRST, "GBP", (line,), person, refunds=(refund,))

    orders = [
        given("1", 100),
        replace(given("2", 200), status=OrderStatus.CANCELLED),
        replace(given("3", 400), payment_status=PaymentStatus.VOIDED),
    ]
    with transaction("api") as log:
        apply_orders(orders, log, store_id=store.pk, at=FIRST + DAY)
    assert sales_over_time(span(1), ALL).total == Sales(1, 1000, 100)
