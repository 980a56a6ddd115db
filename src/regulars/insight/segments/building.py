"""A condition as a row of choices that reads as a sentence, and back from the form to JSON. Pure.

What is chosen may not fit yet: then the row keeps what it can, and ``conditions.reading`` says what is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from regulars.foundation.money import exponent
from regulars.foundation.relations import RELATIONS, Field, FieldType, Relation
from regulars.insight.conditions.comparing import MEASURES, OPS, SPANS, type_of_measure
from regulars.insight.conditions.language import DENYING, Days, Measure, Missing, Op, Unit
from regulars.insight.segments.building_words import (
    DAYS,
    MEASURES_IN_WORDS,
    MISSING,
    UNITS,
    WINDOWS,
    of_type,
)
from regulars.insight.segments.drafting import Node

_AT = Field("", FieldType.MOMENT, "moment")
_NUMBER = Field("", FieldType.NUMBER, "number")
_NUMBERS = (FieldType.NUMBER, FieldType.MONEY)
_ORDER = list(Op)
Form = Mapping[str, str]


@dataclass(frozen=True)
class Choice:
    """One option of a select."""

    value: str
    text: Any
    is_chosen: bool


@dataclass(frozen=True)
class Comparison:
    """The fields of one comparison. ``prefix`` stands before the names of its form fields.

    ``shape`` says which inputs the value has: none, flag, text, list, number, two, day or span.
    """

    prefix: str
    ops: tuple[Choice, ...]
    shape: str
    value: str = ""
    value_to: str = ""
    units: tuple[Choice, ...] = ()
    days: tuple[Choice, ...] = ()
    missing: tuple[Choice, ...] = ()
    suggestions: str = ""  # 'relation.field' of which values are completed from the data
    suffix: str = ""  # the unit of the number


@dataclass(frozen=True)
class FilterRow:
    """One comparison of the rows' fields."""

    number: int
    fields: tuple[Choice, ...]
    comparison: Comparison


@dataclass(frozen=True)
class Row:
    """A leaf as choices."""

    relations: tuple[Choice, ...]
    measures: tuple[Choice, ...]
    comparison: Comparison
    windows: tuple[Choice, ...]
    window: str
    counts: tuple[str, str]  # of the window's spans, or its first and last day
    units: tuple[Choice, ...]
    days: tuple[Choice, ...]
    filters: tuple[FilterRow, ...]


def is_row(node: Node) -> bool:
    """Whether this leaf can be edited as choices; the others are edited as text."""
    return "of" in node and isinstance(node["of"], str)


def new_leaf(relation: str = "orders") -> Node:
    return {"of": relation, "op": "ge", "value": 1}


def row_of(node: Node, currency: str) -> Row:
    """What the form shows of a leaf."""
    relation = RELATIONS.get(str(node.get("of"))) or RELATIONS["orders"]
    measure, field_name, field = _measured(node, relation)
    name = f"{measure}:{field_name}" if field_name else measure.value
    window = node.get("window") if isinstance(node.get("window"), dict) else {}
    kind = _window_kind(node.get("window"))
    spans = _spans(window or {}, kind)
    suggestions = f"{relation.name}.{field_name}" if field_name else ""
    return Row(
        relations=tuple(Choice(key, one.meaning, key == relation.name) for key, one in RELATIONS.items()),
        measures=_measures(relation, name),
        comparison=_comparison("", node, field, currency, suggestions),
        windows=_choices(WINDOWS, kind),
        window=kind,
        counts=spans[0],
        units=_choices(UNITS, spans[1]),
        days=_choices(DAYS, str((window or {}).get("days", Days.ROLLING))),
        filters=tuple(
            _filter_row(number, one, relation, currency)
            for number, one in enumerate(node.get("where") or [])
            if isinstance(one, dict)
        ),
    )


def leaf_of(form: Form, currency: str) -> Node:
    """The leaf that a form means. ``change`` names the field that was just changed: what hung on its old value goes."""
    relation = RELATIONS.get(form.get("of", "")) or RELATIONS["orders"]
    if form.get("change") == "of":
        return new_leaf(relation.name)
    node: Node = {"of": relation.name}
    where = [_filter_of(form, number, relation, currency) for number in _numbers(form)]
    if form.get("add-filter"):
        where.append(_first_filter(relation))
    if where:
        node["where"] = where
    node |= _window_of(form)
    measure, field_name, field = _chosen_measure(form.get("measure", "count"), relation)
    if measure is not Measure.COUNT:
        node["measure"] = {measure.value: field_name} if field_name else measure.value
    return node | _test_of(form, "", field, currency)


def _measured(node: Node, relation: Relation) -> tuple[Measure, str, Field]:
    said = node.get("measure", "count")
    if isinstance(said, dict) and len(said) == 1:
        [(name, field_name)] = said.items()
        return _chosen_measure(f"{name}:{field_name}", relation)
    return _chosen_measure(str(said), relation)


