"""DuckDB in the process: one connection, a cursor for each query.

A shared cursor breaks under threads; several connections would each bring their own threads and memory. What does not fit into memory
spills into the folder ``spill/`` of the data folder, each process into a part of its own; what processes that died left there is removed
by the next that begins.
"""

import os
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from regulars.insight.warehouse.spilling import spill_folder

_SETTINGS = {
    "python_enable_replacements": "false",  # a table name never reaches a Python variable
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "preserve_insertion_order": "false",
    "memory_limit": "2GB",
    "max_temp_directory_size": "20GB",
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
    return connect(pid)


def connect(pid: int, **others: str) -> duckdb.DuckDBPyConnection:
    """One with other settings than usual."""
    config: dict[str, Any] = _SETTINGS | {"temp_directory": str(spill_folder(pid))} | others
    return duckdb.connect(":memory:", config=config)
