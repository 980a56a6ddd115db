"""A young shop grows faster than PostgreSQL learns of it: few carts are settled by their rows, not by those of the whole shop."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.foundation.shop.models import Brand, Store
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.operations import apply_carts
from regulars.record.carts.operations.ending import settle_carts
from regulars.record.carts.queries import find_live_carts
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.queries import find_by_identity
from regulars.record.events.log import LogTransaction, transaction
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.operations import apply_orders
from tests.plans import forget_statistics, rows_read

AT = datetime(2026, 1, 1, tzinfo=UTC)
_TABLES = re.compile("(carts|catalog|orders)_|customers_customerprofile$")


def person(number: int) -> PersonInput:
    return PersonInput((IdentityInput(IdentityKind.USER_ID, f"user-{number}", "site"),), AT)


def cart(number: int) -> CartInput:
    line = CartLineInput(f"sku-{number}", "Thing", 1, Decimal(10), f"thing-{number}")
    return CartInput(f"cart-{number}", AT, "GBP", (line,), person(number))


def order(number: int) -> OrderInput:
    line = LineInput(f"sku-{number}", "Thing", 1, Decimal(10), f"thing-{number}")
    return OrderInput(str(number), AT + timedelta(minutes=1), "GBP", (line,), person(number))


def grown(count: int, log: LogTransaction) -> tuple[int, dict[str, int]]:
    """A store in which so many people filled a cart and ordered what was in it; the carts."""
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="uk", brand=brand, currency="GBP").pk
    apply_orders([order(number) for number in range(count)], log, store_id=store, at=AT)
    return store, apply_carts([cart(number) for number in range(count)], log, store_id=store)


@pytest.mark.django_db
def test_what_is_read_does_not_grow_with_the_shop_before_there_are_statistics() -> None:
    forget_statistics()
    with transaction("test") as log:
        store, carts = grown(500, log)
        before = rows_read()
        assert settle_carts([carts["cart-1"], carts["cart-2"]], log, AT, timedelta(minutes=30)) == {
            carts["cart-1"],
            carts["cart-2"],
        }
        apply_orders([order(number) for number in range(500, 502)], log, store_id=store, at=AT)
        apply_carts([cart(number) for number in range(500, 502)], log, store_id=store)
        live = find_live_carts(store, ["cart-3"], find_by_identity(person(4).identities[0]))
        assert [(one.key, one.lines[0].product_key) for one in live] == [("cart-3", "thing-3"), ("cart-4", "thing-4")]
        read = {table: rows - before[table] for table, rows in rows_read().items() if _TABLES.match(table)}
    assert read["orders_orderline"] >= 2
    assert {table: rows for table, rows in read.items() if rows > 100} == {}
