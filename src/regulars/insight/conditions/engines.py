"""What the three engines say differently, and how an expression becomes the SQL of one of them.

Everything else is the same Ibis expression. Tables stand in the SQL as ``"warehouse:name"``, parameters as the engine writes them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from regulars.foundation.relations import LIST_MARK
from regulars.insight.conditions.shapes import Bound, Kind, Parameter


class Engine(StrEnum):
    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    CLICKHOUSE = "clickhouse"


TYPES: Mapping[Kind, dt.DataType] = {
    Kind.TEXT: dt.string,
    Kind.TEXTS: dt.Array(dt.string),
    Kind.WHOLE: dt.int64,
    Kind.NUMBER: dt.Decimal(18, 6),
    Kind.FLAG: dt.boolean,
    Kind.INSTANT: dt.timestamp,
}
WIDE = dt.Decimal(38, 0)
_DUCKDB_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.TEXTS: "VARCHAR[]",
    Kind.WHOLE: "BIGINT",
    Kind.NUMBER: "DECIMAL(18, 6)",
    Kind.FLAG: "BOOLEAN",
    Kind.INSTANT: "TIMESTAMP",
}
_POSTGRES_TYPES = _DUCKDB_TYPES | {Kind.TEXT: "text", Kind.TEXTS: "text[]"}
_CLICKHOUSE_TYPES = {
    Kind.TEXT: "String",
    Kind.TEXTS: "Array(String)",
    Kind.WHOLE: "Int64",
    Kind.NUMBER: "Decimal(18, 6)",
    Kind.FLAG: "Bool",
    Kind.INSTANT: "DateTime64(6, 'UTC')",
}


@dataclass(frozen=True)
class Dialect:
    """The functions that an engine names or does in its own way."""

    engine: Engine
    micros: Callable[[Any], Any]  # microseconds since 1970 of a moment
    lower: Callable[[Any], Any]
    has_any: Callable[[Any, Any], Any]  # whether a list in one column holds one of several items
    smallest: Callable[[Any, Any], Any]  # the ten least ids where something is so
    has_first: bool  # knows FIRST(value ORDER BY ...)

    def fold(self, text: Any) -> Any:
        """As ``texts.fold``."""
        return self.lower(text).replace("ς", "σ")


def _of_one(a: Any) -> None:
    """Shape of a built-in function, for Ibis; never called."""


def _of_two(a: Any, b: Any) -> None:
    """As above."""


_SHAPES: Mapping[int, Callable[..., None]] = {1: _of_one, 2: _of_two}


def _scalar(name: str, given: tuple[dt.DataType, ...], gives: dt.DataType) -> Callable[..., Any]:
    made: Callable[..., Any] = ibis.udf.scalar.builtin(_SHAPES[len(given)], name=name, signature=(given, gives))
    return made


def _aggregate(name: str, given: tuple[dt.DataType, ...], gives: dt.DataType) -> Callable[..., Any]:
    made: Callable[..., Any] = ibis.udf.agg.builtin(_SHAPES[len(given)], name=name, signature=(given, gives))
    return made


_WIDE_SUM = _aggregate("sum", (dt.int64,), WIDE)


def wide_sum(value: Any, where: Any = None) -> Any:
    """Engines sum bigints into wider numbers, of which Ibis' own sum knows nothing, so that its cast would be left out."""
    return _WIDE_SUM(value, where=where).cast(dt.int64)


_TEXTS = dt.Array(dt.string)
_IDS = dt.Array(dt.int64)
_FIRST_IDS = 10
_duckdb_least = _aggregate("min", (dt.int64, dt.int64), _IDS)
_duckdb_split = _scalar("string_split", (dt.string, dt.string), _TEXTS)
_duckdb_has_any = _scalar("list_has_any", (_TEXTS, _TEXTS), dt.boolean)
_postgres_micros = _scalar("MICROS_OF", (dt.timestamp,), WIDE)
_postgres_split = _scalar("string_to_array", (dt.string, dt.string), _TEXTS)
_postgres_has_any = _scalar("arrayoverlap", (_TEXTS, _TEXTS), dt.boolean)
_clickhouse_lower = _scalar("lowerUTF8", (dt.string,), dt.string)
_clickhouse_split = _scalar("splitByString", (dt.string, dt.string), _TEXTS)
_clickhouse_has_any = _scalar("hasAny", (_TEXTS, _TEXTS), dt.boolean)

