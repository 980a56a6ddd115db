"""Every number is a door: its list has as many rows, or comes to the sum, that the number says. Filters, periods, details included."""

import re
from collections import deque
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

pytestmark = pytest.mark.xdist_group("web")

BEGINNINGS = [
    "/",
    "/?days=7",
    "/?days=91",
    "/?days=364",
    "/customers?segment=champions",
    "/customers?country=GB&country=DE&orders_from=2&sort=-spent",
    "/customers?q=person1",
    "/orders?status=completed&payment=paid&total_from=20",
    "/products?kind=product&sort=-revenue",
    "/search?q=ada",
    "/?store=second",
    "/?store=second&days=364",
    "/orders?store=main&status=completed&total_from=20",
    "/customers?rfm=champions&country=GB",
    "/customers?orders_from=2&columns=name&columns=orders&columns=ordered",
    "/products?store=second&columns=title&columns=units&columns=revenue",
    "/carts?state=abandoned&value_from=5",
    "/refunds?given_from=2020-01-01",
]
MOST_OF_A_KIND = 3  # detail pages of one kind that are opened
KINDS_OF_PAGES_AT_LEAST = 15


class Links(HTMLParser):
    """Addresses, doors with their numbers, and the page's own total."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.doors: list[tuple[str, str]] = []
        self.says: set[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self.says is None and given.get("data-total"):
            self.says = {f"{given['data-total']} rows", *(given.get("data-sum") or "").split()}
        if tag == "a" and given.get("href"):
            self.hrefs.append(given["href"] or "")
            if "data-door" in given:
                said = f"{given['data-count']} rows" if "data-count" in given else given["data-sum"]
                self.doors.append((given["href"] or "", said or ""))


def kind_of(address: str) -> str:
    """'/customers/cus_…' and '/customers/cus_…' are pages of one kind; a list with other filters is another address of the same kind."""
    path = urlsplit(address).path
    return "/".join(part.partition("_")[0] if "_" in part else part for part in path.split("/"))


def test_every_number_opens_to_its_rows(visitor: httpx.Client) -> None:
    waiting, seen = deque(BEGINNINGS), set(BEGINNINGS)
    kinds: dict[str, int] = {}
    doors: dict[str, set[str]] = {}
    said: dict[str, set[str] | None] = {}
    while waiting:
        address = waiting.popleft()
        answer = visitor.get(address)
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        assert answer.status_code == 200, f"{address} answers {answer.status_code}"
        links = Links(answer.text)
        said[address] = links.says
        for href, number in links.doors:
            doors.setdefault(urljoin(address, href), set()).add(number)
        for href in links.hrefs:
            target = urljoin(address, href).partition("#")[0]
            kind = kind_of(target)
            if (
                not target.startswith("/")
                or target.startswith(("/static/", "/api/"))
                or target in seen
                or "cursor=" in target
                or "export=" in target
            ):
                continue
            if kinds.setdefault(kind, 0) < MOST_OF_A_KIND:
                kinds[kind] += 1
                seen.add(target)
                waiting.append(target)
    assert len(kinds) >= KINDS_OF_PAGES_AT_LEAST, sorted(kinds)
    wrong = []
    for address, numbers in doors.items():
        if address not in said:
            said[address] = Links(visitor.get(address).text).says
        missing = {number for number in numbers if not comes_to(number, said[address])}
        if missing:
            wrong.append(f"{address}: the door says {sorted(missing)}, the list {sorted(said[address] or ())}")
    assert not wrong, "\n".join(wrong[:20])
    assert len(doors) > 250
    assert sum(not number.endswith("rows") for numbers in doors.values() for number in numbers) > 80


def comes_to(number: str, said: set[str] | None) -> bool:
    """Nothing may be said as nothing: a list of no rows has no currency to state a zero in."""
    is_nothing = re.fullmatch(r"0[A-Za-z]+", number) and "0 rows" in (said or ())
    return bool(said) and (number in (said or ()) or bool(is_nothing))
