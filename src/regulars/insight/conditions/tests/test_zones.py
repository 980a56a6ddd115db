"""Days of each person's own zone: where she is known to live, as her device or her contact data say, over changes of the clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from regulars.insight.conditions.asking import count, decide
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.persons import read_person
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.windows import Clock
from regulars.insight.conditions.zones import Said, zone_at
from regulars.insight.warehouse.operations import sync
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.customers.zones import known_zone, zone_of_country
from regulars.record.events.log import Entry, transaction

UTC_ZONE = ZoneInfo("UTC")
# In New York clocks go from 2:00 back to 1:00 at 6:00 UTC; in Berlin they did a week before.
NOW = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
TODAY = {"of": "orders", "window": {"last": {"days": 1}, "days": "person"}}
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ([], "UTC"),
        ([Said(NOW, "Europe/Berlin")], "Europe/Berlin"),
        ([Said(NOW + HOUR, "Europe/Berlin")], "UTC"),
        ([Said(NOW - HOUR, "Asia/Tokyo"), Said(NOW, "Europe/Berlin")], "Europe/Berlin"),
        ([Said(NOW - HOUR, "Asia/Tokyo"), Said(NOW, "Europe/Berlin", rank=2)], "Asia/Tokyo"),
        ([Said(NOW - HOUR, "Asia/Tokyo"), Said(NOW, "Europe/Berlin", is_behind=True)], "Asia/Tokyo"),
        ([Said(NOW, "Europe/Berlin"), Said(NOW, "Asia/Tokyo")], "Asia/Tokyo"),
        ([Said(NOW, "Mars/Base"), Said(NOW - HOUR, "Asia/Tokyo")], "UTC"),
        ([Said(NOW, "../etc/passwd")], "UTC"),
    ],
)
def test_which_zone_counts(said: list[Said], zone: str) -> None:
    assert zone_at(said, NOW, UTC_ZONE).key == zone


def test_a_country_has_a_zone_where_its_clocks_agree() -> None:
    found = {country: zone_of_country(country) for country in ("DE", "JP", "GB", "US", "UA", "ES", "XX", "")}
    expected = {"DE": "Europe/Berlin", "JP": "Asia/Tokyo", "GB": "Europe/London"}
    assert found == dict.fromkeys(found, "") | expected
    assert [known_zone(one) for one in ("Asia/Tokyo", "Mars/Base", 5, None)] == ["Asia/Tokyo", "", "", ""]


Placed = Callable[[list[str], list[list[tuple[datetime, str]]], list[datetime]], list[int]]


@pytest.fixture
def place(transactional_db: None, settings: Any, tmp_path: Path) -> Placed:
    """Customers by their countries, what their devices said of zones, and moments of one order each."""
    settings.HOME = tmp_path

    def made(countries: list[str], told: list[list[tuple[datetime, str]]], ordered: list[datetime]) -> list[int]:
        store = shop.make_store()
        people = [
            PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, f"1785{n}", "main"),), NOW - 9 * HOUR, store.id,
                        contact=ContactCard(first_name="Pat", country=country))
            for n, country in enumerate(countries)
        ]  # fmt: skip
        with transaction("import") as log:
            profiles = ensure_profiles(people, log)
            owners = customers_of(profiles)
            for profile, zones in zip(profiles, told, strict=True):
                for at, zone in zones:
                    log.append(
                        Entry("tracked.page_viewed", at, profile, owners[profile], data={"clear": {"time_zone": zone}})
                    )
        orders = zip(profiles, ordered, strict=True)
        shop.add_orders(store, [(str(n), profile, at, 100) for n, (profile, at) in enumerate(orders)])
        sync(NOW)
        return [owners[profile] for profile in profiles]

    return made


def found(condition: Any, customers: list[int], at: datetime) -> list[int]:
    """Places of whom every engine and plain Python find alike."""
    read = read_condition(condition)
    decided = decide(read, customers, at)
    inside = [one for one in customers if decided[one].is_in]
    pinned, clock = sync(at), Clock(at, UTC_ZONE, UTC_ZONE)
    for engine in (Engine.DUCKDB, Engine.CLICKHOUSE):
        assert count(read, pinned, at, engine=engine).first_ids == inside, engine
    for one in customers:
        verdict = evaluate(read, read_person(read, one), clock)
        assert (verdict.is_in, verdict.wakes_at) == (decided[one].is_in, decided[one].wakes_at)
    return [customers.index(one) for one in inside]


def test_a_day_begins_where_the_person_is(place: Placed) -> None:
    """At 5:30 UTC: since 23:00 in Berlin, 4:00 in New York, 18:30 in Kolkata, 0:00 for whom nothing is known."""
    device = [(NOW - 2 * HOUR, "America/New_York")]
    late, early = NOW - 6 * HOUR, NOW - HOUR
    customers = place(
        ["DE", "DE", "", "US", "DE"],
        [[], device, [], device, [*device, (NOW - HOUR, "Asia/Kolkata")]],
        [late, late, late, early, late],
    )
    assert found(TODAY, customers, NOW) == [0, 3, 4]
    assert found(TODAY, customers, NOW - HOUR * 3 / 2) == [0]


def test_the_day_on_which_clocks_go_back_has_an_hour_more(place: Placed) -> None:
    customers = place([""], [[(NOW - HOUR, "America/New_York")]], [NOW - HOUR])
    ends = datetime(2026, 11, 2, 5, tzinfo=UTC)
    assert decide(read_condition(TODAY), customers, NOW)[customers[0]].wakes_at == ends
    assert found(TODAY, customers, ends - timedelta(microseconds=1)) == [0]
    assert found(TODAY, customers, ends) == []


def test_another_zone_to_come_is_a_moment_to_look_again(place: Placed) -> None:
    customers = place([""], [[(NOW + HOUR, "America/New_York")]], [NOW - 2 * HOUR])
    assert decide(read_condition(TODAY), customers, NOW)[customers[0]].wakes_at == NOW + HOUR
    assert found(TODAY, customers, NOW) == [0]
    assert found(TODAY, customers, NOW + HOUR) == []
