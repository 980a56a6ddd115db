"""Whoever is limited to one store finds nothing that only another store knows, on any page, in any export, nor through the API."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from regulars.config.tests.test_every_url import House, pages_that_ask, signed_in
from regulars.foundation.access import tokens
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.bulk import fetch
from regulars.foundation.ids import to_public
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.models import Task
from regulars.foundation.work.operations import start_task
from regulars.insight.segments.operations import refresh
from regulars.record.catalog.models import Product
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentState
from regulars.record.consent.operations import leave_alone, record_consents
from regulars.record.consent.queries import is_left_alone
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.customers.operations import (
    add_note,
    decide_link,
    edit_contact,
    ensure_profiles,
    set_tag,
    verify_cards,
)
from regulars.record.customers.queries import customer_of, profiles_of, read_cards, read_notes, tags_of
from regulars.record.events.log import transaction
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput
from regulars.record.orders.models import Order
from regulars.record.orders.operations import apply_orders, refresh_figures, verify_figures
from regulars.record.orders.queries import find_figures
from regulars.web.queries.customer import read_customer
from regulars.web.queries.customers import customers_counted, customers_matching, read_rows
from regulars.workflows.models import Run, Workflow, WorkflowVersion
from regulars.workflows.tests.factories import DEFINITION

pytestmark = pytest.mark.django_db
AT = datetime.now(UTC) - timedelta(days=1)
# What the British store alone has said or sold; the shared mail addresses lead both stores to the same people. 77.77 is what was bought
# there, 82.77 and 88.88 what people spent in both.
BRITISH = (
    "Zanzibarina",
    "Quixotic",
    "ukonly7",
    "BRIT-2001",
    "Onlybritish",
    "BRIT-2002",
    "ukonly8",
    "britishtag",
    "britishnote",
    "britishattribute",
    "britishword",
    "BritishBrand",
    "britishnode",
    "77.77",
    "82.77",
    "88.88",
)


def _person(store: Store, number: str, mail: str, first: str, last: str, at: datetime) -> PersonInput:
    identities = (
        IdentityInput(IdentityKind.STORE_CUSTOMER, number, store.code),
        IdentityInput(IdentityKind.EMAIL, mail),
    )
    card = ContactCard(first_name=first, last_name=last, email=mail)
    return PersonInput(identities, at, store_id=store.pk, contact=card)


def _order(store: Store, number: str, person: PersonInput, price: str = "5", *refunds: RefundInput) -> None:
    with transaction("api") as log:
        line = LineInput("A", "Mug", 1, Decimal(price))
        apply_orders([OrderInput(number, AT, "GBP", (line,), person, refunds=refunds)], log, store_id=store.pk, at=AT)


def _plant(uk: Store, customer: int) -> None:
    """Everything else that the British staff and programs know of somebody whom the German store knows too."""
    stores = (uk.pk,)
    set_tag([customer], "britishtag", True, 1, AT, stores)
    add_note(customer, "britishnote", 1, AT, stores)
    profile = profiles_of([customer], stores)[customer][0]
    person = PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, "ukonly7", "uk"),), AT, uk.pk, evidence="import")
    with transaction("import", "x") as log:
        ensure_profiles([replace(person, attributes={"britishattribute": "britishword"})], log)
        said = ConsentInput("both@shop.example", ConsentState.GRANTED, AT, "britishword")
        record_consents([said], uk.brand_id, log)
    workflow = Workflow.objects.create(key="w", name="Win back", created_at=AT)
    version = WorkflowVersion.objects.create(workflow=workflow, number=1, definition=DEFINITION, created_at=AT)
    with transaction("system") as log:
        Run.objects.create(
            workflow=workflow, version=version, customer_id=customer, profile_id=profile, entry_key="e", node="britishnode",
            since=AT, started_at=AT, wake_at=AT, batch_id=log.batch_id,
        )  # fmt: skip


def _same(one: str, other: str) -> None:
    """One mail address, two names: staff know better than the guard."""
    low, high = Order.objects.filter(number__in=(one, other)).values_list("profile_id", flat=True)
    decide_link(low or 0, high or 0, "must-link", 1, AT)
    refresh_figures(Customer.objects.values_list("pk", flat=True))


@pytest.fixture(scope="module")
def both_stores(making_once: Path) -> House:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    british = Brand.objects.create(name="BritishBrand", from_name="B", from_address="uk@shop.example")
    uk = Store.objects.create(code="uk", name="UK", brand=british, currency="GBP")
    de = Store.objects.create(code="de", name="DE", brand=brand, currency="GBP")
    later = AT + timedelta(hours=1)
    _order(de, "DE-1", _person(de, "deonly1", "both@shop.example", "Anna", "Schmidt", AT))
    _order(uk, "BRIT-2001", _person(uk, "ukonly7", "both@shop.example", "Zanzibarina", "Quixotic", later), "77.77")
    _order(uk, "BRIT-2002", _person(uk, "ukonly8", "onlybritish@shop.example", "Onlybritish", "Onlybritish", later))
    order = Order.objects.get(number="DE-1")
    assert order.profile is not None
    _same("DE-1", "BRIT-2001")
    shared = Customer.objects.get(pk=customer_of(order.profile.pk))
    _plant(uk, shared.pk)
    by_mail = (IdentityInput(IdentityKind.EMAIL, "mail@shop.example"),)  # known by nothing else, and first in Britain
    told = ContactCard(first_name="Onlybritish", email="mail@shop.example")
    _order(
        uk, "BRIT-2003", PersonInput(by_mail, AT, uk.pk, contact=told), "80.88", RefundInput("BRIT-R", AT, "GBP", 100)
    )
    _order(de, "DE-2", PersonInput(by_mail, later, de.pk, contact=replace(told, first_name="Erika")), "8")
    _same("DE-2", "BRIT-2003")
    refresh(datetime.now(UTC))
    product = Product.objects.filter(store=de).get()
    return House(
        uk,
        de,
        to_public("cus", shared.uid),
        to_public("ord", order.uid),
        to_public(Product.PREFIX, product.uid),
    )


@pytest.fixture(autouse=True)
def house(both_stores: House, made_once: None) -> House:
    return both_stores


def test_no_page_tells(house: House) -> None:
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    client, told = Client(), []
    client.force_login(member)
    numbers = [f"customer={pk}" for pk in Customer.objects.values_list("pk", flat=True)]
    for place, asked_for in pages_that_ask(signed_in("owner"), house).items():
        queries = [
            one for one in ("export=1", "q=Zanz", "q=BRIT", "q=ukonly8", *numbers) if one.partition("=")[0] in asked_for
        ]
        for query in ("", *queries):
            answer = client.get(f"{house.address(place)}?{query}")
            content = answer.getvalue() if answer.streaming else answer.content
            asked = query.removeprefix("q=")
            told += [(place.route, query, word) for word in BRITISH if word.encode() in content and word != asked]
    assert told == []


def test_a_customer_of_two_stores_is_seen_through_ones_own(house: House) -> None:
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    client = Client()
    client.force_login(member)
    page = client.get(f"/customers/{house.customer}").content.decode()
    assert "Anna Schmidt" in page
    assert "deonly1" in page
    assert not [word for word in BRITISH if word in page]


def test_whoever_came_by_mail_first_elsewhere_is_seen_through_ones_own_orders(house: House) -> None:
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    client = Client()
    client.force_login(member)
    [customer] = Customer.objects.filter(pk=customer_of(Order.objects.get(number="DE-2").profile_id or 0))
    assert Order.objects.get(number="BRIT-2003").profile_id != Order.objects.get(number="DE-2").profile_id
    assert customer_of(Order.objects.get(number="BRIT-2003").profile_id or 0) == customer.pk
    page = client.get(f"/customers/{to_public('cus', customer.uid)}").content.decode()
    assert "Erika" in page
    assert "£8.00" in page
    assert not [word for word in BRITISH if word in page]
    assert "Erika" in client.get("/customers").content.decode()


_FOLD = """
SELECT m.customer_id, count(DISTINCT o.id), sum(o.total_minor), min(o.placed_at), max(o.placed_at)
FROM customers_customerprofile m JOIN orders_order o ON o.profile_id = m.profile_id
WHERE m.until_batch_id IS NULL AND o.store_id = ANY(%s) GROUP BY m.customer_id ORDER BY m.customer_id
"""


def test_figures_are_a_fold_of_the_viewers_own_stores(house: House) -> None:
    whole = [house.uk.pk, house.de.pk]
    for stores in ([house.de.pk], [house.uk.pk], whole):
        viewer = Viewer(1, everything().permissions, frozenset(stores))
        rows = sorted(read_rows(list(customers_matching(ListQuery(), viewer)), viewer), key=lambda row: row.id)
        shown = [(row.id, row.orders, row.spent_minor, row.first_order_at, row.last_order_at) for row in rows]
        assert shown == fetch(_FOLD, [stores]), stores
        by_spent = [row.pk for row in customers_matching(ListQuery(), viewer).order_by("-spent_minor", "-pk")]
        assert by_spent == [row[0] for row in sorted(shown, key=lambda row: (-row[2], -row[0]))]
        figures = [find_figures(row[0], stores) for row in shown]
        assert [f.spent_minor for f in figures if f] == [row[2] for row in shown]
    assert verify_figures() == []
    assert verify_cards() == []


def test_filters_and_search_ask_what_ones_own_store_knows(house: House) -> None:
    def found(viewer: Viewer, query: ListQuery) -> int:
        counted = set(customers_counted(query, viewer).values_list("pk", flat=True))
        assert counted == set(customers_matching(query, viewer).values_list("pk", flat=True))
        return len(counted)

    german = Viewer(1, everything().permissions, frozenset({house.de.pk}))
    british = Viewer(1, everything().permissions, frozenset({house.uk.pk}))
    asked = {
        "Zanz": ListQuery(text="Zanz"),
        "its number": ListQuery(text="ukonly7"),
        "its tag": ListQuery(choices={"tag": ("britishtag",)}),
        "its consent": ListQuery(choices={"consent": ("granted",)}),
        "over 70": ListQuery(numbers={"spent": (Decimal(70), None)}),
    }
    for viewer in (british, everything()):
        assert {name: found(viewer, query) for name, query in asked.items()} == {
            "Zanz": 1, "its number": 1, "its tag": 1, "its consent": 1, "over 70": 2,
        }  # fmt: skip
    assert {name: found(german, query) for name, query in asked.items()} == dict.fromkeys(asked, 0)
    assert found(german, ListQuery(text="Anna")) == 1
    tagged_and_bought = ListQuery(choices={"tag": ("britishtag",)}, numbers={"orders": (Decimal(1), None)})
    assert found(everything(), tagged_and_bought) == 1


def test_scores_and_segments_are_of_all_stores_and_nobody_limited_sees_them(house: House) -> None:
    limited, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    both, _ = create_staff("n@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk, house.uk.pk))
    client = Client()
    for member, status in ((limited, 403), (both, 200)):
        client.force_login(member)
        assert client.get("/segments").status_code == status
        told = read_customer(house.customer, member.viewer())
        assert (bool(told.scores), bool(told.memberships)) == (member is both, member is both)
        assert [
            row.rfm is not None
            for row in read_rows(list(customers_matching(ListQuery(), member.viewer())), member.viewer())
        ] == ([False, False] if member is limited else [True, True, True])
        assert (b"/segments" in client.get("/").content) == (member is both)
    assert limited.viewer().store_ids == frozenset({house.de.pk})
    assert both.viewer().store_ids is None
    for rfm in ("rfm", "r", "rfm_was", "segment"):
        assert not customers_matching(ListQuery(choices={rfm: ("champions", "5", "none")}), limited.viewer()).exists()


def test_what_limited_staff_write_is_their_stores_alone(house: House) -> None:
    shared = customer_of(Order.objects.get(number="DE-1").profile_id or 0)
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    client = Client()
    client.force_login(member)
    for action, text in (("tag", "deutsch"), ("note", "Notiz"), ("untag", "britishtag")):
        assert client.post(f"/customers/{house.customer}/{action}", {"text": text}).status_code == 302
    assert tags_of(shared, [house.de.pk]) == ["deutsch"]
    assert tags_of(shared, [house.uk.pk]) == ["britishtag"]
    assert tags_of(shared) == ["britishtag", "deutsch"]
    assert [note.text for note in read_notes(shared, [house.de.pk])] == ["Notiz"]
    assert [note.text for note in read_notes(shared, [house.uk.pk])] == ["britishnote"]


def test_an_edit_changes_what_ones_own_store_knows(house: House) -> None:
    shared = customer_of(Order.objects.get(number="DE-1").profile_id or 0)
    edit_contact(shared, ContactCard(first_name="Anne", last_name="Schmidt"), 1, AT, (house.de.pk,))
    assert read_cards([shared], (house.de.pk,))[shared].first_name == "Anne"
    assert read_cards([shared], (house.uk.pk,))[shared].first_name == "Zanzibarina"


def test_nor_does_the_api(house: House) -> None:
    _, text = tokens.create_token("de", ["all"], SYSTEM, AT, store_id=house.de.pk)
    told = []
    for path in (
        "/customers",
        f"/customers/{house.customer}",
        "/orders",
        "/events",
        f"/events?customer={house.customer}",
        "/products",
        "/carts",
        "/workflows",
    ):
        answer = Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 200, (path, answer.content)
        told += [(path, word) for word in (*BRITISH, "7777", "segment.") if word in json.dumps(answer.json())]
    assert told == []
    segments = Client().get("/api/v1/segments", headers={"Authorization": f"Bearer {text}"})
    assert segments.status_code == 403


def test_no_export_tells(house: House) -> None:
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    client, told, rows = Client(), [], 0
    client.force_login(member)
    for path in ("/customers", "/orders", "/refunds", "/sold", "/products", "/carts"):
        for store in ("", "?store=uk", "?store=uk&store=de"):
            answer = client.post(f"{path}{store}", {"action": "export"})
            content = answer.getvalue() if answer.streaming else answer.content
            rows += content.count(b"\r\n") if answer.streaming else 0
            told += [(path, store, word) for word in BRITISH if word.encode() in content]
    assert told == []
    assert rows > 12  # headings alone are no proof


def test_nor_does_work_that_nobody_in_particular_began(house: House) -> None:
    task = Task.objects.get(pk=start_task("orders.refold", "Onlybritish sums", AT, total=8088))
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    whole, _ = create_staff("n@shop.example", "read_only", SYSTEM, AT)
    client = Client()
    for one, status in ((member, 404), (whole, 200)):
        client.force_login(one)
        assert (b"Onlybritish sums" in client.get("/work").content) == (one is whole)
        assert client.get(f"/work/{task.uid}").status_code == status


def test_what_another_store_decided_of_somebody_stands(house: House) -> None:
    shared = customer_of(Order.objects.get(number="DE-1").profile_id or 0)
    leave_alone([shared], True, 1, AT)
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    client = Client()
    client.force_login(member)
    assert client.post(f"/customers/{house.customer}/may-contact").status_code == 302
    assert not is_left_alone(profiles_of([shared], (house.de.pk,))[shared])
    assert is_left_alone(profiles_of([shared], (house.uk.pk,))[shared])


def test_what_was_done_in_the_whole_shop_and_its_settings_are_not_for_limited_staff(house: House) -> None:
    limited, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    whole, _ = create_staff("n@shop.example", "manager", SYSTEM, AT)
    client = Client()
    for member, status in ((limited, 403), (whole, 200)):
        client.force_login(member)
        paths = ("/settings/audit", "/settings/rates/new", "/settings/tokens", "/team")
        assert [client.get(path).status_code for path in paths] == [status] * len(paths)


def test_tokens_workflows_and_templates_of_the_whole_shop_limited_staff_do_not_change(house: House) -> None:
    token, _ = tokens.create_token("till", ["orders:write"], SYSTEM, AT, store_id=house.uk.pk)
    limited, _ = create_staff("m@shop.example", "owner", SYSTEM, AT, stores=(house.de.pk,))
    client = Client()
    client.force_login(limited)
    workflow = f"/workflows/{to_public(Workflow.PREFIX, Workflow.objects.get().uid)}"
    paths = (f"/settings/tokens/{token.pk}/revoke", f"{workflow}/switch", "/team/invite", "/messages/templates/x")
    assert [client.post(path, {"to": "on"}).status_code for path in paths] == [403] * len(paths)
    token.refresh_from_db()
    assert (token.revoked_at, Workflow.objects.get().is_on) == (None, False)


def test_views_that_others_share_name_nothing_of_another_store(house: House) -> None:
    makers = {"whole": (), "both": (house.de.pk, house.uk.pk), "british": (house.uk.pk,), "german": (house.de.pk,)}
    for name, stores in makers.items():
        client = Client()
        client.force_login(create_staff(f"{name}@shop.example", "manager", SYSTEM, AT, stores=stores)[0])
        given = {"path": "/customers", "query": f"tag={name}tag", "name": f"View {name}", "shared": "on"}
        assert client.post("/views", given).status_code == 302
    seen = {}
    for name, stores in {"de": (house.de.pk,), "all": ()}.items():
        client = Client()
        client.force_login(create_staff(f"{name}@shop.example", "analyst", SYSTEM, AT, stores=stores)[0])
        page = client.get("/customers").content.decode()
        seen[name] = [one for one in makers if f"View {one}" in page or f"{one}tag" in page]
    assert seen == {"de": ["german"], "all": list(makers)}


def test_a_guessed_number_of_a_customer_gives_nothing(house: House) -> None:
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    client, told = Client(), []
    client.force_login(member)
    british = customer_of(Order.objects.get(number="BRIT-2002").profile_id or 0)
    public = to_public(Customer.PREFIX, Customer.objects.get(pk=british).uid)
    for path in ("/orders", "/refunds", "/sold", "/carts", "/settings/parked"):
        answer = client.get(f"{path}?customer={british}")
        told += [path] if answer.status_code != 200 or public in answer.content.decode() else []
    assert told == []
