"""A shop has one of its accounts erased: whoever else the same person is stays as they were."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault import keys
from regulars.foundation.vault.models import SubjectKey
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Erasure, IdentityKind, PossibleDuplicate
from regulars.record.customers.operations import decide_link, ensure_profiles, erasure
from regulars.record.customers.operations.erasure import SomebodyElse, erase_customer, erase_profiles, replay_erasures
from regulars.record.customers.operations.undo import undo_people
from regulars.record.customers.queries import customers_of, read_cards
from regulars.record.customers.verify import differences
from regulars.record.events.log import transaction

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(db: None) -> Store:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@example.org")
    return Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP")


def _account(store: Store, number: str, name: str) -> PersonInput:
    mail = IdentityInput(IdentityKind.EMAIL, "ada@lovelace.net")
    own = IdentityInput(IdentityKind.STORE_CUSTOMER, number, store.code)
    return PersonInput((own, mail), AT, store.pk, contact=ContactCard(name=name, email="ada@lovelace.net"))


def _two_of_one(store: Store) -> tuple[int, int, int]:
    """Customer, and the profiles of two accounts with one mail address."""
    with transaction("test") as log:
        old, new = ensure_profiles([_account(store, "1", "A. Lovelace"), _account(store, "2", "Ada Lovelace")], log)
    owners = customers_of([old, new])
    assert owners[old] == owners[new]
    return owners[old], old, new


def test_the_other_account_keeps_everything(store: Store) -> None:
    customer, old, new = _two_of_one(store)
    erase_profiles(customer, [old], SYSTEM, AT)
    owners = customers_of([old, new])
    assert owners[old] != owners[new]
    assert keys.still_held([old, new]) == {new}
    card = read_cards([owners[new]])[owners[new]]
    assert (card.name, card.email) == ("Ada Lovelace", "ada@lovelace.net")
    assert list(Erasure.objects.values_list("profiles", flat=True)) == [[old]]


def test_of_somebody_else_nothing_is_erased(store: Store) -> None:
    customer, old, new = _two_of_one(store)
    with pytest.raises(SomebodyElse):
        erase_profiles(customer, [new + 1000], SYSTEM, AT)
    assert keys.still_held([old, new]) == {old, new}


def test_after_a_restore_only_the_part_is_erased_again(
    store: Store, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(erasure, "list_path", lambda: tmp_path / "erasures.jsonl")
    customer, old, new = _two_of_one(store)
    wrapped = SubjectKey.objects.get(subject=old)
    with django_capture_on_commit_callbacks(execute=True):
        erase_profiles(customer, [old], SYSTEM, AT)
    wrapped.save()  # as a backup of before has it
    assert keys.still_held([old, new]) == {old, new}
    assert replay_erasures(SYSTEM, AT + timedelta(days=1)) == 1
    assert keys.still_held([old, new]) == {new}
    assert replay_erasures(SYSTEM, AT + timedelta(days=1)) == 0


def test_the_numbers_of_who_was_erased_stay_together(store: Store) -> None:
    customer, old, new = _two_of_one(store)
    erase_customer(customer, SYSTEM, AT)
    assert customers_of([old, new]) == {old: customer, new: customer}
    assert differences() == []


def test_whom_the_erased_held_apart_are_looked_at_again(store: Store) -> None:
    """One address leads to two buyers of other names, and to somebody without a name, who may be either of them."""
    names = ("Ada Lovelace", "Mary Shelley", "")
    people = [_account(store, str(place), name) for place, name in enumerate(names)]
    with transaction("test") as log:
        ada, mary, nameless = ensure_profiles(people, log, buying={id(people[0]), id(people[1])})
    owners = customers_of([ada, mary, nameless])
    assert len(set(owners.values())) == 3
    erase_customer(owners[ada], SYSTEM, AT)
    after = customers_of([ada, mary, nameless])
    assert after[mary] == after[nameless] == owners[mary] != after[ada] == owners[ada]
    assert not PossibleDuplicate.objects.exists()
    assert differences() == []


def test_whom_an_undone_record_tied_together_are_two_again(store: Store) -> None:
    numbers = [IdentityInput(IdentityKind.STORE_CUSTOMER, str(n), store.code) for n in (1, 2, 3)]
    with transaction("test") as log:
        one, other = ensure_profiles([PersonInput((n,), AT, store.pk) for n in numbers[:2]], log)
    with transaction("import") as brought:
        [between] = ensure_profiles([PersonInput((numbers[2],), AT, store.pk)], brought)
    for profile in (one, other):
        decide_link(profile, between, "must-link", 1, AT)
    assert len(set(customers_of([one, other, between]).values())) == 1
    with transaction("undo") as log:
        assert undo_people(brought.batch_id, log, AT, lambda profiles: set()) == {between}
    assert len(set(customers_of([one, other]).values())) == 2
    assert differences() == []
