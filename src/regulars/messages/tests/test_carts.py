"""A cart that is left behind becomes one mail with what lies in it and the link that brings it back; an order before it ends the run."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from regulars.foundation.shop.models import Store
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.work.loops import Stop
from regulars.messages.drive import drive
from regulars.messages.library import install
from regulars.messages.models import Message
from regulars.messages.tests.sink import Sink
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.jobs import abandon
from regulars.record.carts.models import Cart
from regulars.record.carts.operations import apply_carts
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events import log as event_log
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.operations import apply_orders
from regulars.workflows.models import Run
from regulars.workflows.operations import switch_on
from regulars.workflows.tests.factories import AT, DAY, make_people, make_shop

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
LINK = "https://lantern.example/cart/?regulars_cart=1"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.SENDING, settings.COOL_OFF = True, timedelta(0)
        write_setting("sending.enabled_at", (AT - 30 * DAY).isoformat(), AT)
        yield sink


def person(number: int, store: Store) -> PersonInput:
    return PersonInput((IdentityInput(IdentityKind.EMAIL, f"person{number}@people.example"),), AT, store.pk)


def fill(number: int, store: Store) -> None:
    lines = (CartLineInput("MUG", "Blue mug", 2, Decimal("9.50"), "mug"),)
    said = CartInput(f"cart-{number}", AT, "GBP", lines, person(number, store), recovery_url=f"{LINK}&n={number}")
    with event_log.transaction("test", "cart") as log:
        apply_carts([said], log, store_id=store.pk)


def order(number: int, store: Store) -> None:
    lines = (LineInput("MUG", "Blue mug", 2, Decimal("9.50"), "mug"),)
    said = OrderInput(f"{number}", AT + 40 * MINUTE, "GBP", lines, person(number, store))
    with event_log.transaction("test", "order") as log:
        apply_orders([said], log, store_id=store.pk, at=AT + 41 * MINUTE)


def test_a_cart_that_is_left_behind_becomes_one_mail_and_an_order_before_it_ends_the_run(sink: Sink) -> None:
    store = make_shop()
    make_people(2, store)
    switch_on(install("abandoned-cart", AT), AT)
    for number in (1, 2):
        fill(number, store)
    drive(AT + 29 * MINUTE)
    assert not abandon(Stop(), AT + 30 * MINUTE - timedelta(seconds=1))
    assert abandon(Stop(), AT + 30 * MINUTE)
    drive(AT + 31 * MINUTE)
    assert list(Run.objects.values_list("state", "node")) == [("active", "wait")] * 2
    order(2, store)
    drive(AT + 42 * MINUTE)
    assert dict(Cart.objects.values_list("key", "state")) == {"cart-1": "abandoned", "cart-2": "recovered"}
    drive(AT + 90 * MINUTE)
    assert not sink.mails
    drive(AT + 92 * MINUTE)

    [mail] = sink.mails
    assert (mail["To"], mail["Subject"]) == (
        "Person1 Test <person1@people.example>",
        "Person1, your cart is still here",
    )
    plain, html = (part.get_payload(decode=True).decode() for part in mail.get_payload())  # type: ignore[union-attr]
    for text in ("Blue mug", "£19.00"):
        assert text in plain
        assert text in html
    assert f"{LINK}&n=1" in plain
    assert sorted(Run.objects.values_list("state", "outcome")) == [
        ("ended", "ordered, or came back to the cart, before the mail"),
        ("ended", "reached the end"),
    ]
    assert Message.objects.count() == 1
    drive(AT + 5 * DAY)
    assert len(sink.mails) == 1


def test_a_cart_of_imported_history_begins_nothing(sink: Sink) -> None:
    store = make_shop()
    make_people(1, store)
    switch_on(install("abandoned-cart", AT), AT)
    said = CartInput("old", AT, "GBP", (CartLineInput("MUG", "Mug", 1, Decimal(5)),), person(1, store))
    with event_log.transaction("test", "history") as log:
        apply_carts([said], log, store_id=store.pk, is_history=True)
    abandon(Stop(), AT + 31 * MINUTE)
    drive(AT + 32 * MINUTE)
    assert (Cart.objects.get().state, Run.objects.count()) == ("abandoned", 0)
