"""Every number is a door: opened, its list has as many rows as the number says. Filters, periods and details included."""

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
]
MOST_OF_A_KIND = 3  # detail pages of one kind that are opened
KINDS_OF_PAGES_AT_LEAST = 15


class Links(HTMLParser):
    """Addresses, doors with their numbers, and the page's own total."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.doors: list[tuple[str, int]] = []
        self.total: int | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self.total is None and given.get("data-total"):
            self.total = int(given["data-total"] or 0)
        if tag == "a" and given.get("href"):
            self.hrefs.append(given["href"] or "")
            if "data-door" in given:
                self.doors.append((given["href"] or "", int(given["data-count"] or 0)))


def kind_of(address: str) -> str:
    """'/customers/cus_…' and '/customers/cus_…' are pages of one kind; a list with other filters is another address of the same kind."""
    path = urlsplit(address).path
    return "/".join(part.partition("_")[0] if "_" in part else part for part in path.split("/"))


def test_every_number_opens_to_its_rows(visitor: httpx.Client) -> None:
    waiting, seen = deque(BEGINNINGS), set(BEGINNINGS)
    kinds: dict[str, int] = {}
    doors: dict[str, set[int]] = {}
    totals: dict[str, int | None] = {}
    while waiting:
        address = waiting.popleft()
        answer = visitor.get(address)
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        assert answer.status_code == 200, f"{address} answers {answer.status_code}"
        links = Links(answer.text)
        totals[address] = links.total
        for href, count in links.doors:
            doors.setdefault(urljoin(address, href), set()).add(count)
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
    for address, counts in doors.items():
        if address not in totals:
            totals[address] = Links(visitor.get(address).text).total
        if counts != {totals[address]}:
            wrong.append(f"{address}: the door says {sorted(counts)}, the list {totals[address]}")
    assert not wrong, "\n".join(wrong[:20])
    assert len(doors) > 200
