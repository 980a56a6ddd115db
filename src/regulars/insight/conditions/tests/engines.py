"""Random worlds asked of every engine: rows are bound as lists, so that no table is made."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pyarrow as pa
from django.db import connection

from regulars.foundation.relations import FieldType
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, Column, ColumnType, WarehouseTable
from regulars.insight.conditions.asking import Asking, table_of
from regulars.insight.conditions.engines import Engine, Given, given_rows
from regulars.insight.conditions.people import CUSTOMERS, PEOPLE
from regulars.insight.conditions.shapes import Kind
from regulars.insight.conditions.tests.catalog import Catalog, Shape
from regulars.insight.conditions.tests.worlds import World
from regulars.insight.warehouse import clickhouse
from regulars.insight.warehouse import engine as duckdb

_COLUMNS = {
    FieldType.NUMBER: (ColumnType.NUMBER, Kind.NUMBER),
    FieldType.MONEY: (ColumnType.BIGINT, Kind.WHOLE),
    FieldType.DATE: (ColumnType.BIGINT, Kind.WHOLE),
    FieldType.FLAG: (ColumnType.BOOLEAN, Kind.FLAG),
    FieldType.MOMENT: (ColumnType.TIMESTAMP, Kind.INSTANT),
}
_TEXT = (ColumnType.TEXT, Kind.TEXT)


@contextmanager
def with_tables(catalog: Catalog) -> Iterator[None]:
    """As if the catalog's tables were the warehouse's."""
    tables = {name: _table(name, shape) for name, shape in catalog.shapes.items()}
    with catalog.offered(), patch.object(WAREHOUSE_TABLES, "_entries", tables):
        yield


def _table(name: str, shape: Shape) -> WarehouseTable:
    columns = [Column(column, _COLUMNS.get(type_, _TEXT)[0], "") for column, type_ in shape.columns.items()]
    ids = [Column(column, ColumnType.BIGINT, "") for column in (shape.key, "profile_id")]
    return WarehouseTable(name, "", shape.key, (*ids, *columns), "")


def world_in(engine: Engine, world: World) -> Asking:
    """A world, to be asked of an engine."""
    given = given_in(engine, world)
    values = {name: bound for one in given.values() for name, bound in one.values.items()}
    return Asking(engine, lambda name: given[name].sql, values, _RUN[engine])


def given_in(engine: Engine, world: World) -> dict[str, Given]:
    """Its tables and its people."""
    given = {name: _given(engine, name, world) for name in world.catalog.shapes}
    given[PEOPLE] = given_rows(
        engine,
        PEOPLE,
        {
            "profile_id": (Kind.WHOLE, list(world.profiles)),
            "customer_id": (Kind.WHOLE, list(world.profiles.values())),
        },
    )
    given[CUSTOMERS] = given_rows(engine, CUSTOMERS, {"customer_id": (Kind.WHOLE, list(world.customers))})
    return given


def _given(engine: Engine, name: str, world: World) -> Given:
    shape = world.catalog.shapes[name]
    kinds = {shape.key: Kind.WHOLE, "profile_id": Kind.WHOLE}
    kinds |= {column: _COLUMNS.get(type_, _TEXT)[1] for column, type_ in shape.columns.items()}
    rows = world.tables[name]
    return given_rows(engine, name, {c: (kind, [_plain(row[c]) for row in rows]) for c, kind in kinds.items()})


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _on_duckdb(sql: str, values: Mapping[str, Any]) -> pa.Table:
    return duckdb.run(sql, {name: value for name, value in values.items() if f"${name} " in sql})


def _on_postgres(sql: str, values: Mapping[str, Any]) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return table_of(cursor)


def _on_clickhouse(sql: str, values: Mapping[str, Any]) -> pa.Table:
    return clickhouse.run(sql, values)


_RUN = {Engine.DUCKDB: _on_duckdb, Engine.POSTGRES: _on_postgres, Engine.CLICKHOUSE: _on_clickhouse}
