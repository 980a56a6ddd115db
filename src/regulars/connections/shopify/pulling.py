"""Everything of a topic, or what changed of it since a moment.

History and stock come by a bulk operation: Shopify writes everything into one file, which is fetched in pieces that end where a thing
ends. What changed comes in pages, as does everything where a bulk operation is refused. Either way a page in the inbox is whole things,
one a line, so that there is one way of reading them.

The cursor says where we are: {} the beginning, {"bulk": id} a file is being written, {"bulk": id, "at": bytes} it is being fetched,
{"after": …, "first": n} pages. It holds no address of the file: that one is signed, and asked for anew.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from regulars.connections.base.platforms import Account, Page
from regulars.connections.shopify.calls import Hidden, TooCostly, ask
from regulars.connections.shopify.completing import by_key, complete
from regulars.connections.shopify.folding import Node, NotGrouped, cut, fold, to_lines
from regulars.connections.shopify.scopes import NEEDED, held
from regulars.connections.shopify.selections import COLLECTIONS, Collection, bulk, page
from regulars.foundation.outbound import Reply

PIECE = 1_000_000  # bytes of the file at once
LARGEST_PIECE = 24_000_000  # of one thing with all that belongs to it
LOOK = 3.0  # seconds between two looks at a file that is being written
MOST_BUSY = 40  # looks while Shopify runs other operations of ours; then pages are asked for
MOST_FIRST = 50

_RUN = """
mutation Run($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status }
    userErrors { code field message }
  }
}
"""
_LOOK = "query Look($id: ID!) { bulkOperation(id: $id) { id status errorCode rootObjectCount fileSize url } }"
_SCOPES = "query Scopes { currentAppInstallation { accessScopes { handle } } }"
_WRITING = frozenset({"CREATED", "RUNNING", "CANCELING"})
_BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})


@dataclass(frozen=True)
class _Pull:
    """One topic of one shop; ``since`` as Shopify's search writes it, '' for everything."""

    account: Account
    topic: Collection
    since: str


def fetch(account: Account, topic: str, cursor: str, since: datetime | None) -> Page:
    """The next page; see ``Platform.fetch``. A topic that the app may not see is empty (``check`` says so to a person)."""
    place: dict[str, Any] = json.loads(cursor) if cursor else {}
    if not place and not NEEDED[topic] <= scopes_of(account):
        return Page(b"", "", 0, 0)
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since else ""
    pull = _Pull(account, COLLECTIONS[topic], moment)
    if "first" in place or (moment and pull.topic.is_filtered):
        return _page(pull, place)
    if "at" in place:
        return _piece(pull, place)
    return _look(pull, place) if "bulk" in place else _run(pull, int(place.get("busy", 0)))


def fetch_one(account: Account, topic: str, key: str) -> bytes:
    """One thing with all that belongs to it, as a page holds it."""
    return to_lines(by_key(account, COLLECTIONS[topic], key))


def scopes_of(account: Account) -> frozenset[str]:
    said = ask(account, _SCOPES)
    return held([str(one["handle"]) for one in said["currentAppInstallation"]["accessScopes"]])


# --- a bulk operation ---


def _run(pull: _Pull, looks: int) -> Page:
    said = ask(pull.account, _RUN, {"query": bulk(pull.topic, pull.since)})["bulkOperationRunQuery"]
    errors = said.get("userErrors") or []
    if any(error.get("code") in _BUSY for error in errors) and looks < MOST_BUSY:
        return Page(b"", json.dumps({"busy": looks + 1}), 0, wait=15)
    if errors or not said.get("bulkOperation"):
        return _begin_pages(pull)
    return Page(b"", json.dumps({"bulk": said["bulkOperation"]["id"]}), 0, wait=LOOK)


