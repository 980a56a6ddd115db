"""One page of a topic, raw, with what belongs to its things and must be asked for: refunds of orders, variations and categories of products."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.connections.base.platforms import Account, Page, Refused
from regulars.connections.woocommerce import calls
from regulars.connections.woocommerce.calls import MayNotRead, NoRoute, NotThere
from regulars.connections.woocommerce.envelopes import envelope
from regulars.connections.woocommerce.mapping.parcels import has_parcels
from regulars.connections.woocommerce.mapping.values import find_moment
from regulars.connections.woocommerce.pages import SIZE, everything, things_of, walk

_WHOLE = timedelta(days=1)  # whoever asks for what changed in more than this gets all customers


@dataclass(frozen=True)
class Listing:
    """How a topic is listed. ``detail``: what to ask for beside a thing, '' for nothing."""

    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    detail: Callable[[Mapping[str, Any]], str] = lambda thing: ""
    size: int = SIZE
    has_shelves: bool = False
    has_parcels: bool = False
    is_history: bool = True


def _refunds(order: Mapping[str, Any]) -> str:
    return f"orders/{order['id']}/refunds" if order.get("refunds") else ""


def _variations(product: Mapping[str, Any]) -> str:
    return f"products/{product['id']}/variations" if product.get("variations") else ""


LISTINGS: dict[str, Listing] = {
    "products": Listing(
        "products", detail=_variations, size=40, has_shelves=True
    ),  # so that a turn stays short where all have variations
    "customers": Listing("customers", {"role": "all"}),
    "coupons": Listing("coupons"),
    "orders": Listing("orders", detail=_refunds, has_parcels=True),
    "trashed-products": Listing("products", {"status": "trash"}, is_history=False),
    "trashed-orders": Listing("orders", {"status": "trash"}, is_history=False),
}


def fetch(account: Account, topic: str, cursor: str, since: datetime | None, at: datetime) -> Page:
    """The next page; an empty one of what the key may not read, which is said when the shop is connected. Orders it must read."""
    try:
        return _fetched(account, topic, cursor, since, at)
    except MayNotRead:
        if cursor or LISTINGS[topic].path == "orders":
            raise
        return Page(b"", "", 0)


def _fetched(account: Account, topic: str, cursor: str, since: datetime | None, at: datetime) -> Page:
    """Since a moment: what was modified from then on; of customers, whose list cannot be asked so, who is new."""
    listing = LISTINGS[topic]
    if since is None:
        return _walked(account, listing, cursor, {}) if listing.is_history else Page(b"", "", 0, 0)
    if topic == "customers":
        return (
            _walked(account, listing, cursor, {}) if at - since > _WHOLE else _newest(account, listing, cursor, since)
        )
    asked = (since - timedelta(seconds=1)).astimezone(UTC)  # the moment itself is left out
    return _walked(account, listing, cursor, {"modified_after": f"{asked:%Y-%m-%dT%H:%M:%S}", "dates_are_gmt": "true"})


def fetch_one(account: Account, topic: str, key: str) -> bytes:
    """One thing with what belongs to it, as a page holds it."""
    listing = LISTINGS[topic]
    try:
        answer = calls.get(account, f"{listing.path}/{key}")
    except NotThere:
        return b""
    path = listing.detail(answer.said) if isinstance(answer.said, dict) else ""
    more = {int(key): _detail(account, path)} if path else {}
    things = [answer.said]
    return envelope(b"[%s]" % answer.body, more, _shelves(account, listing, things), _parcels(account, listing, things))


def _walked(account: Account, listing: Listing, cursor: str, query: Mapping[str, object]) -> Page:
    stretch = walk(account, listing.path, cursor, {**listing.query, **query}, listing.size)
    things = things_of(stretch.answer)
    fresh = [thing for thing in things if isinstance(thing, dict) and thing.get("id") in stretch.fresh]
    more = {thing["id"]: _detail(account, path) for thing in fresh if (path := listing.detail(thing))}
    shelves, parcels = _shelves(account, listing, things), _parcels(account, listing, fresh)
    body = envelope(stretch.answer.body, more, shelves, parcels)
    return Page(body, stretch.cursor, len(stretch.fresh), stretch.answer.total)


def _detail(account: Account, path: str) -> list[bytes]:
    """Raw pages; none where the thing is gone by now."""
    try:
        return [answer.body for answer in everything(account, path)]
    except NotThere:
        return []


def _shelves(account: Account, listing: Listing, things: Sequence[Any]) -> list[bytes]:
    """Raw pages of the categories that the things name, of those above these, and so on; none where the key may not read them."""
    wanted = {number for thing in things for number in _named(thing)} if listing.has_shelves else set[int]()
    known, pages = set[int](), list[bytes]()
    with suppress(Refused):
        while fresh := sorted(wanted - known)[:SIZE]:
            answer = calls.get(account, "products/categories", {"include": ",".join(map(str, fresh)), "per_page": SIZE})
            pages.append(answer.body)
            known |= set(fresh)
            wanted |= {
                one["parent"] for one in things_of(answer) if isinstance(one, dict) and _is_number(one.get("parent"))
            }
    return pages


def _parcels(account: Account, listing: Listing, things: Sequence[Any]) -> dict[int, bytes]:
    """Raw fulfillments of the orders that have some. What the shop refuses of them is left out; so are all, where the feature is
    switched off by now."""
    found: dict[int, bytes] = {}
    with suppress(NoRoute):
        for thing in things if listing.has_parcels else ():
            if isinstance(thing, dict) and has_parcels(thing):
                with suppress(Refused):
                    answer = calls.get(account, f"orders/{thing['id']}/fulfillments")
                    found |= {thing["id"]: answer.body} if isinstance(answer.said, list) else {}
    return found


def _named(thing: Any) -> Iterator[int]:
    named = thing.get("categories") if isinstance(thing, dict) else None
    rows = named if isinstance(named, list) else ()
    yield from (one["id"] for one in rows if isinstance(one, dict) and _is_number(one.get("id")))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def _newest(account: Account, listing: Listing, cursor: str, since: datetime) -> Page:
    """From the newest backwards until before the moment; the nightly pull goes through all."""
    page = int(cursor or 1)
    asked = {**listing.query, "orderby": "registered_date", "order": "desc", "per_page": SIZE, "page": page}
    answer = calls.get(account, listing.path, asked)
    things = [one for one in things_of(answer) if isinstance(one, dict)]
    oldest = min((made for one in things if (made := find_moment(one, "date_created"))), default=since)
    is_end = len(things) < SIZE or oldest < since
    return Page(envelope(answer.body, {}), "" if is_end else str(page + 1), len(things))
