"""DuckDB in the process: one connection, a cursor for each query.

A shared cursor breaks under threads; several connections would each bring their own threads and memory.
"""

import os
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

_SETTINGS = {
    "python_enable_replacements": "false",  # a table name never reaches a Python variable
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "preserve_insertion_order": "false",
    "memory_limit": "2GB",
}


def run(sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
    """Result of one query, as an Arrow table."""
    with _connection(os.getpid()).cursor() as cursor:
        relation = cursor.sql(sql, params=parameters or None)
        return relation.to_arrow_table()


def execute(sql: str, parameters: dict[str, Any] | None = None) -> None:
    """One statement without a result, such as COPY."""
    with _connection(os.getpid()).cursor() as cursor:
        cursor.execute(sql, parameters or None)


@cache
def _connection(pid: int) -> duckdb.DuckDBPyConnection:
    """By process id: a forked process must not use its parent's."""
    return duckdb.connect(":memory:", config=dict(_SETTINGS))
