"""Every table says for a few people what its files say, and every relation names columns that there are."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection

from regulars.foundation.relations import RELATIONS, FieldType, Relation, RelationKind
from regulars.foundation.warehouse_tables import OPEN, WAREHOUSE_TABLES, ColumnType, WarehouseTable
from regulars.insight.warehouse import clickhouse, dialects, engine, operations
from regulars.insight.warehouse.queries import Pinned
from regulars.insight.warehouse.tests import people

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FITS = {
    FieldType.TEXT: {ColumnType.TEXT},
    FieldType.LIST: {ColumnType.TEXT},
    FieldType.TOKEN: {ColumnType.TEXT},
    FieldType.NUMBER: {ColumnType.NUMBER, ColumnType.BIGINT},
    FieldType.MONEY: {ColumnType.BIGINT},
    FieldType.DATE: {ColumnType.BIGINT},
    FieldType.MOMENT: {ColumnType.TIMESTAMP},
    FieldType.FLAG: {ColumnType.BOOLEAN},
}
_EVERYBODY = """
WITH people(profile_id, customer_id) AS MATERIALIZED (
    SELECT profile_id, customer_id FROM customers_customerprofile WHERE until_batch_id IS NULL
) {sql}
"""


@pytest.fixture
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


def _row(values: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple("" if v is None else f"{v:f}" if hasattr(v, "quantize") else str(v) for v in values)


def of_people(table: WarehouseTable) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_EVERYBODY.format(sql=table.of_people))
        assert [c.name for c in cursor.description] == [c.name for c in table.columns]
        return sorted(_row(_scaled(table, row)) for row in cursor.fetchall())


def _scaled(table: WarehouseTable, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numbers with six places, as the files have them."""
    return tuple(
        None if v is None else round(v, 6) if c.type is ColumnType.NUMBER else v
        for c, v in zip(table.columns, row, strict=True)
    )


def in_files(table: WarehouseTable, pinned: Pinned) -> list[tuple[str, ...]]:
    rows = engine.run(
        f"SELECT {table.names} FROM {pinned.relation(table.name)} WHERE known_until = {OPEN} AND profile_id IS NOT NULL"
    )
    return sorted(_row(tuple(row.values())) for row in rows.to_pylist())


def all_versions(table: WarehouseTable, pinned: Pinned) -> list[tuple[str, ...]]:
    return _rows(engine.run(f"SELECT * FROM {pinned.relation(table.name)}"))


def by_clickhouse(table: WarehouseTable, pinned: Pinned) -> list[tuple[str, ...]]:
    return _rows(clickhouse.run(f"SELECT * FROM {pinned.relation(table.name, dialect=dialects.clickhouse)}"))


def _rows(answer: pa.Table) -> list[tuple[str, ...]]:
    return sorted(
        _row(tuple(v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in r.values()))
        for r in answer.to_pylist()
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_folder")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_few_people_are_told_what_the_files_say(seed: int) -> None:
    chance = random.Random(seed)
    world = people.begin(chance, NOW)
    for step in range(4):
        people.live(world, chance, step)
        pinned = operations.sync(NOW)
        for name, table in WAREHOUSE_TABLES.items():
            assert in_files(table, pinned) == of_people(table), name
    assert {name for name, table in WAREHOUSE_TABLES.items() if in_files(table, pinned)} == people.FILLED
    for name, table in WAREHOUSE_TABLES.items():
        assert by_clickhouse(table, pinned) == all_versions(table, pinned), name
    world.now += timedelta(days=1)
    people.publish_scores(world, chance, "nightly")  # while the log stands still
    pinned = operations.sync(NOW)
    rfm = WAREHOUSE_TABLES["rfm"]
    assert in_files(rfm, pinned) == of_people(rfm)
    rebuilt = operations.rebuild(NOW)
    for name, table in WAREHOUSE_TABLES.items():
        assert in_files(table, rebuilt) == in_files(table, pinned), name


@pytest.mark.parametrize("name", list(RELATIONS))
def test_a_relation_names_columns_that_there_are(name: str) -> None:
    relation: Relation = RELATIONS[name]
    columns = {c.name: c.type for c in WAREHOUSE_TABLES[relation.table].columns}
    assert {"profile_id", *relation.latest_by} <= columns.keys()
    assert {columns[c] for c in (relation.at, relation.until) if c} == {ColumnType.TIMESTAMP}
    assert not relation.counts or columns[relation.counts] is ColumnType.BOOLEAN
    assert all(columns[f.column] in FITS[f.type] for f in relation.fields.values())
    assert relation.rises_with or relation.kind is RelationKind.SNAPSHOT
