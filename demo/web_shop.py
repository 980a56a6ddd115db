"""The demo's own small web shop, with the tracker in its pages: ``python -m demo.web_shop --port 8125``.

Its pages tell Regulars what a visitor does under a browser key; its till tells what was ordered under a server key. It listens on
this machine only, sells nothing, and keeps nothing.
"""

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from demo.place import present_environment
from demo.till import BadOrder, Till
from demo.wares import PICTURES, Ware

_LOCAL = "127.0.0.1"
_MOST_BYTES = 20_000
_FOLDER = Path(__file__).parent / "web"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_PAGE = Template((_FOLDER / "page.html").read_text())
_WHOLE = {path.stem: path.read_text() for path in _FOLDER.glob("*.html") if path.stem != "page"}
_FILES = {f"/{path.name}": path.read_bytes() for path in _FOLDER.iterdir() if path.suffix in _KINDS}
_TITLES = {"cart": "Your cart", "checkout": "Checkout", "thanks": "Thank you"}


@dataclass(frozen=True)
class WebShop:
    """What the shop sells, and where it tells of it. ``regulars`` is the address of the installation."""

    wares: Mapping[str, Ware]
    regulars: str
    keys: Mapping[str, str]  # browser, server

    def page(self, path: str) -> str | None:
        """The HTML of an address; None where there is nothing."""
        name = path.strip("/")
        if not name:
            return self._page("Shelf", self._shelf())
        if name in _TITLES:
            return self._page(_TITLES[name], _WHOLE[name])
        ware = self.wares.get(name.removeprefix("product/")) if name.startswith("product/") else None
        return self._page(ware.title, _product(ware)) if ware else None

    def _page(self, title: str, content: str) -> str:
        return _PAGE.substitute(
            title=escape(title), content=content, regulars=escape(self.regulars), key=escape(self.keys["browser"])
        )

    def _shelf(self) -> str:
        cards = "".join(_card(ware) for ware in self.wares.values())
        return f'{_WHOLE["shelf"]}<ul class="shelf">{cards}</ul>'

    @property
    def policy(self) -> str:
        """What a shop's content security policy needs for the tracker: its address under script-src and connect-src."""
        own = f"'self' {self.regulars}"
        return f"default-src 'self'; script-src {own}; connect-src {own}; base-uri 'none'; frame-ancestors 'none'"


def _picture(ware: Ware) -> str:
    return (
        f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{PICTURES.get(ware.category, PICTURES["More"])}"/></svg>'
    )


def _button(ware: Ware, weight: str = "") -> str:
    told = escape(json.dumps(ware.as_told()))
    return f'<button class="button {weight}" type="button" data-add="{told}">Add to cart</button>'


def _card(ware: Ware) -> str:
    return (
        f'<li class="ware"><a href="/product/{escape(ware.sku)}"><span class="picture">{_picture(ware)}</span>'
        f"<strong>{escape(ware.title)}</strong></a><span class='quiet'>{escape(ware.shelf)}</span>"
        f'<span class="row"><span class="price">£{ware.price}</span>{_button(ware)}</span></li>'
    )


def _product(ware: Ware) -> str:
    told = escape(json.dumps(ware.as_told()))
    return (
        f'<article class="product" data-product="{told}"><span class="picture">{_picture(ware)}</span><div><p class="quiet">'
        f'<a href="/">Shelf</a> · {escape(ware.shelf)}</p><h1>{escape(ware.title)}</h1><p class="price">£{ware.price}</p>'
        f"<p class='row together'>{_button(ware, 'strong')}"
        f'<button class="button" type="button" data-wish="{told}" aria-pressed="false">Save for later</button></p>'
        f"<p class='quiet'>Article {escape(ware.sku)}</p></div></article>"
    )


def make_server(shop: WebShop, port: int) -> ThreadingHTTPServer:
    """A server of this shop on this machine; port 0 takes any."""
    till = Till(shop.wares, shop.regulars, shop.keys["server"])

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            page = shop.page(path)
            if path in _FILES:
                self._answer(200, _FILES[path], _KINDS[Path(path).suffix])
            elif page is not None:
                self._answer(200, page.encode(), "text/html; charset=utf-8")
            else:
                self._answer(404, b"There is no such page.", "text/plain")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != "/order" or not length.isdecimal() or int(length) > _MOST_BYTES:
                self._answer(404, b"There is no such page.", "text/plain")
                return
            try:
                number = till.take(self.rfile.read(int(length)), time.time())
            except BadOrder as error:
                self._answer(400, json.dumps({"problem": str(error)}).encode(), "application/json")
            else:
                self._answer(200, json.dumps({"order_id": number}).encode(), "application/json")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", shop.policy)
            self.send_header("Referrer-Policy", "strict-origin-when-cross-origin")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cache-Control", "no-cache")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """What visitors do is told to Regulars, and to nobody else."""

    return ThreadingHTTPServer((_LOCAL, port), Pages)


def main() -> int:
    """Runs until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo.web_shop", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--regulars", required=True, help="address of the installation that it tells")
    given = parser.parse_args()
    home = Path(present_environment().get("REGULARS_HOME") or ".regulars").expanduser().resolve()
    kept = json.loads((home / "demo" / "web-shop.json").read_text())
    wares = [Ware(**one) for one in kept["wares"]]
    server = make_server(WebShop({ware.sku: ware for ware in wares}, given.regulars, kept["keys"]), given.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
