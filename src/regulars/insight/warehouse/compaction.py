"""Few files of many, by tiers of size: what is large is rewritten seldom, so that twenty million events cost a sync nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq

from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, WarehouseTable
from regulars.insight.warehouse import changes, engine, files
from regulars.insight.warehouse.changes import Addition
from regulars.insight.warehouse.models import WarehouseFile
from regulars.insight.warehouse.queries import CLOSINGS, ROWS, Pinned

MOST_FILES = 8  # of one tier, before they become one of the next
_SMALLEST = 20_000  # rows up to which a file is of the first tier; each further tier is MOST_FILES times as large
_MOST_CLOSINGS = 4  # a table is made one file where one version in so many has an end that only a younger file knows


@dataclass(frozen=True)
class Merge:
    """Files of one table that become one; ``is_whole`` where these are all of them. Versions that ended by ``forgotten`` are left out."""

    table: WarehouseTable
    rows: tuple[str, ...]
    closings: tuple[str, ...]
    is_whole: bool
    forgotten: int = 0

    @property
    def gone(self) -> set[str]:
        return {*self.rows, *self.closings}


def plan(held: Sequence[WarehouseFile]) -> list[Merge]:
    """What should be merged now."""
    return [
        one
        for _, table in WAREHOUSE_TABLES.items()
        if (one := _plan(table, [f for f in held if f.table == table.name]))
    ]


def whole(pinned: Pinned, tables: Iterable[str]) -> list[Merge]:
    """Each of these tables as one file."""
    return [
        Merge(WAREHOUSE_TABLES[name], pinned.names[name][ROWS], pinned.names[name].get(CLOSINGS, ()), True)
        for name in tables
        if pinned.paths(name)
    ]


def tier(rows: int) -> int:
    """0 for the smallest files."""
    found = 0
    while rows > _SMALLEST:
        found, rows = found + 1, rows // MOST_FILES
    return found


def _plan(table: WarehouseTable, held: Sequence[WarehouseFile]) -> Merge | None:
    rows, closings = [f for f in held if f.kind == ROWS], [f for f in held if f.kind == CLOSINGS]
    counts: dict[int, int] = {}
    for file in rows:
        counts[tier(file.rows)] = counts.get(tier(file.rows), 0) + 1
    crowded = max((one for one, count in counts.items() if count > MOST_FILES), default=-1)
    small = [f for f in rows if tier(f.rows) <= crowded]
    ends = sum(f.rows for f in closings)
    is_whole = len(small) == len(rows) or ends * _MOST_CLOSINGS > sum(f.rows for f in rows)
    if not small and not (closings and is_whole) and len(closings) <= MOST_FILES:
        return None
    chosen = rows if is_whole else small
    names = tuple(f.name for f in sorted(chosen, key=lambda f: f.pk))
    return Merge(
        table, names, tuple(f.name for f in closings) if is_whole or len(closings) > MOST_FILES else (), is_whole
    )


def carry_out(merge: Merge, before: Pinned) -> Iterator[Addition]:
    """The files that take the place of those that are gone: the same versions, ends written into them."""
    if merge.rows and (written := files.write(merge.table.name, lambda path: _write(merge, before, path))):
        yield Addition(merge.table.name, ROWS, written)
    if merge.closings and not merge.is_whole:
        yield from _closings(merge, before)


def _write(merge: Merge, before: Pinned, path: Path) -> int:
    """Ordered by key, as the record gives them, so that a compacted file equals a rebuilt one."""
    paths = [files.folder() / name for name in merge.rows]
    if (
        not merge.forgotten
        and not before.paths(merge.table.name, CLOSINGS)
        and (ordered := _in_order(merge.table, paths))
    ):
        return _append(ordered, path)
    held = before.relation_of(merge.table.name, merge.rows)
    kept = f"{held} WHERE known_until > {merge.forgotten}"
    sql = f"SELECT {merge.table.names}, known_from, known_until FROM {kept} ORDER BY {merge.table.key}, known_from"
    engine.execute(f"COPY ({sql}) TO '{changes.quoted(path)}' (FORMAT parquet, COMPRESSION zstd)")
    return int(pq.read_metadata(path).num_rows)


def _in_order(table: WarehouseTable, paths: Sequence[Path]) -> list[Path]:
    """The files by their keys, where no two overlap: then nothing needs to be sorted. Empty where two do."""
    spans = sorted((*_span(table, path), path) for path in paths)
    return [path for *_, path in spans] if all(one[1] < other[0] for one, other in pairwise(spans)) else []


def _span(table: WarehouseTable, path: Path) -> tuple[int, int]:
    """Least and greatest key, by the statistics that Parquet keeps."""
    metadata = pq.read_metadata(path)
    column = metadata.schema.names.index(table.key)
    found = [metadata.row_group(group).column(column).statistics for group in range(metadata.num_row_groups)]
    return min(one.min for one in found), max(one.max for one in found)


def _append(paths: Sequence[Path], path: Path) -> int:
    """One file after the other, a part at a time: memory stays flat."""
    rows = 0
    with pq.ParquetWriter(path, pq.read_schema(paths[0]), compression="zstd") as out:
        for one in paths:
            with pq.ParquetFile(one) as source:
                for batch in source.iter_batches(batch_size=100_000):
                    out.write_batch(batch)
                    rows += batch.num_rows
    return rows


def _closings(merge: Merge, before: Pinned) -> Iterator[Addition]:
    """One of many, without those that a merged file holds now."""
    name = merge.table.name
    others = [n for n in before.names[name][ROWS] if n not in merge.rows]
    sql = f"""
        SELECT c.key, c.known_from, min(c.known_until) AS known_until FROM read_parquet($closings) c
        JOIN read_parquet($rows) r ON r.{merge.table.key} = c.key AND r.known_from = c.known_from AND r.known_until > c.known_until
        GROUP BY ALL
    """
    place = files.folder()
    given = {"closings": [str(place / n) for n in merge.closings], "rows": [str(place / n) for n in others]}
    ended = engine.run(sql, given)
    written = files.write(f"{name}-closings", lambda path: changes.write_table(path, ended))
    if written:
        yield Addition(name, CLOSINGS, written)
