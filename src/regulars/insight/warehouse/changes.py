"""What one table's rows came to since the warehouse was written last, as new files. Called within one view of the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from regulars.foundation.warehouse_tables import OPEN, WarehouseTable
from regulars.insight.warehouse import engine, files
from regulars.insight.warehouse.dialects import duckdb
from regulars.insight.warehouse.queries import CLOSINGS, ROWS, Pinned

# Its empty table is made when it is asked for: that imports pandas, which few of our processes need.
_CLOSINGS = pa.schema([("key", pa.int64()), ("known_from", pa.int64()), ("known_until", pa.int64())])


@dataclass(frozen=True)
class Addition:
    """A finished file and what it is."""

    table: str
    kind: str
    written: files.Written


@dataclass(frozen=True)
class Erased:
    """Profiles that were erased since, and where on the log that stands."""

    profiles: Sequence[int] = ()
    position: int = 0


def everything(table: WarehouseTable, upto: int) -> list[Addition]:
    """All versions that the record tells of. Of rows that it changes in place, the present ones."""
    if table.versions:
        return _rows(table, files.write(table.name, lambda path: _write_versions(table, -1, upto, path)))
    sql = f"SELECT held.*, {upto}::bigint, NULL::bigint FROM ({table.present}) AS held({table.names})"
    return _rows(table, files.write(table.name, lambda path: copy(table, sql, upto, path)))


def since(table: WarehouseTable, before: Pinned, upto: int, erased: Erased) -> list[Addition]:
    """New versions, and where versions of older files end."""
    removed_at = _position_of_removal(table, before.position, upto) if before.paths(table.name) else None
    if removed_at is not None:
        return _compare(table, before, upto, removed_at)
    rows, ended = None, [_CLOSINGS.empty_table()]
    if table.versions:
        rows = files.write(table.name, lambda path: _write_versions(table, before.position, upto, path))
    if rows:
        ended.append(_superseded(table, before, rows))
    if table.ended:
        ended.append(_ended(table, before, upto))
    if _note_touched(table, before.position, upto, erased):
        changed, gone = _compare_touched(table, before, rows, upto)
        return [*_rows(table, rows), *changed, *_closings(table, pa.concat_tables([*ended, gone]))]
    return [*_rows(table, rows), *_closings(table, pa.concat_tables(ended))]


def _rows(table: WarehouseTable, written: files.Written | None) -> list[Addition]:
    return [Addition(table.name, ROWS, written)] if written else []


def _closings(table: WarehouseTable, ended: pa.Table) -> list[Addition]:
    written = files.write(f"{table.name}-closings", lambda path: write_table(path, ended))
    return [Addition(table.name, CLOSINGS, written)] if written else []


def _compare(table: WarehouseTable, before: Pinned, upto: int, removed_at: int) -> list[Addition]:
    """Where rows were removed or restored, which leaves no version: the whole table against what the warehouse holds."""
    present = files.write(f"{table.name}-present", lambda path: _write_versions(table, -1, upto, path))
    all_there = relation(table, present)
    names = table.names
    held = f"(SELECT * FROM {before.relation(table.name)} WHERE known_until = {OPEN})"
    valid = f"(SELECT * FROM {all_there} WHERE known_until = {OPEN})"
    late = f"CASE WHEN known_from > {before.position} THEN known_from ELSE {removed_at} END"
    try:
        fresh = engine.run(
            f"""
            SELECT v.* REPLACE ({late} AS known_from) FROM {valid} v
            JOIN (SELECT {names} FROM {valid} EXCEPT SELECT {names} FROM {held}) n ON n.{table.key} = v.{table.key}
            UNION ALL
            SELECT * FROM {all_there} WHERE known_until <> {OPEN} AND known_from > {before.position}
            """
        )
        ended = engine.run(
            f"""
            SELECT h.{table.key} AS key, h.known_from, coalesce(CASE WHEN v.known_from > {before.position} THEN v.known_from END, {removed_at})
                   AS known_until
            FROM {held} h JOIN (SELECT {names} FROM {held} EXCEPT SELECT {names} FROM {valid}) g ON g.{table.key} = h.{table.key}
            LEFT JOIN {valid} v ON v.{table.key} = h.{table.key}
            """
        )
    finally:
        drop(present)
    return [*_written(table, fresh), *_closings(table, ended)]


def _note_touched(table: WarehouseTable, after: int, upto: int, erased: Erased) -> bool:
    """Notes in a passing table which rows may have changed without a version of their own, and where on the log. Whether any may."""
    asked = [_bounded(table.touched, after, upto)] if table.touched else []
    if erased.profiles and "profile_id" in table.names:
        asked.append(
            f"({people_of(erased.profiles)} SELECT o.{table.key}, {erased.position}::bigint FROM ({table.of_people}) o)"
        )
    if not asked:
        return False
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.warehouse_noted")
        cursor.execute(
            "CREATE TEMP TABLE warehouse_noted ON COMMIT DROP AS"
            # Sorted: keys of two numbers side by side, as those of scores are, have few hashes, so that grouping them takes minutes.
            f" SELECT DISTINCT ON (key) key, position AS noted_at FROM ({' UNION ALL '.join(asked)}) t(key, position)"
            " ORDER BY key, position DESC"
        )
        cursor.execute("ANALYZE warehouse_noted")
        cursor.execute("SELECT EXISTS (SELECT FROM warehouse_noted)")
        return bool(cursor.fetchone()[0])


def _compare_touched(
    table: WarehouseTable, before: Pinned, rows: files.Written | None, upto: int
) -> tuple[list[Addition], pa.Table]:
    """Of the rows that were noted, those that are others than the warehouse holds; and its own that end by it."""
    sql = f"""
        SELECT held.*, n.noted_at, NULL::bigint FROM warehouse_noted n JOIN ({table.present}) AS held({table.names}) ON held.{table.key} = n.key
    """
    noted = files.write(f"{table.name}-noted", _copy_noted)
    present = files.write(f"{table.name}-present", lambda path: copy(table, sql, upto, path))
    keys = (
        f"(SELECT * FROM read_parquet(['{quoted(files.folder() / noted.name)}']))"
        if noted
        else "(SELECT 0 AS key, 0 AS noted_at WHERE false)"
    )
    known = f"SELECT {table.key} FROM {relation(table, rows)}"
    held = f"""(SELECT h.*, k.noted_at FROM {before.relation(table.name)} h JOIN {keys} k ON k.key = h.{table.key}
        WHERE h.known_until = {OPEN} AND h.{table.key} NOT IN ({known}))"""
    valid = f"(SELECT * FROM {relation(table, present)} WHERE {table.key} NOT IN ({known}))"
    names = table.names
    try:
        fresh = engine.run(
            f"""SELECT v.* FROM {valid} v
            JOIN (SELECT {names} FROM {valid} EXCEPT SELECT {names} FROM {held}) n ON n.{table.key} = v.{table.key}"""
        )
        ended = engine.run(
            f"""SELECT h.{table.key} AS key, h.known_from, h.noted_at AS known_until FROM {held} h
            JOIN (SELECT {names} FROM {held} EXCEPT SELECT {names} FROM {valid}) g ON g.{table.key} = h.{table.key}"""
        )
    finally:
        drop(noted, present)
    return _written(table, fresh), ended


def _written(table: WarehouseTable, rows: pa.Table) -> list[Addition]:
    return _rows(table, files.write(table.name, lambda path: write_table(path, rows.cast(files.arrow_schema(table)))))


def _superseded(table: WarehouseTable, before: Pinned, rows: files.Written) -> pa.Table:
    """Open versions of older files whose key has a younger version now."""
    if not before.paths(table.name):
        return _CLOSINGS.empty_table()
    return engine.run(
        f"""
        WITH fresh AS (SELECT {table.key} AS key, min(known_from) AS known_until FROM read_parquet($fresh) GROUP BY ALL)
        SELECT fresh.key, o.known_from, fresh.known_until
        FROM {before.relation(table.name)} o JOIN fresh ON fresh.key = o.{table.key}
        WHERE o.known_until = {OPEN}
        """,
        {"fresh": [str(files.folder() / rows.name)]},
    )


def _ended(table: WarehouseTable, before: Pinned, upto: int) -> pa.Table:
    """Versions of before that ended without a successor of their key."""
    with connection.cursor() as cursor:
        cursor.execute(_bounded(table.ended, before.position, upto))
        ends = {int(key): int(position) for key, position in cursor.fetchall()}
    if not ends or not before.paths(table.name):
        return _CLOSINGS.empty_table()
    return engine.run(
        f"""
        SELECT e.key, o.known_from, e.known_until
        FROM {before.relation(table.name)} o
        JOIN (SELECT unnest($keys)::BIGINT AS key, unnest($ends)::BIGINT AS known_until) e ON e.key = o.{table.key}
        WHERE o.known_until = {OPEN}
        """,
        {"keys": list(ends), "ends": list(ends.values())},
    )


def _position_of_removal(table: WarehouseTable, after: int, upto: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(position) FROM events_event WHERE position > %s AND position <= %s AND kind = ANY(%s)",
            [after, upto, list(table.removed_by)],
        )
        found = cursor.fetchone()[0]
    return None if found is None else int(found)


def _write_versions(table: WarehouseTable, after: int, upto: int, path: Path) -> int:
    return copy(table, _bounded(table.versions, after, upto), upto, path)


def copy(table: WarehouseTable, sql: str, upto: int, path: Path) -> int:
    """``sql`` gives the columns, ``known_from`` and ``known_until``."""
    capped = f"CASE WHEN known_until > {upto} OR known_until IS NULL THEN {OPEN} ELSE known_until END"
    rows = f"SELECT {table.names}, known_from, {capped} FROM ({sql}) v({table.names}, known_from, known_until)"
    with connection.cursor() as cursor, cursor.copy(f"COPY ({rows}) TO STDOUT (FORMAT csv)") as out:
        return files.write_copy(path, files.arrow_schema(table), out)


def _copy_noted(path: Path) -> int:
    schema = pa.schema([("key", pa.int64()), ("noted_at", pa.int64())])
    with connection.cursor() as cursor, cursor.copy("COPY warehouse_noted TO STDOUT (FORMAT csv)") as out:
        return files.write_copy(path, schema, out)


def _bounded(sql: str, after: int, upto: int) -> str:
    """COPY takes no parameters; both are integers of ours."""
    return sql.replace("%(after)s", str(int(after))).replace("%(upto)s", str(int(upto)))


def relation(table: WarehouseTable, written: files.Written | None) -> str:
    return f"read_parquet(['{quoted(files.folder() / written.name)}'])" if written else duckdb.nothing(table)


def drop(*passing: files.Written | None) -> None:
    for one in passing:
        if one:
            (files.folder() / one.name).unlink()


def people_of(profiles: Sequence[int]) -> str:
    """``people`` of these profiles, to stand before ``WarehouseTable.of_people``."""
    rows = f"SELECT unnest('{{{','.join(map(str, profiles))}}}'::bigint[]), NULL::bigint"
    return f"WITH people(profile_id, customer_id) AS MATERIALIZED ({rows})"


def write_table(path: Path, table: pa.Table) -> int:
    pq.write_table(table, path, compression="zstd")
    return int(table.num_rows)


def quoted(path: Path) -> str:
    """To stand within a literal of SQL."""
    return str(path).replace("'", "''")
