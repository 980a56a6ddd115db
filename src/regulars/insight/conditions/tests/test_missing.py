"""Of those without rows, and of those whose rows hold nothing, every comparison says what docs/conditions.md says, on every engine."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any as Anything
from typing import cast

import pytest

from regulars.foundation.relations import FieldType
from regulars.insight.conditions.asking import Asking
from regulars.insight.conditions.comparing import MEASURES, OPS, SPANS
from regulars.insight.conditions.compiling import Asked
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.language import (
    DENYING,
    All,
    Any,
    Condition,
    Days,
    Filter,
    Leaf,
    Measure,
    Measured,
    Missing,
    Op,
    Ratio,
    Rows,
    Sequence,
    Span,
    Step,
    Test,
    Unit,
    Value,
    Word,
)
from regulars.insight.conditions.tests.catalog import INVENTED
from regulars.insight.conditions.tests.engines import with_tables, world_in
from regulars.insight.conditions.tests.worlds import World, make_world

_THINGS = Rows("things")
_FIELDS = INVENTED.relations["things"].fields
_FAR = Span(100_000, Unit.WEEKS)
# What is true of many values, zero and the first and last of all days among them.
_VALUES: dict[FieldType, Anything] = {
    FieldType.TEXT: "a",
    FieldType.NUMBER: Decimal(0),
    FieldType.MONEY: Decimal(0),
    FieldType.MOMENT: date(2100, 1, 1),
    FieldType.DATE: date(2100, 1, 1),
    FieldType.FLAG: False,
    FieldType.LIST: "red",
    FieldType.TOKEN: Word("anna.", ""),
}


def _tests(type_: FieldType) -> Iterator[Test]:
    """Every comparison of a type, those that deny both ways."""
    for op in sorted(OPS[type_]):
        for missing in Missing if op in DENYING else (Missing.OUT,):
            days = Days.SHOP if op in SPANS and type_ is FieldType.DATE else Days.ROLLING
            yield Test(op, _value(op, type_), missing, days)


def _value(op: Op, type_: FieldType) -> Value:
    one: Anything = _VALUES[type_]
    if op in SPANS:
        return Span(366, Unit.DAYS) if op is Op.ANNIVERSARY else _FAR if op is not Op.OLDER_THAN else Span(1, Unit.DAYS)
    special: dict[Op, Value] = {
        Op.SET: None,
        Op.NOT_SET: None,
        Op.IN: (one,),
        Op.NOT_IN: (one,),
        Op.BETWEEN: (Decimal(-1), Decimal(1)),
        Op.AFTER: date(1, 1, 1),
        Op.MATCHES: "^a?",
    }
    return special[op] if op in special else cast(Value, one)


def _is_of_missing(test: Test) -> bool:
    """Whether those without a value pass."""
    return test.op is Op.NOT_SET or test.missing is Missing.IN


def _leaves() -> Iterator[Leaf]:
    """Each comparison of each type, of figures that nothing has; of dates also as a filter of rows."""
    for name, field in _FIELDS.items():
        measure = Measure.MIN if Measure.MIN in MEASURES[field.type] else Measure.FIRST
        for test in _tests(field.type) if name != "price" else ():
            yield Leaf(Measured(_THINGS, measure, name), test)
            if field.type is FieldType.DATE and test.op is not Op.NOT_SET:
                yield Leaf(Measured(Rows("things", (Filter(name, test),))), Test(Op.GE, Decimal(1)))
    for test in _tests(FieldType.NUMBER):
        yield Leaf(Measured(_THINGS, Measure.GAP), test)
        yield Leaf(Measured(_THINGS, Measure.AVERAGE, "price"), test)
        yield Leaf(Ratio(Measured(_THINGS), Measured(_THINGS, Measure.SUM, "weight")), test)


def _world() -> World:
    """One without rows, and one with a row that holds nothing but its moment."""
    world = make_world(INVENTED, 1, 2, 2, (0, 0))
    empty: dict[str, Anything] = dict.fromkeys(INVENTED.shapes["things"].columns)
    row = empty | {"thing_id": 1, "profile_id": 2, "at": world.clock.at - timedelta(hours=1)}
    return replace(world, tables={"things": [row], "states": []})


def _members(asking: Asking, condition: Condition, world: World) -> list[int]:
    found: list[int] = asking.ask(condition, Asked.MEMBERS, world.clock)["customer_id"].to_pylist()
    return sorted(found)


@pytest.mark.django_db
@pytest.mark.parametrize("engine", Engine)
def test_what_is_missing_is_never_taken_for_a_value(engine: Engine) -> None:
    world, leaves = _world(), list(_leaves())
    # What two relations decide is asked of everybody, also of those without rows of either.
    others = (
        Leaf(Measured(Rows("states")), Test(Op.GE, Decimal(1))),
        Sequence((Step("things"), Step("states")), Span(1, Unit.DAYS)),
    )
    with with_tables(INVENTED):
        asking = world_in(engine, world)
        for is_in in (True, False):
            chosen = [leaf for leaf in leaves if _is_of_missing(leaf.test) is is_in]
            whole: Condition = All(tuple(chosen)) if is_in else Any((*chosen, *others))
            expected = sorted(world.customers) if is_in else []
            assert [p for p in world.people() if evaluate(whole, p, world.clock).is_in is not is_in] == []
            if _members(asking, whole, world) != expected:
                assert [leaf for leaf in chosen if _alone(asking, leaf, others, world) is not is_in] == []


def _alone(asking: Asking, leaf: Leaf, others: tuple[Condition, ...], world: World) -> bool:
    """To say which of them it was."""
    return bool(_members(asking, Any((leaf, *others)), world))
