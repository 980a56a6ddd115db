"""Whoever is limited to one store finds nothing that only another store knows, on any page, in any export, nor through the API."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from regulars.config.tests.test_every_url import PAGES, House
from regulars.foundation.access import tokens
from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.record.catalog.models import Product
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.customers.operations import edit_contact
from regulars.record.customers.queries import customer_of, read_cards
from regulars.record.events.log import transaction
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import Order
from regulars.record.orders.operations import apply_orders

pytestmark = pytest.mark.django_db
AT = datetime.now(UTC) - timedelta(days=1)
# Words that the British store alone has said; the shared mail address leads both to one person.
BRITISH = ("Zanzibarina", "Quixotic", "ukonly7", "BRIT-2001", "Onlybritish", "BRIT-2002", "ukonly8")


def _person(store: Store, number: str, mail: str, first: str, last: str, at: datetime) -> PersonInput:
    identities = (
        IdentityInput(IdentityKind.STORE_CUSTOMER, number, store.code),
        IdentityInput(IdentityKind.EMAIL, mail),
    )
    card = ContactCard(first_name=first, last_name=last, email=mail)
    return PersonInput(identities, at, store_id=store.pk, contact=card)


def _order(store: Store, number: str, person: PersonInput) -> None:
    with transaction("api") as log:
        line = LineInput("A", "Mug", 1, Decimal(5))
        apply_orders([OrderInput(number, AT, "GBP", (line,), person)], log, store_id=store.pk, at=AT)


@pytest.fixture
def house() -> House:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    uk = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    de = Store.objects.create(code="de", name="DE", brand=brand, currency="GBP")
    later = AT + timedelta(hours=1)
    _order(de, "DE-1", _person(de, "deonly1", "both@shop.example", "Anna", "Schmidt", AT))
    _order(uk, "BRIT-2001", _person(uk, "ukonly7", "both@shop.example", "Zanzibarina", "Quixotic", later))
    _order(uk, "BRIT-2002", _person(uk, "ukonly8", "onlybritish@shop.example", "Onlybritish", "Onlybritish", later))
    order = Order.objects.get(number="DE-1")
    assert order.profile is not None
    shared = Customer.objects.get(pk=customer_of(order.profile.pk))
    product = Product.objects.filter(store=de).get()
    return House(
        uk,
        de,
        to_public("cus", shared.uid),
        to_public("ord", order.uid),
        to_public(Product.PREFIX, product.uid),
    )


def test_no_page_tells(house: House) -> None:
    member, _ = create_staff("m@shop.example", "manager", SYSTEM, AT, stores=(house.de.pk,))
    client, told = Client(), []
    client.force_login(member)
    numbers = [f"customer={pk}" for pk in Customer.objects.values_list("pk", flat=True)]
    for place in PAGES:
        if place.rule is None or place.rule.get is None or place.rule.is_api:
            continue
        for query in ("", "format=csv", "q=Zanz", "q=BRIT", "q=ukonly8", *numbers):
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
    ):
        answer = Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 200, (path, answer.content)
        told += [(path, word) for word in BRITISH if word in json.dumps(answer.json())]
    assert told == []
