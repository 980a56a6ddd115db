"""The ClickHouse engine over the same files, by the wheel ``chdb``: for tests, so that a cluster can take over when a shop outgrows one
machine. One process has one of it.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pyarrow as pa

from regulars.foundation.errors import Conflict

# Null where a join finds nothing, as everywhere else; moments are UTC; a column of a file may be null.
_SETTINGS = {
    "join_use_nulls": "1",
    "session_timezone": "'UTC'",
    "schema_inference_make_columns_nullable": "1",
    "aggregate_functions_null_for_empty": "1",
    "output_format_arrow_string_as_string": "1",
    "max_query_size": "10000000",
}


class NoClickHouse(Conflict):
    """The ClickHouse engine is not installed: it comes with the tools for development ('uv sync')."""

    code = "no-clickhouse"


def run(sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
    """Result of one query, as an Arrow table. Parameters stand as ``{name:Type}``. Raises NoClickHouse."""
    given = {name: _written(value) for name, value in (parameters or {}).items()}
    result = _session(os.getpid()).query(sql, "ArrowTable", params=given)
    return result if isinstance(result, pa.Table) else import_module("chdb").to_arrowTable(result)


def is_installed() -> bool:
    return find_spec("chdb") is not None


@cache
def _session(pid: int) -> Any:
    if not is_installed():
        raise NoClickHouse
    place = tempfile.mkdtemp(prefix="regulars-clickhouse-")
    session = import_module("chdb.session").Session(place)
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    for name, value in _SETTINGS.items():
        session.query(f"SET {name} = {value}")
    return session


def _written(value: Any) -> str:
    """A parameter as ClickHouse reads it: as it would stand in a file with tabs."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_quoted(one) for one in value)}]"
    return "\\N" if value is None else _escaped(_bare(value))


def _quoted(value: Any) -> str:
    if value is None:
        return "NULL"
    return f"'{_escaped(_bare(value))}'" if isinstance(value, str | datetime) else _bare(value)


def _bare(value: Any) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")  # the year in four digits, unlike strftime's
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"})