DIALECTS: Mapping[Engine, Dialect] = {
    Engine.DUCKDB: Dialect(
        Engine.DUCKDB,
        micros=_scalar("epoch_us", (dt.timestamp,), dt.int64),
        lower=_scalar("lower", (dt.string,), dt.string),
        has_any=lambda column, items: _duckdb_has_any(_duckdb_split(column, LIST_MARK), items),
        smallest=lambda ids, where: _duckdb_least(ids, _FIRST_IDS, where=where),
        has_first=True,
    ),
    Engine.POSTGRES: Dialect(
        Engine.POSTGRES,
        micros=lambda then: _postgres_micros(then).cast(dt.int64),
        lower=_scalar("lower", (dt.string,), dt.string),
        has_any=lambda column, items: _postgres_has_any(_postgres_split(column, LIST_MARK), items),
        smallest=lambda ids, where: ids.collect(where=where, order_by=ids)[:_FIRST_IDS],
        has_first=False,
    ),
    Engine.CLICKHOUSE: Dialect(
        Engine.CLICKHOUSE,
        micros=_scalar("toUnixTimestamp64Micro", (dt.timestamp,), dt.int64),
        lower=lambda text: _clickhouse_lower(text.replace("İ", "i")),  # which it lowers to two code points
        has_any=lambda column, items: _clickhouse_has_any(_clickhouse_split(LIST_MARK, column), items),
        smallest=lambda ids, where: ids.collect(where=where).sort()[:_FIRST_IDS],
        has_first=False,
    ),
}


@cache
def parameter(which: Parameter) -> Any:
    """A value that is bound when the question is asked. Texts stand as one text: any of them is meant (see ``sql_of``)."""

    def stands_for() -> None: ...

    stands_for.__name__ = f"parameter_{which.kind}_{which.name}"
    return ibis.udf.scalar.builtin(stands_for, signature=((), TYPES[which.kind]))()


@cache
def any_of(which: Parameter) -> Any:
    """Texts as the right side of ``=``: any of them."""

    def stands_for() -> None: ...

    stands_for.__name__ = f"parameter_any_{which.name}"
    return ibis.udf.scalar.builtin(stands_for, signature=((), dt.string))()


_PARAMETER = re.compile(r"PARAMETER_([A-Z]+)_(\w+)\(\)", re.IGNORECASE)
_ANY = re.compile(r"= PARAMETER_ANY_(\w+)\(\)", re.IGNORECASE)


def sql_of(expression: Any, engine: Engine) -> str:
    """The SQL of an expression with the engine's own parameters."""
    sql = str(ibis.to_sql(expression, dialect=engine.value, pretty=False))
    match engine:
        case Engine.DUCKDB:
            sql = _ANY.sub(lambda found: f"= ANY(CAST(${found[1].lower()} AS VARCHAR[]))", sql)
            return _PARAMETER.sub(lambda found: f"CAST(${_name(found)} AS {_DUCKDB_TYPES[_kind(found)]})", sql)
        case Engine.POSTGRES:
            sql = sql.replace("%", "%%").replace("MICROS_OF(", "1000000 * pg_catalog.\"extract\"('epoch', ")
            sql = _ANY.sub(lambda found: f"= ANY(%({found[1].lower()})s::text[])", sql)
            return _PARAMETER.sub(lambda found: f"CAST(%({_name(found)})s AS {_POSTGRES_TYPES[_kind(found)]})", sql)
        case Engine.CLICKHOUSE:
            sql = _ANY.sub(lambda found: f"IN {{{found[1].lower()}:Array(String)}}", sql)
            return _PARAMETER.sub(lambda found: f"{{{_name(found)}:{_CLICKHOUSE_TYPES[_kind(found)]}}}", sql)


@dataclass(frozen=True)
class Given:
    """SQL of a relation, and the values that it binds."""

    sql: str
    values: dict[str, list[Bound]]


def given_rows(engine: Engine, name: str, columns: Mapping[str, tuple[Kind, Sequence[Bound]]]) -> Given:
    """A small relation that the asker brings along, bound as one list for each column."""
    lists = {f"{name}_{column}": list(values) for column, (_, values) in columns.items()}
    types = {column: kind for column, (kind, _) in columns.items()}
    match engine:
        case Engine.DUCKDB:
            parts = [f"unnest(CAST(${name}_{c} AS {_DUCKDB_TYPES[k]}[])) AS {c}" for c, k in types.items()]
            return Given(f"(SELECT {', '.join(parts)})", lists)
        case Engine.POSTGRES:
            arrays = ", ".join(f"CAST(%({name}_{c})s AS {_POSTGRES_TYPES[k]}[])" for c, k in types.items())
            return Given(f"(SELECT * FROM unnest({arrays}) AS given({', '.join(types)}))", lists)
        case Engine.CLICKHOUSE:
            arrays = ", ".join(f"{{{name}_{c}:Array(Nullable({_CLICKHOUSE_TYPES[k]}))}}" for c, k in types.items())
            parts = [f"given.{place} AS {c}" for place, c in enumerate(types, start=1)]
            return Given(f"(SELECT {', '.join(parts)} FROM (SELECT arrayJoin(arrayZip({arrays})) AS given))", lists)


def _kind(found: re.Match[str]) -> Kind:
    return Kind(found[1].lower())


def _name(found: re.Match[str]) -> str:
    return found[2].lower()
