"""One comparison: its operator, the inputs of its value, and what becomes of those without one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from regulars.foundation.money import exponent
from regulars.foundation.relations import Field, FieldType
from regulars.insight.conditions.comparing import OPS, SPANS
from regulars.insight.conditions.language import DENYING, Missing, Op
from regulars.insight.segments.building.forms import CHANGED, Choice, Form, choices, items, part, text
from regulars.insight.segments.building.spans import count_of, days_of, input_type, span_of, unit_of, units
from regulars.insight.segments.building.words import CHOOSE, MISSING, of_type
from regulars.insight.segments.drafting import Node

NUMBERS = (FieldType.NUMBER, FieldType.MONEY)
_ORDER = list(Op)
_DAY, _COUNT, _DECIMAL = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d+$"), re.compile(r"[\d.,]+$")
_MOST_CHIPS = 40  # of more values than these, each is a line of one field


@dataclass(frozen=True)
class Scale:
    """How numbers are shown: as stored, moved by so many places, with what stands behind them."""

    places: int = 0
    suffix: str = ""


@dataclass(frozen=True)
class Figure:
    """What is compared: a type, how its numbers are shown, and 'relation.field' where values can be completed from the data."""

    type: FieldType
    scale: Scale = Scale()
    suggestions: str = ""
    names: Mapping[str, str] = field(default_factory=dict)  # of values that are keys: what they are called


@dataclass(frozen=True)
class Comparison:
    """``shape`` says which inputs the value has: none, flag, choice, text, day, number, two, span, chips or lines."""

    prefix: str
    ops: tuple[Choice, ...]
    shape: str
    values: tuple[str, ...] = ()
    units: tuple[Choice, ...] = ()
    missing: tuple[Choice, ...] = ()
    suggestions: str = ""
    suffix: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Of a value that is a key; one that there is no more stays itself."""
        return choices(
            {"": CHOOSE} | dict(self.names) | {one: self.names.get(one, one) for one in self.values}, self.value
        )

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Each value, and what it is called."""
        return [(one, self.names.get(one, one)) for one in self.values]

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def value_to(self) -> str:
        return self.values[1] if len(self.values) > 1 else ""

    @property
    def day_type(self) -> str:
        return input_type(self.value)

    @property
    def slug(self) -> str:
        return self.prefix.replace(".", "-")


def figure_of(of: Field, name: str, currency: str) -> Figure:
    """``name`` is 'relation.field'."""
    scale = Scale(exponent(currency), currency) if of.type is FieldType.MONEY else Scale()
    return Figure(of.type, scale, name if of.is_listed else "", of.names() if of.names else {})


def show_comparison(said: Mapping[str, Any], figure: Figure, prefix: str) -> Comparison:
    op = _op(said.get("op"), figure.type)
    value, shape = said.get("value"), _shape(op, figure.type)
    is_date = figure.type is FieldType.DATE
    days = said.get("days", "shop" if is_date else "")
    if figure.names and op in (Op.IS, Op.IS_NOT):
        shape = "choice"
    if shape == "chips" and isinstance(value, list) and len(value) > _MOST_CHIPS:
        shape = "lines"
    return Comparison(
        prefix=prefix,
        ops=tuple(Choice(o.value, of_type(o, figure.type), o is op) for o in _ORDER if o in OPS[figure.type]),
        shape=shape,
        values=_shown(value, shape, figure.scale),
        units=units(unit_of(value, days), has_hours=not is_date, has_rolling=not is_date) if shape == "span" else (),
        missing=choices(MISSING, str(said.get("missing", ""))) if op in DENYING else (),
        suggestions=figure.suggestions,
        suffix=figure.scale.suffix if shape in ("number", "two") else "",
        names=figure.names,
    )


def read_comparison(form: Form, figure: Figure) -> Node:
    """'op', 'value' where something was typed that can be meant, 'missing' and 'days' where they belong."""
    op = _op(text(form, "op"), figure.type)
    shape, test = _shape(op, figure.type), {"op": op.value}
    value = _read(form, shape, figure.scale)
    if value is not None and not _is_left_over(form, shape):
        test["value"] = value
    if op in DENYING and text(form, "missing") in set(Missing):
        test["missing"] = text(form, "missing")
    return test | (days_of(text(form, "unit")) if shape == "span" else {})


def usual_op(type_: FieldType) -> Op:
    usual = {FieldType.MOMENT: Op.WITHIN_LAST, FieldType.DATE: Op.ANNIVERSARY, FieldType.LIST: Op.INCLUDES}
    return Op.GE if type_ in NUMBERS else usual.get(type_, Op.IS)


def _op(said: Any, type_: FieldType) -> Op:
    return Op(said) if said in OPS[type_] else usual_op(type_)


def _shape(op: Op, type_: FieldType) -> str:
    if op in (Op.SET, Op.NOT_SET):
        return "none"
    if op in SPANS:
        return "span"
    if op in (Op.IN, Op.NOT_IN):
        return "chips"
    if op is Op.BETWEEN:
        return "two"
    scalar = {FieldType.FLAG: "flag", FieldType.MOMENT: "day", FieldType.DATE: "day"}
    return "number" if type_ in NUMBERS else scalar.get(type_, "text")


def _read(form: Form, shape: str, scale: Scale) -> Any:
    """None where nothing was typed that could be meant."""
    texts = _texts(form)
    first = texts[0] if texts else ""
    found: Any = first or None
    match shape:
        case "none":
            found = None
        case "flag":
            found = {"true": True, "false": False}.get(first)
        case "chips":
            found = texts or None
        case "span":
            found = span_of(first, text(form, "unit")) if first else None
        case "number":
            found = _number(first, scale)
        case "two":
            both = [_number(one, scale) for one in (first, text(form, "value-to"))]
            found = None if None in both else both
    return found


def _is_left_over(form: Form, shape: str) -> bool:
    """Whether the value was typed for another comparison or figure, and fits no more."""
    changed, typed = text(form, CHANGED), text(form, "value")
    if changed not in ("op", "measure"):
        return False
    fitting = {"day": _DAY, "span": _COUNT, "number": _DECIMAL, "two": _DECIMAL}.get(shape)
    return not fitting.match(typed) if fitting else changed == "measure"


def _texts(form: Form) -> list[str]:
    """The value as texts: the one that was typed, its lines, or its chips with what is being added to them."""
    if typed := text(form, "value"):
        return _apart(typed) if text(form, "op") in (Op.IN, Op.NOT_IN) else [typed]
    held = [one for chip in items(form, "value") if (one := text(chip, "text"))]
    chosen, more = text(part(form, "value"), "chosen"), text(part(form, "value"), "more")
    return list(dict.fromkeys([*held, *([chosen] if chosen else _apart(more))]))


def _apart(typed: str) -> list[str]:
    """Values with line breaks between; on one line, with commas or semicolons."""
    lines = typed.splitlines() if len(typed.splitlines()) > 1 else typed.replace(";", ",").split(",")
    return [one.strip() for one in lines if one.strip()]


def _number(typed: str, scale: Scale) -> int | str | None:
    try:
        number = Decimal(typed.replace(",", ".").replace(" ", ""))
    except InvalidOperation:
        return typed or None
    if not _is_near(number):
        return typed
    number = number.scaleb(scale.places)
    return int(number) if number == number.to_integral_value() else f"{number.normalize():f}"


def _shown(value: Any, shape: str, scale: Scale) -> tuple[str, ...]:
    """What the inputs hold. A value of another shape, that the operator was changed from, is shown as far as it fits; a personal word that
    was forgotten, or that the viewer may not read, is left out.
    """
    match shape:
        case "span":
            return (count_of(value),)
        case "chips" | "lines":
            held = value if isinstance(value, list) else [value]
            return tuple(str(one) for one in held if one and not isinstance(one, dict))
        case "two":
            return tuple(_shown_number(one, scale) for one in value) if isinstance(value, list) else ()
        case "number":
            return (_shown_number(value, scale),)
        case "flag":
            return (str(value).lower(),) if isinstance(value, bool) else ()
    return (value,) if isinstance(value, str) else ()


def _shown_number(value: Any, scale: Scale) -> str:
    if value is None or isinstance(value, list | dict | bool):
        return ""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return f"{number.scaleb(-scale.places).normalize():f}" if _is_near(number) else str(value)


def _is_near(number: Decimal) -> bool:
    """Whether it can be written out: some texts are numbers of a billion digits."""
    return number.is_finite() and -20 < number.adjusted() < 15
