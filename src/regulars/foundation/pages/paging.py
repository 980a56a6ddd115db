"""Keyset paging in both directions: deep pages cost what the first one costs, and rows that arrive meanwhile shift nothing."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Func, Q, QuerySet

from regulars.foundation.errors import InvalidInput

PAGE_SIZE = 50


class BrokenCursor(InvalidInput):
    """This link to a page of the list is damaged: go back to its first page."""

    code = "broken-cursor"


@dataclass(frozen=True)
class Order:
    """What a list is sorted by: a column of the query set, or an annotation. Ties fall by ``id``; nulls come last either way.

    Up to ``few`` rows are gathered, then sorted. PostgreSQL would walk the sort's index instead, as if they were spread evenly over it,
    and pass everybody where they all stand at its end: those who are about to leave, sorted by their last order.
    """

    field: str
    descending: bool = True
    nullable: bool = False
    few: int = 0


class _NoIndex(Func):
    """The same value, that no index sorts by."""

    function = "GREATEST"


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after (or before) the row with this value and id. ``number`` is how many rows stand before the page."""

    value: Any
    id: int
    number: int
    backward: bool = False

    def encode(self) -> str:
        text = json.dumps([_tag(self.value), self.id, self.number, int(self.backward)], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, token: str) -> "Cursor":
        """Raises BrokenCursor."""
        try:
            tagged, row_id, number, backward = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            return cls(_untag(tagged), int(row_id), max(0, int(number)), bool(backward))
        except (ValueError, TypeError, KeyError, ArithmeticError, binascii.Error) as error:
            raise BrokenCursor from error


@dataclass(frozen=True)
class Rows:
    """One page of a list. ``total`` is exact: how many rows match the same filters. ``first`` is the number of the first row, from 1."""

    items: Sequence[Any]
    total: int
    next: str = ""
    previous: str = ""
    first: int = 1

    @property
    def last(self) -> int:
        return self.first + len(self.items) - 1


def page_of(rows: QuerySet[Any], order: Order, cursor: str, total: int, size: int = PAGE_SIZE) -> Rows:
    """The page of ``rows`` that ``cursor`` points to; the empty cursor is the first page. Raises BrokenCursor."""
    here = Cursor.decode(cursor) if cursor else None
    found = _fetch(rows, order, here, size + 1, gathered=total <= order.few)
    more = len(found) > size
    found = found[:size]
    backward = here is not None and here.backward
    before = _rows_before(here, len(found))
    if backward:
        found.reverse()
    has_next, has_previous = (bool(found), more) if backward else (more, here is not None and bool(found))
    return Rows(
        items=found,
        total=total,
        next=_cursor_at(found[-1], order, before + len(found), False) if has_next else "",
        previous=_cursor_at(found[0], order, before, True) if has_previous else "",
        first=before + 1,
    )


def _rows_before(here: Cursor | None, found: int) -> int:
    if here is None:
        return 0
    return max(0, here.number - found) if here.backward else here.number


def _cursor_at(row: Any, order: Order, number: int, backward: bool) -> str:
    return Cursor(_value(row, order.field), row.pk, number, backward).encode()


def _value(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _fetch(rows: QuerySet[Any], order: Order, here: Cursor | None, size: int, *, gathered: bool) -> list[Any]:
    """Rows after the cursor in reading order. A nullable column is two index walks (set, then not set), since one could not be bounded."""
    backward = here is not None and here.backward
    descending = order.descending != backward
    walks = [False, True] if order.nullable else [False]
    found: list[Any] = []
    for is_null in reversed(walks) if backward else walks:
        if len(found) < size:
            found += _walk(rows, order, here, descending, is_null, gathered)[: size - len(found)]
    return found


def _walk(
    rows: QuerySet[Any], order: Order, here: Cursor | None, descending: bool, is_null: bool, gathered: bool
) -> QuerySet[Any]:
    if order.nullable:
        rows = rows.filter(**{f"{order.field}__isnull": is_null})
    if here is not None:
        try:
            rows = rows.filter(_beyond(order, here, descending, is_null))
        except (ValidationError, ValueError, TypeError) as error:  # a cursor of another list
            raise BrokenCursor from error
    key = _NoIndex(F(order.field)) if gathered else F(order.field)
    sort = key.desc() if descending else key.asc()
    return rows.order_by(*([] if is_null or order.field in {"id", "pk"} else [sort]), "-pk" if descending else "pk")


def _beyond(order: Order, here: Cursor, descending: bool, is_null: bool) -> Q:
    side = "lt" if descending else "gt"
    past_id = Q(**{f"pk__{side}": here.id})
    if is_null:
        return past_id if here.value is None else Q() if not here.backward else Q(pk__in=[])
    if here.value is None:
        return Q() if here.backward else Q(pk__in=[])
    return Q(**{f"{order.field}__{side}e": here.value}) & (Q(**{f"{order.field}__{side}": here.value}) | past_id)


def _tag(value: Any) -> list[Any]:
    match value:
        case None | bool() | int() | str():
            return ["v", value]
        case datetime():
            return ["t", value.isoformat()]
        case date():
            return ["d", value.isoformat()]
        case Decimal():
            return ["n", str(value)]
    raise TypeError(f"A list cannot be sorted by {type(value).__name__}")


def _untag(tagged: list[Any]) -> Any:
    tag, value = tagged
    if tag == "v" and isinstance(value, None | bool | int | str):
        return value
    readers: dict[str, Callable[[str], Any]] = {"t": datetime.fromisoformat, "d": date.fromisoformat, "n": Decimal}
    return readers[str(tag)](str(value))
