"""Writing many rows at once, by ``COPY`` and single statements; ids are drawn ahead by ``foundation.vault.rows.reserve_ids``.

Table and column names come from our own code, never from outside.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

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
