"""Pages of customers, orders and products through HTTP: what they find, what they change, and who sees what."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.record.consent.queries import is_left_alone
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.customers.queries import profiles_of, read_cards, read_notes, tags_of
from regulars.record.events import log as event_log
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput
from regulars.record.orders.models import FulfilmentStatus, Order, OrderStatus
from regulars.record.orders.operations import apply_orders
from regulars.web.tests.shop import OWNER, make_staff
from regulars.web.views import customers

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
PEOPLE = {
    "ada": ("Ada Lovelace", "ada@mail.example", "GB"),
    "eleni": ("Ελένη Παπαδοπούλου", "eleni@mail.example", "GR"),
    "layla": ("ليلى الخطيب", "layla@mail.example", "JO"),
}


def person(key: str, store: Store, at: datetime) -> PersonInput:
    name, email, country = PEOPLE[key]
    first, _, last = name.partition(" ")
    identities = (
        IdentityInput(IdentityKind.STORE_CUSTOMER, f"no-{key}", store.code),
        IdentityInput(IdentityKind.EMAIL, email),
    )
    return PersonInput(
        identities, at, store.pk, contact=ContactCard(first_name=first, last_name=last, email=email, country=country)
    )


def order(number: str, who: PersonInput | None, days_ago: int, price: str, **more: object) -> OrderInput:
    line = LineInput("SKU-1", "Party bunting", 1, Decimal(price), "bunting")
    country = who.contact.country if who and who.contact else ""
    return OrderInput(number, NOW - timedelta(days=days_ago), "GBP", (line,), who, country=country, **more)  # type: ignore[arg-type]


def make_store(code: str) -> Store:
    brand, _ = Brand.objects.get_or_create(
        name="Acme", defaults={"from_name": "Acme", "from_address": "shop@acme.example"}
    )
    return Store.objects.create(code=code, name=code.title(), brand=brand, currency="GBP")


@pytest.fixture
def store() -> Store:
    """Ada ordered twice and got £5 back, Eleni once, Layla's only order was cancelled; one guest."""
    main = make_store("main")
    ada, eleni, layla = (person(key, main, NOW - timedelta(days=60)) for key in PEOPLE)
    given_back = (RefundInput("R-1", NOW - timedelta(days=1), "GBP", 500),)
    orders = [
        order("1001", ada, 60, "20.00"),
        order("1002", ada, 3, "30.00", refunds=given_back, fulfilment_status=FulfilmentStatus.UNFULFILLED),
        order("1003", eleni, 10, "12.50"),
        order("1004", layla, 5, "99.00", status=OrderStatus.CANCELLED, cancelled_at=NOW - timedelta(days=4)),
        order("1005", None, 2, "7.00"),
    ]
    with event_log.transaction("import", "test") as log:
        apply_orders(orders, log, store_id=main.pk, at=NOW, is_history=True)
    return main


@pytest.fixture
def owner(client: Client) -> StaffMember:
    member = make_staff(OWNER, "Ada Owner", Role.OWNER)
    client.force_login(member)
    return member


def customer_named(name: str) -> tuple[int, str]:
    """Row id and public id."""
    for pk, card in read_cards(list(Customer.objects.values_list("pk", flat=True))).items():
        if card.full_name == name:
            return pk, to_public(Customer.PREFIX, Customer.objects.get(pk=pk).uid)
    raise AssertionError(name)


def total_of(client: Client, address: str) -> int:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()[:300]
    found = re.search(r'data-total="(\d+)"', answer.content.decode())
    assert found
    return int(found.group(1))


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ("", 3),
        ("q=love", 1),
        ("q=LOVELACE+ada", 1),
        ("q=ada@mail.example", 1),
        ("q=no-ada", 1),
        ("q=παπαδ", 1),
        ("q=الخطيب", 1),
        ("q=nobody", 0),
        ("country=GB&country=GR", 2),
        ("orders_from=2", 1),
        ("spent_from=12.50&spent_to=12.50", 1),
        ("orders_to=0", 0),
        ("consent=granted", 0),
        ("consent=unknown", 3),
        ("tag=nothing", 0),
        ("rfm=champions", 0),
        ("store=main", 3),
        ("store=elsewhere", 0),
    ],
)
def test_customers_are_found(client: Client, owner: StaffMember, store: Store, asked: str, total: int) -> None:
    assert total_of(client, f"/customers?{asked}") == total


