"""What leads to a person and what does not: numbers, the house's own addresses, kinds that the shop names."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.tokens import create_token
from regulars.foundation.access.viewer import everything
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.record.customers.identifiers import canonical, identifying_phone, region_of_zone
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind, Profile
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.operations.kinds import name_kind
from regulars.record.customers.queries import customers_of, find_by_identity
from regulars.record.events.log import transaction

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def uk(db: None) -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="hello@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP", time_zone="Europe/London")


def ensure(*people: PersonInput) -> list[int]:
    with transaction("import", "imp") as log:
        return ensure_profiles(people, log)


def person(store: Store, number: str, kind: IdentityKind, value: str) -> PersonInput:
    own = IdentityInput(IdentityKind.STORE_CUSTOMER, number, store.code)
    return PersonInput((own, IdentityInput(kind, value)), AT, store.pk)


@pytest.mark.parametrize(
    ("said", "region", "number"),
    [
        ("+44 20 7946 0000", "", "+442079460000"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("0044 20 7946 0000", "GB", "+442079460000"),
        ("(650) 253-0000", "US", "+16502530000"),
        ("020 7946 0000", "", ""),
        ("+10000000000", "", ""),
        ("0000", "GB", ""),
        ("123456789", "DE", ""),
        ("+491111111111", "", ""),
        ("+448001111111", "", ""),  # freephone: a company's
        ("+999123456789", "", ""),
        ("no number", "GB", ""),
    ],
)
def test_numbers(said: str, region: str, number: str) -> None:
    assert identifying_phone(said, region) == number


def test_a_number_without_its_country_is_of_the_stores(uk: Store) -> None:
    assert (region_of_zone("Europe/London"), region_of_zone("UTC"), region_of_zone("nowhere")) == ("GB", "", "")
    one, other = ensure(
        person(uk, "1", IdentityKind.PHONE, "020 7946 0000"), person(uk, "2", IdentityKind.PHONE, "+442079460000")
    )
    owners = customers_of([one, other])
    assert owners[one] == owners[other]


def test_the_houses_own_addresses_join_nobody_whenever_they_became_its_own(uk: Store) -> None:
    staff = create_staff("cara@shop.example", "agent", SYSTEM, AT)[0]
    write_setting("customers.no_identifiers", ["+44 20 7946 0000", "till@shop.example"], AT)
    for value in (staff.email, "hello@shop.example", "till@shop.example", "+442079460000"):
        kind = IdentityKind.EMAIL if "@" in value else IdentityKind.PHONE
        pair = ensure(person(uk, f"1{value}", kind, value), person(uk, f"2{value}", kind, value))
        assert len(set(customers_of(pair).values())) == 2, value
    early = ensure(
        person(uk, "3", IdentityKind.EMAIL, "dan@shop.example"), person(uk, "4", IdentityKind.EMAIL, "dan@shop.example")
    )
    assert len(set(customers_of(early).values())) == 1
    create_staff("dan@shop.example", "agent", SYSTEM, AT)
    ensure(person(uk, "5", IdentityKind.EMAIL, "dan@shop.example"), person(uk, "3", IdentityKind.EMAIL, "x@y.example"))
    assert len(set(customers_of(early).values())) == 2


def test_relays_of_one_person_are_identifiers() -> None:
    for address in ("a1@privaterelay.appleid.com", "b2@mozmail.com", "c3@relay.firefox.com"):
        assert canonical(IdentityInput(IdentityKind.EMAIL, address)) is not None


def test_a_kind_of_the_shops_own_leads_to_a_person_once_it_has_a_name(uk: Store) -> None:
    _, token = create_token("t", ["customers:write"], everything(), AT)
    headers = {"Authorization": f"Bearer {token}"}

    def write(**body: object) -> int:
        return Client().post("/api/v1/customers", body, content_type="application/json", headers=headers).status_code

    card = {"loyalty_card": "4711"}
    assert write(store="uk", store_customer_id="1", identifiers=card) == 422
    assert Profile.objects.count() == 0
    name_kind("loyalty_card", "Loyalty card", SYSTEM, AT)
    with pytest.raises(InvalidInput):
        name_kind("Loyalty Card!", "Loyalty card", SYSTEM, AT)
    assert write(store="uk", store_customer_id="1", identifiers=card) == 201
    assert write(store="uk", store_customer_id="2", identifiers=card) == 201
    assert write(identifiers=card) == 201
    assert len(set(customers_of(Profile.objects.values_list("pk", flat=True)).values())) == 1
    assert len(find_by_identity(IdentityInput(IdentityKind.OTHER, "4711", "own:loyalty_card"))) == 1
