"""Filling tables quickly: without their foreign keys and plain indexes, which are built again over all rows at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection

_KEYS = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%s::regclass[]) ORDER BY conrelid, conname
"""
_INDEXES = """
SELECT format('DROP INDEX %%s', indexrelid::regclass), replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
FROM pg_index WHERE NOT indisunique AND indrelid = ANY(%s::regclass[]) ORDER BY indrelid, indexrelid
"""


@contextmanager
def bare(*tables: str) -> Iterator[None]:
    """These tables without what is checked and sorted for each row; at the exit with it, and with fresh statistics."""
    dropped = [pair for query in (_KEYS, _INDEXES) for pair in _ask(query, tables)]
    _run("SET maintenance_work_mem = '512MB'")
    for drop, _ in dropped:
        _run(drop)
    yield
    for _, restore in reversed(dropped):  # indexes first: the keys are checked by them
        _run(restore)
    _run("RESET maintenance_work_mem")
    _run(f"ANALYZE {', '.join(tables)}")


def _ask(query: str, tables: Sequence[str]) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [list(tables)])
        return [(drop, restore) for drop, restore in cursor.fetchall()]


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
