"""People come into the record: found again, made once, merged and split, searched, sealed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers import queries
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import (
    ContactVersion,
    CustomerCard,
    CustomerProfile,
    Identity,
    IdentityKind,
    IdentityLink,
    Profile,
    StoreCard,
    Trust,
)
from regulars.record.customers.operations import (
    add_note,
    decide_link,
    edit_contact,
    ensure_profiles,
    set_attribute,
    set_tag,
    verify_cards,
)
from regulars.record.customers.operations.profiles import NoIdentity
from regulars.record.events.log import transaction
from regulars.record.events.models import Event

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def number(value: str) -> IdentityInput:
    return IdentityInput(IdentityKind.STORE_CUSTOMER, value, "uk")


def mail(value: str) -> IdentityInput:
    return IdentityInput(IdentityKind.EMAIL, value)


def store(people: Sequence[PersonInput]) -> list[int]:
    with transaction("import", "imp") as log:
        return ensure_profiles(people, log)


def person(*identities: IdentityInput, at: datetime = AT, **more: object) -> PersonInput:
    return PersonInput(tuple(identities), at, **more)  # type: ignore[arg-type]


@pytest.fixture
def uk() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


def test_the_same_person_again_changes_nothing() -> None:
    someone = person(
        number("17850"), mail("Ann@Shop.example"), contact=ContactCard(name="Ann Lee", email="ann@shop.example")
    )
    [first] = store([someone])
    events = Event.objects.count()
    assert store([someone, someone]) == [first, first]
    assert (Profile.objects.count(), IdentityLink.objects.count(), ContactVersion.objects.count()) == (1, 2, 1)
    assert Event.objects.count() == events


def test_the_number_of_queries_does_not_grow_with_the_people() -> None:
    def count(people: list[PersonInput]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            store(people)
        return len(captured)

    def crowd(start: int, size: int) -> list[PersonInput]:
        return [
            person(
                number(str(n)),
                mail(f"p{n}@shop.example"),
                contact=ContactCard(name=f"P {n}", email=f"p{n}@shop.example"),
            )
            for n in range(start + 1, start + size + 1)
        ]

    assert count(crowd(0, 3)) == count(crowd(1000, 60))


def test_a_mail_in_common_makes_one_customer_and_staff_can_take_them_apart() -> None:
    one, other = store([person(number("1"), mail("x@shop.example")), person(number("2"), mail("X@shop.example"))])
    assert queries.customer_of(one) == queries.customer_of(other)
    merged = queries.customer_of(one)
    decide_link(one, other, "cannot-link", staff_id=1, at=AT)
    assert queries.customer_of(one) == merged != queries.customer_of(other)
    decide_link(one, other, "undecided", staff_id=1, at=AT)
    assert queries.customer_of(one) == queries.customer_of(other) == merged
    kinds = [e.kind for e in Event.objects.order_by("position") if e.kind in {"customer.merged", "customer.split"}]
    assert kinds == ["customer.merged", "customer.split", "customer.merged"]
    assert CustomerProfile.objects.filter(profile=other).count() == 4  # every state of the map is kept


def test_an_id_that_was_merged_away_leads_to_the_customer_that_stayed() -> None:
    one, other = store([person(number("1")), person(number("2"))])
    gone = CustomerProfile.objects.get(profile=other).customer
    decide_link(one, other, "must-link", staff_id=1, at=AT)
    assert queries.get_customer(to_public("cus", gone.uid)).id == queries.customer_of(one)


def test_a_claim_merges_nobody() -> None:
    one, other = store(
        [person(number("1"), mail("x@shop.example")), person(number("2"), mail("x@shop.example"), trust=Trust.CLAIMED)]
    )
    assert queries.customer_of(one) != queries.customer_of(other)


@pytest.mark.parametrize(
    "address", ["none@shop.example", "noreply@shop.example", "abc@marketplace.amazon.com", "no mail", ""]
)
def test_placeholders_identify_nobody(address: str) -> None:
    with pytest.raises(NoIdentity):
        store([person(mail(address))])
    assert Profile.objects.count() == Identity.objects.count() == Event.objects.count() == 0


def test_older_news_fill_gaps_and_overwrite_nothing() -> None:
    store([person(number("1"), contact=ContactCard(name="New Name", city="Leeds"))])
    [profile] = store(
        [person(number("1"), at=AT - timedelta(days=9), contact=ContactCard(name="Old", phone="+442079460000"))]
    )
    card = queries.read_cards([queries.customer_of(profile)])[queries.customer_of(profile)]
    assert (card.name, card.city, card.phone) == ("New Name", "Leeds", "+442079460000")


def test_nothing_personal_stands_in_clear() -> None:
    [profile] = store(
        [
            person(
                number("1"),
                mail("canary@canary.example"),
                contact=ContactCard(name="Canary Bird", email="canary@canary.example", street="Canary Lane 1"),
            )
        ]
    )
    customer = queries.customer_of(profile)
    add_note(customer, "canary sings", staff_id=1, at=AT)
    set_attribute(customer, "shoe", "canary yellow", staff_id=1, at=AT)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*) FROM \"{table}\" t WHERE t::text ILIKE '%%canary%%'")
            hits = cursor.fetchone()[0]
            cursor.execute(f"SELECT mail_domain FROM {table} WHERE mail_domain ILIKE '%%canary%%'") if table in {
                "customers_contactversion",
                "customers_customercard",
            } else None
            assert hits == (1 if table in {"customers_contactversion", "customers_customercard"} else 0), table


def test_search_as_you_type(uk: Store) -> None:
    store(
        [
            person(
                number("17850"),
                mail("jose.muller@shop.example"),
                contact=ContactCard(name="José Müller", email="jose.muller@shop.example"),
            ),
            person(number("17851"), contact=ContactCard(name="Josephine Doe")),
        ]
    )

    def found(text: str) -> int:
        search = queries.parse_search(text, ["uk"])
        by_words = (
            set(CustomerCard.objects.filter(tokens__contains=list(search.tokens)).values_list("customer", flat=True))
            if search.tokens
            else set()
        )
        return len(by_words | set(search.customer_ids))

    assert [found(t) for t in ("jo", "jose mu", "MULLER", "josephi", "17851", "jose.muller@shop.example", "zz")] == [
        2,
        1,
        1,
        1,
        1,
        1,
        0,
    ]


def test_tags_and_edits_are_seen_and_told(uk: Store) -> None:
    [profile] = store([person(number("1"))])
    customer = queries.customer_of(profile)
    assert set_tag([customer], "VIP", True, staff_id=1, at=AT) == 1
    assert set_tag([customer], "VIP", True, staff_id=1, at=AT) == 0
    assert queries.tags_of(customer) == ["VIP"]
    assert set_tag([customer], "VIP", False, staff_id=1, at=AT) == 1
    assert queries.tags_of(customer) == []
    edit_contact(customer, ContactCard(name="Ann", email="ann@shop.example"), staff_id=1, at=AT)
    edit_contact(customer, ContactCard(name="Ann"), staff_id=1, at=AT)
    assert queries.read_cards([customer])[customer] == ContactCard(name="Ann")


def test_cards_are_checked_against_the_fold() -> None:
    [profile] = store([person(number("1"), contact=ContactCard(name="Ann", country="GB"), tags=("VIP",))])
    assert verify_cards() == []
    CustomerCard.objects.update(country="FR")
    assert verify_cards() == [queries.customer_of(profile)]


def test_who_is_new_has_a_card_with_or_without_a_store_and_who_is_merged_at_once_leaves_none(uk: Store) -> None:
    said = [
        person(number("1"), mail("ann@x.example"), store_id=uk.pk),
        person(number("2"), mail("ann@x.example"), store_id=uk.pk),
        person(number("3"), store_id=uk.pk),
        person(mail("bob@x.example")),
        person(number("4"), store_id=uk.pk, contact=ContactCard(country="GB")),
    ]
    ann, also_ann, plain, storeless, told = store(said)
    owners = queries.customers_of([ann, also_ann, plain, storeless, told])
    assert owners[ann] == owners[also_ann]
    cards = {card.customer_id: (card.stores, card.country) for card in CustomerCard.objects.all()}
    assert cards == {
        owners[ann]: ([uk.pk], ""),
        owners[plain]: ([uk.pk], ""),
        owners[storeless]: ([], ""),
        owners[told]: ([uk.pk], "GB"),
    }
    of_stores = set(StoreCard.objects.values_list("customer_id", "store_id", "country"))
    assert of_stores == {(owners[ann], uk.pk, ""), (owners[plain], uk.pk, ""), (owners[told], uk.pk, "GB")}
    assert verify_cards() == []


def test_an_edit_is_compared_with_what_is_shown() -> None:
    older = person(number("1"), mail("ann@x.example"), contact=ContactCard(first_name="Anna"))
    later = AT + timedelta(days=1)
    newer = person(number("2"), mail("ann@x.example"), at=later, contact=ContactCard(first_name="Anne"))
    one, other = store([older, newer])
    customer = queries.customer_of(one)
    assert queries.customer_of(other) == customer
    edit_contact(customer, ContactCard(first_name="Anna"), 1, AT + timedelta(days=2))
    assert queries.read_cards([customer])[customer].first_name == "Anna"
