"""Transactions that failed through no fault of their own are begun again as a whole.

PostgreSQL ends one of two transactions that wait for each other (40P01), and one of two that cannot both be true (40001); and a write
may find, once it has waited for its rows, that what it began with is gone. Nothing of such a transaction stands, so the remedy is to
run it again from its first line. This is the only place that does: API writes, operations of staff, import batches, readers, runs.
"""

import errno
import os
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
import structlog
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection

from regulars.foundation.errors import RegularsError

RETRIES = 3
PAUSE_SECONDS = 0.05  # at most, before the first retry; doubled each time
_DEFECT = "XX000"  # internal_error
_PASSING = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected

log = structlog.get_logger(__name__)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Busy(RegularsError):
    """Others were changing the same at the same moment, so nothing was changed: try again in a second."""

    code = "busy"
    status = 503

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class Overtaken(Busy):
    """To be raised inside a transaction that waited for its rows and finds that what it began with is gone."""


def is_passing(error: BaseException) -> bool:
    """Whether the same work, begun anew, may well succeed."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    return isinstance(error, Overtaken) or (isinstance(cause, psycopg.Error) and cause.sqlstate in _PASSING)


def is_away(error: BaseException) -> bool:
    """Whether the database is away or full: nothing is wrong with what was asked, and it may be asked again later.

    PostgreSQL has no code of its own for a disk quota that is used up, as it has for a full disk: it reports that as a defect of its own.
    """
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", "") == _DEFECT and os.strerror(errno.EDQUOT) in str(error)
    return isinstance(error, OperationalError | InterfaceError)


def retry(work: Callable[[], Result]) -> Result:
    """``work()``, which is one transaction; run again up to three times, after a moment left to chance. Raises Busy after that.

    Inside a transaction it is only called: whoever began that one begins it again.
    """
    if connection.in_atomic_block:
        return work()
    for again in range(RETRIES + 1):
        try:
            return work()
        except (DatabaseError, psycopg.Error, Overtaken) as error:
            if not is_passing(error):
                raise
            if again == RETRIES:
                raise Busy from error
            log.info("transaction begins again", reason=type(error.__cause__ or error).__name__, times=again + 1)
            time.sleep(random.uniform(0, PAUSE_SECONDS * 2**again))  # noqa: S311  chance, not a secret
    raise AssertionError("unreachable")


def retried(operation: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """For an operation that is one transaction. Its arguments must be the same each time: no iterators."""

    @wraps(operation)
    def again(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return retry(lambda: operation(*args, **kwargs))

    return again