def test_the_sentence_about_all_customers_is_not_said_of_a_part(
    client: Client, owner: StaffMember, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "count_leaving", lambda viewer: 462)
    words = "462 of them used to buy and have gone quiet."
    assert words in client.get("/customers?sort=-spent").content.decode()
    for asked in ("rfm=cant-lose", "q=ada", "orders_from=0", "last_order_to=2030-01-01"):
        assert "of them used to buy" not in client.get(f"/customers?{asked}").content.decode(), asked


def test_customers_by_the_days_of_their_orders(client: Client, owner: StaffMember, store: Store) -> None:
    def day(ago: int) -> str:
        return (NOW - timedelta(days=ago)).date().isoformat()

    assert total_of(client, f"/customers?first_order_from={day(20)}") == 1
    assert total_of(client, f"/customers?ordered_from={day(20)}&first_order_to={day(21)}") == 1
    assert total_of(client, f"/customers?last_order_from={day(10)}&last_order_to={day(10)}") == 1


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ("", 5),
        ("q=100", 5),
        ("q=1003", 1),
        ("status=cancelled", 1),
        ("counts=1", 4),
        ("guest=yes", 1),
        ("refunded=yes", 1),
        ("total_from=20", 3),
        ("country=GR", 1),
    ],
)
def test_orders_are_found(client: Client, owner: StaffMember, store: Store, asked: str, total: int) -> None:
    assert total_of(client, f"/orders?{asked}") == total


