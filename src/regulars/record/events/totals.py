"""Totals of long lists, counted once for each state of the record.

Counting a million rows costs more than showing a page of them. Everything that a list of the record shows changes only in transactions
of the log, each of which draws a position; so a total that was counted at the log's head holds until the head moves, and is exact.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from regulars.record.events.log import head

Total = TypeVar("Total")
WORTH_IT = 5_000  # rows; below, counting again is quicker than remembering is worth
KEPT = 500

_known: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
_lock = Lock()


def count(rows: QuerySet[Any]) -> int:
    """Exact number of rows, as ``rows.count()``."""
    return of(rows, "count", QuerySet.count, lambda total: total)


def of(
    rows: QuerySet[Any], what: str, compute: Callable[[QuerySet[Any]], Total], size: Callable[[Total], int]
) -> Total:
    """``compute(rows)``, remembered under ``what`` until the log's head moves, where ``size`` of it says that this is worth it."""
    try:
        statement, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return compute(rows)
    key = (head(), what, statement, repr(values))
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            found: Total = _known[key]
            return found
    total = compute(rows)
    if size(total) >= WORTH_IT:
        with _lock:
            _known[key] = total
            while len(_known) > KEPT:
                _known.popitem(last=False)
    return total
