"""Keeping the warehouse: append what the log brought, compact, rebuild, prune.

Crash-safe by order: files get their final names first, then one transaction publishes them. What a kill leaves behind is a file that no
snapshot names, which :func:`prune` removes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection, transaction

from regulars.foundation.crash import crash_point, declare
from regulars.foundation.errors import Conflict
from regulars.foundation.warehouse_tables import OPEN, WAREHOUSE_TABLES, WarehouseTable
from regulars.insight.warehouse import engine, files
from regulars.insight.warehouse.models import WarehouseFile, WarehouseSnapshot
from regulars.insight.warehouse.queries import CLOSINGS, ROWS, Pinned, pin, pinned, record_position

LOCK = 0x5245_5748  # 'REWH': one process at a time changes the warehouse
GRACE = timedelta(hours=1)  # longer than any query may take
FILES_WRITTEN = declare("warehouse.files-written", "Files have their final names, and no snapshot names them yet")
MOST_FILES = 8  # of one table, before they become one
_NO_CLOSINGS = pa.schema([("key", pa.int64()), ("known_from", pa.int64()), ("known_until", pa.int64())]).empty_table()


class WarehouseBusy(Conflict):
    """Another process is writing the warehouse at the moment: try again in a minute."""

    code = "warehouse-busy"


@dataclass(frozen=True)
class Addition:
    """A finished file and what it is."""

    table: str
    kind: str
    written: files.Written


def sync(at: datetime) -> Pinned:
    """Appends everything that the record knows and the warehouse does not; gives the snapshot that holds it. Raises WarehouseBusy.

    A small warehouse stays in few files: tables with more than MOST_FILES are made one file again.
    """
    with _alone(), _one_view():
        before, upto = pin(), record_position()
        if upto == before.position and before.id:
            return before
        additions = [a for _, table in WAREHOUSE_TABLES.items() for a in _append(table, before, upto)]
        after = pinned(_publish(_newest_files(), additions, upto, at))
    crowded = [t for t in after.names if sum(map(len, after.names[t].values())) > MOST_FILES]
    return compact(at, crowded) if crowded else after


def compact(at: datetime, tables: Sequence[str] | None = None) -> Pinned:
    """Makes one file of each table's files, with every version's end written into it. The same rows as before. Raises WarehouseBusy."""
    with _alone():
        before = pin()
        chosen = [t for t in tables or list(WAREHOUSE_TABLES) if before.paths(t)]
        additions = [a for name in chosen if (a := _merge(WAREHOUSE_TABLES[name], before))]
        kept = [f for f in _newest_files() if f.table not in chosen]
        return pinned(_publish(kept, additions, before.position, at))


def rebuild(at: datetime) -> Pinned:
    """Writes the warehouse anew from the record: what is known now is the same; removed rows are gone from the past as well."""
    with _alone(), _one_view():
        upto = record_position()
        nothing = Pinned(0, 0, {})
        additions = [a for _, table in WAREHOUSE_TABLES.items() for a in _append(table, nothing, upto)]
        return pinned(_publish([], additions, upto, at))


def prune(at: datetime, grace: timedelta = GRACE) -> int:
    """Deletes files that no reader can need any more, and those that a killed process left. Files deleted."""
    with _alone():
        old = WarehouseFile.objects.filter(retired_at__lt=at - grace)
        names = list(old.values_list("name", flat=True))
        with transaction.atomic():
            newest = WarehouseSnapshot.objects.order_by("-id").first()
            if newest:
                WarehouseSnapshot.objects.filter(id__lt=newest.id, published_at__lt=at - grace).delete()
            old.delete()
        known = set(WarehouseFile.objects.values_list("name", flat=True))
        strays = [
            p for p in files.folder().iterdir() if p.name not in known and p.stat().st_mtime < (at - grace).timestamp()
        ]
        gone = {files.folder() / name for name in names} | set(strays)
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)


@contextmanager
def _alone() -> Iterator[None]:
    """Holds the warehouse's lock for the session, so that it is held before the transaction takes its view. Raises WarehouseBusy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise WarehouseBusy
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


