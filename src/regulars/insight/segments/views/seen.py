"""The rows that a condition rests on, each in words, with its moment and where it opens."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from regulars.foundation.bulk import fetch
from regulars.foundation.ids import to_public
from regulars.foundation.relations import RELATIONS
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.insight.conditions.why import Seen
from regulars.insight.segments.models import Membership
from regulars.record.carts.models import Cart
from regulars.record.events.kinds import EVENT_KINDS
from regulars.record.orders.models import Order, OrderLine, Refund


@dataclass(frozen=True)
class Opened:
    """``href`` is '' where all that can be seen of it stands on the customer's own page."""

    text: str
    at: datetime
    href: str = ""


Page = tuple[str, str]  # what it is called, and where it opens


def opened(rows: Iterable[Seen]) -> dict[Seen, Opened]:
    """A few rows of any tables; some queries, however many rows."""
    rows = list(rows)
    pages: dict[tuple[str, int], Page] = {}
    for table in {row.table for row in rows}:
        keys = [row.key for row in rows if row.table == table]
        found = _PAGES[table](keys) if table in _PAGES else {}
        pages |= {(table, key): found.get(key, (_meaning(table), "")) for key in keys}
    return {row: Opened(pages[row.table, row.key][0], row.at, pages[row.table, row.key][1]) for row in rows}


def events_at(positions: Collection[int]) -> dict[int, Page]:
    """Events by their positions: an order's and a cart's open there."""
    told = {position: (kind, subject) for position, kind, subject in fetch(_EVENTS, [list(positions)])}
    kinds = {position: EVENT_KINDS.get(kind) for position, (kind, _) in told.items()}
    subjects: dict[str, list[int]] = {}
    for position, (_, subject) in told.items():
        known = kinds[position]
        if known and subject:
            subjects.setdefault(known.subject, []).append(subject)
    orders, carts = _orders(subjects.get("order", [])), _carts(subjects.get("cart", []))
    places = {"order": orders, "cart": carts}
    return {
        position: (
            known.meaning if known else kind,
            places.get(known.subject if known else "", {}).get(subject, ("", ""))[1],
        )
        for position, (kind, subject) in told.items()
        for known in [kinds[position]]
    }


_EVENTS = "SELECT position, kind, subject_id FROM events_event WHERE position = ANY(%s)"


def _orders(ids: Collection[int]) -> dict[int, Page]:
    return {
        pk: (gettext("Order %s") % number, f"/orders/{to_public(Order.PREFIX, uid)}")
        for pk, number, uid in Order.objects.filter(pk__in=ids).values_list("pk", "number", "uid")
    }


def _of_orders(pairs: Iterable[tuple[int, int | None]], text: str) -> dict[int, Page]:
    """Rows of orders, by whose order they are."""
    owners = dict(pairs)
    orders = _orders([order for order in owners.values() if order])
    return {key: (text, orders[order][1] if order in orders else "") for key, order in owners.items()}


def _lines(ids: Collection[int]) -> dict[int, Page]:
    return _of_orders(OrderLine.objects.filter(pk__in=ids).values_list("pk", "order_id"), gettext("Line of an order"))


def _refunds(ids: Collection[int]) -> dict[int, Page]:
    return _of_orders(Refund.objects.filter(pk__in=ids).values_list("pk", "order_id"), gettext("Refund"))


def _carts(ids: Collection[int]) -> dict[int, Page]:
    rows = Cart.objects.filter(pk__in=ids).values_list("pk", "uid")
    return {pk: (gettext("Cart"), f"/carts/{to_public(Cart.PREFIX, uid)}") for pk, uid in rows}


def _memberships(ids: Collection[int]) -> dict[int, Page]:
    rows = Membership.objects.filter(pk__in=ids).values_list("pk", "segment__name", "segment__key")
    return {pk: (gettext("In %s") % name, f"/segments/{key}") for pk, name, key in rows}


_PAGES: Mapping[str, Callable[[Collection[int]], dict[int, Page]]] = {
    "orders": _orders,
    "order_lines": _lines,
    "refunds": _refunds,
    "carts": _carts,
    "events": events_at,
    "own_events": events_at,
    "memberships": _memberships,
}


def _meaning(table: str) -> str:
    """Of rows that have no page of their own."""
    meanings = [one.meaning for _, one in RELATIONS.items() if one.table == table]
    meaning = meanings[0] if meanings else WAREHOUSE_TABLES[table].meaning
    return meaning[:1].upper() + meaning[1:]
