"""What can be asked of the inbox. Whatever opens a body says so in its name (``open_`` and ``read_``)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Min, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.errors import NotFound
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.receiving import open_parts
from regulars.foundation.pages.days import within_days
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order

SORTS = {"received": Order("id")}


def items_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Item]:
    """Items that fit the filters of the page and belong to the viewer's stores; without their bodies."""
    rows = Item.objects.defer("headers", "body", "people")
    if viewer.store_ids is not None:
        rows = rows.filter(store_id__in=viewer.store_ids)
    if states := query.choices.get("state"):
        rows = rows.filter(state__in=states)
    if kinds := query.choices.get("kind"):
        rows = rows.filter(kind__in=kinds)
    if sources := query.choices.get("source"):
        rows = rows.filter(source__in=sources)
    return rows.filter(within_days("received_at", query.dates, "received"))


def get_item(number: int, viewer: Viewer) -> Item:
    """Raises NotFound, also for an item of a store that the viewer does not see."""
    item = Item.objects.filter(pk=number).first()
    if item is None or not viewer.sees_store(item.store_id):
        raise NotFound("There is no such input: it was dropped when its time was over, or it never came.")
    return item


def open_item(item: Item) -> tuple[dict[str, str], bytes]:
    return open_parts(
        bytes(item.key), item.received_at, bytes(item.headers), None if item.body is None else bytes(item.body)
    )


@dataclass(frozen=True)
class Waiting:
    """What one kind has in the inbox: how much waits, since when, and how much is in quarantine."""

    kind: str
    received: int
    quarantined: int
    oldest: datetime | None


def list_waiting() -> list[Waiting]:
    """By kind, from the two partial indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, count(*) FILTER (WHERE state = 'received'), count(*) FILTER (WHERE state = 'quarantined'),"
            " min(received_at) FILTER (WHERE state = 'received')"
            " FROM inbox_item WHERE state IN ('received', 'quarantined') GROUP BY kind ORDER BY kind"
        )
        return [Waiting(*row) for row in cursor.fetchall()]


def count_waiting(source: str, most: int, until: datetime | None = None) -> int:
    """How many inputs of a source wait to be read, those received up to a moment where one is given; counted no further than ``most``."""
    rows = Item.objects.filter(source=source, state=ItemState.RECEIVED)
    rows = rows.filter(received_at__lte=until) if until else rows
    return len(rows.values_list("pk")[:most])


def oldest_waiting(kinds: Collection[str] | None = None) -> datetime | None:
    """When the oldest input (of these kinds) came that waits to be read; None where none waits. What is worked out by time is right up to
    then only."""
    rows = Item.objects.filter(state=ItemState.RECEIVED)
    rows = rows if kinds is None else rows.filter(kind__in=kinds)
    oldest = rows.aggregate(at=Min("received_at"))["at"]
    return oldest if isinstance(oldest, datetime) else None


def count_quarantined(viewer: Viewer) -> int:
    return items_matching(ListQuery(choices={"state": (ItemState.QUARANTINED,)}), viewer).count()


def items_about(profiles: Collection[int]) -> Sequence[Item]:
    """Items that were found to speak of one of these profiles when they were read."""
    some = Item.objects.exclude(people=[])  # the index knows those only of which people are known
    return list(some.filter(people__overlap=list(profiles), body__isnull=False).order_by("pk"))


def forgotten_since(at: datetime) -> dict[bytes, datetime]:
    """Keyed hashes of identifiers that were erased since then, with the moment: what came in before it must not be read as theirs.

    To be asked by a parser when it begins, and again when it has written: what changed between is a reason to begin anew (Overtaken).
    """
    rows = fetch("SELECT token, forgotten_at FROM inbox_forgottenword WHERE forgotten_at >= %s", [at])
    return {bytes(token): moment for token, moment in rows}


def read_unparsed_with(words: Collection[str]) -> list[Item]:
    """Items that nobody has understood yet and in whose body one of these words stands, whatever its case."""
    wanted = [word.lower().encode() for word in words if len(word) > 2]
    if not wanted:
        return []
    rows = Item.objects.exclude(state=ItemState.PARSED).filter(body__isnull=False).order_by("pk")
    return [item for item in rows.iterator(500) if _holds(item, wanted)]


def _holds(item: Item, wanted: Sequence[bytes]) -> bool:
    body = open_item(item)[1].lower()
    return any(word in body for word in wanted)
