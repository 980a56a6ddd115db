"""Conditions decided in plain Python: each rule of docs/conditions.md with exact values, and random ones for what holds always."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.measuring import holds
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.tests.catalog import INVENTED
from regulars.insight.conditions.tests.strategies import conditions
from regulars.insight.conditions.tests.worlds import worlds
from regulars.insight.conditions.writing import write_condition


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_verdict_holds_until_it_wakes(data: st.DataObject) -> None:
    world = data.draw(worlds(INVENTED))
    with INVENTED.offered():
        condition = data.draw(conditions(world))
        assert read_condition(write_condition(condition)) == condition
        for person in world.people():
            verdict = evaluate(condition, person, world.clock)
            until = verdict.wakes_at or world.clock.at + timedelta(days=4000)
            assert until > world.clock.at
            span = (until - world.clock.at) // timedelta(microseconds=1)
            for part in [*data.draw(st.lists(st.integers(0, span - 1), max_size=6)), span - 1]:
                clock = replace(world.clock, person=person.zone, at=world.clock.at + timedelta(microseconds=part))
                assert holds(condition, person, clock) == verdict.is_in
