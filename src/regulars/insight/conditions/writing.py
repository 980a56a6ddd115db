"""Conditions written as JSON, in one way only: reading what was written gives the same condition. Pure."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any as Anything

from regulars.insight.conditions.language import (
    DENYING,
    VERSION,
    Ago,
    All,
    Any,
    Between,
    Condition,
    Days,
    Ever,
    Filter,
    Last,
    Leaf,
    Measured,
    Not,
    Op,
    Ratio,
    Sequence,
    Share,
    SinceEntry,
    Span,
    Step,
    Test,
    Value,
    Window,
    Word,
)

_Json = dict[str, Anything]


def write_definition(condition: Condition) -> _Json:
    return {"version": VERSION, "where": write_condition(condition)}


def write_condition(condition: Condition) -> _Json:
    """Without the version."""
    match condition:
        case All(parts) | Any(parts):
            name = "all" if isinstance(condition, All) else "any"
            return {name: [write_condition(part) for part in parts]}
        case Not(part):
            return {"not": write_condition(part)}
        case _:
            return _leaf(condition)


def _leaf(leaf: Leaf | Sequence | Share) -> _Json:
    match leaf:
        case Share(percent, salt):
            return {"share": {"percent": _number(percent), "salt": salt}}
        case Sequence(steps, within, window):
            return {"sequence": [_step(step) for step in steps], "within": _span(within)} | _window(window)
        case Leaf(figure, test):
            return _figure(figure) | _test(test)


def _figure(figure: Measured | Ratio) -> _Json:
    if isinstance(figure, Ratio):
        return {"ratio": [_measured(part) for part in (figure.top, figure.bottom)]}
    return _measured(figure)


def _measured(figure: Measured) -> _Json:
    measure: _Json = {"measure": {figure.measure.value: figure.field} if figure.field else figure.measure.value}
    return {"of": figure.rows.of} | _where(figure.rows.where) | _window(figure.rows.window) | measure


def _step(step: Step) -> _Json:
    return {"of": step.of} | _where(step.where) | ({"absent": True} if step.is_absent else {})


def _where(filters: tuple[Filter, ...]) -> _Json:
    return {"where": [{"field": one.field} | _test(one.test) for one in filters]} if filters else {}


def _test(test: Test) -> _Json:
    said: _Json = {"op": test.op.value}
    if test.op not in (Op.SET, Op.NOT_SET):
        said["value"] = _value(test.value)
    if test.op in DENYING:
        said["missing"] = test.missing.value
    return said | _days(test.days)


def _days(days: Days) -> _Json:
    return {} if days is Days.ROLLING else {"days": days.value}


def _window(window: Window) -> _Json:
    match window:
        case Ever():
            return {}
        case SinceEntry():
            return {"window": "since_entry"}
        case Last(span, days):
            return {"window": {"last": _span(span)} | _days(days)}
        case Ago(since, to, days):
            return {"window": {"ago": [_span(since), _span(to)]} | _days(days)}
        case Between(after, before):
            ends = {"after": after, "before": before}
            return {"window": {name: end.isoformat() for name, end in ends.items() if end}}


def _span(span: Span) -> _Json:
    return {span.unit.value: span.count}


def _value(value: Value) -> Anything:
    match value:
        case tuple():
            return [_value(item) for item in value]
        case Decimal():
            return _number(value)
        case Span():
            return _span(value)
        case Word():
            return {"sealed": value.sealed}
        case date() | datetime():
            return value.isoformat()
        case _:
            return value


def _number(number: Decimal) -> int | str:
    """Whole numbers as such; others as text, since JSON's numbers are floats to most who read them."""
    return int(number) if number == number.to_integral_value() else f"{number:f}"