def _chosen_measure(text: str, relation: Relation) -> tuple[Measure, str, Field]:
    """Measure, its field's name, and a field that has the figure's type. What does not fit is the number of rows."""
    name, _, field_name = text.partition(":")
    field = _fields(relation).get(field_name)
    if name == Measure.GAP or name not in set(Measure) or field is None or Measure(name) not in MEASURES[field.type]:
        return (Measure.GAP if name == Measure.GAP else Measure.COUNT), "", _NUMBER
    figure = Field(field.column, type_of_measure(Measure(name), field.type), field.meaning, field.is_listed)
    return Measure(name), field_name, figure


def _measures(relation: Relation, chosen: str) -> tuple[Choice, ...]:
    found = [Choice("count", MEASURES_IN_WORDS[Measure.COUNT], chosen == "count")]
    for field_name, field in _fields(relation).items():
        for measure in Measure:
            if measure in MEASURES[field.type]:
                value = f"{measure.value}:{field_name}"
                found.append(Choice(value, MEASURES_IN_WORDS[measure] % {"field": field.meaning}, chosen == value))
    return (*found, Choice("gap", MEASURES_IN_WORDS[Measure.GAP], chosen == "gap"))


def _fields(relation: Relation) -> dict[str, Field]:
    return {"at": _AT, **relation.fields}


def _filter_row(number: int, said: Mapping[str, Any], relation: Relation, currency: str) -> FilterRow:
    fields = _fields(relation)
    name = str(said.get("field")) if said.get("field") in fields else "at"
    choices = tuple(Choice(key, field.meaning, key == name) for key, field in fields.items())
    comparison = _comparison(f"where-{number}-", said, fields[name], currency, f"{relation.name}.{name}")
    return FilterRow(number, choices, comparison)


def _first_filter(relation: Relation) -> Node:
    name = next(iter(relation.fields), "at")
    return {"field": name, "op": _usual_op(_fields(relation)[name].type).value}


def _comparison(prefix: str, said: Mapping[str, Any], field: Field, currency: str, suggestions: str) -> Comparison:
    op = _op(said.get("op"), field.type)
    value, value_to, unit = _shown(said.get("value"), op, field.type, currency)
    is_span = op in SPANS
    usual = Days.SHOP if field.type is FieldType.DATE else Days.ROLLING
    return Comparison(
        prefix=prefix,
        ops=tuple(Choice(o.value, of_type(o, field.type), o is op) for o in _ORDER if o in OPS[field.type]),
        shape=shape_of(op, field.type),
        value=value,
        value_to=value_to,
        units=_choices(UNITS, unit) if is_span else (),
        days=_choices(DAYS, str(said.get("days", usual))) if is_span else (),
        missing=_choices(MISSING, str(said.get("missing", ""))) if op in DENYING else (),
        suggestions=suggestions if field.is_listed else "",
        suffix=currency if field.type is FieldType.MONEY else "",
    )


def shape_of(op: Op, type_: FieldType) -> str:
    """Which inputs the value of a comparison has."""
    if op in (Op.SET, Op.NOT_SET):
        return "none"
    if op in SPANS:
        return "span"
    if op in (Op.IN, Op.NOT_IN):
        return "list"
    if op is Op.BETWEEN:
        return "two"
    scalar = {FieldType.FLAG: "flag", FieldType.MOMENT: "day", FieldType.DATE: "day"}
    return "number" if type_ in _NUMBERS else scalar.get(type_, "text")


def _op(said: Any, type_: FieldType) -> Op:
    return Op(said) if said in OPS[type_] else _usual_op(type_)


def _usual_op(type_: FieldType) -> Op:
    usual = {FieldType.MOMENT: Op.WITHIN_LAST, FieldType.DATE: Op.ANNIVERSARY, FieldType.LIST: Op.INCLUDES}
    return Op.GE if type_ in _NUMBERS else usual.get(type_, Op.IS)


def _test_of(form: Form, prefix: str, field: Field, currency: str) -> Node:
    op = _op(form.get(f"{prefix}op"), field.type)
    test: Node = {"op": op.value}
    value = _value_of(form, prefix, op, field.type, currency)
    if value is not None:
        test["value"] = value
    if op in DENYING and form.get(f"{prefix}missing") in set(Missing):
        test["missing"] = form[f"{prefix}missing"]
    days = form.get(f"{prefix}days", "")
    if op in SPANS and days in set(Days) and not (field.type is FieldType.DATE and days == Days.ROLLING):
        test["days"] = days
    return test


def _filter_of(form: Form, number: int, relation: Relation, currency: str) -> Node:
    prefix = f"where-{number}-"
    name = form[f"{prefix}field"] if form[f"{prefix}field"] in _fields(relation) else "at"
    field = _fields(relation)[name]
    if form.get("change") == f"{prefix}field":
        return {"field": name, "op": _usual_op(field.type).value}
    return {"field": name} | _test_of(form, prefix, field, currency)


