"""Whether this process can serve: the database answers and has the tables of this version."""

import time

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


class _Remembered:
    """That all migrations are applied: true for good once it was seen."""

    applied = False


def find_obstacle() -> str:
    """The sentence that says why this process is not ready; empty when it is."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "" if _Remembered.applied else _find_unapplied()
    except DatabaseError:
        return "The database cannot be reached."


def measure_database_seconds() -> float | None:
    """Time of one round trip; None when there is no answer."""
    began = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return None
    return time.perf_counter() - began


def _find_unapplied() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    _Remembered.applied = not waiting
    return f"{len(waiting)} migrations are not applied yet: run 'regulars migrate'." if waiting else ""
