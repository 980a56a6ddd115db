"""Writing many rows at once, by ``COPY`` and single statements; ids are drawn ahead by ``foundation.vault.rows.reserve_ids``.

Table and column names come from our own code, never from outside.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from regulars.foundation import arrays

arrays.register()
Parameters = Sequence[Any] | Mapping[str, Any]


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Appends the rows by ``COPY``: no conflict is forgiven, and defaults of left-out columns are the database's."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def fetch(statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """All rows of one statement with bound parameters."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def execute(statement: str, parameters: Parameters) -> int:
    """Runs one statement with bound parameters; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


@dataclass
class Statistics:
    """Keeps the planner's statistics of growing tables fresh: PostgreSQL's own upkeep comes a minute late, and until then every
    statement is planned as if the tables were empty. Taken when four times as many rows have come as the last time."""

    tables: tuple[str, ...]
    next_at: int = 2_000
    rows: int = 0

    def after(self, rows: int) -> None:
        """To be told of every batch, outside of its transaction."""
        self.rows += rows
        if self.rows >= self.next_at:
            execute(f"ANALYZE {', '.join(self.tables)}", [])
            self.next_at = 4 * self.rows
