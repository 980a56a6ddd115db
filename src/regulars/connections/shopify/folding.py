"""From the lines of a bulk operation's file to whole things: each with what belongs to it, as a page of the API would show it. Pure.

The file is asked for with its objects grouped: whatever belongs to a thing stands between it and the next
(https://shopify.dev/docs/api/usage/bulk-operations/queries). Should a file ever not be grouped, that is noticed here.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from regulars.connections.shopify.mapping.values import kind_of
from regulars.connections.shopify.selections import Collection, Inner

Node = dict[str, Any]


class NotGrouped(Exception):
    """Something stands where its owner is not: the file cannot be read piece by piece."""


@dataclass(frozen=True)
class Piece:
    """Whole lines from the beginning of a piece of the file, and how many bytes they are."""

    lines: list[bytes]
    size: int


def cut(raw: bytes, is_end: bool) -> Piece:
    """The lines up to where the last thing begins that may go on beyond the piece; all of them at the file's end.

    No lines where one thing fills the whole piece: ask for a longer one.
    """
    if is_end:
        return Piece([line for line in raw.split(b"\n") if line], len(raw))
    lines = raw.split(b"\n")[:-1]
    for number in range(len(lines) - 1, 0, -1):
        if not _is_child(lines[number]):
            whole = lines[:number]
            return Piece([line for line in whole if line], sum(len(line) + 1 for line in whole))
    return Piece([], 0)


def _is_child(line: bytes) -> bool:
    """Only a line of an owner may be cut before; one that cannot be read stays with what is before it."""
    try:
        return not isinstance(found := json.loads(line), dict) or "__parentId" in found
    except (ValueError, RecursionError):
        return True


def fold(lines: Iterable[bytes], topic: Collection) -> tuple[list[Node], list[bytes]]:
    """The things with what belongs to them, and the lines that are no JSON. Raises NotGrouped."""
    nodes: dict[str, Node] = {}
    broken: list[bytes] = []
    kinds = {inner.kind: inner for inner in topic.inner}
    for line in lines:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            broken.append(line)
            continue
        if not isinstance(found, dict) or "id" not in found:
            broken.append(line)
        elif "__parentId" in found:
            _attach(found, nodes, kinds)
        else:
            nodes[found["id"]] = found
    for node in nodes.values():
        for inner in topic.inner:
            _held(node, inner)
    return list(nodes.values()), broken


def _attach(found: Node, nodes: dict[str, Node], kinds: dict[str, Inner]) -> None:
    owner, inner = nodes.get(found.pop("__parentId")), kinds.get(kind_of(found["id"]))
    if owner is None or inner is None:
        raise NotGrouped
    _held(owner, inner).append(found)


def _held(node: Node, inner: Inner) -> list[Node]:
    """The list of what a thing holds, made where it is not there yet."""
    place = node.setdefault("codeDiscount", {}) if inner.is_of_discount else node
    nodes: list[Node] = place.setdefault(inner.name, {"nodes": []})["nodes"]
    return nodes


def connection(node: Node, inner: Inner) -> Node | None:
    """Where a thing of a page holds its inner things; None where it has none of them."""
    place = node.get("codeDiscount") or {} if inner.is_of_discount else node
    return place.get(inner.name)


def to_lines(nodes: Sequence[Node], broken: Sequence[bytes] = ()) -> bytes:
    """One thing a line: what a page of this platform looks like in the inbox."""
    told = [json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode() for node in nodes]
    return b"\n".join([*told, *broken])