def _look(pull: _Pull, place: dict[str, Any]) -> Page:
    """Whether the file is there; how many things it will hold at least."""
    operation = _operation(pull.account, place["bulk"])
    if operation is None or operation["status"] in {"FAILED", "CANCELED", "EXPIRED"}:
        return _begin_pages(pull)
    total = int(operation["rootObjectCount"])
    if operation["status"] in _WRITING:
        return Page(b"", json.dumps(place), 0, total, wait=LOOK)
    if not operation["url"]:  # nothing was found
        return Page(b"", "", 0, 0)
    return Page(b"", json.dumps(place | {"at": 0}), 0, total)


def _operation(account: Account, number: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = ask(account, _LOOK, {"id": number})["bulkOperation"]
    return found


def _piece(pull: _Pull, place: dict[str, Any]) -> Page:
    """The next whole things of the file; a file that is gone or not grouped is left for pages."""
    operation = _operation(pull.account, place["bulk"])
    if operation is None or not operation["url"]:
        return _begin_pages(pull)
    size, start, length = int(operation["fileSize"]), int(place["at"]), PIECE
    while True:
        raw = _range(pull.account, operation["url"], start, length)
        if raw is None:
            return _begin_pages(pull)
        is_end = start + len(raw) >= size
        piece = cut(raw, is_end)
        if piece.size or is_end:
            break
        if length >= LARGEST_PIECE:
            return _begin_pages(pull)
        length *= 4
    try:
        nodes, broken = fold(piece.lines, pull.topic)
    except NotGrouped:
        return _begin_pages(pull)
    complete(pull.account, pull.topic, nodes, pull.since)
    cursor = "" if is_end else json.dumps(place | {"at": start + piece.size})
    return _of(pull, nodes, broken, cursor, int(operation["rootObjectCount"]))


def _range(account: Account, url: str, start: int, length: int) -> bytes | None:
    """Bytes of the file as it is: asked for without compression, for a range of a packed file would be a piece of the packing. None where
    it is kept from us: its address ran out, or something stands between.

    No token goes along: the file does not lie at the shop.
    """
    headers = {"range": f"bytes={start}-{start + length - 1}", "accept-encoding": "identity"}
    reply: Reply = account.client.send("GET", url, headers)
    if reply.status == 206:
        return reply.body
    if reply.status == 200:  # a store of files that knows no ranges
        return reply.body[start : start + length]
    return None


# --- pages ---


def _begin_pages(pull: _Pull) -> Page:
    return Page(b"", json.dumps({"after": None, "first": pull.topic.most}), 0)


def _page(pull: _Pull, place: dict[str, Any]) -> Page:
    first, after = int(place.get("first", pull.topic.most)), place.get("after")
    query = f"updated_at:>='{pull.since}'" if pull.since and pull.topic.is_filtered else None
    while True:
        try:
            document = page(pull.topic, pull.since, first * 5)
            said = ask(pull.account, document, {"first": first, "after": after, "query": query}, takes_less=True)
            break
        except Hidden:
            if pull.topic.may_be_hidden:
                return Page(b"", "", 0, 0)
            raise
        except TooCostly:
            if first == 1:
                raise
            first //= 2
    found = said[pull.topic.root]
    nodes: list[Node] = found["nodes"]
    complete(pull.account, pull.topic, nodes, pull.since)
    info = found["pageInfo"]
    cursor = json.dumps({"after": info["endCursor"], "first": first}) if info["hasNextPage"] else ""
    return _of(pull, nodes, [], cursor, None)


def _of(pull: _Pull, nodes: list[Node], broken: list[bytes], cursor: str, total: int | None) -> Page:
    """A page of whole things; items of which no count changed say nothing."""
    if pull.since and not pull.topic.is_filtered:
        nodes = [node for node in nodes if _has_changed(node, pull)]
    return Page(to_lines(nodes, broken), cursor, len(nodes) + len(broken), total)


def _has_changed(node: Node, pull: _Pull) -> bool:
    """Keeps of a thing only what changed in it: Shopify writes moments in UTC to the second, as we ask for them."""
    for inner in pull.topic.inner:
        held = node[inner.name]
        held["nodes"] = [one for one in held["nodes"] if one["updatedAt"] >= pull.since]
    return any(node[inner.name]["nodes"] for inner in pull.topic.inner)
