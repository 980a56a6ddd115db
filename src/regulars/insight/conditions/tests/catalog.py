"""Relations that tests ask of: invented ones with every kind of field and every option, and those that modules offer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

from regulars.foundation.relations import RELATIONS, ZONE_SOURCES, Field, FieldType, Relation, ZoneSource
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, ColumnType


@dataclass(frozen=True)
class Shape:
    """A table: its key, and what its other columns hold besides ``profile_id``; whole numbers as MONEY."""

    key: str
    columns: Mapping[str, FieldType]


@dataclass(frozen=True)
class Catalog:
    """Relations by name, and the tables that they are of."""

    relations: Mapping[str, Relation]
    shapes: Mapping[str, Shape]
    zones: Mapping[str, ZoneSource]

    @contextmanager
    def offered(self) -> Iterator[None]:
        """As if modules had registered these relations, and no others."""
        zones = patch.object(ZONE_SOURCES, "_entries", dict(self.zones))
        with patch.object(RELATIONS, "_entries", dict(self.relations)), zones:
            yield


def token(word: str, is_begin: bool) -> str:
    """As a personal field's, without a key."""
    return word if is_begin else f"{word}."


def tokens(word: str) -> list[str]:
    """What stands in the column of a personal field."""
    return [token(word, False), *(token(word[:length], True) for length in range(2, len(word) + 1))]


_FIELDS = {
    "word": Field("word", FieldType.TEXT, "word"),
    "weight": Field("weight", FieldType.NUMBER, "weight"),
    "price": Field("price", FieldType.MONEY, "price"),
    "promised": Field("promised_at", FieldType.MOMENT, "promised"),
    "birthday": Field("birthday", FieldType.DATE, "birthday"),
    "loved": Field("is_loved", FieldType.FLAG, "loved"),
    "tags": Field("tags", FieldType.LIST, "tags"),
    "name": Field("name_tokens", FieldType.TOKEN, "name", token=token),
}
_THINGS = {field.column: field.type for field in _FIELDS.values()} | {
    "at": FieldType.MOMENT,
    "counts": FieldType.FLAG,
    "zone": FieldType.TEXT,
}
_STATES = {
    "since": FieldType.MOMENT,
    "until": FieldType.MOMENT,
    "kind": FieldType.TEXT,
    "channel": FieldType.TEXT,
    "score": FieldType.NUMBER,
    "is_good": FieldType.FLAG,
    "zone": FieldType.TEXT,
}
_STATE_FIELDS = {
    "kind": Field("kind", FieldType.TEXT, "kind"),
    "score": Field("score", FieldType.NUMBER, "score"),
}


def _relations() -> Iterator[Relation]:
    yield Relation("things", "things", "things", "at", _FIELDS, ())
    yield Relation("kept_things", "things that count", "things", "at", _FIELDS, (), counts="counts")
    yield Relation("promises", "promises", "things", "promised_at", _FIELDS, (), latest_by=("word",))
    yield Relation("spans", "spans of a state", "states", "since", _STATE_FIELDS, (), until="until")
    yield Relation(
        "states",
        "states that hold",
        "states",
        "since",
        _STATE_FIELDS,
        (),
        until="until",
        counts="is_good",
        latest_by=("kind", "channel"),
    )


INVENTED = Catalog(
    {relation.name: relation for relation in _relations()},
    {"things": Shape("thing_id", _THINGS), "states": Shape("state_id", _STATES)},
    {
        "things": ZoneSource("things", 1, "things", "zone", "at", ()),
        "states": ZoneSource("states", 2, "states", "zone", "since", (), behind="is_good"),
    },
)

_TYPES = {
    ColumnType.BIGINT: FieldType.MONEY,
    ColumnType.BOOLEAN: FieldType.FLAG,
    ColumnType.NUMBER: FieldType.NUMBER,
    ColumnType.TEXT: FieldType.TEXT,
    ColumnType.TIMESTAMP: FieldType.MOMENT,
}


def registered() -> Catalog:
    """What modules offer, once their doors are loaded; personal fields with tokens of tests."""
    relations = {name: replace(one, fields=_with_token(one.fields)) for name, one in RELATIONS.items()}
    names = {relation.table for relation in relations.values()}
    return Catalog(relations, {name: _shape(name, relations) for name in names}, dict(ZONE_SOURCES.items()))


def _with_token(fields: Mapping[str, Field]) -> dict[str, Field]:
    return {name: replace(one, token=token) if one.token else one for name, one in fields.items()}


def _shape(name: str, relations: Mapping[str, Relation]) -> Shape:
    table = WAREHOUSE_TABLES[name]
    said = {
        field.column: field.type
        for relation in relations.values()
        if relation.table == name
        for field in relation.fields.values()
    }
    columns = {column.name: said.get(column.name, _TYPES[column.type]) for column in table.columns}
    whole = {column.name for column in table.columns if column.type is ColumnType.BIGINT}
    columns |= {name: FieldType.MONEY for name in whole if columns[name] is FieldType.NUMBER}
    return Shape(
        table.key, {column: type_ for column, type_ in columns.items() if column not in (table.key, "profile_id")}
    )
