"""A shop of the fake to call: its key in an account, its clock, and what a whole pull brings. The fake was written by other hands."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from fakes.shopify.serving import FakeShopify
from fakes.shopify.settings import App
from regulars.connections.base.client import Client, Pace
from regulars.connections.base.platforms import Account, Incoming, Page, Statements, Why
from regulars.connections.shopify.tests.shop import PLATFORM, account, incoming
from regulars.foundation import clock
from regulars.foundation.outbound import Outbound

MOST_PAGES = 2_000


@contextmanager
def standing(settings: Any, **more: Any) -> Iterator[FakeShopify]:
    """A fake that may be called; its clock stands still. ``settings`` is pytest-django's."""
    with FakeShopify(**more) as fake:
        settings.REACHABLE = [fake.address.partition("://")[2]]
        yield fake
        assert fake.server.errors == []


def account_at(fake: FakeShopify, **credentials: str) -> Account:
    """Waiting moves the fake's clock and takes no time."""
    host, _, port = fake.address.partition("://")[2].partition(":")
    outbound = Outbound(schemes=frozenset({"http"}), allow=frozenset({(host, int(port))}))

    def sleep(seconds: float) -> None:
        fake.clock.advance(seconds=seconds)

    app = App()
    held = {"client_id": app.client_id, "client_secret": app.client_secret, "access_token": fake.token} | credentials
    return account(address=fake.address, client=Client(outbound, Pace(10_000, 10_000), sleep), credentials=held)


def pages(shop: Account, topic: str, since: datetime | None = None) -> Iterator[Page]:
    """All pages of a topic, each asked for with the cursor of the one before and nothing else."""
    cursor = ""
    for _ in range(MOST_PAGES):
        page = PLATFORM.fetch(shop, topic, cursor, since, clock.now())
        yield page
        cursor = page.cursor
        if not cursor:
            return
    raise AssertionError("it does not end")


def everything(shop: Account, topic: str, since: datetime | None = None) -> list[Statements]:
    return [read(shop, topic, page) for page in pages(shop, topic, since) if page.body]


def read(shop: Account, topic: str, page: Page) -> Statements:
    place: Incoming = incoming(topic, page.body, Why.HISTORY)
    said = PLATFORM.read(shop, place)
    assert said.unreadable == []
    assert len(PLATFORM.split(place)) == page.count
    return said
