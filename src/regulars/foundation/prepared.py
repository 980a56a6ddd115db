"""Statements of which a process runs thousands a minute: each connection plans them once, and their values go beside them in binary form.

Django writes values into the statement, which is then read and planned anew each time: for a small INSERT more than carrying it out.
A pooler between should keep prepared statements, as PgBouncer does from 1.21 on; where it hands on whole sessions, any will do. Where one
was forgotten it is sent whole.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.errors import InvalidSqlStatementName
from psycopg.pq import Format

# Runs after which psycopg prepares a statement by itself. It counts those of every statement while it may, and so would keep the last hundred
# of a connection in memory, as Django writes them: with all their values. So it may only while one of ours runs.
_ONLY_WHERE_ASKED = 2**31
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
_MICROSECOND = timedelta(microseconds=1)
_HEAD, _LENGTH, _NUMBER = struct.Struct("!iiIii"), struct.Struct("!i"), struct.Struct("!q")
_BYTEA, _BIGINT, _TEXT, _MOMENT = 17, 20, 25, 1184  # pg_type.oid


class Wire(bytes):
    """A value as it goes to PostgreSQL in binary form; the statement says of what type (``%(it)b::bytea[]``).

    psycopg makes an array item by item, looking for each one's type: for a handful of rows that was half of what storing them cost here.
    """


class _AsItIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> Buffer | None:
        return bytes(obj)


psycopg.adapters.register_dumper(Wire, _AsItIs)


def blobs(items: Sequence[bytes]) -> Wire:
    """bytea[]"""
    return _array(_BYTEA, items)


def texts(items: Iterable[str]) -> Wire:
    """text[]"""
    return _array(_TEXT, [item.encode() for item in items])


def numbers(items: Iterable[int]) -> Wire:
    """bigint[]"""
    return _array(_BIGINT, [_NUMBER.pack(item) for item in items])


def moments(items: Iterable[datetime]) -> Wire:
    """timestamptz[]"""
    return _array(_MOMENT, [_NUMBER.pack((item - _EPOCH) // _MICROSECOND) for item in items])


def _array(kind: int, items: Sequence[bytes]) -> Wire:
    """One dimension, nothing null, the first place is 1 (src/backend/utils/adt/arrayfuncs.c, array_recv)."""
    return Wire(_HEAD.pack(1, 0, kind, len(items), 1) + b"".join([_LENGTH.pack(len(item)) + item for item in items]))


def run(statement: str, values: Mapping[str, Any]) -> int:
    """How many rows it touched. Where its connection is gone this raises OperationalError, without a look before."""
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        raw.prepare_threshold = _ONLY_WHERE_ASKED
        try:
            cursor.execute(statement, values, prepare=True)
        except InvalidSqlStatementName:  # a pooler went on on another connection of its own
            if connection.in_atomic_block:
                raise
            cursor.execute(statement, values, prepare=False)
        finally:
            raw.prepare_threshold = None
        return int(cursor.rowcount)
