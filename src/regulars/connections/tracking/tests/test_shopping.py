"""What calls do to carts and orders."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from regulars.connections.tracking.tests.shop import AT, MUG, POT, Shop, customer_of_user, events, refusals
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault import keys
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import Cart, CartKey, CartLine
from regulars.record.carts.operations import abandon_silent_carts, apply_carts
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.orders.models import Order, OrderLine, Refund

pytestmark = pytest.mark.django_db


def test_a_cart_is_filled_changed_and_checked_out(shop: Shop) -> None:
    shop.track("Product Added", MUG)
    shop.track("Product Added", POT)
    shop.track("product added", MUG | {"quantity": 1})
    shop.track("Product Removed", POT)
    cart = Cart.objects.get()
    assert (cart.state, cart.value_minor, cart.currency) == ("open", 3 * 1250, "EUR")
    shop.track("Product Removed", MUG | {"quantity": 1})
    shop.track("Checkout Started", {"order_id": "o1", "value": 25})
    cart.refresh_from_db()
    assert (cart.state, cart.value_minor, cart.changed_at) == ("checkout", 2500, shop.at)
    assert list(CartLine.objects.values_list("sku", "quantity", "variant__product__key")) == [("MUG1", 2, "10")]
    assert [e.kind for e in Event.objects.filter(kind__startswith="cart.").order_by("position")] == [
        "cart.opened", *["cart.changed"] * 4, "cart.checkout_started",
    ]  # fmt: skip
    shop.track("Order Completed", {"order_id": "o1", "products": [MUG]})
    cart.refresh_from_db()
    assert (cart.state, cart.order_id) == ("ordered", None)
    shop.track("Product Added", POT)
    assert sorted(Cart.objects.values_list("state", "value_minor")) == [("open", 3000), ("ordered", 2500)]


def test_one_batch_comes_to_the_same_as_call_by_call(shop: Shop) -> None:
    names = [
        ("Product Added", MUG),
        ("Product Added", POT),
        ("Product Removed", POT),
        ("Order Completed", {"order_id": "1"}),
    ]
    batch = [{"type": "track", "event": event, "anonymousId": "anon-1", "properties": said} for event, said in names]
    shop.tell(
        "batch", batch=[*batch, {"type": "track", "event": "Product Added", "anonymousId": "anon-1", "properties": POT}]
    )
    assert sorted(Cart.objects.values_list("state", "value_minor")) == [("open", 3000), ("ordered", 2500)]


def test_a_cart_of_another_is_not_reached_from_a_browser(shop: Shop) -> None:
    shop.track("Product Added", MUG | {"cart_id": "k1"}, shop.server, userId="u1")
    shop.track("Cart Viewed", {"cart_id": "k1", "products": [POT]}, anonymousId="stranger")
    assert dict(Cart.objects.values_list("key", "value_minor")) == {"k1": 2500}
    shop.track("Cart Viewed", {"cart_id": "k1", "products": []}, shop.server, userId="u1")
    assert dict(Cart.objects.values_list("key", "value_minor"))["k1"] == 0


def _webhook(shop: Shop, mail: str, minutes: int = 0) -> None:
    """What a platform states of the cart T: checkouts/create."""
    at = shop.at + timedelta(minutes=minutes)
    who = PersonInput((IdentityInput(IdentityKind.EMAIL, mail),), at, shop.store.pk) if mail else None
    line = CartLineInput("MUG1", "Mug", 2, Decimal("12.50"), "10")
    said = CartInput("checkout-1", at, "EUR", (line,), who, is_checkout=bool(mail), other_keys=("T",))
    with transaction("test", "webhook") as log:
        apply_carts([said], log, store_id=shop.store.pk)


def test_a_pixel_and_a_platform_that_name_one_cart_mean_one_cart(shop: Shop) -> None:
    shop.track("Product Added", MUG | {"cart_id": "T"}, anonymousId="pixel-1")
    _webhook(shop, "ann@shop.example", minutes=1)
    before = Cart.objects.values().get()
    assert (before["value_minor"], before["state"], before["is_claimed"]) == (2500, "checkout", False)
    shop.at += timedelta(minutes=5)
    shop.track("Checkout Started", {"cart_id": "T", "products": [MUG, POT]}, anonymousId="pixel-1")
    shop.track("Product Added", POT | {"cart_id": "T"}, anonymousId="pixel-1")
    shop.track("Order Completed", {"cart_id": "T", "order_id": "o9"}, anonymousId="stranger")
    assert Cart.objects.values().get() == before
    assert list(CartLine.objects.values_list("sku", "quantity")) == [("MUG1", 2)]
    assert sorted(CartKey.objects.values_list("key", flat=True)) == ["T", "checkout-1"]


def test_a_pixel_says_whose_a_cart_is_that_the_platform_states_of_nobody(shop: Shop) -> None:
    _webhook(shop, "")
    shop.track("Checkout Started", {"cart_id": "T", "products": [POT]}, anonymousId="pixel-1")
    cart = Cart.objects.get()
    assert (cart.state, cart.value_minor, cart.is_claimed) == ("open", 2500, False)
    visitor = cart.profile_id
    assert visitor is not None
    shop.track("Checkout Started", {"cart_id": "T", "products": [POT]}, anonymousId="pixel-2")
    assert Cart.objects.get().profile_id == visitor


def test_what_a_browser_filled_and_left_is_won_back_by_an_order_that_a_server_states(shop: Shop) -> None:
    shop.track("Product Added", MUG | {"cart_id": "T"})
    left_at = shop.at + timedelta(minutes=30)
    with transaction("test", "silence") as log:
        assert abandon_silent_carts(log, left_at, timedelta(minutes=30)) == 1
    shop.at = left_at + timedelta(minutes=10)
    shop.track("Order Completed", {"order_id": "o1", "cart_id": "T", "products": [MUG]}, shop.server)
    cart = Cart.objects.get()
    assert (cart.state, cart.value_minor, cart.order_id) == ("recovered", 2500, Order.objects.get().pk)


def _link(cart: Cart) -> bytes:
    """The link that brings the cart back, in clear; empty where none was taken."""
    profile = cart.profile_id or 0
    sealed = bytes(cart.recovery_url or b"")
    return (
        unseal(keys.find_keys([profile])[profile], sealed, Cell("carts_cart", "recovery_url", cart.pk))
        if sealed
        else b""
    )


def test_a_link_back_to_the_cart_is_taken_from_a_server_only(shop: Shop) -> None:
    link = {"recovery_url": "https://shop.example/cart/?regulars_cart=1"}
    shop.track("Product Added", MUG | {"cart_id": "k1"} | link, shop.server)
    shop.track("Cart Viewed", {"cart_id": "k1", "products": [POT], "recovery_url": "javascript:x"}, shop.server)
    shop.track("Product Added", MUG | {"cart_id": "k2"} | link, anonymousId="stranger")
    links = {cart.key: _link(cart) for cart in Cart.objects.all()}
    assert links == {"k1": b"https://shop.example/cart/?regulars_cart=1", "k2": b""}


ORDER = {"order_id": "o1", "affiliation": "Web", "currency": "EUR", "shipping": 3, "tax": "2.50", "discount": 5,
         "coupon": "MAY", "products": [MUG, POT]}  # fmt: skip


def test_a_server_states_orders_changes_cancels_and_refunds_them(shop: Shop) -> None:
    shop.track("Product Added", MUG, shop.server, userId="u1")
    shop.track("Order Completed", ORDER, shop.server, userId="u1")
    order = Order.objects.get()
    # 2 x 12.50 + 30 - 5, and 2.50 tax and 3 shipping on top
    assert (order.number, order.total_minor, order.currency, order.status) == ("o1", 5550, "EUR", "completed")
    assert (order.discount_codes, order.channel, order.placed_at) == ("MAY", "Web", shop.at)
    assert [customer_of(order.profile_id or 0)] == customer_of_user("u1")
    assert Cart.objects.get().order_id == order.pk
    placed_at = shop.at
    shop.track("Order Updated", ORDER | {"products": [MUG]}, shop.server, userId="u1")
    order.refresh_from_db()
    assert (order.total_minor, order.placed_at) == (2550, placed_at)
    assert OrderLine.objects.filter(order=order, until_batch=None).count() == 1
    shop.track("Order Refunded", {"order_id": "o1", "total": "5.50", "currency": "EUR"}, shop.server, userId="u1")
    shop.track("Order Refunded", {"order_id": "o1"}, shop.server, userId="u1")
    assert list(Refund.objects.order_by("pk").values_list("amount_minor", "order")) == [
        (550, order.pk),
        (2550, order.pk),
    ]
    shop.track("Order Cancelled", ORDER | {"products": [MUG]}, shop.server, userId="u1")
    order.refresh_from_db()
    assert (order.status, order.cancelled_at) == ("cancelled", shop.at)
    assert refusals() == []


def test_an_order_that_is_changed_without_products_keeps_its_lines_and_what_is_not_said(shop: Shop) -> None:
    shop.track("Order Completed", ORDER, shop.server, userId="u1")
    order = Order.objects.get()
    lines = list(
        OrderLine.objects.filter(until_batch=None)
        .order_by("pk")
        .values_list("sku", "quantity", "unit_price", "variant")
    )
    shop.track("Order Updated", {"order_id": "o1", "shipping": 4}, shop.server, userId="u1")
    order.refresh_from_db()
    # 2 x 12.50 + 30 - 5, and 2.50 tax and 4 shipping on top
    assert (order.total_minor, order.shipping_minor, order.discount_codes) == (5650, 400, "MAY")
    shop.track("Order Cancelled", {"order_id": "o1"}, shop.server, userId="u1")
    order.refresh_from_db()
    assert (order.total_minor, order.status, order.cancelled_at, order.channel) == (5650, "cancelled", shop.at, "Web")
    found = OrderLine.objects.filter(order=order, until_batch=None).order_by("pk")
    assert list(found.values_list("sku", "quantity", "unit_price", "variant")) == lines
    assert refusals() == []


@pytest.mark.parametrize("products", [{}, {"products": [MUG]}])
def test_what_says_nothing_of_the_state_brings_back_no_order_that_was_called_off(
    shop: Shop, products: dict[str, Any]
) -> None:
    shop.track("Order Completed", ORDER, shop.server, userId="u1")
    shop.track("Order Cancelled", {"order_id": "o1"}, shop.server, userId="u1")
    called_off = shop.at
    shop.track("Order Updated", {"order_id": "o1", "affiliation": "Till"} | products, shop.server, userId="u1")
    late = (AT - timedelta(minutes=1)).isoformat()
    shop.track("Order Completed", ORDER | {"tax": 1}, shop.server, userId="u1", timestamp=late)
    order = Order.objects.get()
    assert (order.status, order.cancelled_at, order.channel, order.tax_minor) == ("cancelled", called_off, "Web", 100)
    shop.track("Order Completed", ORDER, shop.server, userId="u1")
    order.refresh_from_db()
    assert (order.status, order.cancelled_at) == ("completed", None)


def test_a_part_of_a_piece_keeps_its_worth_and_none_is_none(shop: Shop) -> None:
    cloth = {"sku": "CLOTH", "name": "Cloth", "price": "9.90", "quantity": 2.5}
    shop.track("Cart Viewed", {"cart_id": "k", "products": [cloth, MUG | {"quantity": 0}]})
    assert list(CartLine.objects.values_list("sku", "quantity", "unit_price")) == [("CLOTH", 1, Decimal("24.75"))]
    shop.track("Order Completed", {"order_id": "o1", "products": [cloth, POT]}, shop.server, userId="u1")
    assert Order.objects.get().total_minor == 2475 + 3000


def test_what_nobody_can_pay_for_is_recorded_too(shop: Shop) -> None:
    gold = {"sku": "GOLD", "price": 10**12 - 1, "quantity": 10**12 - 0.5}
    shop.track("Cart Viewed", {"cart_id": "k", "products": [gold]})
    assert [event.kind for event in events("tracked.")] == ["tracked.cart_viewed"]
    assert list(CartLine.objects.values_list("sku", "unit_price")) == [("GOLD", Decimal(10**12 - 1))]


def test_an_order_that_says_too_little_is_kept_as_an_event_and_marked(shop: Shop) -> None:
    shop.track("Order Completed", {"order_id": "o1", "total": 25}, shop.server, userId="u1")
    shop.track("Order Refunded", {"order_id": "unknown"}, shop.server, userId="u1")
    shop.track("Order Completed", ORDER)
    assert not Order.objects.exists()
    assert len(events("tracked.order")) == 3
    assert refusals() == [
        ("track", "Order Completed", "an order without products", "", True, 1),
        ("track", "Order Refunded", "a refund of an unknown order", "", True, 1),
        ("track", "Order Completed", "an order from a browser key changes no order", "", True, 1),
    ]


def test_history_starts_nothing(shop: Shop) -> None:
    shop.track("Order Completed", ORDER, shop.server, userId="u1", timestamp="2026-11-21T08:00:00Z")
    shop.track("E", {}, shop.server, userId="u1", timestamp="2026-11-21T10:00:00Z")
    assert {e.kind: e.is_history for e in Event.objects.filter(kind__in=["tracked.order_completed", "order.placed", "tracked.event"])} == {
        "tracked.order_completed": True, "order.placed": True, "tracked.event": False,
    }  # fmt: skip


def _said(event: str, minute: int, **said: object) -> dict[str, object]:
    """A call of 'anon-1', so many minutes after nine."""
    at = (AT + timedelta(minutes=minute)).isoformat()
    own = {"event": event, "timestamp": at, "messageId": f"{event} {minute}", "properties": said}
    return {"type": "track", "anonymousId": "anon-1", **own}


@pytest.mark.parametrize("key", ["browser", "server"])
def test_what_is_told_late_of_a_whole_cart_changes_nothing_of_what_lies_in_it(shop: Shop, key: str) -> None:
    shop.at += timedelta(minutes=30)
    for said in (
        _said("Cart Viewed", 20, cart_id="k1", products=[POT]),
        _said("Checkout Started", 10, cart_id="k1", products=[MUG]),
        _said("Cart Viewed", 5, cart_id="k1", products=[]),
    ):
        shop.tell("batch", getattr(shop, key), batch=[said])
    cart = Cart.objects.get()
    assert (cart.state, cart.value_minor, cart.opened_at) == ("checkout", 3000, AT + timedelta(minutes=5))
    assert list(CartLine.objects.values_list("sku", "quantity")) == [("POT1", 1)]
    assert sorted(cart.touches) == [AT + timedelta(minutes=minute) for minute in (5, 10, 20)]


STORY = [
    _said("Product Added", 0, cart_id="k1", **MUG),
    _said("Product Removed", 1, cart_id="k1", sku="MUG1"),
    _said("Product Added", 50, cart_id="k1", **MUG),
    _said("Order Completed", 51, cart_id="k1", order_id="o1", products=[MUG]),
    _said("Product Added", 60, cart_id="k2", **POT),
    _said("Cart Viewed", 100, cart_id="k2", products=[POT]),
    _said("Order Completed", 101, cart_id="k2", order_id="o2", products=[POT]),
]


@pytest.mark.parametrize("key", ["browser", "server"])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_silences_are_the_same_in_batches_of_any_size(shop: Shop, key: str, size: int) -> None:
    """Of two carts one was empty while nobody touched it, the other was left for forty minutes. After a standstill all comes at once."""
    shop.at += timedelta(minutes=102)
    for place in range(0, len(STORY), size):
        shop.tell("batch", getattr(shop, key), batch=STORY[place : place + size])
    ends = {cart.key: (cart.state, cart.ordered_at, cart.opened_at) for cart in Cart.objects.all()}
    minute = [AT + timedelta(minutes=minute) for minute in range(102)]
    assert ends == {"k1": ("ordered", minute[51], minute[0]), "k2": ("recovered", minute[101], minute[60])}
    assert sorted(e.kind for e in events("cart.") if e.kind in {"cart.ordered", "cart.recovered"}) == [
        "cart.ordered", "cart.recovered",
    ]  # fmt: skip


def test_who_names_no_currency_means_that_of_the_cart(shop: Shop) -> None:
    """Product Added and Product Removed have none in the specification."""
    shop.track("Cart Viewed", {"cart_id": "k1", "currency": "JPY", "products": [{"sku": "TEA", "price": 1500}]})
    shop.track("Product Added", {"cart_id": "k1", "sku": "CUP", "price": 700})
    shop.track("Product Removed", {"cart_id": "k1", "sku": "TEA"})
    assert list(Cart.objects.values_list("value_minor", "currency")) == [(700, "JPY")]
    shop.track("Product Removed", {"cart_id": "k1", "sku": "CUP"})
    shop.track("Order Completed", {"cart_id": "k1", "order_id": "o1", "currency": "EUR"})
    assert list(Cart.objects.values_list("value_minor", "currency")) == [(700, "JPY")]


def test_who_names_no_currency_means_that_of_the_order(shop: Shop) -> None:
    tea = {"sku": "TEA", "price": 1500}
    shop.track("Order Completed", {"order_id": "o1", "currency": "JPY", "products": [tea]}, shop.server, userId="u1")
    shop.track("Order Updated", {"order_id": "o1", "shipping": 400}, shop.server, userId="u1")
    shop.track("Order Refunded", {"order_id": "o1", "total": 400}, shop.server, userId="u1")
    assert list(Order.objects.values_list("total_minor", "currency")) == [(1900, "JPY")]
    assert list(Refund.objects.values_list("amount_minor", "currency")) == [(400, "JPY")]
