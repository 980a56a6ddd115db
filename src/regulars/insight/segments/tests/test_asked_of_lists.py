"""Lists as conditions ask for them, on every engine; and segments that do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.relations import RELATIONS
from regulars.foundation.shop.models import Store
from regulars.insight.conditions import values
from regulars.insight.conditions.asking import count
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.language import leaves
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.words import Words
from regulars.insight.segments.models import Membership
from regulars.insight.segments.operations import saving
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.warehouse import operations as warehouse
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import transaction
from regulars.record.events.readers import catch_up
from regulars.record.lists import operations
from regulars.record.lists.models import CustomerList

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


def people(store: Store, *names: str) -> list[int]:
    mails = [IdentityInput(IdentityKind.EMAIL, f"{name}@ourmail.net") for name in names]
    with transaction("import") as log:
        return ensure_profiles([PersonInput((mail,), NOW, store.pk) for mail in mails], log)


def put(row: CustomerList, profiles: list[int], at: datetime) -> None:
    with transaction("staff", "1") as log:
        operations.put_on(row, profiles, log, at)


def take(row: CustomerList, customers: list[int], at: datetime) -> None:
    with transaction("staff", "1") as log:
        operations.take_off(row, customers, log, at)


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
    take(vip, list(customers_of([ann]).values()), NOW + DAY)
    catch_up([CONDITIONS], NOW + DAY)
    assert not Membership.objects.filter(segment=segment, left_at=None).exists()
    saving.archive_segment(segment)
    operations.archive_list(vip, by, NOW)
    assert CustomerList.objects.get(pk=vip.pk).is_archived


def test_lists_are_completed_and_said_by_their_names(vip: CustomerList, by: Viewer) -> None:
    operations.rename_list(vip, "Our best", by, NOW)
    operations.create_list("Others", by, NOW)
    pinned = warehouse.sync(NOW)
    assert values.frequent(RELATIONS["lists"], "list", "OUR", pinned) == [("vip", "Our best")]
    assert [key for key, _ in values.frequent(RELATIONS["lists"], "list", "", pinned)] == ["others", "vip"]
    assert "list is “Our best”" in Words("GBP").leaf(*leaves(read_condition(ON_VIP)))
    several = ON_VIP | {"where": [{"field": "list", "op": "in", "value": ["vip", "gone"]}]}
    assert "“Our best”, “gone”" in Words("GBP").leaf(*leaves(read_condition(several)))
