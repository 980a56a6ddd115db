"""How the files of a table are read: as one relation of all versions, in the SQL of each engine."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from regulars.foundation.warehouse_tables import OPEN, ColumnType, WarehouseTable
from regulars.insight.warehouse.files import KNOWN


@dataclass(frozen=True)
class Dialect:
    """What engines write differently: the types of columns that may be null, and the relation of some files."""

    types: dict[ColumnType, str]
    read: Callable[[Sequence[str]], str]

    def nothing(self, table: WarehouseTable) -> str:
        """The table without a row, for a snapshot that has no file of it."""
        columns = ", ".join(f'CAST(NULL AS {self.types[c.type]}) AS "{c.name}"' for c in (*table.columns, *KNOWN))
        return f"(SELECT {columns} WHERE false)"

    def all_open(self, table: WarehouseTable, paths: Sequence[str], lacking: Collection[str] = ()) -> str:
        """Where every version still holds. Columns that the files are ``lacking`` are null."""
        big = self.types[ColumnType.BIGINT]
        known = f"CAST(0 AS {big}) AS known_from, CAST({OPEN} AS {big}) AS known_until"
        return f"(SELECT {self._columns(table, lacking)}, {known} FROM {self.read(paths)} r)"

    def versions(
        self, table: WarehouseTable, rows: Sequence[str], closings: Sequence[str], lacking: Collection[str] = ()
    ) -> str:
        """Versions with the end that a younger file gave them. The closings are few: they are the small side of the join."""
        if not closings:
            return f"(SELECT {self._columns(table, lacking)}, known_from, known_until FROM {self.read(rows)} r)"
        return f"""(
            SELECT {self._columns(table, lacking)}, r.known_from AS known_from,
                least(r.known_until, coalesce(c.closed_at, r.known_until)) AS known_until
            FROM {self.read(rows)} r
            LEFT JOIN (
                SELECT key AS closed, known_from AS closed_from, min(known_until) AS closed_at
                FROM {self.read(closings)} GROUP BY key, known_from
            ) c ON c.closed = r."{table.key}" AND c.closed_from = r.known_from
        )"""

    def _columns(self, table: WarehouseTable, lacking: Collection[str]) -> str:
        held = (
            (f'r."{c.name}"' if c.name not in lacking else f"CAST(NULL AS {self.types[c.type]})", c)
            for c in table.columns
        )
        return ", ".join(f'{value} AS "{c.name}"' for value, c in held)


def _escaped(path: str) -> str:
    return path.replace("'", "''")


def _read_by_duckdb(paths: Sequence[str]) -> str:
    return f"read_parquet([{', '.join(f'{chr(39)}{_escaped(path)}{chr(39)}' for path in paths)}])"


def _read_by_clickhouse(paths: Sequence[str]) -> str:
    """Several files stand as alternatives of a pattern: they lie in one folder."""
    folder, names = Path(paths[0]).parent, [Path(path).name for path in paths]
    chosen = paths[0] if len(paths) == 1 else f"{folder}/{{{','.join(names)}}}"
    return f"file('{_escaped(chosen)}', 'Parquet')"


duckdb = Dialect(
    {
        ColumnType.BIGINT: "BIGINT",
        ColumnType.BOOLEAN: "BOOLEAN",
        ColumnType.NUMBER: "DECIMAL(18, 6)",
        ColumnType.TEXT: "VARCHAR",
        ColumnType.TIMESTAMP: "TIMESTAMP",
    },
    _read_by_duckdb,
)
clickhouse = Dialect(
    {
        ColumnType.BIGINT: "Nullable(Int64)",
        ColumnType.BOOLEAN: "Nullable(Bool)",
        ColumnType.NUMBER: "Nullable(Decimal(18, 6))",
        ColumnType.TEXT: "Nullable(String)",
        ColumnType.TIMESTAMP: "Nullable(DateTime64(6, 'UTC'))",
    },
    _read_by_clickhouse,
)
