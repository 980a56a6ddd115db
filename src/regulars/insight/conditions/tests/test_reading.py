"""Conditions read from JSON: each form once, and each refusal with a sentence that says where and what to do."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any as Anything

import jsonschema_rs
import pytest

from regulars.insight.conditions.language import (
    Ago,
    All,
    Any,
    Between,
    Condition,
    Days,
    Filter,
    Last,
    Leaf,
    Measure,
    Measured,
    Missing,
    Not,
    Op,
    Ratio,
    Rows,
    Sequence,
    Share,
    SinceEntry,
    Span,
    Step,
    Test,
    Unit,
)
from regulars.insight.conditions.reading import InvalidCondition, read_condition, read_definition
from regulars.insight.conditions.schema import schema
from regulars.insight.conditions.writing import write_condition, write_definition

MONTH = Span(30, Unit.DAYS)
ONCE = Test(Op.GE, Decimal(1))

READ: list[tuple[dict[str, Anything], Condition]] = [
    ({"of": "orders"}, Leaf(Measured(Rows("orders")), ONCE)),
    ({"all": []}, All(())),
    (
        {"of": "orders", "window": {"last": {"days": 30}}, "measure": {"sum": "total"}, "op": "ge", "value": 5000},
        Leaf(Measured(Rows("orders", (), Last(MONTH)), Measure.SUM, "total"), Test(Op.GE, Decimal(5000))),
    ),
    (
        {"of": "contacts", "measure": {"last": "country"}, "op": "not_in", "value": ["DE", "AT"], "missing": "in"},
        Leaf(Measured(Rows("contacts"), Measure.LAST, "country"), Test(Op.NOT_IN, ("DE", "AT"), Missing.IN)),
    ),
    (
        {"of": "orders", "where": [{"field": "at", "op": "before", "value": "2026-01-01"}], "measure": "gap", "op": "lt", "value": "30.5"},
        Leaf(
            Measured(Rows("orders", (Filter("at", Test(Op.BEFORE, date(2026, 1, 1))),)), Measure.GAP),
            Test(Op.LT, Decimal("30.5")),
        ),
    ),
    (
        {"of": "orders", "measure": {"last": "at"}, "op": "within_last", "value": {"weeks": 2}, "days": "person"},
        Leaf(Measured(Rows("orders"), Measure.LAST, "at"), Test(Op.WITHIN_LAST, Span(2, Unit.WEEKS), days=Days.PERSON)),
    ),
    (
        {"of": "orders", "window": {"ago": [{"days": 60}, {"days": 30}], "days": "shop"}},
        Leaf(Measured(Rows("orders", (), Ago(Span(60, Unit.DAYS), MONTH, Days.SHOP))), ONCE),
    ),
    (
        {"of": "orders", "window": {"after": "2026-01-01", "before": "2026-02-01T00:00:00+00:00"}},
        Leaf(Measured(Rows("orders", (), Between(date(2026, 1, 1), datetime(2026, 2, 1, tzinfo=UTC)))), ONCE),
    ),
    ({"not": {"of": "orders", "window": "since_entry"}}, Not(Leaf(Measured(Rows("orders", (), SinceEntry())), ONCE))),
    (
        {"any": [{"share": {"percent": "12.5", "salt": "spring"}}, {"of": "orders", "op": "between", "value": [2, 5]}]},
        Any((Share(Decimal("12.5"), "spring"), Leaf(Measured(Rows("orders")), Test(Op.BETWEEN, (Decimal(2), Decimal(5)))))),
    ),
    (
        {"ratio": [{"of": "orders", "measure": {"sum": "total"}}, {"of": "orders"}], "op": "gt", "value": 100},
        Leaf(Ratio(Measured(Rows("orders"), Measure.SUM, "total"), Measured(Rows("orders"))), Test(Op.GT, Decimal(100))),
    ),
    (
        {"sequence": [{"of": "orders"}, {"of": "orders", "absent": True}], "within": {"hours": 6}},
        Sequence((Step("orders"), Step("orders", (), True)), Span(6, Unit.HOURS)),
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def published() -> Anything:
    """Checks by the published schema; reading that takes longer than all that it checks here."""
    return jsonschema_rs.validator_for(schema())


@pytest.mark.parametrize(("data", "condition"), READ)
def test_each_form_is_read_and_written_again(
    data: dict[str, Anything], condition: Condition, published: Anything
) -> None:
    assert read_condition(data) == condition
    assert read_condition(write_condition(condition)) == condition
    for definition in ({"version": 1, "where": data}, write_definition(condition)):
        published.validate(definition)
        assert read_definition(definition) == condition


REFUSED = [
    ([], "At 'where': a condition is an object"),
    ({"of": "rockets"}, "At 'where.of': nothing is called 'rockets'; there is "),
    ({"of": ["orders"]}, "At 'where.of': nothing is called"),
    ({"of": "orders", "colour": 1}, "At 'where': there is no 'colour' here"),
    ({"all": {}}, "At 'where.all': a group is a list"),
    ({"all": [], "of": "orders"}, "At 'where': there is no 'of' here"),
    ({"any": []}, "At 'where.any': 'any' needs at least one"),
    ({"all": [{"of": "orders"}, {"not": 1}]}, "At 'where.all[1].not': a condition is an object"),
    ({"of": "orders", "value": 2}, "At 'where': a 'value' needs an 'op'"),
    ({"of": "orders", "op": "ge"}, "At 'where.value': 'ge' needs a value"),
    ({"of": "orders", "op": "ge", "value": True}, "At 'where.value': a number."),
    ({"of": "orders", "op": "ge", "value": "NaN"}, "At 'where.value': a number below"),
    ({"of": "orders", "op": "ge", "value": 0.0000001}, "At 'where.value': a number below a million millions with at most six"),
    ({"of": "orders", "op": "includes", "value": "x"}, "At 'where.op': number is not compared with 'includes'"),
    ({"of": "orders", "op": "is_not", "value": 1}, "At 'where': 'is_not' says with 'missing'"),
    ({"of": "orders", "op": "is", "value": 1, "missing": "in"}, "At 'where.missing': only comparisons that deny"),
    ({"of": "orders", "op": "is", "value": 1, "days": "shop"}, "At 'where.days': only spans of time have it"),
    ({"of": "orders", "op": "set", "value": 1}, "At 'where.value': 'set' needs none"),
    ({"of": "orders", "op": "between", "value": [3, 2]}, "At 'where.value': the first number is the smaller"),
    ({"of": "orders", "measure": {"sum": "total"}, "op": "ge", "value": 1.5}, "At 'where.value': an amount is a whole number"),
    ({"of": "orders", "measure": {"sum": "total"}}, "At 'where': say with 'op'"),
    ({"of": "orders", "measure": {"sum": "at"}, "op": "set"}, "At 'where.measure': 'at' has no sum"),
    ({"of": "orders", "measure": {"sum": "weight"}, "op": "set"}, "At 'where.measure.sum': 'orders' has no 'weight'"),
    ({"of": "orders", "measure": "total", "op": "set"}, "At 'where.measure': a measure is"),
    ({"of": "orders", "where": {}}, "At 'where.where': a list of comparisons"),
    ({"of": "orders", "where": [{"field": "at", "op": "before", "value": "2026-02-30"}]}, "At 'where.where[0].value': a day such as"),
    ({"of": "orders", "where": [{"field": "at", "op": "before", "value": "2026-02-03T10:00"}]}, "a moment needs its zone"),
    ({"of": "orders", "window": {"last": {"days": 0}}}, "At 'where.window.last.days': a whole number"),
    ({"of": "orders", "window": {"last": {"months": 1}}}, "At 'where.window.last': there is no 'months' here"),
    ({"of": "orders", "window": {"last": {"hours": 5}, "days": "shop"}}, "At 'where.window.last': hours are not counted by the calendar"),
    ({"of": "orders", "window": {"ago": [{"days": 1}, {"days": 2}]}}, "At 'where.window.ago': the first span is the longer"),
    ({"of": "orders", "window": {"last": {"days": 1}, "after": "2026-01-01"}}, "At 'where.window': a window is one of"),
    ({"of": "orders", "window": "lately"}, "At 'where.window': an object with"),
    ({"share": {"percent": 0, "salt": "x"}}, "At 'where.share.percent': a share is above 0"),
    ({"share": {"percent": 10}}, "At 'where.share': 'salt' is missing"),
    ({"sequence": [{"of": "orders"}], "within": {"days": 1}}, "At 'where.sequence': a sequence has two to ten steps"),
    ({"sequence": [{"of": "orders", "absent": True}, {"of": "orders"}], "within": {"days": 1}}, "At 'where.sequence[0]': the first step"),
    ({"ratio": [{"of": "orders", "measure": {"max": "at"}}, {"of": "orders"}], "op": "set"}, "At 'where.ratio[0]': a ratio is made of numbers"),
    ({"of": "contacts", "measure": {"last": "country"}, "op": "is", "value": "a\x1fb"}, "At 'where.value': a text of one to 1,000"),
    ({"of": "contacts", "measure": {"last": "country"}, "op": "in", "value": []}, "At 'where.value': 'in' needs a list"),
    ({"of": "orders", "window": {"after": "0001-01-01T00:00:00+14:00"}}, "At 'where.window.after': a moment of the years 1 to 9999, in UTC"),
    ({"of": "orders", "window": {"before": "9999-12-31T23:59:59-14:00"}}, "At 'where.window.before': a moment of the years 1 to 9999, in UTC"),
    ({"of": "orders", "op": "ge", "value": "1e999999999"}, "At 'where.value': a number below a million millions"),
    ({"of": "orders", "op": "ge", "value": "-1e999999999"}, "At 'where.value': a number below a million millions"),
    ({"of": "orders", "op": "ge", "value": "1e-999999999"}, "At 'where.value': a number below a million millions"),
    ({"of": "orders", "op": "ge", "value": 16**5000}, "At 'where.value': a number below a million millions"),
    ({"ratio": [{"of": "orders"}, {"of": "orders"}], "op": "lt", "value": 10**9}, "At 'where.value': a ratio is compared with numbers below"),
    ({"of": "orders", "op": 16**5000}, "At 'where.op': 'a long number' is not one of"),
    ({"of": "orders", 1: 2, "colour": 3, None: 4}, "At 'where': there is no '1' here"),
    ({"of": "orders", "where": [{"field": "at", "op": "set"}] * 51}, "At 'where.where': at most 50 comparisons"),
    ({"of": "contacts", "measure": {"last": "country"}, "op": "matches", "value": "(" * 400 + "a" + ")" * 400}, "nested deeper than 20"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "sentence"), REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_place(data: Anything, sentence: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        read_definition({"version": 1, "where": data})
    assert sentence in refused.value.sentence


def test_the_version_is_asked_for() -> None:
    with pytest.raises(InvalidCondition, match="'version' is missing"):
        read_definition({"where": {"all": []}})
    with pytest.raises(InvalidCondition, match="written for version 1"):
        read_definition({"version": 2, "where": {"all": []}})


def test_what_is_nested_without_end_or_has_too_many_leaves_is_refused() -> None:
    deep: dict[str, Anything] = {"of": "orders"}
    for _ in range(41):
        deep = {"not": deep}
    with pytest.raises(InvalidCondition, match="nested deeper than 40"):
        read_condition(deep)
    with pytest.raises(InvalidCondition, match="at most 200 conditions"):
        read_condition({"all": [{"of": "orders"}] * 201})
    with pytest.raises(InvalidCondition, match="in 400 groups and denials"):
        read_condition({"all": [{"all": []}] * 50_000})


def test_zero_is_zero_with_any_exponent() -> None:
    assert read_condition({"of": "orders", "op": "ge", "value": "0e999999999"}) == Leaf(
        Measured(Rows("orders")), Test(Op.GE, Decimal(0))
    )
