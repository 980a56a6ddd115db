"""The filter 'consent' of the list of customers: the newest word that was said, in the brands that the viewer knows."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.shop.models import Brand, Store
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentState
from regulars.record.consent.operations import record_consents
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import CustomerProfile, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction
from regulars.web.queries.customers import customers_counted, customers_matching

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, tzinfo=UTC)
YES, NO, UNKNOWN = ConsentState.GRANTED, ConsentState.DENIED, ConsentState.UNKNOWN
ALL = everything()


def _store(code: str) -> Store:
    brand = Brand.objects.create(name=code, from_name=code, from_address=f"{code}@shop.example")
    return Store.objects.create(code=code, name=code, brand=brand, currency="GBP")


def knows(store: Store, who: str, *words: ConsentState) -> int:
    """The customer whom the store knows by this name, and what they said to its brand, one word a day."""
    mail = f"{who}@mail.example"
    person = PersonInput((IdentityInput(IdentityKind.EMAIL, mail),), AT, store.pk, contact=ContactCard(email=mail))
    with transaction("api") as log:
        [profile] = ensure_profiles([person], log)
        said = [ConsentInput(mail, word, AT + timedelta(days=day), "form") for day, word in enumerate(words)]
        record_consents(said, store.brand_id, log)
    return CustomerProfile.objects.get(profile=profile, until_batch=None).customer_id


def found(viewer: Viewer, *states: str) -> set[int]:
    query = ListQuery(choices={"consent": states})
    rows = set(customers_matching(query, viewer).values_list("pk", flat=True))
    assert customers_counted(query, viewer).count() == len(rows)
    return rows


def test_the_newest_word_counts_and_an_import_without_proof_is_none() -> None:
    store = _store("uk")
    yes, again = knows(store, "yes", YES), knows(store, "again", YES, NO, YES)
    no, still_yes = knows(store, "no", YES, NO), knows(store, "still", YES, UNKNOWN)
    imported, silent = knows(store, "imported", UNKNOWN), knows(store, "silent")
    assert found(ALL, "granted") == {yes, again, still_yes}
    assert found(ALL, "denied") == {no}
    assert found(ALL, "unknown") == {imported, silent}
    assert found(ALL, "denied", "unknown") == {no, imported, silent}


def test_who_is_limited_to_a_store_reads_what_was_said_to_its_brand() -> None:
    uk, de = _store("uk"), _store("de")
    here = Viewer(1, ALL.permissions, frozenset({uk.pk}))
    there = Viewer(1, ALL.permissions, frozenset({de.pk}))
    both = knows(uk, "both", YES)
    assert knows(de, "both", UNKNOWN, NO) == both
    only = knows(de, "only", YES)
    assert (found(here, "granted"), found(here, "denied"), found(here, "unknown")) == ({both}, set(), set())
    assert (found(there, "granted"), found(there, "denied"), found(there, "unknown")) == ({only}, {both}, set())
    assert (found(ALL, "granted"), found(ALL, "denied")) == ({only}, {both})
