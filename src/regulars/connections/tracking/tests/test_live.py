"""The page that shows what has just arrived: newest first, whom it is about, and what became of the cart."""

from datetime import timedelta

import pytest

from regulars.connections.tracking.arrivals import list_arrivals, list_visitors
from regulars.connections.tracking.tests.shop import AT, MUG, Shop
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Store
from regulars.record.carts.models import Cart, CartState
from regulars.record.carts.operations import abandon_silent_carts, order_carts
from regulars.record.customers.models import Customer
from regulars.record.events.log import transaction
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db
SILENCE = timedelta(minutes=30)


def test_it_shows_the_newest_first_and_what_became_of_the_cart(shop: Shop) -> None:
    shop.tell("page", anonymousId="anon-1", properties={"path": "/mugs"})
    shop.track("Product Added", MUG)
    with transaction("system", "carts") as log:
        assert abandon_silent_carts(log, shop.at + SILENCE, SILENCE) == 1
        assert order_carts({Cart.objects.get().pk: (None, shop.at + SILENCE)}, log) == 1
    shop.track("Quiz Finished", {"score": 7}, shop.server)
    keys = [shop.browser_key, shop.server_key]

    arrivals = list_arrivals(keys, everything())
    assert [(str(one.title), one.detail, one.is_claimed, one.key) for one in arrivals] == [
        ("Did something of the shop's own", "Quiz Finished", False, "Back"),
        ("The cart was won back by an order", "", False, ""),
        ("The cart counts as left behind", "", False, ""),
        ("Put a product into the cart", "Mug", False, "Web"),
        ("Looked at a page", "/mugs", False, "Web"),
    ]
    customer = Customer.objects.get()
    public_id = to_public(Customer.PREFIX, customer.uid)
    assert {(one.who.public_id, one.who.text) for one in arrivals if one.who} == {
        (public_id, f"Visitor {public_id[-4:]}")
    }
    [visitor] = list_visitors(arrivals, everything())
    assert visitor.cart == Cart.objects.get(state=CartState.RECOVERED)
    assert visitor.pill is not None
    assert str(visitor.pill.text) == "Won back"
    assert list_arrivals([shop.server_key], everything())[0].title == arrivals[0].title
    assert list_arrivals([], everything()) == []


def test_a_cart_that_a_browser_filled_is_won_back_by_the_order_that_the_server_tells(shop: Shop) -> None:
    shop.track("Product Added", MUG)
    shop.track("Checkout Started", {"products": [MUG]})
    shop.at += SILENCE * 2
    with transaction("system", "carts") as log:
        assert abandon_silent_carts(log, shop.at, SILENCE) == 1
    bought = {"order_id": "1", "products": [MUG], "total": 25}
    shop.track("Order Completed", bought, shop.server, userId="u1")
    cart = Cart.objects.get()
    assert (cart.state, cart.order, cart.value_minor) == (CartState.RECOVERED, Order.objects.get(), 2500)


def test_who_may_see_no_customers_and_no_carts_is_shown_neither(shop: Shop) -> None:
    shop.tell("identify", shop.server, userId="u", traits={"name": "Ada Lovelace"})
    shop.track("Product Added", MUG, shop.server, userId="u")
    viewer = Viewer(None, frozenset({"tracking.view"}))
    arrivals = list_arrivals([shop.server_key], viewer)
    assert [one.who is None or one.who.text.startswith("Visitor ") for one in arrivals] == [True, True]
    assert [one.cart for one in list_visitors(arrivals, viewer)] == [None]


def test_the_page_asks_for_its_middle_again(shop: Shop) -> None:
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    shop.client.force_login(member)
    assert "Nothing has arrived yet" in shop.client.get("/settings/tracking/live").content.decode()
    shop.store.brand.website = "https://shop.example"
    shop.store.brand.save()
    shop.track("Product Added", MUG)
    whole = shop.client.get("/settings/tracking/live").content.decode()
    part = shop.client.get("/settings/tracking/live", headers={"HX-Request": "true"}).content.decode()
    assert part.strip() in whole
    assert '<a class="side-link" href="/settings/connections" aria-current="page"' in whole
    assert '<a class="side-link" href="/settings" aria-current="page"' not in whole
    assert part.startswith('<div id="arrivals" hx-get="/settings/tracking/live?newest=')
    assert 'hx-trigger="every 2s"' in part
    assert "Cart of €25.00" in part
    assert 'href="https://shop.example" target="_blank" rel="noopener"' in whole
    connections = shop.client.get("/settings/connections").content.decode()
    assert 'href="https://shop.example" target="_blank" rel="noopener"' in connections
    assert 'href="/settings/tracking/live"' in connections
    shop.store.brand.website = "javascript:alert(1)"
    shop.store.brand.save()
    assert "alert(1)" not in shop.client.get("/settings/tracking/live").content.decode()

    other = Store.objects.create(code="de", name="DE", brand=shop.store.brand, currency="EUR")
    abroad, _ = create_staff("de@shop.example", "manager", SYSTEM, AT, stores=[other.pk])
    shop.client.force_login(abroad)
    assert "Put a product" not in shop.client.get("/settings/tracking/live").content.decode()


def test_the_number_of_questions_is_fixed(shop: Shop, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    for _ in range(12):
        shop.track("Product Added", MUG)
    with django_assert_max_num_queries(12):
        arrivals = list_arrivals([shop.browser_key], everything())
        list_visitors(arrivals, everything())
    assert len(arrivals) == 12


def test_it_is_drawn_anew_only_when_something_came(shop: Shop) -> None:
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    shop.client.force_login(member)
    shop.track("Product Added", MUG)
    poll = {"HX-Request": "true"}
    newest = list_arrivals([shop.browser_key], everything())[0].position
    assert f"live?newest={newest}" in shop.client.get("/settings/tracking/live").content.decode()
    assert shop.client.get(f"/settings/tracking/live?newest={newest}", headers=poll).status_code == 204
    shop.track("Product Added", MUG)
    answer = shop.client.get(f"/settings/tracking/live?newest={newest}", headers=poll)
    assert (answer.status_code, b"<main" in answer.content) == (200, False)


def test_the_inbox_calls_what_came_under_a_key_by_its_name_and_finds_it_by_several(shop: Shop) -> None:
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    shop.client.force_login(member)
    shop.track("Product Added", MUG)
    shop.track("Product Added", MUG, shop.server)
    sources = [key.source for key in (shop.browser_key, shop.server_key)]
    both = shop.client.get("/settings/inbox?" + "&".join(f"source={one}" for one in sources)).content.decode()
    one = shop.client.get(f"/settings/inbox?source={sources[1]}").content.decode()
    assert ("2 inputs" in both, "1 input" in one) == (True, True)
    assert (sources[0] in both.split("<tbody")[1], ">Web<" in both.replace("\n", ""), ">Back<" in one) == (
        False,
        True,
        True,
    )
