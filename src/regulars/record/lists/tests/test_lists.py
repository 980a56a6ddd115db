"""Lists: who is on them, who was, and what that tells others."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.facts import FACTS, Moment, Question
from regulars.foundation.privacy import SUBJECT_DATA
from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind, Trust
from regulars.record.customers.operations import decide_link, ensure_profiles
from regulars.record.customers.operations.erasure import erase_customer
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.lists import operations, queries
from regulars.record.lists.models import CustomerList, ListMember

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store() -> Store:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@shop.example")
    return Store.objects.create(code="main", name="Shop", brand=brand, currency="GBP")


@pytest.fixture
def by() -> Viewer:
    return everything()


@pytest.fixture
def vip(by: Viewer) -> CustomerList:
    return operations.create_list("VIP", by, NOW)


def mail(name: str) -> IdentityInput:
    return IdentityInput(IdentityKind.EMAIL, f"{name}@ourmail.net")


def people(store: Store, *names: str) -> list[int]:
    """A profile of each name."""
    with transaction("import") as log:
        return ensure_profiles([PersonInput((mail(name),), NOW, store.pk) for name in names], log)


def put(row: CustomerList, profiles: Iterable[int], at: datetime) -> set[int]:
    with transaction("staff", "1") as log:
        return operations.put_on(row, list(profiles), log, at)


def take(row: CustomerList, customers: Iterable[int], at: datetime) -> set[int]:
    with transaction("staff", "1") as log:
        return operations.take_off(row, list(customers), log, at)


def told() -> list[tuple[str, int | None]]:
    rows = Event.objects.filter(kind__startswith="list.").order_by("position")
    return [(row.kind, row.profile_id) for row in rows]


def test_the_ledger_keeps_every_stay_with_both_its_clocks(store: Store, vip: CustomerList) -> None:
    ann, bob = people(store, "ann", "bob")
    owners = customers_of([ann, bob])
    assert put(vip, [ann, bob], NOW) == {owners[ann], owners[bob]}
    assert put(vip, [ann], NOW + DAY) == set()
    assert take(vip, [owners[ann]], NOW + 2 * DAY) == {owners[ann]}
    assert take(vip, [owners[ann]], NOW + 2 * DAY) == set()
    assert put(vip, [ann], NOW + 3 * DAY) == {owners[ann]}
    rows = ListMember.objects.filter(profile=ann).order_by("pk")
    assert [(row.added_at, row.removed_at) for row in rows] == [(NOW, NOW + 2 * DAY), (NOW + 3 * DAY, None)]
    assert rows[0].batch_id < (rows[0].until_batch_id or 0) < rows[1].batch_id
    assert told() == [("list.joined", ann), ("list.joined", bob), ("list.left", ann), ("list.joined", ann)]
    assert queries.sizes() == {vip.pk: 2}
    assert [(m.source, m.reference, m.came, m.went) for m in queries.history(vip, 2)] == [
        ("staff", "1", 1, 0),
        ("staff", "1", 0, 1),
    ]


def test_a_merge_or_split_rewrites_nothing(store: Store, vip: CustomerList, by: Viewer) -> None:
    ann, bob = people(store, "ann", "bob")
    put(vip, [ann, bob], NOW)
    decide_link(ann, bob, "must-link", 1, NOW)
    [one] = set(customers_of([ann, bob]).values())
    assert queries.sizes() == {vip.pk: 1}
    assert queries.who_is_on(vip, [one]) == {one}
    assert [row.list for row in queries.lists_of(one)] == [vip]
    assert take(vip, [one], NOW + DAY) == {one}  # with both profiles, and told once
    assert told()[2:] == [("list.left", ann)]
    assert not queries.members(vip).exists()


def test_a_second_address_of_somebody_on_the_list_tells_nothing(store: Store, vip: CustomerList, by: Viewer) -> None:
    ann, bob = people(store, "ann", "bob")
    decide_link(ann, bob, "must-link", 1, NOW)
    put(vip, [ann], NOW)
    assert put(vip, [bob], NOW) == set()
    assert told() == [("list.joined", ann)]
    assert queries.members(vip).count() == 2


def test_an_archived_list_stands_still(store: Store, vip: CustomerList, by: Viewer) -> None:
    [ann] = people(store, "ann")
    operations.archive_list(vip, by, NOW)
    with pytest.raises(operations.ListArchived):
        put(vip, [ann], NOW)
    assert not ListMember.objects.exists()
    operations.create_list("VIP", by, NOW, key="other")  # its name is free now
    with pytest.raises(operations.ListExists):
        operations.restore_list(vip, by, NOW)
    said = AuditEntry.objects.order_by("sequence").values_list("action", flat=True)
    assert list(said) == ["list.made", "list.archived", "list.made"]


def test_names_are_one_mans_own_and_keys_stay(vip: CustomerList, by: Viewer) -> None:
    with pytest.raises(operations.ListExists):
        operations.create_list(" vip ", by, NOW)
    operations.rename_list(vip, "Our best", by, NOW)
    assert (vip.key, queries.names_of_lists()["vip"]) == ("vip", "Our best")
    greek = operations.create_list("Φίλοι", by, NOW)
    assert re.fullmatch(r"list-[0-9a-f]{12}", greek.key)
    assert CustomerList.objects.count() == 2


def test_the_fact_knows_both_clocks(store: Store, vip: CustomerList) -> None:
    [ann] = people(store, "ann")
    customer = customers_of([ann])[ann]
    put(vip, [ann], NOW)
    take(vip, [customer], NOW + DAY)
    row = ListMember.objects.get()

    def on(at: datetime, known_at: int | None = None) -> object:
        question = Question.of("list.member", list="vip")
        return FACTS["list.member"].read([customer], question, Moment(at, known_at))[customer].value

    assert [on(NOW - DAY), on(NOW), on(NOW + DAY)] == [False, True, False]
    assert on(NOW + DAY, row.batch.last_position) is True  # its end was not known then
    assert on(NOW, (row.batch.first_position or 0) - 1) is False


def test_somebody_who_is_erased_is_on_no_list_and_their_export_names_it(store: Store, vip: CustomerList) -> None:
    [ann] = people(store, "ann")
    put(vip, [ann], NOW)
    [exported] = SUBJECT_DATA["lists_listmember"].export([ann])
    assert (exported["list"], exported["added_at"]) == ("VIP", NOW.isoformat())
    erase_customer(customers_of([ann])[ann], SYSTEM, NOW)
    assert not ListMember.objects.exists()
    assert put(vip, [ann], NOW) == set()


def test_who_is_known_is_found_by_any_of_their_identities(store: Store) -> None:
    [ann] = people(store, "ann")
    number = IdentityInput(IdentityKind.STORE_CUSTOMER, "17", store.code)
    told = [PersonInput(one, NOW, store.pk) for one in ((mail("Ann"),), (mail("zed"),), (number, mail("ann")))]
    assert queries.find_people(told, store.pk) == [ann, None, ann]
    claim = PersonInput((number, mail("zed")), NOW, store.pk, trust=Trust.CLAIMED)
    with transaction("import") as log:
        ensure_profiles([claim], log)
    assert queries.find_people(told[1:2], store.pk) == [None]  # somebody only says that it is theirs
