"""Lists, filtered, ordered and paged as WordPress does it."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from fakes.woocommerce import query
from fakes.woocommerce.keys import Refused
from fakes.woocommerce.query import Parameters
from fakes.woocommerce.values import Resource

_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d(:\d\d)?)?")
_BOUNDS = {"after": "created", "before": "created", "modified_after": "modified", "modified_before": "modified"}


@dataclass(frozen=True)
class Page:
    items: list[Resource]
    headers: list[tuple[str, str]]


@dataclass(frozen=True)
class Listing:
    """How one kind of thing is listed. ``searched`` are the fields in which ``search`` looks."""

    orders: Sequence[str]
    order_by: str = "date"
    order: str = "desc"
    searched: Sequence[str] = ()

    def page(self, things: Iterable[Resource], given: Parameters, zone: ZoneInfo, address: str, raw: str) -> Page:
        number, size = _whole(given, "page", 1), _whole(given, "per_page", 10)
        if size > 100 or size < 1 or number < 1:
            name = "per_page" if not 1 <= size <= 100 else "page"
            raise _invalid(name)
        bounds = [(name, _BOUNDS[name], _bound(given, name, zone)) for name in _BOUNDS if name in given]
        field = "date_{}_gmt" if truth_of(given, "dates_are_gmt") else "date_{}"
        inside = [
            thing for thing in things if all(_within(thing[field.format(of)], at, name) for name, of, at in bounds)
        ]
        kept = self._ordered([thing for thing in inside if self._matches(thing, given)], given)
        start = _whole(given, "offset", (number - 1) * size)
        pages = -(-len(kept) // size)
        headers = [("X-WP-Total", str(len(kept))), ("X-WP-TotalPages", str(pages))]
        links = _links(address, raw, number, pages)
        return Page(kept[start : start + size], headers + ([("Link", ", ".join(links))] if links else []))

    def _matches(self, thing: Resource, given: Parameters) -> bool:
        included, excluded = query.words(given, "include"), query.words(given, "exclude")
        if (included and str(thing["id"]) not in included) or str(thing["id"]) in excluded:
            return False
        wanted = query.text(given, "search").lower()
        return not wanted or any(wanted in str(_at(thing, name)).lower() for name in self.searched)

    def _ordered(self, things: list[Resource], given: Parameters) -> list[Resource]:
        by, direction = query.text(given, "orderby", self.order_by), query.text(given, "order", self.order)
        if by not in self.orders:
            raise _invalid("orderby")
        if direction not in ("asc", "desc"):
            raise _invalid("order")
        if by == "include":
            wanted = query.words(given, "include")
            return sorted(things, key=lambda thing: wanted.index(str(thing["id"])))
        return sorted(things, key=_KEYS.get(by, _by(by)), reverse=direction == "desc")


def _by(name: str) -> Callable[[Resource], Any]:
    return lambda thing: (str(thing.get(name, "")), thing["id"])


_KEYS: dict[str, Callable[[Resource], Any]] = {
    "date": lambda thing: (thing["date_created_gmt"] or "", thing["id"]),
    "registered_date": lambda thing: (thing["date_created_gmt"] or "", thing["id"]),
    "modified": lambda thing: (thing["date_modified_gmt"] or "", thing["id"]),
    "id": lambda thing: thing["id"],
    "name": lambda thing: (str(thing.get("username") or thing.get("name", "")).lower(), thing["id"]),
}


def _bound(given: Parameters, name: str, zone: ZoneInfo) -> datetime:
    """A bound with a zone is turned into the shop's time even where GMT is asked for, as WP_Date_Query does."""
    text = query.text(given, name)
    if not _DATE.fullmatch(text):
        raise _invalid(name)
    bound = datetime.fromisoformat(text)
    if bound.tzinfo is not None:
        bound = bound.astimezone(zone).replace(tzinfo=None)
    return bound.replace(microsecond=0)


def _within(written: str | None, bound: datetime, name: str) -> bool:
    """Bounds are exclusive; what has no date is within none."""
    if not written:
        return False
    moment = datetime.fromisoformat(written)
    return moment > bound if name.endswith("after") else moment < bound


def truth_of(given: Parameters, name: str) -> bool:
    text = query.text(given, name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise _invalid(name)
    return text in ("true", "1")


def _at(thing: Resource, path: str) -> object:
    value: Any = thing
    for name in path.split("."):
        value = value.get(name, "")
    return value


def _whole(given: Parameters, name: str, default: int) -> int:
    text = query.text(given, name, str(default))
    if not text.isdecimal():
        raise _invalid(name)
    return int(text)


def _invalid(name: str) -> Refused:
    return Refused("rest_invalid_param", f"Invalid parameter(s): {name}", 400)


def _links(address: str, raw: str, number: int, pages: int) -> list[str]:
    """The query of the call with another page; the keys and signatures of the call stay in it, as in the real one."""
    kept = [(name, value) for name, value in parse_qsl(raw, keep_blank_values=True) if name != "page"]

    def link(page: int, relation: str) -> str:
        return f'<{address}?{urlencode([*kept, ("page", page)])}>; rel="{relation}"'

    found = [link(min(number - 1, pages), "prev")] if number > 1 else []
    return found + ([link(number + 1, "next")] if pages > number else [])
