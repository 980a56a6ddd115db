"""One figure of a customer: a measure over rows of a relation, with their window and filters."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from regulars.foundation.relations import RELATIONS, Field, FieldType, Relation
from regulars.insight.conditions.comparing import MEASURES, type_of_measure
from regulars.insight.conditions.language import Measure
from regulars.insight.segments.building.comparisons import (
    Comparison,
    Figure,
    Scale,
    figure_of,
    read_comparison,
    show_comparison,
    usual_op,
)
from regulars.insight.segments.building.forms import CHANGED, Choice, Form, items, maps, text
from regulars.insight.segments.building.spans import Window, read_window, show_window
from regulars.insight.segments.building.words import MEASURES_IN_WORDS
from regulars.insight.segments.drafting import Node

_AT = Field("", FieldType.MOMENT, "moment")


@dataclass(frozen=True)
class House:
    """What rows need to know beyond the condition. ``has_entry``: a workflow asks, so that windows can begin with its entry."""

    currency: str
    has_entry: bool = False


@dataclass(frozen=True)
class FilterRow:
    """One comparison of the rows' fields."""

    prefix: str
    fields: tuple[Choice, ...]
    comparison: Comparison


@dataclass(frozen=True)
class Rows:
    """Rows of a relation, with their filters."""

    prefix: str
    relations: tuple[Choice, ...]
    filters: tuple[FilterRow, ...]


@dataclass(frozen=True)
class Measured:
    """``measures`` by the field that they are of; the first have none."""

    rows: Rows
    measures: tuple[tuple[str, tuple[Choice, ...]], ...]
    window: Window


def relation_of(said: Any) -> Relation:
    """Orders, where there is no such relation."""
    return (RELATIONS.get(said) if isinstance(said, str) else None) or RELATIONS["orders"]


def show_rows(said: Node, prefix: str, house: House) -> Rows:
    relation = relation_of(said.get("of"))
    filters = (_show_filter(one, n, prefix, relation, house) for n, one in enumerate(maps(said.get("where"))))
    relations = tuple(Choice(key, one.meaning, key == relation.name) for key, one in RELATIONS.items())
    return Rows(prefix, relations, tuple(filters))


def read_rows(form: Form, house: House) -> Node:
    """'of' and 'where'; of another relation than before no filter is kept, and one whose rows have names asks for a name at once."""
    relation = relation_of(text(form, "of"))
    node: Node = {"of": relation.name}
    if form.get(CHANGED) == "of":
        has_names = any(field.names for field in list(relation.fields.values())[:1])
        return node | ({"where": [_read_filter({}, relation, house)]} if has_names else {})
    where = [_read_filter(one, relation, house) for one in items(form, "where")]
    return node | ({"where": where} if where else {})


def show_measured(said: Node, prefix: str, house: House) -> Measured:
    measure, field_name = _said(said.get("measure", "count"), relation_of(said.get("of")))
    chosen = f"{measure.value}:{field_name}" if field_name else measure.value
    window = show_window(said.get("window"), f"{prefix}window.", has_entry=house.has_entry)
    return Measured(show_rows(said, prefix, house), _measures(relation_of(said.get("of")), chosen), window)


def read_measured(form: Form, house: House) -> Node:
    """What ``read_rows`` gives, with 'window', and 'measure' where rows are not just counted."""
    node = read_rows(form, house)
    window = form.get("window")
    if isinstance(window, Mapping):
        node |= read_window(window)
    if form.get(CHANGED) == "of":
        return node
    measure, field_name = _fitting(text(form, "measure"), relation_of(node["of"]))
    if measure is Measure.COUNT:
        return node
    return node | {"measure": {measure.value: field_name} if field_name else measure.value}


def measured_figure(said: Node, house: House) -> Figure:
    """Of which type the figure is."""
    relation = relation_of(said.get("of"))
    measure, name = _said(said.get("measure", "count"), relation)
    if not name:
        return Figure(FieldType.NUMBER)
    field = _fields(relation)[name]
    of = replace(field, type=type_of_measure(measure, field.type))
    return figure_of(of, f"{relation.name}.{name}", house.currency)


def ratio_figure(top: Figure, bottom: Figure) -> Figure:
    """Of like figures the share is shown in percent; of amounts by numbers it is an amount."""
    if top.scale == bottom.scale:
        return Figure(FieldType.NUMBER, Scale(-2, "%"))
    return Figure(FieldType.NUMBER, Scale(top.scale.places - bottom.scale.places, top.scale.suffix))


def _said(said: Any, relation: Relation) -> tuple[Measure, str]:
    if isinstance(said, dict) and len(said) == 1:
        [(name, field_name)] = said.items()
        return _fitting(f"{name}:{field_name}", relation)
    return _fitting(str(said), relation)


def _fitting(said: str, relation: Relation) -> tuple[Measure, str]:
    """Measure, and its field's name. What does not fit is the number of rows."""
    name, _, field_name = said.partition(":")
    field = _fields(relation).get(field_name)
    if field and name in set(Measure) and Measure(name) in MEASURES[field.type]:
        return Measure(name), field_name
    return (Measure.GAP if name == Measure.GAP else Measure.COUNT), ""


def _measures(relation: Relation, chosen: str) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    bare = tuple(Choice(one.value, MEASURES_IN_WORDS[one], chosen == one) for one in (Measure.COUNT, Measure.GAP))
    groups = [("", bare)]
    for name, field in _fields(relation).items():
        fitting = [one for one in Measure if one in MEASURES[field.type]]
        words = {f"{one.value}:{name}": MEASURES_IN_WORDS[one] % {"field": field.meaning} for one in fitting}
        groups.append((field.meaning, tuple(Choice(value, said, value == chosen) for value, said in words.items())))
    return tuple(groups)


def _fields(relation: Relation) -> dict[str, Field]:
    return {**relation.fields, "at": _AT}


def _show_filter(said: Mapping[str, Any], number: int, prefix: str, relation: Relation, house: House) -> FilterRow:
    fields, place = _fields(relation), f"{prefix}where.{number}."
    name = str(said.get("field"))
    name = name if name in fields else next(iter(fields))
    figure = figure_of(fields[name], f"{relation.name}.{name}", house.currency)
    options = tuple(Choice(key, field.meaning, key == name) for key, field in fields.items())
    return FilterRow(place, options, show_comparison(said, figure, place))


def _read_filter(form: Form, relation: Relation, house: House) -> Node:
    """An empty one asks for the first field."""
    fields = _fields(relation)
    name = text(form, "field") if text(form, "field") in fields else next(iter(fields))
    if not form or form.get(CHANGED) == "field":
        return {"field": name, "op": usual_op(fields[name].type).value}
    figure = figure_of(fields[name], f"{relation.name}.{name}", house.currency)
    return {"field": name} | read_comparison(form, figure)
