"""What one question cannot bring: the further lines of a long order, the codes of a large discount, what a refund holds."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from regulars.connections.base.platforms import Account
from regulars.connections.shopify.calls import TooCostly, ask
from regulars.connections.shopify.folding import Node, connection
from regulars.connections.shopify.selections import REFUNDS, Collection, Inner, by_ids, rest

AT_ONCE = 100  # further inner things; fewer where that costs too much
_REFUNDS_AT_ONCE = 5


def complete(account: Account, topic: Collection, nodes: Sequence[Node], since: str = "") -> None:
    """Follows every inner connection to its end, and fetches what the orders' refunds hold."""
    for node in nodes:
        for inner in topic.inner:
            _follow(account, topic, inner, node, since)
    if topic.kind == "Order":
        _fill_refunds(account, nodes)


def by_key(account: Account, topic: Collection, key: str) -> list[Node]:
    """The thing of this number, complete; none where there is none any more."""
    nodes, _, _ = _some(account, topic, [f"gid://shopify/{topic.kind}/{key}"], AT_ONCE)
    complete(account, topic, nodes)
    return nodes


def _follow(account: Account, topic: Collection, inner: Inner, node: Node, since: str) -> None:
    held = connection(node, inner)
    while held and (info := held.get("pageInfo")) and info["hasNextPage"]:
        further = _further(account, topic, inner, {"id": node["id"], "after": info["endCursor"]}, since)
        held["nodes"] += further["nodes"]
        held["pageInfo"] = further["pageInfo"]
    if held:
        held.pop("pageInfo", None)


def _further(account: Account, topic: Collection, inner: Inner, place: dict[str, str], since: str) -> Node:
    most = AT_ONCE
    while True:
        try:
            found = ask(account, rest(topic, inner, since, most), place, takes_less=True)["node"]
            held = connection(found or {}, inner)
            return held or {"nodes": [], "pageInfo": {"hasNextPage": False}}  # it was deleted meanwhile
        except TooCostly:
            if most == 1:
                raise
            most //= 2


def _fill_refunds(account: Account, orders: Sequence[Node]) -> None:
    wanted = {refund["id"] for order in orders for refund in order.get("refunds") or ()}
    found = {node["id"]: node for node in _refunds(account, sorted(wanted))}
    for order in orders:
        there = [found[refund["id"]] for refund in order.get("refunds") or () if refund["id"] in found]
        order["refunds"] = there


def _refunds(account: Account, ids: Sequence[str]) -> Iterator[Node]:
    left, most, size = iter(ids), _REFUNDS_AT_ONCE, AT_ONCE
    while some := list(islice(left, most)):
        nodes, most, size = _some(account, REFUNDS, some, size)
        for node in nodes:
            for inner in REFUNDS.inner:
                _follow(account, REFUNDS, inner, node, "")
            yield node


def _some(account: Account, topic: Collection, ids: Sequence[str], size: int) -> tuple[list[Node], int, int]:
    """The things of these ids, and how many with how much in them may be asked for at once from now on."""
    try:
        found: list[Any] = ask(account, by_ids(topic, size), {"ids": list(ids)}, takes_less=True)["nodes"]
        return [node for node in found if node], max(1, len(ids)), size
    except TooCostly:
        if len(ids) == 1 and size == 1:
            raise
        if len(ids) == 1:
            return _some(account, topic, ids, max(1, min(size, 20) // 2))
        half = len(ids) // 2
        first, _, size = _some(account, topic, ids[:half], size)
        second, most, size = _some(account, topic, ids[half:], size)
        return first + second, most, size
