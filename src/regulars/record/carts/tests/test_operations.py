"""A cart's life: filled, changed, checked out, abandoned by silence, ordered or recovered."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.foundation.retrying import Overtaken
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault import keys
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import Cart, CartLine
from regulars.record.carts.operations import abandon_silent_carts, apply_carts, order_carts
from regulars.record.carts.queries import carts_named
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.operations import apply_orders

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN = PersonInput((IdentityInput(IdentityKind.EMAIL, "ann@shop.example"),), AT)
MUG = CartLineInput("MUG", "Mug", 2, Decimal("9.50"), "mug")


@pytest.fixture
def store() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


def put(store: Store, **said: object) -> int:
    values: dict[str, object] = {"occurred_at": AT, "lines": (MUG,), "person": ANN, **said}
    with transaction("api", "t") as log:
        return apply_carts([CartInput("c1", currency="GBP", **values)], log, store_id=store.pk)["c1"]  # type: ignore[arg-type]


def kinds() -> list[str]:
    return [
        kind for kind in Event.objects.order_by("position").values_list("kind", flat=True) if kind.startswith("cart.")
    ]


def test_it_is_filled_and_changed(store: Store) -> None:
    cart = put(store, recovery_url="https://shop.example/r/1")
    put(store)
    row = Cart.objects.get(pk=cart)
    assert (row.state, row.value_minor, row.profile_id is None) == ("open", 1900, False)
    plain = keys.find_keys([row.profile_id or 0])[row.profile_id or 0]
    assert (
        unseal(plain, bytes(row.recovery_url or b""), Cell("carts_cart", "recovery_url", cart))
        == b"https://shop.example/r/1"
    )
    put(store, lines=(replace(MUG, quantity=1),), occurred_at=AT + HOUR)
    put(store, lines=(), occurred_at=AT)  # late news
    assert list(CartLine.objects.values_list("sku", "quantity", "variant__product__key")) == [("MUG", 1, "mug")]
    assert kinds() == ["cart.opened", "cart.changed"]


def test_it_is_abandoned_by_silence_and_recovered_by_an_order(store: Store) -> None:
    cart = put(store, is_checkout=True)
    with transaction("system") as log:
        assert abandon_silent_carts(log, AT + HOUR - timedelta(seconds=1), HOUR) == 0
        assert abandon_silent_carts(log, AT + HOUR, HOUR) == 1
        assert abandon_silent_carts(log, AT + HOUR, HOUR) == 0
    order = OrderInput("1", AT + 2 * HOUR, "GBP", (LineInput("MUG", "Mug", 2, Decimal("9.50"), "mug"),), ANN)
    with transaction("api") as log:
        done = apply_orders([order], log, store_id=store.pk, at=AT)
        assert order_carts({cart: (done.order_ids["1"], AT + 2 * HOUR)}, log) == 1
        assert order_carts({cart: (done.order_ids["1"], AT + 2 * HOUR)}, log) == 0
    put(store, occurred_at=AT + 3 * HOUR, lines=())
    row = Cart.objects.get(pk=cart)
    assert (row.state, row.value_minor, row.order_id) == ("recovered", 1900, done.order_ids["1"])
    assert kinds() == ["cart.opened", "cart.checkout_started", "cart.abandoned", "cart.recovered"]
    assert Event.objects.get(kind="cart.abandoned").occurred_at == AT + HOUR


def test_an_abandoned_cart_that_is_touched_is_open_again(store: Store) -> None:
    cart = put(store, person=None)
    with transaction("system") as log:
        abandon_silent_carts(log, AT + HOUR, HOUR)
    put(store, occurred_at=AT + 2 * HOUR, lines=(MUG, MUG))
    assert Cart.objects.get(pk=cart).state == "open"


@pytest.mark.parametrize("gone", [{"state": "merged"}, None])
def test_a_cart_that_went_while_it_was_waited_for_is_looked_for_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch, gone: dict[str, str] | None
) -> None:
    cart = put(store)

    def and_then_it_goes(store_id: int, keys: Collection[str]) -> dict[str, int]:
        found = carts_named(store_id, keys)
        rows = Cart.objects.filter(pk=cart)
        rows.update(**gone) if gone else rows.delete()
        return found

    monkeypatch.setattr("regulars.record.carts.operations.apply.carts_named", and_then_it_goes)
    with pytest.raises(Overtaken):
        put(store, lines=(replace(MUG, quantity=1),), occurred_at=AT + HOUR)
    assert list(Cart.objects.values_list("value_minor", "changed_at")) == [(1900, AT)]
