"""Pages of the API's lists: forward by cursor, so that nothing is skipped while rows arrive."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from ninja import Schema
from pydantic import Field

from regulars.foundation.errors import InvalidInput

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)
BIGGEST_ID = 2**63 - 1


class BadCursor(InvalidInput):
    """This cursor is none that we gave out: begin again without it."""

    code = "bad-cursor"


class Page(Schema, Generic[Item]):
    """One page; ``next`` is the cursor of the page after it, null on the last."""

    items: list[Item]
    next: str | None = None


class PageQuery(Schema):
    """Which page. Items come in the order in which we first knew them."""

    cursor: Annotated[str, Field(max_length=60)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


def take(rows: QuerySet[Row], query: PageQuery, column: str = "id") -> tuple[Sequence[Row], str | None]:
    """Rows of one page in the order of ``column``, and the next cursor. Raises BadCursor."""
    if query.cursor:
        rows = rows.filter(**{f"{column}__gt": decode(query.cursor)})
    found = list(rows.order_by(column)[: query.limit + 1])
    kept = found[: query.limit]
    return kept, encode(getattr(kept[-1], column)) if len(found) > query.limit else None


def encode(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def decode(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        position = int(text) if text.isdecimal() and len(text) < 20 else -1
    except (ValueError, binascii.Error) as error:
        raise BadCursor from error
    if not 0 <= position <= BIGGEST_ID:
        raise BadCursor
    return position


def clean(value: Any) -> Any:
    """For annotations: text that the database can hold. Raises ValueError with a sentence."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("the character NUL cannot be stored")
    return value