@contextmanager
def _one_view() -> Iterator[None]:
    """One transaction that sees one state of the record in all its queries; inside another transaction it takes what that sees."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _append(table: WarehouseTable, before: Pinned, upto: int) -> list[Addition]:
    """New versions of a table, and where versions of older files end."""
    removed_at = _position_of_removal(table, before.position, upto) if before.paths(table.name) else None
    if removed_at is not None:
        return _compare(table, before, upto, removed_at)
    rows = files.write(table.name, lambda path: _write_versions(table, before.position, upto, path))
    if rows is None:
        return []
    return [Addition(table.name, ROWS, rows), *_closings(table, _superseded(table, before, rows))]


def _closings(table: WarehouseTable, ended: pa.Table) -> list[Addition]:
    written = files.write(f"{table.name}-closings", lambda path: _write_table(path, ended))
    return [Addition(table.name, CLOSINGS, written)] if written else []


def _compare(table: WarehouseTable, before: Pinned, upto: int, removed_at: int) -> list[Addition]:
    """Where rows were removed or restored, which leaves no version: the whole table against what the warehouse holds."""
    present = files.write(f"{table.name}-present", lambda path: _write_versions(table, -1, upto, path))
    relation = f"read_parquet(['{_quoted(files.folder() / present.name)}'])" if present else files.empty_relation(table)
    names = ", ".join(c.name for c in table.columns)
    held = f"(SELECT * FROM {before.relation(table.name)} WHERE known_until = {OPEN})"
    valid = f"(SELECT * FROM {relation} WHERE known_until = {OPEN})"
    late = f"CASE WHEN known_from > {before.position} THEN known_from ELSE {removed_at} END"
    try:
        fresh = engine.run(
            f"""
            SELECT v.* REPLACE ({late} AS known_from) FROM {valid} v
            JOIN (SELECT {names} FROM {valid} EXCEPT SELECT {names} FROM {held}) n ON n.{table.key} = v.{table.key}
            UNION ALL
            SELECT * FROM {relation} WHERE known_until <> {OPEN} AND known_from > {before.position}
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
        if present:
            (files.folder() / present.name).unlink()
    rows = files.write(table.name, lambda path: _write_table(path, fresh.cast(files.arrow_schema(table))))
    return [*([Addition(table.name, ROWS, rows)] if rows else []), *_closings(table, ended)]


def _write_versions(table: WarehouseTable, after: int, upto: int, path: Path) -> int:
    names = ", ".join(c.name for c in table.columns)
    columns = f"{names}, known_from, known_until"
    capped = f"CASE WHEN known_until > {upto} OR known_until IS NULL THEN {OPEN} ELSE known_until END"
    statement = (
        f"COPY (SELECT {names}, known_from, {capped} FROM ({table.versions}) v({columns})) TO STDOUT (FORMAT csv)"
    )
    bounds = {"after": after, "upto": upto}
    for name, value in bounds.items():  # COPY takes no parameters; both are integers of ours
        statement = statement.replace(f"%({name})s", str(int(value)))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return files.write_copy(path, table, copy)


def _superseded(table: WarehouseTable, before: Pinned, rows: files.Written) -> pa.Table:
    """Open versions of older files whose key has a younger version now."""
    if not before.paths(table.name):
        return _NO_CLOSINGS
    return engine.run(
        f"""
        WITH fresh AS (SELECT {table.key} AS key, min(known_from) AS known_until FROM read_parquet($fresh) GROUP BY ALL)
        SELECT fresh.key, o.known_from, fresh.known_until
        FROM {before.relation(table.name)} o JOIN fresh ON fresh.key = o.{table.key}
        WHERE o.known_until = {OPEN}
        """,
        {"fresh": [str(files.folder() / rows.name)]},
    )


def _position_of_removal(table: WarehouseTable, after: int, upto: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(position) FROM events_event WHERE position > %s AND position <= %s AND kind = ANY(%s)",
            [after, upto, list(table.removed_by)],
        )
        found = cursor.fetchone()[0]
    return None if found is None else int(found)


def _write_table(path: Path, table: pa.Table) -> int:
    pq.write_table(table, path, compression="zstd")
    return int(table.num_rows)


def _merge(table: WarehouseTable, before: Pinned) -> Addition | None:
    """All files of a table as one. Ordered by key, as the record gives them, so that a compacted file equals a rebuilt one."""
    columns = ", ".join(c.name for c in (*table.columns, *files.KNOWN))
    query = f"SELECT {columns} FROM {before.relation(table.name)} ORDER BY {table.key}, known_from"

    def writer(path: Path) -> int:
        engine.execute(f"COPY ({query}) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)")
        return int(pq.read_metadata(path).num_rows)

    written = files.write(table.name, writer)
    return Addition(table.name, ROWS, written) if written else None


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _newest_files() -> list[WarehouseFile]:
    snapshot = WarehouseSnapshot.objects.order_by("-id").first()
    return list(WarehouseFile.objects.filter(id__in=snapshot.files)) if snapshot else []


def _publish(
    kept: Sequence[WarehouseFile], additions: Sequence[Addition], position: int, at: datetime
) -> WarehouseSnapshot:
    """One transaction: the new files' rows, the snapshot, and the retirement of what it no longer names."""
    crash_point(FILES_WRITTEN)
    with transaction.atomic():
        added = WarehouseFile.objects.bulk_create(
            WarehouseFile(
                table=a.table,
                kind=a.kind,
                name=a.written.name,
                rows=a.written.rows,
                size=a.written.size,
                is_open=a.written.is_open,
                written_at=at,
            )
            for a in additions
        )
        named = [f.id for f in (*kept, *added)]
        WarehouseFile.objects.filter(retired_at=None).exclude(id__in=named).update(retired_at=at)
        return WarehouseSnapshot.objects.create(position=position, files=named, published_at=at)
