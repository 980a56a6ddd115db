"""What can be read: one pinned snapshot, and the tables in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
from django.db import connection

from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, WarehouseTable
from regulars.insight.warehouse import files
from regulars.insight.warehouse.dialects import Dialect, duckdb
from regulars.insight.warehouse.models import WarehouseFile, WarehouseSnapshot

ROWS, CLOSINGS = "rows", "closings"
ALLOWED = timedelta(minutes=1)  # how far the warehouse may be behind


@dataclass(frozen=True)
class Pinned:
    """One snapshot. Its files stay readable for the grace of ``operations.prune``, however often the warehouse moves on."""

    id: int
    position: int
    names: dict[str, dict[str, tuple[str, ...]]]  # table -> kind -> names of files
    with_past: frozenset[str] = frozenset()  # tables of which some version has ended
    shapes: Mapping[str, str] = field(default_factory=dict)  # table -> ``WarehouseTable.shape`` by which it was written

    def paths(self, table: str, kind: str = ROWS) -> list[str]:
        return [str(files.folder() / name) for name in self.names.get(table, {}).get(kind, ())]

    def relation(self, table: str, position: int | None = None, dialect: Dialect = duckdb) -> str:
        """SQL that stands for all versions of a table's rows in this snapshot, for DuckDB unless another dialect is given.

        Where the question is as of the snapshot's own position and no version has ended, the two columns of knowledge are constants,
        so that the filters on them cost nothing.
        """
        rows, lacking = self.paths(table), self._lacking(table)
        if not rows:
            return dialect.nothing(WAREHOUSE_TABLES[table])
        if position == self.position and table not in self.with_past:
            return dialect.all_open(WAREHOUSE_TABLES[table], rows, lacking)
        return dialect.versions(WAREHOUSE_TABLES[table], rows, self.paths(table, CLOSINGS), lacking)

    def relation_of(self, table: str, names: Iterable[str]) -> str:
        """As above, of some of its files, for DuckDB."""
        paths = [str(files.folder() / name) for name in names]
        return duckdb.versions(WAREHOUSE_TABLES[table], paths, self.paths(table, CLOSINGS), self._lacking(table))

    def _lacking(self, table: str) -> frozenset[str]:
        """Columns of which its files know nothing yet: they were written for another shape, until the next sync writes them anew."""
        now = WAREHOUSE_TABLES[table]
        if table not in self.names or self.shapes.get(table) == now.shape:
            return frozenset()
        [newest] = self.paths(table)[-1:] or [""]
        return frozenset({c.name for c in now.columns} - set(pq.read_schema(newest).names)) if newest else frozenset()


@dataclass(frozen=True)
class Lag:
    """How far the warehouse is behind the record: in positions of the log, and since when it was published."""

    positions: int
    published_at: datetime | None


def pin() -> Pinned:
    """The newest snapshot; an empty one where nothing was ever written."""
    snapshot = WarehouseSnapshot.objects.order_by("-id").first()
    return pinned(snapshot) if snapshot else Pinned(0, 0, {})


def pinned(snapshot: WarehouseSnapshot) -> Pinned:
    names: dict[str, dict[str, tuple[str, ...]]] = {}
    with_past = set()
    for file in WarehouseFile.objects.filter(id__in=snapshot.files).order_by("id"):
        kinds = names.setdefault(file.table, {})
        kinds[file.kind] = (*kinds.get(file.kind, ()), file.name)
        if file.kind == CLOSINGS or not file.is_open:
            with_past.add(file.table)
    return Pinned(snapshot.id, snapshot.position, names, frozenset(with_past), snapshot.shapes)


def manifest() -> dict[str, Any]:
    """The newest snapshot for other tools: position, and paths of each table's rows and closings."""
    newest = pin()
    tables = {t: {kind: newest.paths(t, kind) for kind in (ROWS, CLOSINGS)} for t in WAREHOUSE_TABLES}
    return {"snapshot": newest.id, "position": newest.position, "tables": tables}


def record_position() -> int:
    """Last position that the record has reached. Batches without events have one too, which the log's head does not show."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(last_position), 0) FROM events_batch")
        return int(cursor.fetchone()[0])


def touched_tables() -> set[str]:
    """Tables of the record in which rows were changed in place that the warehouse has not compared yet."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT DISTINCT "table" FROM warehouse_touched')
        return {str(row[0]) for row in cursor.fetchall()}


def lag() -> Lag:
    snapshot = WarehouseSnapshot.objects.order_by("-id").first()
    if snapshot is None:
        return Lag(record_position(), None)
    return Lag(record_position() - snapshot.position, snapshot.published_at)


def behind(at: datetime) -> timedelta:
    """For how long something has been in the record that the warehouse does not hold; nothing where it holds everything."""
    newest = WarehouseSnapshot.objects.order_by("-id").values_list("position", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT recorded_at FROM events_batch WHERE last_position > %s ORDER BY last_position LIMIT 1", [newest]
        )
        found = cursor.fetchone()
    return max(at - found[0], timedelta()) if found else timedelta()


def describe() -> list[dict[str, Any]]:
    """Each table with its files, rows and bytes in the newest snapshot; for the page and the docs of the warehouse."""
    snapshot = WarehouseSnapshot.objects.order_by("-id").first()
    held = list(WarehouseFile.objects.filter(id__in=snapshot.files if snapshot else []))
    return [_described(table, [f for f in held if f.table == name]) for name, table in WAREHOUSE_TABLES.items()]


def _described(table: WarehouseTable, held: list[WarehouseFile]) -> dict[str, Any]:
    return {
        "name": table.name,
        "meaning": table.meaning,
        "columns": table.columns,
        "files": len(held),
        "rows": sum(f.rows for f in held if f.kind == ROWS),
        "size": sum(f.size for f in held),
    }
