"""Every engine agrees with plain Python about random customers and random conditions, at random moments."""

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.insight.conditions.asking import Asking, moment_of
from regulars.insight.conditions.compiling import Asked
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.language import Condition
from regulars.insight.conditions.measuring import holds
from regulars.insight.conditions.tests.catalog import INVENTED
from regulars.insight.conditions.tests.engines import with_tables, world_in
from regulars.insight.conditions.tests.strategies import conditions
from regulars.insight.conditions.tests.worlds import World, worlds

EXAMPLES = int(os.environ.get("REGULARS_CONDITION_EXAMPLES", "150"))

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("engine", Engine)
@settings(max_examples=EXAMPLES, derandomize=EXAMPLES == 150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_engine_agrees(engine: Engine, data: st.DataObject) -> None:
    world = data.draw(worlds(INVENTED))
    with with_tables(INVENTED):
        condition = data.draw(conditions(world))
        asking = world_in(engine, world)
        expected = {p.customer_id: evaluate(condition, p, world.clock) for p in world.people()}
        members = {c for c, verdict in expected.items() if verdict.is_in}
        assert _members(asking, condition, world) == members
        _check_verdicts(asking, condition, world)
        _check_count(asking, condition, world, members)


def _asked(asking: Asking, condition: Condition, world: World, asked: Asked) -> list[dict[str, Any]]:
    zones = {customer: zone.key for customer, zone in world.zones.items()}
    entered = world.clock.entered_at
    entries = dict.fromkeys(world.zones, entered) if entered else {}
    rows: list[dict[str, Any]] = asking.ask(condition, asked, world.clock, zones, entries).to_pylist()
    return rows


def _members(asking: Asking, condition: Condition, world: World) -> set[int]:
    return {row["customer_id"] for row in _asked(asking, condition, world, Asked.MEMBERS)}


def _check_verdicts(asking: Asking, condition: Condition, world: World) -> None:
    found = {row["customer_id"]: row for row in _asked(asking, condition, world, Asked.VERDICTS)}
    for person in world.people():
        expected = evaluate(condition, person, world.clock)
        row = found.get(person.customer_id, {"is_in": False, "wakes_at": None})
        assert row["is_in"] == expected.is_in
        wakes = moment_of(row["wakes_at"])
        assert wakes is None or wakes > world.clock.at
        if expected.wakes_at and (wakes is None or wakes > expected.wakes_at):
            changed = holds(condition, person, replace(world.clock, person=person.zone, at=expected.wakes_at))
            assert changed == expected.is_in, f"asleep at {expected.wakes_at}"


def _check_count(asking: Asking, condition: Condition, world: World, members: set[int]) -> None:
    [row] = _asked(asking, condition, world, Asked.COUNT)
    assert row["count"] == len(members)
    assert list(row["first_ids"] or []) == sorted(members)[:10]
