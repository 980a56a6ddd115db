"""Keeping the warehouse: append what the log brought, compact, rebuild, prune.

Crash-safe by order: files get their final names first, then one transaction publishes them. What a kill leaves behind is a file that no
snapshot names, which :func:`prune` removes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
from django.db import connection, transaction

from regulars.foundation.crash import crash_point, declare
from regulars.foundation.errors import Conflict
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, WarehouseTable
from regulars.insight.warehouse import changes, engine, files
from regulars.insight.warehouse.changes import Addition, Erased
from regulars.insight.warehouse.models import WarehouseFile, WarehouseSnapshot
from regulars.insight.warehouse.queries import ROWS, Pinned, pin, pinned, record_position

LOCK = 0x5245_5748  # 'REWH': one process at a time changes the warehouse
GRACE = timedelta(hours=1)  # longer than any query may take
FILES_WRITTEN = declare("warehouse.files-written", "Files have their final names, and no snapshot names them yet")
MOST_FILES = 8  # of one table, before they become one


class WarehouseBusy(Conflict):
    """Another process is writing the warehouse at the moment: try again in a minute."""

    code = "warehouse-busy"


def sync(at: datetime) -> Pinned:
    """Appends everything that the record knows and the warehouse does not; gives the snapshot that holds it. Raises WarehouseBusy.

    A small warehouse stays in few files: tables with more than MOST_FILES are made one file again.
    """
    with _alone(), _one_view():
        before, upto = pin(), record_position()
        if upto == before.position and before.id:
            return before
        kept, additions = _news(before, upto)
        after = pinned(_publish(kept, additions, upto, at))
    crowded = [t for t in after.names if sum(map(len, after.names[t].values())) > MOST_FILES]
    return compact(at, crowded) if crowded else after


def compact(at: datetime, tables: Sequence[str] | None = None) -> Pinned:
    """Makes one file of each table's files, with every version's end written into it. The same rows as before. Raises WarehouseBusy."""
    with _alone():
        before = pin()
        chosen = [t for t in tables or list(WAREHOUSE_TABLES) if before.paths(t)]
        additions = [a for name in chosen if (a := _merge(WAREHOUSE_TABLES[name], before))]
        kept = [f for f in _newest_files() if f.table not in chosen]
        return pinned(_publish(kept, additions, before.position, at, before.shapes))


def rebuild(at: datetime) -> Pinned:
    """Writes the warehouse anew from the record: what is known now is the same; removed rows are gone from the past as well."""
    with _alone(), _one_view():
        upto = record_position()
        additions = [a for _, table in WAREHOUSE_TABLES.items() for a in changes.everything(table, upto)]
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


def _news(before: Pinned, upto: int) -> tuple[list[WarehouseFile], list[Addition]]:
    """Files that stay, and those that are new. A table that another edition of the program wrote is written anew."""
    kept, additions = _newest_files(), []
    for name, table in WAREHOUSE_TABLES.items():
        if before.shapes.get(name) == table.shape:
            additions += changes.since(table, before, upto, Erased())
        else:
            kept = [f for f in kept if f.table != name]
            additions += changes.everything(table, upto)
    return kept, additions


def _merge(table: WarehouseTable, before: Pinned) -> Addition | None:
    """All files of a table as one. Ordered by key, as the record gives them, so that a compacted file equals a rebuilt one."""
    query = f"SELECT {table.names}, known_from, known_until FROM {before.relation(table.name)} ORDER BY {table.key}, known_from"

    def writer(path: Path) -> int:
        engine.execute(f"COPY ({query}) TO '{changes.quoted(path)}' (FORMAT parquet, COMPRESSION zstd)")
        return int(pq.read_metadata(path).num_rows)

    written = files.write(table.name, writer)
    return Addition(table.name, ROWS, written) if written else None


def _newest_files() -> list[WarehouseFile]:
    snapshot = WarehouseSnapshot.objects.order_by("-id").first()
    return list(WarehouseFile.objects.filter(id__in=snapshot.files)) if snapshot else []


def _publish(
    kept: Sequence[WarehouseFile],
    additions: Sequence[Addition],
    position: int,
    at: datetime,
    shapes: Mapping[str, str] | None = None,
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
        by = shapes or {name: table.shape for name, table in WAREHOUSE_TABLES.items()}
        return WarehouseSnapshot.objects.create(position=position, files=named, shapes=by, published_at=at)