def test_a_list_asks_as_many_questions_for_many_rows_as_for_few(
    client: Client, owner: StaffMember, store: Store
) -> None:
    def questions(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(address)
        return len(asked)

    few = {address: questions(address) for address in ("/customers", "/orders", "/products", "/sold")}
    home = questions("/")
    people = [
        PersonInput(
            (IdentityInput(IdentityKind.EMAIL, f"p{n}@mail.example"),),
            NOW,
            store.pk,
            contact=ContactCard(name=f"P {n}"),
        )
        for n in range(40)
    ]
    with event_log.transaction("import", "more") as log:
        apply_orders(
            [order(f"2{n:03}", one, 1, "1.00") for n, one in enumerate(people)],
            log,
            store_id=store.pk,
            at=NOW,
            is_history=True,
        )
    assert {address: questions(address) for address in few} == few
    assert questions("/") <= home


def test_the_page_of_a_customer_says_what_is_the_case(client: Client, owner: StaffMember, store: Store) -> None:
    _, public_id = customer_named("Ada Lovelace")
    text = client.get(f"/customers/{public_id}").content.decode()
    for words in (
        "Ada Lovelace",
        "ada@mail.example",
        "£50.00",
        "£5.00",
        "£25.00",
        "Orders every 57 days on average; the last order was 3 days ago.",
        "Placed order 1002",
        "Got £5.00 back",
    ):
        assert words in text, words
    kinds = client.get(f"/customers/{public_id}?kind=refund").content.decode()
    assert "Got £5.00 back" in kinds
    assert "Placed order 1002" not in kinds


def test_small_changes_from_the_page(client: Client, owner: StaffMember, store: Store) -> None:
    pk, public_id = customer_named("Ada Lovelace")
    for action, text in (
        ("tag", "vip"),
        ("tag", "press"),
        ("untag", "press"),
        ("note", "Likes to be called."),
        ("leave-alone", ""),
    ):
        assert client.post(f"/customers/{public_id}/{action}", {"text": text}).status_code == 302
    assert tags_of(pk) == ["vip"]
    [note] = read_notes(pk)
    assert (note.text, note.row.staff_id) == ("Likes to be called.", owner.pk)
    assert is_left_alone(profiles_of([pk])[pk])
    client.post(f"/customers/{public_id}/remove-note", {"note": str(note.row.uid)})
    client.post(f"/customers/{public_id}/may-contact")
    assert read_notes(pk) == []
    assert not is_left_alone(profiles_of([pk])[pk])


def test_editing_refuses_what_cannot_be_and_changes_nothing(client: Client, owner: StaffMember, store: Store) -> None:
    pk, public_id = customer_named("Ada Lovelace")
    given = {"first_name": "Augusta", "last_name": "King", "email": "ada@mail.example", "phone": "12", "country": "gb"}
    refused = client.post(f"/customers/{public_id}/edit", given)
    assert refused.status_code == 400
    said = refused.content.decode()
    assert re.search(r'id="id_phone_error">.*?is not a phone number', said, re.DOTALL)
    assert 'value="12"' in said
    assert 'value="Augusta"' in said
    assert read_cards([pk])[pk].full_name == "Ada Lovelace"
    assert client.post(f"/customers/{public_id}/edit", given | {"phone": "+442079460000"}).status_code == 302
    card = read_cards([pk])[pk]
    assert (card.full_name, card.country, card.phone) == ("Augusta King", "GB", "+442079460000")


def test_bulk_actions_reach_the_chosen_or_all_that_match(client: Client, owner: StaffMember, store: Store) -> None:
    ada, _ = customer_named("Ada Lovelace")
    eleni, _ = customer_named("Ελένη Παπαδοπούλου")
    client.post("/customers", {"action": "tag", "input": "one", "row": [str(ada), "999999"]})
    client.post(
        "/customers?country=GR&country=GB", {"action": "tag", "input": "two", "everything": "1", "row": [str(ada)]}
    )
    assert (tags_of(ada), tags_of(eleni)) == (["one", "two"], ["two"])
    assert total_of(client, "/customers?tag=two") == 2


def test_an_export_holds_what_was_filtered_and_is_written_down(
    client: Client, owner: StaffMember, store: Store
) -> None:
    asked = client.get("/customers?country=GR&export=1").content.decode()
    assert "Export 1 customer" in asked
    answer = client.post("/customers?country=GR", {"action": "export"})
    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "eleni@mail.example" in lines[1]
    entry = AuditEntry.objects.order_by("-sequence")[0]
    assert (entry.action, entry.details, entry.actor) == ("customers.exported", {"rows": 1}, f"staff:{owner.pk}")


def test_staff_of_one_store_see_only_what_is_its(client: Client, store: Store) -> None:
    other = make_store("other")
    member = make_staff("grace@shop.example", "Grace", Role.MANAGER)
    member.stores.set([other])
    client.force_login(member)
    _, public_id = customer_named("Ada Lovelace")
    order_id = to_public(Order.PREFIX, Order.objects.get(number="1001").uid)
    assert [total_of(client, address) for address in ("/customers", "/orders", "/products")] == [0, 0, 0]
    for address in (
        f"/customers/{public_id}",
        f"/customers/{public_id}/timeline?before=2030-01-01T00:00:00",
        f"/orders/{order_id}",
    ):
        assert client.get(address).status_code == 404, address
    assert "Ada Lovelace" not in client.get("/search?q=lovelace").content.decode()
    assert client.post(f"/customers/{public_id}/tag", {"text": "mine"}).status_code == 404
    assert tags_of(customer_named("Ada Lovelace")[0]) == []


@pytest.mark.parametrize(
    "address",
    [
        "/customers?cursor=x",
        "/customers?sort=password",
        "/orders?placed_from=soon",
        "/orders?total_from=NaN",
        "/orders?customer=x&product=y",
        "/products?category=x",
        "/orders?customer=99999999999999999999999&product=99999999999999999999999",
        "/orders?total_from=99999999999.999999999",
        "/customers?product=99999999999999999999999&r=99999999999999999999999",
        "/customers?orders_from=1.5&spent_to=999999999999",
        "/products?category=99999999999999999999999",
        "/customers?q=%00",
        "/search?q=%00",
        "/?days=x",
        "/?days=99999999999",
    ],
)
def test_a_damaged_address_is_answered_with_a_sentence(
    client: Client, owner: StaffMember, store: Store, address: str
) -> None:
    assert client.get(address).status_code in {200, 400}


def test_home_of_an_empty_shop_says_what_to_do_first(client: Client, owner: StaffMember) -> None:
    text = client.get("/").content.decode()
    assert "/imports/new" in text
    assert "Bring in your shop" in text


def test_home_counts_orders_sales_and_people(client: Client, owner: StaffMember, store: Store) -> None:
    text = client.get("/?days=30").content.decode()
    figures = dict(
        re.findall(r'class="figure-label">([^<]+)<.*?class="figure-value"><a[^>]*>([^<]+)</a>', text, re.DOTALL)
    )
    assert figures == {
        "Sales": "£44.50",
        "Orders": "3",
        "Average order": "£16.50",
        "New customers": "1",
        "Returning customers": "1",
    }