def _numbers(form: Form) -> list[int]:
    """Of the filters that stay."""
    found = sorted(int(parts[1]) for name in form if len(parts := name.split("-")) == 3 and parts[0] == "where"
                   and parts[2] == "field" and parts[1].isdecimal())  # fmt: skip
    return [number for number in found if form.get("drop-filter") != str(number)]


def _value_of(form: Form, prefix: str, op: Op, type_: FieldType, currency: str) -> Any:
    """None where nothing was typed that could be meant."""
    text = form.get(f"{prefix}value", "").strip()
    shape = shape_of(op, type_)
    if shape == "two":
        both = [_number_of(one, type_, currency) for one in (text, form.get(f"{prefix}value-to", "").strip())]
        return None if None in both else both
    typed: dict[str, Any] = {
        "none": None,
        "list": [part.strip() for part in text.split(",") if part.strip()] or None,
        "flag": {"true": True, "false": False}.get(text),
    }
    if shape == "span":
        return _span_of(text, form.get(f"{prefix}unit", Unit.DAYS))
    return _number_of(text, type_, currency) if shape == "number" else typed.get(shape, text or None)


def _number_of(text: str, type_: FieldType, currency: str) -> int | str | None:
    try:
        number = Decimal(text.replace(",", ".").replace(" ", ""))
    except InvalidOperation:
        return text or None
    if not number.is_finite():
        return text
    if type_ is FieldType.MONEY:
        number = number.scaleb(exponent(currency))
    return int(number) if number == number.to_integral_value() else f"{number.normalize():f}"


def _span_of(text: str, unit: str) -> dict[str, Any] | None:
    if unit not in set(Unit) or not text:
        return None
    return {unit: int(text) if text.isdecimal() and len(text) < 10 else text}


def _shown(value: Any, op: Op, type_: FieldType, currency: str) -> tuple[str, str, str]:
    """Value, second value and unit as the form shows them."""
    match shape_of(op, type_):
        case "span":
            [(unit, count)] = value.items() if isinstance(value, dict) and len(value) == 1 else [("days", "")]
            return str(count), "", str(unit)
        case "list":
            return ", ".join(map(str, value)) if isinstance(value, list) else str(value or ""), "", ""
        case "two":
            low, high = value if isinstance(value, list) and len(value) == 2 else ("", "")
            return _shown_number(low, type_, currency), _shown_number(high, type_, currency), ""
        case "number":
            return _shown_number(value, type_, currency), "", ""
        case "flag":
            return str(value).lower() if isinstance(value, bool) else "", "", ""
    return str(value) if isinstance(value, str) else "", "", ""


def _shown_number(value: Any, type_: FieldType, currency: str) -> str:
    if value is None or isinstance(value, list | dict | bool):
        return ""
    if type_ is FieldType.MONEY:
        try:
            return f"{Decimal(str(value)).scaleb(-exponent(currency)).normalize():f}"
        except InvalidOperation:
            return str(value)
    return str(value)


def _window_kind(window: Any) -> str:
    if isinstance(window, dict):
        return next((name for name in ("last", "ago") if name in window), "between")
    return "since_entry" if window == "since_entry" else "ever"


def _spans(window: Mapping[str, Any], kind: str) -> tuple[tuple[str, str], str]:
    """The two fields of a window, and the unit of its spans."""
    if kind == "between":
        return (str(window.get("after", "")), str(window.get("before", ""))), "days"
    said: Sequence[Any] = [window.get("last")] if kind == "last" else window.get("ago") or []
    spans = [next(iter(one.items())) for one in said if isinstance(one, dict) and one]
    counts = [str(count) for _, count in spans] + ["", ""]
    return (counts[0], counts[1]), str(spans[0][0]) if spans else "days"


def _window_of(form: Form) -> Node:
    kind, unit = form.get("window", "ever"), form.get("window-unit", "days")
    first, second = form.get("window-first", "").strip(), form.get("window-second", "").strip()
    if kind == "since_entry":
        return {"window": "since_entry"}
    if kind not in ("last", "ago", "between"):
        return {}
    if form.get("change") == "window":
        first, second, unit = {"last": ("30", "", "days"), "ago": ("60", "30", "days"), "between": ("", "", "")}[kind]
    if kind == "between":
        return {"window": {name: end for name, end in (("after", first), ("before", second)) if end}}
    days = form.get("window-days", "")
    spans = [_span_of(text, unit) or {unit: ""} for text in (first, second)]
    said: Node = {"last": spans[0]} if kind == "last" else {"ago": spans}
    return {"window": said | ({"days": days} if days in (Days.SHOP, Days.PERSON) else {})}


def _choices(words: Mapping[str, Any], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, text, value == chosen) for value, text in words.items())
