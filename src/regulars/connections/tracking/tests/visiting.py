"""A shop of its own origin with the tracker in its pages, and a visitor in Chromium."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Request

from regulars.connections.tracking.tests.origin import serve_pages
from regulars.connections.tracking.tests.running import PATIENCE, Running
from regulars.connections.tracking.tests.shop import events, sealed

HOST = "shop.localhost"  # browsers take names under localhost for this machine, and for secure
OWN = f"t.{HOST}"  # what the shop's own sub-domain leads to
LAYER = (
    "window.regularsLayer = [['product', { product_id: '10', sku: 'MUG1', name: 'Mug', price: 12.5, currency: 'EUR' }]]"
)
_ID = (
    "() => new Promise((hear, fail) => { regulars('id', hear); setTimeout(() => fail(Error('no id in 20 s')), 20000) })"
)


def _page(script: str, before: str = "") -> str:
    inline = f"<script>{before}</script>" if before else ""
    return f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>{inline}{script}</head><body></body></html>'


@dataclass
class Shop:
    """Where the shop's pages lie, and the Regulars that they tell."""

    running: Running
    port: int

    def address(self, path: str = "/") -> str:
        return f"http://{HOST}:{self.port}{path}"


@contextmanager
def open_shop(running: Running) -> Iterator[Shop]:
    """A page for each way of putting the tracker into it."""
    key = running.keys["browser"]

    def script(host: str = OWN, **options: str) -> str:
        named = "".join(f' data-{name}="{value}"' for name, value in options.items())
        return f'<script async src="http://{host}:{running.port}/regulars.js" data-key="{key}"{named}></script>'

    pages = {
        "/": _page(script()),
        "/mug": _page(script(), LAYER),
        "/required": _page(script(consent="required")),
        "/cookieless": _page(script(consent="cookieless")),
        "/manual": _page(script(pages="manual")),
        "/elsewhere": _page(script("127.0.0.1")),
        "/empty": _page(""),
    }
    with serve_pages(pages) as port:
        yield Shop(running, port)


@dataclass
class Visitor:
    """One browser's profile. ``asked``: method and address of every request, those of shop pages aside."""

    shop: Shop
    context: BrowserContext
    asked: list[Request] = field(default_factory=list)
    _pages: list[Page] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("request", self._hear)

    def _hear(self, request: Request) -> None:
        if f"//{HOST}:{self.shop.port}/" not in request.url:
            self.asked.append(request)

    def open(self, path: str = "/", page: Page | None = None) -> Page:
        """Loads a page of the shop, up to where the tracker has begun."""
        page = page or self.context.new_page()
        page.goto(self.shop.address(path))
        page.wait_for_function(
            "() => window.regulars || document.title === '' || !document.querySelector('script[src]')"
        )
        return page

    def tell(self, page: Page, *call: Any) -> None:
        page.evaluate("call => regulars(...call)", list(call))

    def calls(self, path: str) -> list[Request]:
        return [request for request in self.asked if request.url.endswith(path)]

    def sent(self) -> list[str]:
        """The messageId of each call that went out, as often as it did."""
        bodies = [json.loads(request.post_data or "") for request in self.calls("/v1/batch")]
        return [call["messageId"] for body in bodies for call in body["batch"]]

    def stored(self, page: Page) -> dict[str, str]:
        found: dict[str, str] = page.evaluate("() => ({ ...localStorage })")
        return found

    def queue(self, page: Page) -> list[str]:
        return [name for name in self.stored(page) if name.startswith("regulars.call.")]

    def id(self, page: Page) -> str:
        """The anonymous id that the tracker speaks under."""
        found: str = page.evaluate(_ID)
        return found

    def cookie(self) -> dict[str, Any] | None:
        return next((dict(one) for one in self.context.cookies() if one.get("name") == "regulars_id"), None)

    def told(self, anonymous_id: str, count: int) -> list[tuple[str, dict[str, Any]]]:
        """Kind and content of what the record knows of the id, once it is so many; more than that fails too."""

        def found() -> list[tuple[str, dict[str, Any]]]:
            self.shop.running.read()
            tracked = [(event, sealed(event)) for event in events()]
            return [
                (e.kind.removeprefix("tracked."), said | e.data)
                for e, said in tracked
                if said.get("anonymous_id") == anonymous_id
            ]

        until(lambda: len(found()) >= count, self.context)
        rows = found()
        assert len(rows) == count, [kind for kind, _ in rows]
        return rows


def until(holds: Callable[[], bool], context: BrowserContext) -> None:
    """Waits while the browser goes on; fails where it never holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        context.pages[0].wait_for_timeout(20)


@contextmanager
def visiting(browser: Browser, shop: Shop, script: str = "", **options: Any) -> Iterator[Visitor]:
    """``script`` runs before each page's own."""
    context = browser.new_context(**options)
    if script:
        context.add_init_script(script)
    yield Visitor(shop, context)
    context.close()
