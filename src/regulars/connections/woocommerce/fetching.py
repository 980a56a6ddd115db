"""One page of a topic, raw, with what belongs to its things and must be asked for one by one: refunds of orders, variations of products.

A page is kept as ``{"things": [...], "more": {"<number>": [[...], ...]}}`` around the very bytes that the shop sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.connections.base.platforms import Account, Page
from regulars.connections.woocommerce import calls
from regulars.connections.woocommerce.calls import NotThere
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
    is_history: bool = True


def _refunds(order: Mapping[str, Any]) -> str:
    return f"orders/{order['id']}/refunds" if order.get("refunds") else ""


def _variations(product: Mapping[str, Any]) -> str:
    return f"products/{product['id']}/variations" if product.get("variations") else ""


LISTINGS: dict[str, Listing] = {
    "products": Listing(
        "products", detail=_variations, size=40
    ),  # so that a turn stays short where all have variations
    "customers": Listing("customers", {"role": "all"}),
    "coupons": Listing("coupons"),
    "orders": Listing("orders", detail=_refunds),
    "trashed-products": Listing("products", {"status": "trash"}, is_history=False),
    "trashed-orders": Listing("orders", {"status": "trash"}, is_history=False),
}


def fetch(account: Account, topic: str, cursor: str, since: datetime | None, at: datetime) -> Page:
    """The next page. Since a moment: what was modified from then on; of customers, whose list cannot be asked so, who is new."""
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
    return _envelope(b"[%s]" % answer.body, {int(key): _detail(account, path)} if path else {})


def _walked(account: Account, listing: Listing, cursor: str, query: Mapping[str, object]) -> Page:
    stretch = walk(account, listing.path, cursor, {**listing.query, **query}, listing.size)
    more = {}
    for thing in things_of(stretch.answer):
        if isinstance(thing, dict) and thing.get("id") in stretch.fresh and (path := listing.detail(thing)):
            more[thing["id"]] = _detail(account, path)
    return Page(_envelope(stretch.answer.body, more), stretch.cursor, len(stretch.fresh), stretch.answer.total)


def _detail(account: Account, path: str) -> list[bytes]:
    """Raw pages; none where the thing is gone by now."""
    try:
        return [answer.body for answer in everything(account, path)]
    except NotThere:
        return []


def _envelope(things: bytes, more: Mapping[int, list[bytes]]) -> bytes:
    details = b",".join(b'"%d":[%s]' % (number, b",".join(pages)) for number, pages in more.items())
    return b'{"things":%s,"more":{%s}}' % (things, details)


def _newest(account: Account, listing: Listing, cursor: str, since: datetime) -> Page:
    """From the newest backwards until before the moment; the nightly pull goes through all."""
    page = int(cursor or 1)
    asked = {**listing.query, "orderby": "registered_date", "order": "desc", "per_page": SIZE, "page": page}
    answer = calls.get(account, listing.path, asked)
    things = [one for one in things_of(answer) if isinstance(one, dict)]
    oldest = min((made for one in things if (made := find_moment(one, "date_created"))), default=since)
    is_end = len(things) < SIZE or oldest < since
    return Page(_envelope(answer.body, {}), "" if is_end else str(page + 1), len(things))
