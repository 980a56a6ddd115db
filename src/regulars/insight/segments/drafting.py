"""A definition while it is being built: a tree of JSON that may still lack something, and the moves that staff make in it. Pure.

A place is named by the numbers of the parts on the way to it, '0.2' being the third part of the first; '' is the whole. A denial stands
around its part without a number of its own. Every move gives a new tree; the old one stays, so that moves can be undone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Node = dict[str, Any]
Place = tuple[int, ...]
EVERYBODY: Node = {"all": []}


def place_of(text: str) -> Place:
    """Raises ValueError for what is no place."""
    return tuple(int(part) for part in text.split(".")) if text else ()


def text_of(place: Sequence[int]) -> str:
    return ".".join(map(str, place))


def bare(node: Node) -> Node:
    """The node without the denial around it."""
    return node["not"] if is_denied(node) else node


def is_denied(node: Node) -> bool:
    return set(node) == {"not"} and isinstance(node["not"], dict)


def group_name(node: Node) -> str:
    """'all' or 'any'; '' for a condition, and for what is no list of nodes, or has something beside it."""
    inner = bare(node)
    for name in ("all", "any"):
        if set(inner) == {name} and isinstance(inner[name], list):
            return name if all(isinstance(part, dict) for part in inner[name]) else ""
    return ""


def parts(node: Node) -> list[Node]:
    name = group_name(node)
    return bare(node)[name] if name else []


def extent(root: Any) -> tuple[int, int]:
    """How many groups, denials and conditions it is made of, and how many stand around the innermost. Raises ValueError for what is none."""
    count, deepest, waiting = 0, 0, [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if not isinstance(node, dict):
            raise ValueError(node)
        name = next((name for name in ("all", "any", "not") if name in node), "")
        inner = [node["not"]] if name == "not" else node[name] if name else []
        if not isinstance(inner, list):
            raise ValueError(inner)
        count, deepest = count + 1, max(deepest, depth)
        waiting += [(one, depth + 1) for one in inner]
    return count, deepest


def find(root: Node, place: Place) -> Node:
    """Raises LookupError where nothing stands there."""
    for number in place:
        root = _part(root, number)
    return root


def put(root: Node, place: Place, node: Node) -> Node:
    """Another node in this place."""
    return _change(root, place, lambda _: [node])


def add(root: Node, group: Place, node: Node, number: int | None = None) -> Node:
    """One more part of a group, before its part of that number; at the end where none is given. Raises LookupError where no group is."""
    if not group_name(find(root, group)):
        raise LookupError(group)
    held = parts(find(root, group))
    before = len(held) if number is None else min(number, len(held))
    return put(root, group, _with_parts(find(root, group), [*held[:before], node, *held[before:]]))


def remove(root: Node, place: Place) -> Node:
    """Without it, and without groups that it leaves empty."""
    return _tidy(_change(root, place, lambda _: [])) if place else EVERYBODY


def move(root: Node, place: Place, group: Place, number: int) -> Node:
    """Takes a node to another place: before the part of that number, as counted before the move. Into itself nothing can go."""
    if not place or group[: len(place)] == place:
        return root
    node, marked = find(root, place), put(root, place, {"moved": True})
    return _tidy(_without_mark(add(marked, group, node, number)))


def wrap(root: Node, place: Place, name: str) -> Node:
    """Puts a node into a group of its own, to be joined there by others."""
    return put(root, place, {name: [find(root, place)]})


def unwrap(root: Node, place: Place) -> Node:
    """A group's parts take its place; the whole stays what it is, and so does what is denied."""
    node = find(root, place)
    if not place or is_denied(node) or not group_name(node):
        return root
    return _tidy(_change(root, place, lambda _: parts(node)))


def toggle(root: Node, place: Place) -> Node:
    """'All of these' becomes 'any of these', and back."""
    node = find(root, place)
    other = {"all": "any", "any": "all"}[group_name(node)]
    return put(root, place, _deny_as(node, {other: parts(node)}))


def negate(root: Node, place: Place) -> Node:
    """The opposite; of the opposite, the thing itself. The whole is denied as a group within it."""
    node = find(root, place)
    other = bare(node) if is_denied(node) else {"not": node}
    return put(root, place, other if place or not is_denied(other) else {"all": [other]})


def up(root: Node, place: Place) -> Node:
    """Before the one above; the first of a group leaves it."""
    if not place:
        return root
    if place[-1]:
        return move(root, place, place[:-1], place[-1] - 1)
    return move(root, place, place[:-2], place[-2]) if len(place) > 1 else root


def down(root: Node, place: Place) -> Node:
    """After the one below; the last of a group leaves it."""
    if not place:
        return root
    if place[-1] + 1 < len(parts(find(root, place[:-1]))):
        return move(root, place, place[:-1], place[-1] + 2)
    return move(root, place, place[:-2], place[-2] + 1) if len(place) > 1 else root


def inward(root: Node, place: Place) -> Node:
    """Into the group above it, at its end; where there is none, into one of its own."""
    if not place:
        return root
    above = (*place[:-1], place[-1] - 1)
    if place[-1] and group_name(find(root, above)):
        return move(root, place, above, len(parts(find(root, above))))
    return wrap(root, place, "any")


def place_after(root: Node, node: Node) -> Place | None:
    """Where a node stands that a move has taken elsewhere; None where it is gone. Of equal ones, the one that it is."""
    equal = [(place, held) for place, held in _walk(root, ()) if held == node]
    same = [place for place, held in equal if held is node]
    return next(iter([*same, *(place for place, _ in equal)]), None)


def leaves(root: Node) -> list[tuple[Place, Node]]:
    """Conditions in their order, each without the denial around it."""
    return [(place, bare(node)) for place, node in _walk(root, ()) if not group_name(node)]


def _walk(root: Node, place: Place) -> Iterator[tuple[Place, Node]]:
    yield place, root
    for number, part in enumerate(parts(root)):
        yield from _walk(part, (*place, number))


def _part(node: Node, number: int) -> Node:
    held = parts(node)
    if not 0 <= number < len(held):
        raise LookupError(number)
    return held[number]


def _change(root: Node, place: Place, change: Callable[[Node], list[Node]]) -> Node:
    """The tree with other nodes instead of the one in this place."""
    if not place:
        return change(root)[0]
    number, held = place[0], parts(root)
    child = _part(root, number)
    new = change(child) if len(place) == 1 else [_change(child, place[1:], change)]
    return _with_parts(root, [*held[:number], *new, *held[number + 1 :]])


def _with_parts(node: Node, held: list[Node]) -> Node:
    return _deny_as(node, {group_name(node): held})


def _deny_as(node: Node, other: Node) -> Node:
    return {"not": other} if is_denied(node) else other


def _without_mark(root: Node) -> Node:
    held = [_without_mark(part) for part in parts(root) if "moved" not in part]
    return _with_parts(root, held) if group_name(root) else root


def _tidy(root: Node) -> Node:
    """Without empty groups inside."""

    def tidied(node: Node) -> list[Node]:
        if not group_name(node):
            return [node]
        held = [kept for part in parts(node) for kept in tidied(part)]
        return [_with_parts(node, held)] if held else []

    return (tidied(root) or [EVERYBODY])[0] if parts(root) else root
