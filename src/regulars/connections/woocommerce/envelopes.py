"""How a page is kept: the very bytes that the shop sent, and beside them what belongs to its things and had to be asked for.

``{"things": [...], "more": {"<number>": [[...], ...]}, "shelves": [[...], ...], "parcels": {"<number>": [...]}}``: ``more`` are refunds of
orders and variations of products, ``shelves`` the categories of products and those above them, each as the pages of a list; ``parcels`` the
fulfillments of orders.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from regulars.connections.woocommerce.mapping.parcels import PARCELS
from regulars.connections.woocommerce.mapping.products import PATH
from regulars.connections.woocommerce.mapping.values import Json, key, part, parts


def envelope(
    things: bytes,
    more: Mapping[int, list[bytes]],
    shelves: Sequence[bytes] = (),
    parcels: Mapping[int, bytes] = MappingProxyType({}),
) -> bytes:
    details = b",".join(b'"%d":[%s]' % (number, b",".join(pages)) for number, pages in more.items())
    sent = b",".join(b'"%d":%s' % pair for pair in parcels.items())
    return b'{"things":%s,"more":{%s},"shelves":[%s],"parcels":{%s}}' % (things, details, b",".join(shelves), sent)


@dataclass(frozen=True)
class Envelope:
    """A page that was kept. Things are as they came, so any of them may be odd; what is asked of one raises ValueError then."""

    things: Sequence[Any]
    more: Json
    shelves: Sequence[Any]
    parcels: Json

    @classmethod
    def read(cls, body: Json) -> "Envelope":
        return cls(body["things"], part(body["more"]), body.get("shelves", ()), part(body.get("parcels")))

    def alone(self, thing: Any) -> bytes:
        """The page with this thing as its only one."""
        number = str(thing.get("id")) if isinstance(thing, dict) else ""
        own = {name: {number: of[number]} if number in of else {} for name, of in self._by_number().items()}
        return json.dumps({"things": [thing], "shelves": self.shelves, **own}, default=str).encode()

    def _by_number(self) -> dict[str, Json]:
        return {"more": self.more, "parcels": self.parcels}

    def details(self, thing: Any) -> Sequence[Json]:
        """What belongs to the thing; the pages of it overlap."""
        pages = self.more.get(str(part(thing).get("id")), ())
        return list({key(one["id"]): one for page in pages for one in parts(page)}.values())

    def whole(self, thing: Any) -> Json:
        """The thing with what the page tells beside it: where its categories stand, and its parcels."""
        said = part(thing)
        number = str(said.get("id"))
        return {**said, **self._shelved(said), **({PARCELS: self.parcels[number]} if number in self.parcels else {})}

    def _shelved(self, said: Json) -> Json:
        """Each of its categories with its path, where the page tells what stands above it."""
        if not self.shelves:
            return {}
        shelves = {one["id"]: one for page in self.shelves for one in parts(page) if isinstance(one.get("id"), int)}
        return {"categories": [_placed(one, shelves) for one in parts(said.get("categories"))]}


def _placed(shelf: Json, shelves: Mapping[Any, Json]) -> Json:
    """With its names from the top down. A category that would stand within itself ends them."""
    path: dict[Any, Any] = {}
    number = shelf.get("id")
    while number in shelves and number not in path:
        path[number] = shelves[number].get("name")
        number = shelves[number].get("parent")
    return {**shelf, PATH: list(path.values())[::-1]} if path else shelf
