"""Parquet files: written under a passing name, forced to the disk, then renamed; never changed afterwards."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from django.conf import settings

from regulars.foundation.ids import new_uid
from regulars.foundation.warehouse_tables import OPEN, Column, ColumnType, WarehouseTable

_ARROW = {
    ColumnType.BIGINT: pa.int64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.NUMBER: pa.decimal128(18, 6),
    ColumnType.TEXT: pa.string(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
}
KNOWN = (
    Column("known_from", ColumnType.BIGINT, "position of the log from which this version was known"),
    Column(
        "known_until", ColumnType.BIGINT, "position from which it no longer was; the greatest bigint while it holds"
    ),
)
_BLOCK = 8 << 20


@dataclass(frozen=True)
class Written:
    """A finished file that no snapshot names yet."""

    name: str
    rows: int
    size: int
    is_open: bool  # all its versions still hold


def folder() -> Path:
    """Where the warehouse lives; made when first asked for."""
    place: Path = settings.HOME / "warehouse"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def arrow_schema(table: WarehouseTable) -> pa.Schema:
    return pa.schema([(c.name, _ARROW[c.type]) for c in (*table.columns, *KNOWN)])


def write(name_of: str, writer: Callable[[Path], int]) -> Written | None:
    """Lets ``writer`` fill a passing file (it returns the rows) and gives it its final name; None where there was nothing to write."""
    name = f"{name_of}-{new_uid().hex}.parquet"
    passing = folder() / f"{name}.tmp"
    try:
        rows = writer(passing)
        if not rows:
            return None
        _force_to_disk(passing)
        passing.rename(folder() / name)
        _force_to_disk(folder())
    finally:
        passing.unlink(missing_ok=True)
    return Written(name, rows, (folder() / name).stat().st_size, _is_open(folder() / name))


def _is_open(path: Path) -> bool:
    """By the statistics that Parquet keeps of each column: the least ``known_until`` says whether any version has ended."""
    metadata = pq.read_metadata(path)
    if "known_until" not in metadata.schema.names:
        return False
    column = metadata.schema.names.index("known_until")
    found = [metadata.row_group(group).column(column).statistics for group in range(metadata.num_row_groups)]
    return all(one is not None and one.has_min_max and one.min == OPEN for one in found)


def write_copy(path: Path, schema: pa.Schema, copy: psycopg.Copy) -> int:
    """Streams ``COPY … TO STDOUT (FORMAT csv)`` into a file, block by block: memory stays flat. Rows written."""
    reader = _csv_reader(_CopyStream(copy), schema)
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for batch in reader:
            out.write_batch(batch)
            rows += batch.num_rows
    return rows


def _csv_reader(stream: io.RawIOBase, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches of a CSV stream; nothing at all for an empty one."""
    buffered = io.BufferedReader(stream, _BLOCK)
    if not buffered.peek(1):
        return iter(())
    return iter(
        pyarrow.csv.open_csv(
            buffered,
            read_options=pyarrow.csv.ReadOptions(column_names=schema.names, block_size=_BLOCK),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=schema,
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                timestamp_parsers=[pyarrow.csv.ISO8601],
            ),
        )
    )


class _CopyStream(io.RawIOBase):
    """A COPY as a readable file."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy
        self._rest = bytearray()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # a buffer of bytes is all that comes
        """Fills the buffer: the server sends a row at a time, which would be many small reads."""
        while len(self._rest) < len(buffer) and (block := self._copy.read()):
            self._rest += block
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        del self._rest[:count]
        return count


def _force_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
