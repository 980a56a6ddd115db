"""How the files of a table are read: as one relation of all versions, in the SQL of each engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from regulars.foundation.warehouse_tables import OPEN, ColumnType, WarehouseTable
from regulars.insight.warehouse.files import KNOWN


@dataclass(frozen=True)
class Dialect:
    """What engines write differently. ``files`` and ``without_known`` have ``{0}`` where the paths stand, as literals with commas."""

    types: dict[ColumnType, str]
    files: str
    quote: str
    without_known: str
    big: str  # an integer of 64 bits

    def nothing(self, table: WarehouseTable) -> str:
        """The table without a row, for a snapshot that has no file of it."""
        quoted = ((f"{self.quote}{c.name}{self.quote}", self.types[c.type]) for c in (*table.columns, *KNOWN))
        return f"(SELECT {', '.join(f'CAST(NULL AS {type_}) AS {name}' for name, type_ in quoted)} WHERE false)"

    def all_open(self, paths: Sequence[str]) -> str:
        """Where every version still holds."""
        known = f"CAST(0 AS {self.big}) AS known_from, CAST({OPEN} AS {self.big}) AS known_until"
        return f"(SELECT {self.without_known}, {known} FROM {self.read(paths)})"

    def versions(self, key: str, rows: Sequence[str], closings: Sequence[str]) -> str:
        """Versions with the end that a younger file gave them. The closings are few: they are the small side of the join."""
        if not closings:
            return f"(SELECT * FROM {self.read(rows)})"
        until = "least(r.known_until, coalesce(c.closed_at, r.known_until))"
        return f"""(
            SELECT r.* {self.replaced(until)} FROM {self.read(rows)} r
            LEFT JOIN (
                SELECT key AS closed, known_from AS closed_from, min(known_until) AS closed_at
                FROM {self.read(closings)} GROUP BY key, known_from
            ) c ON c.closed = r.{key} AND c.closed_from = r.known_from
        )"""

    def replaced(self, until: str) -> str:
        return f"REPLACE ({until} AS known_until)"

    def read(self, paths: Iterable[str]) -> str:
        return self.files.format(", ".join("'" + path.replace("'", "''") + "'" for path in paths))


duckdb = Dialect(
    types={
        ColumnType.BIGINT: "BIGINT",
        ColumnType.BOOLEAN: "BOOLEAN",
        ColumnType.NUMBER: "DECIMAL(18, 6)",
        ColumnType.TEXT: "VARCHAR",
        ColumnType.TIMESTAMP: "TIMESTAMP",
    },
    files="read_parquet([{0}])",
    quote='"',
    without_known="* EXCLUDE (known_from, known_until)",
    big="BIGINT",
)
