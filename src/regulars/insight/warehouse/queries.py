"""What can be read: one pinned snapshot, and the tables in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from regulars.foundation.warehouse_tables import OPEN, WAREHOUSE_TABLES, WarehouseTable
from regulars.insight.warehouse import files
from regulars.insight.warehouse.models import WarehouseFile, WarehouseSnapshot

ROWS, CLOSINGS = "rows", "closings"


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

    def relation(self, table: str, position: int | None = None) -> str:
        """SQL for DuckDB that stands for all versions of a table's rows in this snapshot.

        Where the question is as of the snapshot's own position and no version has ended, the two columns of knowledge are constants,
        so that the filters on them cost nothing.
        """
        definition = WAREHOUSE_TABLES[table]
        rows = self.paths(table)
        if not rows:
            return files.empty_relation(definition)
        if position == self.position and table not in self.with_past:
            known = f"0::BIGINT AS known_from, {OPEN}::BIGINT AS known_until"
            return f"(SELECT * EXCLUDE (known_from, known_until), {known} FROM read_parquet({_literal(rows)}))"
        closings = self.paths(table, CLOSINGS)
        return _with_closings(definition, rows, closings) if closings else f"read_parquet({_literal(rows)})"


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


def record_position() -> int:
    """Last position that the record has reached. Batches without events have one too, which the log's head does not show."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(last_position), 0) FROM events_batch")
        return int(cursor.fetchone()[0])


def lag() -> Lag:
    snapshot = WarehouseSnapshot.objects.order_by("-id").first()
    if snapshot is None:
        return Lag(record_position(), None)
    return Lag(record_position() - snapshot.position, snapshot.published_at)


def is_late(at: datetime, allowed: timedelta = timedelta(minutes=1)) -> bool:
    """Whether there is something that the warehouse does not hold, for longer than it may be behind."""
    found = lag()
    return found.positions > 0 and (found.published_at is None or at - found.published_at > allowed)


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


def _with_closings(table: WarehouseTable, rows: list[str], closings: list[str]) -> str:
    """Versions with the end that a younger file gave them. The closings are few: they are the small side of the join."""
    return f"""(
        SELECT r.* REPLACE (least(r.known_until, coalesce(c.known_until, r.known_until)) AS known_until)
        FROM read_parquet({_literal(rows)}) r
        LEFT JOIN (
            SELECT key, known_from, min(known_until) AS known_until FROM read_parquet({_literal(closings)}) GROUP BY ALL
        ) c ON c.key = r.{table.key} AND c.known_from = r.known_from
    )"""


def _literal(paths: Iterable[str]) -> str:
    quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    return f"[{quoted}]"
