"""A million order lines from a CSV file into the record, beside ``COPY`` of the very rows that the import wrote.

For the limit everything that the import wrote is put aside, the tables are emptied, and the rows are copied back into them in one
transaction: the same columns, indexes, foreign keys and durability.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection, transaction

from bench import Figure, Scale, against
from regulars.connections.files.layouts import Kind
from regulars.connections.files.models import Import
from regulars.connections.files.operations import apply_import, stage_import
from regulars.foundation.clock import now
from regulars.foundation.shop.models import Brand, Store

_LINES = 1_000_000
_GOAL = "1 million lines in 2 minutes (8,333 a second) and 0.10 of COPY"
_WRITTEN = ("events_", "customers_", "catalog_", "orders_", "vault_subjectkey")
_PIECE = 1 << 20
_ROWS = ("rows_taken", "rows_altered", "rows_skipped")


def run(scale: Scale) -> list[Figure]:
    """Lines a second, staging and checking included; the same file again; the limit."""
    path = Path(settings.HOME) / "orders.csv"
    command = [sys.executable, "-m", "bench.volume", str(path), str(scale.of(_LINES, 2_000)), str(scale.seed)]
    subprocess.run(command, check=True)
    brand = Brand.objects.create(name="Bench", from_name="Bench", from_address="bench@volume.example")
    store = Store.objects.create(code="bench", name="Bench", brand=brand, currency="GBP")
    memory = Memory()
    first, row = _timed_import(path, store, memory)
    again, _ = _timed_import(path, store, Memory())
    limit = _timed_copy(Path(settings.HOME))
    lines = row.row_count
    note = f"{lines:,} lines, {row.counts['orders_created']:,} orders in {first:.0f} s"
    return [
        against("Import: order lines from CSV", lines / first, "lines a second", lines / limit, goal=_GOAL, note=note),
        Figure("Import: the same file again, nothing changes", lines / again, "lines a second"),
        Figure(
            "Import: memory at the end",
            memory.last,
            "MB",
            memory.early,
            memory.ratio,
            "flat: as much as after a fifth of the file",
        ),
    ]


@dataclass
class Memory:
    """Megabytes that the process held when a fifth of the file was applied, and at its end."""

    early: float = 0.0
    last: float = 0.0

    def look(self, row: Import) -> None:
        self.last = psutil.Process().memory_info().rss / 2**20
        if not self.early and 5 * sum(row.counts.get(name, 0) for name in _ROWS) >= row.row_count:
            self.early = self.last

    @property
    def ratio(self) -> float:
        return self.last / (self.early or self.last or 1.0)


def _timed_import(path: Path, store: Store, memory: Memory) -> tuple[float, Import]:
    began = time.perf_counter()
    with path.open("rb") as file:
        row = stage_import(file, kind=Kind.ORDERS, file_name=path.name, store=store, at=datetime.now(UTC))
    done = apply_import(row.pk, now, memory.look)
    return time.perf_counter() - began, done


def _timed_copy(folder: Path) -> float:
    """Seconds to copy everything that the import wrote back into its emptied tables."""
    tables = _written_tables()
    for table in tables:
        _put_aside(table, folder / table)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    began = time.perf_counter()
    with transaction.atomic():
        for table in tables:
            _put_back(table, folder / table)
    return time.perf_counter() - began


def _written_tables() -> list[str]:
    tables = [t for t in connection.introspection.table_names() if t.startswith(_WRITTEN) and "_event_2" not in t]
    with connection.cursor() as cursor:
        filled = []
        for table in tables:
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")
            if cursor.fetchone():
                filled.append(table)
    return filled


def _put_aside(table: str, path: Path) -> None:
    statement = f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT binary)"
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in copy:
            file.write(piece)


def _put_back(table: str, path: Path) -> None:
    statement = f"COPY {table} FROM STDIN (FORMAT binary)"
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        while piece := file.read(_PIECE):
            copy.write(piece)
