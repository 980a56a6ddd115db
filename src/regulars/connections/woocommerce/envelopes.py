"""How a page is kept: the very bytes that the shop sent, and beside them what belongs to its things and had to be asked for.

``{"things": [...], "more": {"<number>": [[...], ...]}, "shelves": [[...], ...]}``: ``more`` are refunds of orders and variations of products,
``shelves`` the categories of products and those above them, each as the pages of a list.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regulars.connections.woocommerce.mapping.products import PATH
from regulars.connections.woocommerce.mapping.values import Json, key, part, parts


def envelope(things: bytes, more: Mapping[int, list[bytes]], shelves: Sequence[bytes] = ()) -> bytes:
    details = b",".join(b'"%d":[%s]' % (number, b",".join(pages)) for number, pages in more.items())
    return b'{"things":%s,"more":{%s},"shelves":[%s]}' % (things, details, b",".join(shelves))


@dataclass(frozen=True)
class Envelope:
    """A page that was kept. Things are as they came, so any of them may be odd; what is asked of one raises ValueError then."""

    things: Sequence[Any]
    more: Json
    shelves: Sequence[Any]

    @classmethod
    def read(cls, body: Json) -> "Envelope":
        return cls(body["things"], part(body["more"]), body.get("shelves", ()))

    def alone(self, thing: Any) -> bytes:
        """The page with this thing as its only one."""
        number = str(thing.get("id")) if isinstance(thing, dict) else ""
        more = {number: self.more[number]} if number in self.more else {}
        return json.dumps({"things": [thing], "more": more, "shelves": self.shelves}, default=str).encode()

    def details(self, thing: Any) -> Sequence[Json]:
        """What belongs to the thing; the pages of it overlap."""
        pages = self.more.get(str(part(thing).get("id")), ())
        return list({key(one["id"]): one for page in pages for one in parts(page)}.values())

    def shelved(self, thing: Any) -> Json:
        """The thing, each of its categories with its path where the page tells what stands above it."""
        said = part(thing)
        if not self.shelves:
            return said
        shelves = {one["id"]: one for page in self.shelves for one in parts(page) if isinstance(one.get("id"), int)}
        return {**said, "categories": [_placed(one, shelves) for one in parts(said.get("categories"))]}


def _placed(shelf: Json, shelves: Mapping[Any, Json]) -> Json:
    """With its names from the top down. A category that would stand within itself ends them."""
    path: dict[Any, Any] = {}
    number = shelf.get("id")
    while number in shelves and number not in path:
        path[number] = shelves[number].get("name")
        number = shelves[number].get("parent")
    return {**shelf, PATH: list(path.values())[::-1]} if path else shelf
