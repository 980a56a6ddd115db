"""The published JSON schema of the condition language, made of the relations that the modules offer.

What it refuses is refused by ``reading`` too. ``reading`` refuses some more: what a schema cannot say (the longer span comes first), of
which descriptions tell.
"""

from typing import Any as Anything

from regulars.foundation.relations import RELATIONS, Field, FieldType, Relation
from regulars.insight.conditions.comparing import MEASURES, OPS, SPANS, type_of_measure
from regulars.insight.conditions.language import DENYING, VERSION, Days, Measure, Missing, Op, Unit
from regulars.insight.conditions.reading import DEEPEST, MOST_FILTERS, MOST_GROUPS, MOST_LEAVES

_Json = dict[str, Anything]
_TEXT: _Json = {"type": "string", "minLength": 1, "maxLength": 1000}
_NUMBER: _Json = {"type": ["number", "string"]}
_MOMENT: _Json = {"type": "string", "description": "a day, or a moment with its zone"}
_SCALARS: dict[FieldType, _Json] = {
    FieldType.TEXT: _TEXT,
    FieldType.LIST: _TEXT,
    FieldType.TOKEN: {
        "anyOf": [
            _TEXT,
            {
                "type": "object",
                "properties": {"sealed": {"type": "string"}},
                "required": ["sealed"],
                "additionalProperties": False,
                "description": "a word as it is kept",
            },
        ]
    },
    FieldType.NUMBER: _NUMBER,
    FieldType.MONEY: {"type": ["integer", "string"], "description": "minor units of the reporting currency"},
    FieldType.MOMENT: _MOMENT,
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.FLAG: {"type": "boolean"},
}


