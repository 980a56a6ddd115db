"""One comparison: its operator, the inputs of its value, and what becomes of those without one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from regulars.foundation.money import exponent
from regulars.foundation.pages.registries import Text
from regulars.foundation.relations import Field, FieldType
from regulars.insight.conditions.comparing import OPS, SPANS
from regulars.insight.conditions.language import DENYING, Missing, Op
from regulars.insight.segments.building.forms import CHANGED, Choice, Form, choices, items, part, text
from regulars.insight.segments.building.spans import count_of, days_of, input_type, span_of, unit_of, units
from regulars.insight.segments.building.words import CHOOSE, MISSING, WORD, of_type
from regulars.insight.segments.drafting import Node

NUMBERS = (FieldType.NUMBER, FieldType.MONEY)
_ORDER = list(Op)
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
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
class Chip:
    """One of several values. Of a sealed one ``value`` is the word as it is stored."""

    value: str
    name: Text
    is_sealed: bool = False


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
    sealed: frozenset[int] = frozenset()  # which of the values are personal words that the viewer may not read

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Of a value that is a key; one that there is no more stays itself."""
        return choices(
            {"": CHOOSE} | dict(self.names) | {one: self.names.get(one, one) for one in self.values}, self.value
        )

    @property
    def chips(self) -> list[Chip]:
        """Each value, and what it is called."""
        return [
            Chip(one, WORD if number in self.sealed else self.names.get(one, one), number in self.sealed)
            for number, one in enumerate(self.values)
        ]

    @property
    def value(self) -> str:
        return self.values[0] if self.values and 0 not in self.sealed else ""

    @property
    def word(self) -> str | None:
        """The one value as it is stored, where it is a personal word that the viewer may not read."""
        return self.values[0] if 0 in self.sealed and self.shape == "text" else None

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
        sealed=_sealed(value, shape),
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
    value = _read(form, shape, figure)
    if value is not None and not _is_left_over(form, shape):
        test["value"] = value
    if op in DENYING and text(form, "missing") in set(Missing):
        test["missing"] = text(form, "missing")
    return test | (days_of(text(form, "unit")) if shape == "span" else {})


def usual_op(type_: FieldType) -> Op:
    usual = {FieldType.MOMENT: Op.WITHIN_LAST, FieldType.DATE: Op.ANNIVERSARY, FieldType.LIST: Op.INCLUDES}
    return Op.GE if type_ in NUMBERS else usual.get(type_, Op.IS)


def _op(said: Any, type_: FieldType) -> Op:
    return Op(said) if isinstance(said, str) and said in OPS[type_] else usual_op(type_)


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


def _read(form: Form, shape: str, figure: Figure) -> Any:
    """None where nothing was typed that could be meant."""
    held = _held(form, figure.type)
    first = next((one for one in held if isinstance(one, str)), "")
    found: Any = first or None
    match shape:
        case "none":
            found = None
        case "flag":
            found = {"true": True, "false": False}.get(first)
        case "chips":
            found = held or None
        case "text":
            found = next(iter(held), None)
        case "span":
            found = span_of(first, text(form, "unit")) if first else None
        case "number":
            found = _number(first, figure.scale)
        case "two":
            both = [_number(one, figure.scale) for one in (first, text(form, "value-to"))]
            found = None if None in both else both
    return found


def _is_left_over(form: Form, shape: str) -> bool:
    """Whether the value was typed for another comparison or figure, and fits no more."""
    changed, typed = text(form, CHANGED), text(form, "value")
    if changed not in ("op", "measure"):
        return False
    fitting = {"day": _DAY, "span": _COUNT, "number": _DECIMAL, "two": _DECIMAL}.get(shape)
    return not fitting.match(typed) if fitting else changed == "measure"


def _held(form: Form, type_: FieldType) -> list[Any]:
    """The value as texts: the one that was typed, its lines, or its chips with what is being added to them. A personal word that the viewer
    may not read is sent back as it is stored, and holds until another is typed.
    """
    if typed := text(form, "value"):
        return [one.strip() for one in typed.splitlines() if one.strip()] if _is_several(form) else [typed]
    chips = [_word(chip) if "sealed" in chip else text(chip, "text") for chip in (form, *items(form, "value"))]
    chosen, more = text(part(form, "value"), "chosen"), text(part(form, "value"), "more")
    found: list[Any] = []
    for one in [*chips, *([chosen] if chosen else _apart(more))]:
        if one and one not in found and (type_ is FieldType.TOKEN or isinstance(one, str)):
            found.append(one)
    return found


def _is_several(form: Form) -> bool:
    return text(form, "op") in (Op.IN, Op.NOT_IN)


def _word(form: Form) -> Node:
    return {"sealed": text(form, "sealed")}


def _apart(typed: str) -> list[str]:
    """Values that are added at once: with line breaks between; on one line, with commas or semicolons."""
    lines = typed.splitlines() if len(typed.splitlines()) > 1 else typed.replace(";", ",").split(",")
    return [one.strip() for one in lines if one.strip()]


def _number(typed: str, scale: Scale) -> int | str | None:
    """What can be meant in two ways ('1,000') stays as it was typed, for the refusal."""
    if _THOUSANDS.fullmatch(typed.replace(" ", "")):
        return typed
    try:
        number = Decimal(typed.replace(",", ".").replace(" ", ""))
    except InvalidOperation:
        return typed or None
    if not _is_near(number):
        return typed
    number = number.scaleb(scale.places)
    return int(number) if number == number.to_integral_value() else f"{number.normalize():f}"


def _shown(value: Any, shape: str, scale: Scale) -> tuple[str, ...]:
    """What the inputs hold. A value of another shape, that the operator was changed from, is shown as far as it fits."""
    match shape:
        case "span":
            return (count_of(value),)
        case "two":
            return tuple(_shown_number(one, scale) for one in value) if isinstance(value, list) else ()
        case "number":
            return (_shown_number(value, scale),)
        case "flag":
            return (str(value).lower(),) if isinstance(value, bool) else ()
    held = [one for one in (value if isinstance(value, list) else [value]) if one not in (None, "")]
    several = [one["sealed"] if _is_word(one) else str(one) for one in held]
    return tuple(several) if shape in ("chips", "lines") or not isinstance(value, list) else ()


def _sealed(value: Any, shape: str) -> frozenset[int]:
    """Which of the shown are personal words that are not revealed."""
    held = value if isinstance(value, list) else [value]
    found = frozenset(number for number, one in enumerate(held) if _is_word(one))
    return found if shape in ("chips", "text") else frozenset()


def _is_word(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"sealed"} and isinstance(value["sealed"], str)


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
