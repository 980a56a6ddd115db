"""Lists: who is on them, who was, and what that tells others."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.facts import FACTS, Moment, Question
from regulars.foundation.privacy import SUBJECT_DATA
from regulars.foundation.shop.models import Store
from regulars.insight.conditions.asking import count
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments.models import Membership
from regulars.insight.segments.operations import saving
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.warehouse import operations as warehouse
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind, Trust
from regulars.record.customers.operations import decide_link, ensure_profiles
from regulars.record.customers.operations.erasure import erase_customer
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.events.readers import catch_up
from regulars.record.lists import operations, queries
from regulars.record.lists.models import CustomerList, ListMember

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ON_VIP: dict[str, Any] = {"of": "lists", "where": [{"field": "list", "op": "is", "value": "vip"}]}


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def store() -> Store:
    return shop.make_store()


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
    before = customers_of([ann, bob])
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
    owners = customers_of([ann, bob])
    decide_link(ann, bob, "must-link", 1, NOW)
    put(vip, [ann], NOW)
    assert put(vip, [bob], NOW) == set()
    assert told() == [("list.joined", ann)]
    assert queries.members(vip).count() == 2


@pytest.mark.parametrize("engine", Engine)
def test_conditions_ask_for_lists_on_every_engine(engine: Engine, store: Store, vip: CustomerList) -> None:
    ann, bob, cyd = people(store, "ann", "bob", "cyd")
    owners = customers_of([ann, bob, cyd])
    put(vip, [ann], NOW - 30 * DAY)
    put(vip, [bob, cyd], NOW - DAY)
    take(vip, [owners[cyd]], NOW)
    pinned = warehouse.sync(NOW)

    def who(condition: dict[str, Any]) -> list[int]:
        return list(count(read_condition(condition), pinned, NOW, engine=engine).first_ids)

    recent = {"window": {"last": {"days": 7}}}
    assert who(ON_VIP) == [owners[ann], owners[bob]]
    assert who({"not": ON_VIP}) == [owners[cyd]]
    assert who(ON_VIP | recent) == [owners[bob]]
    assert who(ON_VIP | recent | {"of": "list_entries"}) == [owners[bob], owners[cyd]]
    assert who(ON_VIP | recent | {"of": "list_exits"}) == [owners[cyd]]


def test_a_segment_follows_its_list_and_keeps_it_from_the_archive(store: Store, vip: CustomerList, by: Viewer) -> None:
    [ann] = people(store, "ann")
    segment = saving.create_segment("Guests", read_condition(ON_VIP), None, NOW)
    put(vip, [ann], NOW)
    catch_up([CONDITIONS], NOW)
    assert Membership.objects.get(segment=segment, left_at=None).profile_id == ann
    with pytest.raises(operations.ListInUse, match="Segment 'Guests' asks for this list"):
        operations.archive_list(vip, by, NOW)
    assert not CustomerList.objects.get(pk=vip.pk).is_archived
    take(vip, customers_of([ann]).values(), NOW + DAY)
    catch_up([CONDITIONS], NOW + DAY)
    assert not Membership.objects.filter(segment=segment, left_at=None).exists()
    saving.archive_segment(segment)
    operations.archive_list(vip, by, NOW)
    with pytest.raises(operations.ListArchived):
        put(vip, [ann], NOW)
    assert not queries.members(vip).exists()
    assert list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True)) == [
        "list.made",
        "list.archived",
    ]


def test_names_are_one_mans_own_and_keys_stay(vip: CustomerList, by: Viewer) -> None:
    with pytest.raises(operations.ListExists):
        operations.create_list(" vip ", by, NOW)
    operations.rename_list(vip, "Our best", by, NOW)
    assert (vip.key, queries.names_of_lists()["vip"]) == ("vip", "Our best")
    greek = operations.create_list("Φίλοι", by, NOW)
    assert greek.key.startswith("list-") and len(greek.key) == 17
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
