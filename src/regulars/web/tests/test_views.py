"""Saved views of lists, one store at a time, carts and sums, through HTTP."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.ids import to_public
from regulars.foundation.pages.models import SavedView
from regulars.foundation.shop.models import Brand, Store
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import Cart
from regulars.record.carts.operations import abandon_silent_carts, apply_carts
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.events import log as event_log
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput
from regulars.record.orders.operations import apply_orders
from regulars.web.tests.shop import OWNER, make_staff

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


@pytest.fixture
def owner(client: Client) -> StaffMember:
    member = make_staff(OWNER, "Ada Owner", Role.OWNER)
    client.force_login(member)
    return member


@pytest.fixture
def stores() -> dict[str, Store]:
    """Ann bought for £20 and £30 in one store (£5 given back) and for £7 in the other; Bob for £9 in the other."""
    brand = Brand.objects.create(name="Acme", from_name="Acme", from_address="shop@acme.example")
    made = {
        code: Store.objects.create(code=code, name=code.title(), brand=brand, currency="GBP") for code in ("one", "two")
    }
    refund = (RefundInput("R-1", NOW - timedelta(days=1), "GBP", 500),)
    _orders(made["one"], _order(made["one"], "1", "ann", "20.00"), _order(made["one"], "2", "ann", "30.00", refund))
    _orders(made["two"], _order(made["two"], "3", "ann", "7.00"), _order(made["two"], "4", "bob", "9.00"))
    return made


def _person(name: str, store: Store) -> PersonInput:
    return PersonInput((IdentityInput(IdentityKind.EMAIL, f"{name}@mail.example"),), NOW - timedelta(days=90), store.pk)


def _order(store: Store, number: str, who: str, price: str, refunds: tuple[RefundInput, ...] = ()) -> OrderInput:
    line = LineInput("SKU-1", "Bunting", 2, Decimal(price) / 2, "bunting")
    return OrderInput(number, NOW - timedelta(days=3), "GBP", (line,), _person(who, store), refunds=refunds)


def _orders(store: Store, *orders: OrderInput) -> None:
    with event_log.transaction("import", store.code) as log:
        apply_orders(list(orders), log, store_id=store.pk, at=NOW, is_history=True)


def total_and_sum(client: Client, address: str) -> tuple[int, str]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()[:300]
    found = re.search(r'data-total="(\d+)"(?: data-sum="([^"]*)")?', answer.content.decode())
    assert found
    return int(found.group(1)), found.group(2) or ""


def test_a_store_in_the_address_narrows_lists_figures_and_the_way_on(
    client: Client, owner: StaffMember, stores: dict[str, Store]
) -> None:
    assert [
        total_and_sum(client, f"/orders?counts=1{more}") for more in ("", "&store=one", "&store=two", "&store=no")
    ] == [
        (4, "6600GBP"),
        (2, "5000GBP"),
        (2, "1600GBP"),
        (0, ""),
    ]
    assert [total_and_sum(client, f"/customers?store={code}")[0] for code in ("one", "two")] == [1, 2]
    text = client.get("/?store=two").content.decode()
    assert re.search(r'data-sum="1600GBP"', text)
    assert 'href="/orders?store=two"' in text
    assert 'href="/?store=one"' not in text
    assert 'href="?store=one"' in text


def test_a_store_that_one_may_not_see_is_as_no_store(client: Client, stores: dict[str, Store]) -> None:
    member = make_staff("grace@shop.example", "Grace", Role.MANAGER)
    member.stores.set([stores["one"]])
    client.force_login(member)
    assert [total_and_sum(client, f"/orders?store={code}")[0] for code in ("one", "two")] == [2, 0]


def test_sums_of_lists_are_those_of_the_pages_that_lead_there(
    client: Client, owner: StaffMember, stores: dict[str, Store]
) -> None:
    ann = next(
        pk
        for pk in Customer.objects.values_list("pk", flat=True)
        if total_and_sum(client, f"/orders?customer={pk}")[0] == 3
    )
    assert total_and_sum(client, f"/orders?counts=1&customer={ann}") == (3, "5700GBP")
    assert total_and_sum(client, f"/orders?counts=1&net=1&customer={ann}") == (3, "5200GBP")
    assert total_and_sum(client, f"/refunds?counts=1&customer={ann}") == (1, "500GBP")
    assert total_and_sum(client, "/sold") == (4, "6600GBP 8pieces")
    page = client.get(f"/customers/{to_public(Customer.PREFIX, Customer.objects.get(pk=ann).uid)}").content.decode()
    assert [total in page for total in ('data-sum="5700GBP"', 'data-sum="500GBP"', 'data-sum="5200GBP"')] == [True] * 3


def keep(client: Client, name: str, query: str = "country=GB&sort=-spent", **more: str) -> int:
    return client.post("/views", {"path": "/customers", "query": query, "name": name, **more}).status_code


def test_a_view_is_kept_renamed_shared_and_removed(client: Client, owner: StaffMember) -> None:
    assert keep(client, "British", "sort=-spent&q=ada&country=GB&cursor=x") == 302
    view = SavedView.objects.get()
    assert (view.name, view.query, view.is_shared) == ("British", "country=GB&sort=-spent", False)
    assert "British" in client.get("/customers").content.decode()
    assert "British" not in client.get("/orders").content.decode()
    keep(client, "British", "country=GB")
    assert SavedView.objects.get().query == "country=GB"
    client.post(f"/views/{view.public_id}/change", {"name": "Islanders", "shared": "on"})
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("Islanders", True)
    client.post(f"/views/{view.public_id}/remove")
    assert not SavedView.objects.exists()


def test_whose_view_it_is(client: Client, owner: StaffMember) -> None:
    keep(client, "Only for Ada")
    keep(client, "For everybody here", "country=DE", shared="on")
    reader = make_staff("reader@shop.example", "Reader", Role.READ_ONLY)
    client.force_login(reader)
    text = client.get("/customers").content.decode()
    tabs = re.findall(r'class="tab"[^>]*>([^<]+)</a>', text)
    assert tabs == ["All", "For everybody here"]
    ours = SavedView.objects.get(name="For everybody here")
    assert client.post(f"/views/{ours.public_id}/remove").status_code == 404
    assert client.post(f"/views/{ours.public_id}/change", {"name": "Yours"}).status_code == 404
    assert keep(client, "Shared by a reader", shared="on") == 403
    assert keep(client, "A reader's own") == 302
    assert set(SavedView.objects.values_list("name", "staff__name")) == {
        ("Only for Ada", "Ada Owner"),
        ("For everybody here", "Ada Owner"),
        ("A reader's own", "Reader"),
    }


@pytest.mark.parametrize(
    "given", [{"name": ""}, {"name": "x" * 61}, {"path": "https://elsewhere.example/"}, {"path": "/nowhere"}]
)
def test_a_view_that_cannot_be_is_refused(client: Client, owner: StaffMember, given: dict[str, str]) -> None:
    values = {"path": "/customers", "query": "", "name": "Fine"} | given
    assert client.post("/views", values).status_code == 400
    assert not SavedView.objects.exists()


def test_two_views_of_one_name_do_not_meet(client: Client, owner: StaffMember) -> None:
    keep(client, "One")
    keep(client, "Two", "country=DE")
    two = SavedView.objects.get(name="Two")
    assert client.post(f"/views/{two.public_id}/change", {"name": "One"}).status_code == 409
    assert sorted(SavedView.objects.values_list("name", flat=True)) == ["One", "Two"]


@pytest.fixture
def carts(stores: dict[str, Store]) -> None:
    """Ann left £19 behind two days ago and is at the checkout with £9.50; nobody known has £9.50 in an open one."""
    mug = CartLineInput("MUG", "Mug", 1, Decimal("9.50"), "mug")
    said = [
        CartInput("left", NOW - timedelta(days=2), "GBP", (mug, mug), _person("ann", stores["one"])),
        CartInput("out", NOW - timedelta(hours=1), "GBP", (mug,), _person("ann", stores["one"]), is_checkout=True),
        CartInput("open", NOW - timedelta(hours=2), "GBP", (mug,)),
    ]
    with event_log.transaction("api", "carts") as log:
        apply_carts(said, log, store_id=stores["one"].pk, is_history=True)
    with event_log.transaction("silence", "carts") as log:
        abandon_silent_carts(log, NOW, timedelta(days=1))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", (3, "3800GBP")),
        ("state=abandoned", (1, "1900GBP")),
        ("state=checkout&state=open", (2, "1900GBP")),
        ("who=unknown", (1, "950GBP")),
        ("value_from=10", (1, "1900GBP")),
        ("store=two", (0, "")),
        ("sort=value", (3, "3800GBP")),
        ("customer=99999999999999999999999", (0, "")),
    ],
)
def test_carts_are_found(client: Client, owner: StaffMember, carts: None, asked: str, found: tuple[int, str]) -> None:
    assert total_and_sum(client, f"/carts?{asked}") == found


def test_a_cart_says_what_lies_in_it_and_the_customer_has_a_block_of_them(
    client: Client, owner: StaffMember, carts: None
) -> None:
    left = Cart.objects.get(key="left")
    text = client.get(f"/carts/{to_public(Cart.PREFIX, left.uid)}").content.decode()
    assert "£19.00 was left behind in it." in text
    assert text.count("£9.50") == 4  # price and total of two lines
    found = re.search(r'href="(/customers/cus_\w+)"', text)
    assert found
    page = client.get(found.group(1)).content.decode()
    block = re.search(r'data-count="2"[^>]*>2</a>|href="(/carts\?customer=[^"]+)"', page)
    assert block
    door = re.search(r'href="(/carts\?customer=[^"]+)"', page)
    assert door
    assert total_and_sum(client, door.group(1).replace("&amp;", "&")) == (2, "2850GBP")


@pytest.mark.parametrize(("language", "direction"), [("en-gb", "ltr"), ("ar", "rtl"), ("he", "rtl")])
def test_pages_turn_round_with_the_readers_language(
    client: Client, owner: StaffMember, language: str, direction: str
) -> None:
    StaffMember.objects.update(language=language)
    assert f'<html lang="{language}" dir="{direction}"' in client.get("/orders").content.decode()


def test_an_invitation_that_cannot_be_says_so_beside_the_field_and_keeps_what_was_typed(
    client: Client, owner: StaffMember
) -> None:
    given = {"email": "not an address", "name": "Grace", "role": "agent"}
    refused = client.post("/team/invite", given)
    said = refused.content.decode()
    assert refused.status_code == 400
    assert re.search(r'id="email"[^>]*aria-describedby="problem">\s*<p class="field-error" id="problem"', said)
    assert 'value="not an address"' in said
    assert 'value="Grace"' in said
    assert re.search(r'value="agent" required checked', said)
    assert StaffMember.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    ["customers", "orders", "refunds", "sold", "products", "carts", "segments", "messages", "runs", "imports"],
)
def test_an_empty_page_says_the_first_step(client: Client, owner: StaffMember, address: str) -> None:
    text = client.get(f"/{address}").content.decode()
    found = re.search(r'class="nothing-yet-title">[^<]+</h2><p class="nothing-yet-text">[^<]+</p><a class="btn', text)
    assert found, text[-2000:]
