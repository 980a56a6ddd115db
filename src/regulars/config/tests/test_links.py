"""What a page offers to a role, that role may open and do: every link is followed, every form and button asked for its permission."""

from collections import deque
from datetime import timedelta
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import resolve

from regulars.foundation import clock
from regulars.foundation.access.gate import rule_of
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.rules import Role, permissions_of, within_stores
from regulars.foundation.audit.operations import SYSTEM
from regulars.web.tests.shop import make_shop
from regulars.workflows.recipes import RECIPES

pytestmark = pytest.mark.django_db
MOST_OF_A_KIND = 1
KINDS_AT_LEAST = 10


class Offered(NamedTuple):
    """Where a page leads, and what it lets one do."""

    hrefs: list[str]
    posts: list[str]


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address, self.offered = address, Offered([], [])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_post = tag == "form" and (given.get("method") or "").lower() == "post" and "data-selection" not in given
        if is_post or given.get("hx-post"):
            self.offered.posts.append(urljoin(self.address, given.get("hx-post") or given.get("action") or ""))
        for name in ("href", "hx-get"):
            if given.get(name) and tag != "link":
                self.offered.hrefs.append(urljoin(self.address, given[name] or "").partition("#")[0])


def _read(address: str, text: str) -> Offered:
    reader = _Reader(address)
    reader.feed(text)
    return reader.offered


def _kind(address: str) -> str:
    path = urlsplit(address).path
    return "/".join(part.partition("_")[0] if "_" in part else part for part in path.split("/"))


def _refused(client: Client, held: frozenset[str]) -> tuple[list[str], int]:
    """Where this reader is led and not let in, each with the page that offered it; and how many kinds of pages there were."""
    waiting, seen, kinds, wrong = deque([("/", "")]), {"/"}, dict[str, int](), list[str]()
    while waiting:
        address, shown_by = waiting.popleft()
        answer = client.get(address)
        if answer.status_code not in {200, 302}:
            wrong.append(f"{shown_by} leads to {address}, which answers {answer.status_code}")
        if answer.status_code != 200 or "text/html" not in answer["Content-Type"]:
            continue
        offered = _read(address, answer.content.decode())
        for target in offered.posts:
            rule = rule_of(resolve(urlsplit(target).path).func)
            if rule and rule.post and rule.post not in held:
                wrong.append(f"{address} offers to write to {target}, which wants {rule.post}")
        for target in offered.hrefs:
            if target in seen or not target.startswith("/") or target.startswith("/static/"):
                continue
            kind = _kind(target)
            if kinds.setdefault(kind, 0) < MOST_OF_A_KIND:
                kinds[kind] += 1
                seen.add(target)
                waiting.append((target, address))
    return sorted(set(wrong)), len(kinds)


def _walk(role: Role, stores: tuple[int, ...]) -> tuple[list[str], int]:
    member, _ = create_staff(f"{role}{len(stores)}@shop.example", role, SYSTEM, clock.now(), stores=stores)
    client = Client()
    client.force_login(member)
    held = permissions_of(role)
    return _refused(client, within_stores(held) if stores else held)


def test_whatever_a_full_shop_offers_to_a_role_opens() -> None:
    at = clock.now()
    shop = make_shop(at - timedelta(minutes=1), people=14)
    for _, recipe in RECIPES.items():
        recipe.install(at, shop.owner.pk)
    limited = ((role, (shop.store.pk,)) for role in (Role.MANAGER, Role.MARKETER))
    for role, stores in (*((role, ()) for role in Role), *limited):
        wrong, kinds = _walk(role, stores)
        assert wrong == [], (role, stores)
        assert kinds >= KINDS_AT_LEAST, (role, stores)


def test_whatever_an_empty_shop_offers_to_a_role_opens() -> None:
    for role in (Role.MANAGER, Role.AGENT, Role.READ_ONLY):
        wrong, kinds = _walk(role, ())
        assert wrong == [], role
        assert kinds >= KINDS_AT_LEAST, role
