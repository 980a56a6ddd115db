"""Several conditions, each of people of its own, are decided as plain Python decides each of them: rows that are left out were of no use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.insight.conditions import asking
from regulars.insight.conditions.asking import Decision, Question, decide_all
from regulars.insight.conditions.engines import Engine, Given
from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.language import (
    Ago,
    All,
    Any,
    Between,
    Condition,
    Last,
    Leaf,
    Measured,
    Not,
    Op,
    Rows,
    Test,
)  # fmt: skip
from regulars.insight.conditions.measuring import Person, holds
from regulars.insight.conditions.people import PEOPLE
from regulars.insight.conditions.tests.catalog import INVENTED
from regulars.insight.conditions.tests.engines import given_in, with_tables
from regulars.insight.conditions.tests.strategies import conditions, windows
from regulars.insight.conditions.tests.worlds import World, worlds

FEW = 25
EXAMPLES = int(os.environ.get("REGULARS_CONDITION_EXAMPLES", FEW))

pytestmark = pytest.mark.django_db


@settings(max_examples=EXAMPLES, derandomize=EXAMPLES == FEW, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_each_of_several_is_decided_as_plain_python_decides_it(data: st.DataObject) -> None:
    world = data.draw(worlds(INVENTED, most_rows=20))
    some = st.lists(st.sampled_from(world.customers), min_size=1, unique=True)
    asked_of = data.draw(st.sampled_from((narrow, narrow, conditions)))
    with with_tables(INVENTED), recorded(world):
        asked = data.draw(st.lists(st.builds(Question, asked_of(world), some), min_size=1, max_size=3))
        entries = dict.fromkeys(world.customers, world.clock.entered_at) if world.clock.entered_at else {}
        decided = decide_all(asked, world.clock.at, entries)
        people = {one.customer_id: one for one in world.people()}
        for question, found in zip(asked, decided, strict=True):
            assert found.keys() == set(question.customer_ids)
            for customer, decision in found.items():
                _agrees(question.condition, people[customer], decision, world)


def narrow(world: World) -> SearchStrategy[Condition]:
    """Of rows that may be too old for all of its windows, as nearly everything is that shops ask."""
    window = windows(world).filter(lambda one: isinstance(one, Last | Ago | Between))
    rows = st.builds(Rows, st.sampled_from(("things", "kept_things", "spans", "states")), st.just(()), window)
    number = st.integers(0, 3).map(Decimal)
    test = st.builds(Test, st.sampled_from((Op.IS, Op.GE, Op.LT)), number)
    leaf = st.builds(Leaf, st.builds(Measured, rows), test)
    parts = st.lists(leaf | st.builds(Not, leaf), min_size=1, max_size=3).map(tuple)
    return leaf | st.builds(All, parts) | st.builds(Any, parts)


def _agrees(condition: Condition, person: Person, found: Decision, world: World) -> None:
    expected = evaluate(condition, person, world.clock)
    assert found.is_in == expected.is_in
    assert found.wakes_at is None or found.wakes_at > world.clock.at
    if expected.wakes_at and (found.wakes_at is None or found.wakes_at > expected.wakes_at):
        changed = holds(condition, person, person.clock(replace(world.clock, at=expected.wakes_at)))
        assert changed == expected.is_in, f"asleep at {expected.wakes_at}"


@contextmanager
def recorded(world: World) -> Iterator[None]:
    """As if the world's rows were the record's, and its clock the shop's."""
    given = {name: _literal(one) for name, one in given_in(Engine.POSTGRES, world).items()}
    tables = {
        name: replace(table, present=f"SELECT {table.names} FROM {given[name]} t")
        for name, table in WAREHOUSE_TABLES.items()
    }
    people = given[PEOPLE].replace("%", "%%")
    candidates = asking._CANDIDATES.replace(
        "customers_customerprofile m\n    WHERE m.until_batch_id IS NULL AND", f"{people} m WHERE"
    )
    with (
        patch.object(WAREHOUSE_TABLES, "_entries", tables),
        patch.object(asking, "_CANDIDATES", candidates),
        patch.object(asking, "clock_at", lambda at: world.clock),
    ):
        yield


def _literal(given: Given) -> str:
    with connection.cursor() as cursor:
        return str(cursor.mogrify(given.sql, given.values))
