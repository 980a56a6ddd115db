"""A shop's record and its warehouse, asked: a few people in PostgreSQL, everybody in the files, each engine with the same answer."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.insight.conditions.asking import Counted, Decision, count, decide, members
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.reading import read_condition
from regulars.insight.warehouse import operations
from regulars.insight.warehouse.tests import people, shop
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import CustomerProfile, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import Entry, transaction

pytestmark = pytest.mark.django_db
Json = dict[str, Any]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RECENT: Json = {"of": "orders", "window": {"last": {"days": 30}}}
GENEROUS: Json = {"of": "orders", "measure": {"last": "total"}, "op": "is_not", "value": 100, "missing": "in"}


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def customers() -> list[int]:
    """Five people, of whom the first four ordered: the first two today, the others a year ago; the second has spent 100 last."""
    store = shop.make_store()
    profiles = shop.make_people(store, 5, NOW)
    recent = [("1", profiles[0], NOW - timedelta(days=1), 500), ("2", profiles[1], NOW, 100)]
    old = [(str(n + 1), profiles[n], NOW - timedelta(days=365), 700) for n in (2, 3)]
    shop.add_orders(store, recent + old)
    return [CustomerProfile.objects.get(profile=p).customer_id for p in profiles]


def test_a_few_people_are_decided_with_the_moment_at_which_that_may_change(customers: list[int]) -> None:
    found = decide(read_condition(RECENT), [*customers, 999], NOW)
    assert found == {
        customers[0]: Decision(True, NOW + timedelta(days=29)),
        customers[1]: Decision(True, NOW + timedelta(days=30)),
        **dict.fromkeys([*customers[2:], 999], Decision(False, None)),
    }


@pytest.mark.parametrize("engine", Engine)
def test_everybody_is_counted_with_those_without_a_value(engine: Engine, customers: list[int]) -> None:
    pinned = operations.sync(NOW)
    wanted = [customers[0], customers[2], customers[3], customers[4]]
    assert count(read_condition(GENEROUS), pinned, NOW, engine=engine) == Counted(4, 5, wanted, {0: 1})
    assert count(read_condition(RECENT), pinned, NOW, engine=engine) == Counted(2, 5, customers[:2], {})


def test_any_moment_can_be_asked_as_it_was_known_at_any_position(customers: list[int]) -> None:
    before = operations.sync(NOW)
    shop.merge(customers[0], customers[2])
    pinned = operations.sync(NOW)
    twice = read_condition({"of": "orders", "op": "ge", "value": 2})
    assert members(twice, pinned, NOW)["customer_id"].to_pylist() == [customers[0]]
    assert members(twice, pinned, NOW, before.position).num_rows == 0
    assert sorted(
        members(read_condition(RECENT), pinned, NOW - timedelta(days=360))["customer_id"].to_pylist()
    ) == sorted([customers[0], customers[3]])


def test_whoever_may_come_in_by_time_is_told_with_the_moment(customers: list[int]) -> None:
    pinned = operations.sync(NOW)
    late = read_condition({"of": "orders", "measure": {"last": "at"}, "op": "older_than", "value": {"days": 90}})
    rows = members(late, pinned, NOW, wants_wake=True).sort_by("customer_id").to_pylist()
    wakes = [NOW + timedelta(days=89), NOW + timedelta(days=90)]
    assert [(row["customer_id"], row["is_in"]) for row in rows] == list(
        zip(customers[:4], [False, False, True, True], strict=True)
    )
    assert [row["wakes_at"] for row in rows[:2]] == [round(one.timestamp()) * 1_000_000 for one in wakes]


MANY: tuple[Json, ...] = (
    {"of": "events", "op": "ge", "value": 3},
    {"of": "order_lines", "where": [{"field": "quantity", "op": "gt", "value": 1}], "measure": {"distinct": "product"}, "op": "ge", "value": 1},
    {"not": {"of": "consents", "where": [{"field": "state", "op": "is", "value": "granted"}]}},
    {"of": "attributes", "where": [{"field": "text", "op": "contains", "value": "GOLD"}]},
    {"of": "attributes", "where": [{"field": "list", "op": "includes", "value": "a"}]},
    {"of": "contacts", "measure": {"last": "country"}, "op": "is_not", "value": "DE", "missing": "out"},
    {"of": "waiting_carts", "measure": {"max": "value"}, "op": "set"},
    {"of": "rfm", "where": [{"field": "recency", "op": "ge", "value": 3}]},
    {"any": [{"of": "tags"}, {"of": "suppressions"}, {"of": "memberships"}, {"of": "refunds"}]},
    {"sequence": [{"of": "orders"}, {"of": "refunds", "absent": True}, {"of": "orders"}], "within": {"weeks": 50}},
    {"ratio": [{"of": "orders", "measure": {"sum": "discount"}}, {"of": "orders", "measure": {"sum": "gross"}}], "op": "ge", "value": "0.01"},
    {"of": "carts", "where": [{"field": "changed_at", "op": "within_last", "value": {"days": 9}, "days": "person"}]},
)  # fmt: skip


def test_the_record_and_its_files_say_the_same_of_everybody(transactional_db: None) -> None:
    chance = random.Random(4)
    world = people.begin(chance, NOW)
    for step in range(3):
        people.live(world, chance, step)
    pinned, at = operations.sync(NOW), world.now
    everybody = sorted(set(CustomerProfile.objects.filter(until_batch=None).values_list("customer_id", flat=True)))
    sizes = []
    for definition in MANY:
        condition = read_condition(definition)
        decided = decide(condition, everybody, at)
        inside = [c for c in everybody if decided[c].is_in]
        counted = [count(condition, pinned, at, engine=engine) for engine in Engine]
        assert counted == [Counted(len(inside), len(everybody), inside[:10], counted[0].missing)] * 3, definition
        sizes.append(len(inside))
    assert sum(0 < size < len(everybody) for size in sizes) >= 6


LIVES = (
    ContactCard(country="DE", region="Bayern", postal_code="80331", language="de"),
    ContactCard(country="GB", region="England", postal_code="SW1A 1AA", language="en"),
    ContactCard(country="DE", region="Berlin", postal_code="10115", language="en"),
)
VISITS: tuple[dict[str, str], ...] = (
    {"device": "mobile", "source": "newsletter", "campaign": "spring", "medium": "mail"},
    {"device": "desktop", "source": "google"},
    {},
)
WHERE: tuple[tuple[str, Json, list[int]], ...] = (
    ("contacts.country", {"op": "is", "value": "DE"}, [0, 2]),
    ("contacts.country", {"op": "is_not", "value": "DE", "missing": "in"}, [1]),
    ("contacts.region", {"op": "in", "value": ["Bayern", "England"]}, [0, 1]),
    ("contacts.postal_area", {"op": "starts", "value": "8"}, [0]),
    ("contacts.postal_area", {"op": "starts", "value": "sw1"}, [1]),
    ("contacts.postal_area", {"op": "in", "value": ["80", "10"]}, [0, 2]),
    ("contacts.language", {"op": "is", "value": "en"}, [1, 2]),
    ("events.device", {"op": "is", "value": "mobile"}, [0]),
    ("events.source", {"op": "in", "value": ["google", "newsletter"]}, [0, 1]),
    ("events.campaign", {"op": "starts", "value": "Spr"}, [0]),
    ("events.medium", {"op": "is_not", "value": "mail", "missing": "out"}, []),
)


def test_where_people_live_and_where_their_visits_came_from(transactional_db: None) -> None:
    store = shop.make_store()
    names = [(IdentityInput(IdentityKind.STORE_CUSTOMER, f"1785{n}", "main"),) for n in range(3)]
    people_in = [PersonInput(name, NOW, store.id, contact=card) for name, card in zip(names, LIVES, strict=True)]
    with transaction("import") as log:
        profiles = ensure_profiles(people_in, log)
        owners = customers_of(profiles)
        for profile, said in zip(profiles, VISITS, strict=True):
            log.append(Entry("tracked.page_viewed", NOW, profile, owners[profile], data={"clear": said}))
    pinned, customers = operations.sync(NOW), [owners[one] for one in profiles]
    for field, test, places in WHERE:
        of, _, name = field.partition(".")
        condition = read_condition({"of": of, "where": [{"field": name} | test]})
        expected = [customers[place] for place in places]
        for engine in Engine:
            assert count(condition, pinned, NOW, engine=engine).first_ids == expected, (field, test, engine)
