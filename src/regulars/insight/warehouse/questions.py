"""Questions: written once in Ibis, compiled once to SQL with bound parameters, asked of a pinned snapshot.

Building and compiling an expression takes some 40 ms, so it happens once in a process; what changes from one asking to the next
are the parameters and the files that a table's name stands for.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, ColumnType
from regulars.insight.warehouse import engine
from regulars.insight.warehouse.files import KNOWN
from regulars.insight.warehouse.queries import Pinned

_TYPES: dict[ColumnType, dt.DataType] = {
    ColumnType.BIGINT: dt.int64,
    ColumnType.BOOLEAN: dt.boolean,
    ColumnType.NUMBER: dt.Decimal(18, 6),
    ColumnType.TEXT: dt.string,
    ColumnType.TIMESTAMP: dt.timestamp,
}
_TABLE = re.compile(r'"warehouse:(\w+)"')
_PARAMETER = re.compile(r"PARAMETER_(\w+)\(\)")


@dataclass(frozen=True)
class Question:
    """Compiled SQL in which tables stand as ``"warehouse:name"``, with its parameters as ``$name``."""

    sql: str

    def ask(self, pinned: Pinned, given: dict[str, str] | None = None, **parameters: Any) -> pa.Table:
        """The answer as an Arrow table. ``given`` names relations that are not the warehouse's, as SQL; a parameter ``position`` is the
        position of the log at which all of them are asked.
        """
        extra, position = given or {}, parameters.get("position")
        sql = _TABLE.sub(lambda found: extra.get(found[1]) or pinned.relation(found[1], position), self.sql)
        return engine.run(sql, parameters)


def table(name: str) -> Any:
    """A table of the warehouse as an unbound Ibis table, all versions, with ``known_from`` and ``known_until``."""
    columns = (*WAREHOUSE_TABLES[name].columns, *KNOWN)
    return ibis.table({c.name: _TYPES[c.type] for c in columns}, name=f"warehouse:{name}")


def given_table(name: str, columns: dict[str, dt.DataType]) -> Any:
    """A small relation that the asker brings along (see ``Question.ask``)."""
    return ibis.table(columns, name=f"warehouse:{name}")


@cache
def parameter(name: str, type_: dt.DataType) -> Any:
    """A value that is bound when the question is asked."""

    def stands_for() -> None: ...

    stands_for.__name__ = f"parameter_{name}"
    return ibis.udf.scalar.builtin(stands_for, signature=((), type_))()


def known_at(versions: Any, position: Any) -> Any:
    """The rows as they were known at a position."""
    return versions.filter(versions.known_from <= position, versions.known_until > position)


def compile_question(expression: Any) -> Question:
    """SQL for DuckDB. The place for PostgreSQL's and ClickHouse's is here."""
    sql = str(ibis.to_sql(expression, dialect="duckdb"))
    return Question(_PARAMETER.sub(lambda found: f"${found[1].lower()}", sql))


Build = Callable[[], Any]


def compiled_once(build: Build) -> Callable[[], Question]:
    """Decorator: a function that builds an expression becomes one that gives its compiled question, compiled once in a process."""

    @cache
    def question() -> Question:
        return compile_question(build())

    return question


def literal_rows(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> str:
    """SQL of a few rows of literals; the caller vouches for each as SQL."""
    values = ", ".join("(" + ", ".join(row) + ")" for row in rows)
    return f"(SELECT * FROM (VALUES {values}) v({', '.join(columns)}))"
