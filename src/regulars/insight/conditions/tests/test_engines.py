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
from regulars.insight.conditions.language import DENYING, Condition, Leaf, leaves
from regulars.insight.conditions.measuring import figure_of, holds
from regulars.insight.conditions.tests.catalog import INVENTED, Catalog, registered
from regulars.insight.conditions.tests.engines import with_tables, world_in
from regulars.insight.conditions.tests.strategies import conditions
from regulars.insight.conditions.tests.worlds import World, worlds
from regulars.record.own_events.facts import know
from regulars.record.own_events.rules import Declared, PropertyType

FEW = 30
# 'REGULARS_CONDITION_EXAMPLES=2000' looks longer, at other worlds each time.
EXAMPLES = int(os.environ.get("REGULARS_CONDITION_EXAMPLES", FEW))

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("engine", Engine)
@settings(max_examples=EXAMPLES, derandomize=EXAMPLES == FEW, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_engine_agrees_about_everything(engine: Engine, data: st.DataObject) -> None:
    _agrees(engine, INVENTED, data)


@pytest.mark.parametrize("engine", Engine)
@settings(
    max_examples=EXAMPLES // 4, derandomize=EXAMPLES == FEW, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_an_engine_agrees_about_what_modules_offer(engine: Engine, data: st.DataObject) -> None:
    _agrees(engine, registered(), data)


@pytest.mark.parametrize("engine", Engine)
@settings(
    max_examples=EXAMPLES // 10, derandomize=EXAMPLES == FEW, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_an_engine_agrees_about_what_staff_declared(engine: Engine, data: st.DataObject) -> None:
    _agrees(engine, _own_events(), data)


def _own_events() -> Catalog:
    """The shop's own events with a declared property of each type."""
    declared = [Declared(n, "Quiz", type_, type_, f"p_quiz_{type_}") for n, type_ in enumerate(PropertyType, start=1)]
    know(declared)
    try:
        offered, name = registered(), "own_events"
    finally:
        know(())
    shapes = {name: offered.shapes[name], **INVENTED.shapes}
    return Catalog({name: offered.relations[name]}, shapes, INVENTED.zones)


def _agrees(engine: Engine, catalog: Catalog, data: st.DataObject) -> None:
    world = data.draw(worlds(catalog))
    with with_tables(catalog):
        condition = data.draw(conditions(world))
        check = data.draw(st.sampled_from([_check_members, _check_verdicts, _check_count]))
        check(world_in(engine, world), condition, world)


def _expected(condition: Condition, world: World) -> set[int]:
    return {p.customer_id for p in world.people() if evaluate(condition, p, world.clock).is_in}


def _asked(asking: Asking, condition: Condition, world: World, asked: Asked) -> list[dict[str, Any]]:
    entered = world.clock.entered_at
    entries = dict.fromkeys(world.customers, entered) if entered else {}
    rows: list[dict[str, Any]] = asking.ask(condition, asked, world.clock, entries).to_pylist()
    return rows


def _check_members(asking: Asking, condition: Condition, world: World) -> None:
    rows = _asked(asking, condition, world, Asked.MEMBERS)
    assert {row["customer_id"] for row in rows} == _expected(condition, world)
    assert len({row["customer_id"] for row in rows}) == len(rows)


def _check_verdicts(asking: Asking, condition: Condition, world: World) -> None:
    found = {row["customer_id"]: row for row in _asked(asking, condition, world, Asked.VERDICTS)}
    for person in world.people():
        expected = evaluate(condition, person, world.clock)
        row = found.get(person.customer_id, {"is_in": False, "wakes_at": None})
        assert row["is_in"] == expected.is_in
        wakes = moment_of(row["wakes_at"])
        assert wakes is None or wakes > world.clock.at
        if expected.wakes_at and (wakes is None or wakes > expected.wakes_at):
            changed = holds(condition, person, person.clock(replace(world.clock, at=expected.wakes_at)))
            assert changed == expected.is_in, f"asleep at {expected.wakes_at}"


def _check_count(asking: Asking, condition: Condition, world: World) -> None:
    [row] = _asked(asking, condition, world, Asked.COUNT)
    members = sorted(_expected(condition, world))
    assert (row["count"], list(row["first_ids"] or [])) == (len(members), members[:10])
    for place, leaf in enumerate(leaves(condition)):
        if isinstance(leaf, Leaf) and leaf.test.op in DENYING:
            values = [figure_of(leaf.figure, p, p.clock(world.clock)) for p in world.people()]
            assert row[f"missing_{place}"] == values.count(None)
