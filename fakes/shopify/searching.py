"""``query:`` and pages: Shopify's search syntax as far as it is documented, and cursors that hold a place, not a count."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from graphql import GraphQLError

MOST = 250
_TERM = re.compile(
    r"""(?P<not>-|NOT\s+)?(?:(?P<name>[A-Za-z_.]+):)?(?P<op>>=|<=|>|<)?(?P<value>'[^']*'|"[^"]*"|[^\s()]+)"""
)

Reading = Callable[[Any], object]


def bad_request(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


@dataclass(frozen=True)
class Term:
    name: str
    comparator: str
    value: str
    is_not: bool


def parsed(query: str) -> list[list[Term]]:
    """Alternatives (OR) of terms that must all hold. Brackets are refused: the fake does not need them."""
    if "(" in query:
        raise bad_request(f"The fake does not read brackets in a search: {query}")
    return [_terms(part) for part in re.split(r"\s+OR\s+", query.strip())]


def _terms(text: str) -> list[Term]:
    found = []
    for match in _TERM.finditer(re.sub(r"\s+AND\s+", " ", text)):
        value = match["value"].strip("'\"")
        found.append(Term(match["name"] or "default", match["op"] or "=", value, bool(match["not"])))
    return found


def searched(
    records: Sequence[Any], query: str | None, kinds: dict[str, str], read: dict[str, Reading], zone: str
) -> list[Any]:
    """``kinds`` are the documented filters (name, kind), ``read`` how the fake finds the value. Others are refused, not ignored."""
    if not query or not query.strip():
        return list(records)
    alternatives = parsed(query)
    for term in (one for terms in alternatives for one in terms):
        if term.name not in kinds:
            raise bad_request(f"Invalid search field for this query: {term.name}")
        if term.name not in read:
            raise bad_request(f"The fake does not know how to search by {term.name}")
    return [
        one
        for one in records
        if any(all(_holds(one, term, kinds[term.name], read, zone) for term in terms) for terms in alternatives)
    ]


def _holds(record: Any, term: Term, kind: str, read: dict[str, Reading], zone: str) -> bool:
    found = read[term.name](record)
    values = found if isinstance(found, (list, tuple, set)) else [found]
    return term.is_not != any(_matches(value, term, kind, zone) for value in values)


def _matches(value: Any, term: Term, kind: str, zone: str) -> bool:
    if value is None:
        return False
    if kind == "time":
        return _compare(value, _moment(term.value, zone), term.comparator)
    if kind in ("integer", "float", "bigdecimal", "id"):
        return _compare(float(value), float(term.value.rsplit("/", 1)[-1]), term.comparator)
    if kind == "boolean":
        return bool(value) is (term.value.lower() == "true")
    return any(_text_matches(str(value), wanted) for wanted in term.value.split(","))


def _text_matches(value: str, wanted: str) -> bool:
    value, wanted = value.casefold(), wanted.strip().casefold()
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def _compare(value: Any, wanted: Any, comparator: str) -> bool:
    return bool(
        {">=": value >= wanted, "<=": value <= wanted, ">": value > wanted, "<": value < wanted, "=": value == wanted}[
            comparator
        ]
    )


def _moment(text: str, zone: str) -> datetime:
    """Without an offset it is in the shop's own time zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"Invalid timestamp for query: {text}") from error
    if len(text) <= 10:
        at = datetime.combine(date.fromisoformat(text), time())
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


@dataclass(frozen=True)
class Page:
    """What a connection answers with. ``records`` are those of the page."""

    records: list[Any]
    cursors: list[str]
    has_next: bool
    has_previous: bool

    @property
    def edges(self) -> list[dict[str, Any]]:
        return [{"cursor": cursor, "node": one} for cursor, one in zip(self.cursors, self.records, strict=True)]

    @property
    def nodes(self) -> list[Any]:
        return self.records

    @property
    def page_info(self) -> dict[str, Any]:
        return {
            "hasNextPage": self.has_next,
            "hasPreviousPage": self.has_previous,
            "startCursor": self.cursors[0] if self.cursors else None,
            "endCursor": self.cursors[-1] if self.cursors else None,
        }


def paged(records: Sequence[Any], place: Callable[[Any], tuple[Any, int]], arguments: dict[str, Any]) -> Page:
    """``place`` gives what is sorted by and the number. A record that moves between two pages is missed or seen twice, as there."""
    ordered = sorted(records, key=place, reverse=bool(arguments.get("reverse")))
    whole = _between(ordered, place, arguments)
    first, last = arguments.get("first"), arguments.get("last")
    kept = whole[:first] if first is not None else whole[-last:] if last else whole
    cursors = [cursor(place(one)) for one in kept]
    is_start, is_end = not kept or kept[0] is ordered[0], not kept or kept[-1] is ordered[-1]
    return Page(kept, cursors, has_next=not is_end, has_previous=not is_start)


def _between(ordered: Sequence[Any], place: Callable[[Any], tuple[Any, int]], arguments: dict[str, Any]) -> list[Any]:
    is_reverse = bool(arguments.get("reverse"))
    after, before = arguments.get("after"), arguments.get("before")
    low, high = (_read_cursor(text) if text else None for text in (after, before))

    def is_later(one: Any, than: tuple[str, int]) -> bool:
        mine = _written(place(one))
        return mine < than if is_reverse else mine > than

    found = [one for one in ordered if low is None or is_later(one, low)]
    return [one for one in found if high is None or (_written(place(one)) != high and not is_later(one, high))]


def _written(place: tuple[Any, int]) -> tuple[str, int]:
    value, number = place
    if isinstance(value, datetime):
        return value.isoformat(), number
    if isinstance(value, int | float):
        return f"{value:024.4f}", number
    return str(value), number


def cursor(place: tuple[Any, int]) -> str:
    value, number = _written(place)
    return base64.b64encode(json.dumps({"last_id": number, "last_value": value}).encode()).decode()


def _read_cursor(text: str) -> tuple[str, int]:
    try:
        known = json.loads(base64.b64decode(text, validate=True))
        return str(known["last_value"]), int(known["last_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request("Invalid cursor for current pagination sort.") from error
