"""Carts through HTTP: pages, the API, who sees which; and what the house says of them: verify, stats, export and erasure."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from regulars.foundation import clock
from regulars.foundation.access import tokens
from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.record.carts import stats, verify
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import Cart, CartKey, CartLine
from regulars.record.carts.operations import abandon_silent_carts, apply_carts
from regulars.record.carts.readers import SETTLING
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations.erasure import erase_customer, export_subject
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import transaction
from regulars.record.events.readers import catch_up
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.operations import apply_orders

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
LINK = "https://shop.example/cart/brings-it-back"
NOW = clock.now()


def _cart(store: Store, key: str, price: str) -> CartInput:
    line = CartLineInput(f"SKU-{key}", f"Thing of {key}", 2, Decimal(price), f"p-{key}")
    person = PersonInput((IdentityInput(IdentityKind.EMAIL, f"{key}@mail.example"),), NOW, store.pk)
    return CartInput(key, NOW - 90 * MINUTE, "GBP", (line,), person, recovery_url=f"{LINK}/{key}")


@pytest.fixture
def stores() -> tuple[Store, Store]:
    """Left in one store: £20, and £8 that were won back by order 77; in the other £6."""
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    one, two = (Store.objects.create(code=c, name=c.title(), brand=brand, currency="GBP") for c in ("one", "two"))
    with transaction("test", "carts") as log:
        apply_carts([_cart(one, "left", "10"), _cart(one, "won", "4")], log, store_id=one.pk)
        apply_carts([_cart(two, "other", "3")], log, store_id=two.pk)
    with transaction("test", "silence") as log:
        assert abandon_silent_carts(log, NOW - 60 * MINUTE, 30 * MINUTE) == 3
    line = LineInput("SKU-won", "Thing of won", 2, Decimal(4), "p-won")
    order = OrderInput("77", NOW - 10 * MINUTE, "GBP", (line,), _cart(one, "won", "4").person, cart_keys=("won",))
    with transaction("test", "order") as log:
        apply_orders([order], log, store_id=one.pk, at=NOW)
    catch_up([SETTLING], NOW)
    return one, two


def _href(key: str) -> str:
    return f"/carts/{to_public(Cart.PREFIX, Cart.objects.get(key=key).uid)}"


def _staff(client: Client, *stores: Store) -> None:
    member, _ = create_staff(f"m{len(stores)}@shop.example", "manager", SYSTEM, NOW, stores=[s.pk for s in stores])
    client.force_login(member)


def test_the_list_has_doors_to_what_was_left_and_won_back(client: Client, stores: tuple[Store, Store]) -> None:
    _staff(client)
    page = client.get("/carts").content.decode()
    doors = re.findall(r'href="(/carts\?state=\w+&amp;touched_from=[\d-]+)"[^>]*data-count="(\d+)"', page)
    assert sorted({count for _, count in doors}) == ["1", "2"]
    for href, count in doors:
        assert f'data-total="{count}"' in client.get(href.replace("&amp;", "&")).content.decode()
    assert "£26" in page


def test_a_cart_says_since_when_who_and_which_order_and_shows_its_link(
    client: Client, stores: tuple[Store, Store]
) -> None:
    _staff(client)
    left = client.get(_href("left")).content.decode()
    for words in ("Left behind", "In silence since", "Thing of left", f"{LINK}/left"):
        assert words in left
    won = client.get(_href("won")).content.decode()
    for words in ("Won back", "Order 77", "Ordered"):
        assert words in won


def test_limited_staff_see_the_carts_of_their_stores_only(client: Client, stores: tuple[Store, Store]) -> None:
    _staff(client, stores[1])
    page = client.get("/carts").content.decode()
    assert 'data-total="1"' in page
    assert "£20" not in page
    assert client.get(_href("left")).status_code == 404
    assert f"{LINK}/other" in client.get(_href("other")).content.decode()


def test_the_api_lists_and_gets_carts_of_the_tokens_store(client: Client, stores: tuple[Store, Store]) -> None:
    def ask(text: str, path: str) -> tuple[int, dict[str, Any]]:
        answer = client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {text}"})
        return answer.status_code, answer.json()

    _, all_stores = tokens.create_token("all", ["carts:read"], SYSTEM, NOW)
    _, limited = tokens.create_token("two", ["carts:read"], SYSTEM, NOW, store_id=stores[1].pk)
    status, found = ask(all_stores, "/carts?state=recovered")
    assert (status, [row["key"] for row in found["items"]]) == (200, ["won"])
    status, one = ask(all_stores, f"/carts/{found['items'][0]['id']}")
    assert (one["state"], one["value_minor"], one["currency"], one["store"]) == ("recovered", 800, "GBP", "one")
    assert [(line["sku"], line["quantity"]) for line in one["lines"]] == [("SKU-won", 2)]
    assert one["order"]
    status, found = ask(limited, "/carts")
    assert [row["key"] for row in found["items"]] == ["other"]
    assert ask(limited, _href("left"))[0] == 404
    _, none = tokens.create_token("none", ["orders:read"], SYSTEM, NOW)
    assert ask(none, "/carts")[0] == 403


def test_stats_count_them_and_verify_finds_what_was_bent(stores: tuple[Store, Store]) -> None:
    said = stats.stats()
    assert said["carts_by_state"] == {"abandoned": 2, "recovered": 1}
    assert (said["carts_abandoned_minor"], said["carts_recovered_minor"]) == ({"GBP": 2600}, {"GBP": 800})
    assert verify.differences() == []
    won, left = Cart.objects.get(key="won"), Cart.objects.get(key="left")
    Cart.objects.filter(pk=won.pk).update(state="open")
    Cart.objects.filter(pk=left.pk).update(value_minor=5)
    assert verify.differences() == [
        f"cart {won.pk}: it has an order, and is not ordered",
        f"cart {left.pk}: it is worth 5, its lines come to 2000",
    ]


def test_an_export_holds_the_link_and_an_erasure_takes_the_cart_with_its_names(stores: tuple[Store, Store]) -> None:
    customer = customer_of(Cart.objects.get(key="left").profile_id or 0)
    assert f"{LINK}/left" in json.dumps(export_subject(customer, SYSTEM, NOW).tables)
    erase_customer(customer, SYSTEM, NOW)
    assert sorted(Cart.objects.values_list("key", flat=True)) == ["other", "won"]
    assert sorted(CartKey.objects.values_list("key", flat=True)) == ["other", "won"]
    assert sorted(CartLine.objects.values_list("sku", flat=True)) == ["SKU-other", "SKU-won"]