def schema() -> _Json:
    """JSON Schema 2020-12 of a definition."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A condition of Regulars",
        "description": f"Groups and denials are nested at most {DEEPEST} deep around a condition; there are at most {MOST_LEAVES} conditions "
        f"and {MOST_GROUPS} groups and denials.",
        **_object({"version": {"const": VERSION}, "where": _ref("condition")}, ["version", "where"]),
        "$defs": {
            "condition": {
                "anyOf": [_ref(name) for name in ("all", "any", "not", "share", "sequence", "ratio", "measured")]
            },
            "all": _object({"all": _list(_ref("condition"))}, ["all"]),
            "any": _object({"any": _list(_ref("condition"), least=1)}, ["any"]),
            "not": _object({"not": _ref("condition")}, ["not"]),
            "share": _object({"share": _object({"percent": _NUMBER, "salt": _TEXT}, ["percent", "salt"])}, ["share"]),
            "sequence": _object(
                {"sequence": _list(_one_of("step"), 2, 10), "within": _ref("span"), "window": _ref("window")},
                ["sequence", "within"],
            ),
            "ratio": {
                **_object(
                    {"ratio": _list(_one_of("figure"), 2, 2), **_test_properties(FieldType.NUMBER)}, ["ratio", "op"]
                ),
                "anyOf": _tests(FieldType.NUMBER),
            },
            "measured": _one_of("leaf"),
            "span": {
                "anyOf": [_object({unit.value: {"type": "integer", "minimum": 1}}, [unit.value]) for unit in Unit]
            },
            "window": _window(),
            **{f"{part}.{name}": made for name, relation in RELATIONS.items() for part, made in _of(relation).items()},
        },
    }


def _of(relation: Relation) -> _Json:
    rows: _Json = {"of": {"const": relation.name}, "where": _list({"anyOf": _filters(relation)}, most=MOST_FILTERS)}
    figure = rows | {"window": _ref("window"), "measure": {"anyOf": [{"enum": ["count", "gap"]}, *_measures(relation)]}}
    leaf = {"anyOf": [*_counted(figure), *_compared(figure, relation)]}
    return {
        "step": _object(rows | {"absent": {"type": "boolean"}}, ["of"]),
        "figure": _object(figure, ["of"]),
        "leaf": {"description": relation.meaning, **leaf},
    }


def _counted(figure: _Json) -> list[_Json]:
    """Counts are numbers; without a comparison 'at least one' is meant."""
    bare = figure | {"measure": {"const": "count"}}
    compared = figure | {"measure": {"enum": ["count", "gap"]}} | _test_properties(FieldType.NUMBER)
    return [_object(bare, ["of"]), {**_object(compared, ["of", "op"]), "anyOf": _tests(FieldType.NUMBER)}]


def _compared(figure: _Json, relation: Relation) -> list[_Json]:
    made = []
    by_type: dict[FieldType, list[_Json]] = {}
    for name, field in _fields(relation).items():
        for measure in sorted(MEASURES[field.type]):
            by_type.setdefault(type_of_measure(measure, field.type), []).append(_measure(measure, name))
    for type_, measures in by_type.items():
        properties = figure | {"measure": {"anyOf": measures}} | _test_properties(type_)
        made.append({**_object(properties, ["of", "measure", "op"]), "anyOf": _tests(type_)})
    return made


def _measures(relation: Relation) -> list[_Json]:
    return [_measure(m, name) for name, field in _fields(relation).items() for m in sorted(MEASURES[field.type])]


def _measure(measure: Measure, field: str) -> _Json:
    return _object({measure.value: {"const": field}}, [measure.value])


def _filters(relation: Relation) -> list[_Json]:
    return [
        {
            **_object({"field": {"const": name}, **_test_properties(field.type)}, ["field", "op"]),
            "description": field.meaning,
            "anyOf": _tests(field.type),
        }
        for name, field in _fields(relation).items()
    ]


def _fields(relation: Relation) -> dict[str, Field]:
    return {"at": Field("", FieldType.MOMENT, "moment"), **relation.fields}


def _test_properties(type_: FieldType) -> _Json:
    """All that a test may hold; which of it together, ``_tests`` say."""
    said: _Json = {"op": {"enum": sorted(OPS[type_])}, "value": True}
    if DENYING & OPS[type_]:
        said["missing"] = {"enum": list(Missing)}
    if SPANS & OPS[type_]:
        said["days"] = {"enum": list(Days)}
    return said


def _tests(type_: FieldType) -> list[_Json]:
    return [_test(op, type_) for op in sorted(OPS[type_])]


def _test(op: Op, type_: FieldType) -> _Json:
    properties: _Json = {"op": {"const": op.value}, "value": _value(op, type_)}
    required = ["op", "value"]
    if op in (Op.SET, Op.NOT_SET):
        properties["value"], required = False, ["op"]
    if op in DENYING:
        required.append("missing")
    else:
        properties["missing"] = False
    if op not in SPANS:
        properties["days"] = False
    return {"properties": properties, "required": required}


def _value(op: Op, type_: FieldType) -> _Json:
    if op in SPANS:
        return _ref("span")
    if op in (Op.IN, Op.NOT_IN):
        return _list(_SCALARS[type_], least=1)
    return _list(_SCALARS[type_], 2, 2) if op is Op.BETWEEN else _SCALARS[type_]


def _window() -> _Json:
    days = {"enum": list(Days)}
    return {
        "anyOf": [
            {"enum": ["ever", "since_entry"]},
            _object({"last": _ref("span"), "days": days}, ["last"]),
            _object({"ago": _list(_ref("span"), 2, 2), "days": days}, ["ago"]),
            {**_object({"after": _MOMENT, "before": _MOMENT}, []), "minProperties": 1},
        ]
    }


def _one_of(part: str) -> _Json:
    return {"anyOf": [_ref(f"{part}.{name}") for name in RELATIONS]}


def _ref(name: str) -> _Json:
    return {"$ref": f"#/$defs/{name}"}


def _list(items: _Json, least: int = 0, most: int | None = None) -> _Json:
    return {"type": "array", "items": items, "minItems": least} | ({} if most is None else {"maxItems": most})


def _object(properties: _Json, required: list[str]) -> _Json:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
