"""The fake shop on an address of this machine.

``with FakeShopify() as fake`` starts it; ``fake.shop`` makes things happen and knows the truth, ``fake.token`` is a custom app's.
"""

import re
import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

from fakes.disturbing import Disturbance
from fakes.server import FakeServer, Request, Response, json_response
from fakes.shopify.asking import Endpoint, refusal
from fakes.shopify.bulk import BulkDesk
from fakes.shopify.costing import Bucket
from fakes.shopify.oauth import OAuth
from fakes.shopify.settings import VERSION, App, Clock, Settings
from fakes.shopify.shop import Shop
from fakes.shopify.webhooks import Delivery, post

NOT_AUTHORIZED = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class FakeShopify:
    """``clock`` stands still unless it is moved (or unless ``now`` is given); ``disturbance`` is of requests and of webhooks.

    Bulk operations go on by one step at each question to the endpoint, so that two polls end them.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        settings: Settings | None = None,
        app: App | None = None,
        now: Callable[[], datetime] | None = None,
        disturbance: Disturbance | None = None,
    ) -> None:
        self.clock = Clock()
        self.now = now or self.clock
        self.shop = Shop(settings=settings, app=app, now=self.now, seed=seed)
        self.disturbance = disturbance or Disturbance(seed)
        self.shop.post.disturbance = self.disturbance
        self.oauth = OAuth(self.shop)
        self.token = self.oauth.custom_token()
        self.bulk = BulkDesk(self.now, self.shop.app.client_secret, refusal)
        self.bucket = Bucket(self.now)
        self.endpoint = Endpoint(self.shop, self.bulk, self.bucket)
        self.server = FakeServer(self.answer, port=port, disturbance=self.disturbance, shift=self.shift)

    def start(self) -> Self:
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return self.server.address

    def deliver(self, send: Callable[[Delivery], int] = post) -> int:
        """Webhooks that are due, through the disturbance; ``send`` may hand them elsewhere than to their address."""
        return self.shop.post.deliver(send)

    def rotate_secret(self, secret: str) -> None:
        """Tokens and installations want the new one at once, webhooks are signed with it after an hour."""
        self.shop.app.client_secret = secret
        self.shop.post.rotate(secret)

    def shift(self) -> None:
        """Somebody changes the oldest order, customer and product between two pages: by ``UPDATED_AT`` they move to the end."""
        with self.shop.lock:
            if self.shop.orders:
                self.shop.update_order(min(self.shop.orders.values(), key=lambda one: one.updated_at), note="Moved")
            if self.shop.customers:
                self.shop.update_customer(
                    min(self.shop.customers.values(), key=lambda one: one.updated_at), note="Moved"
                )
            if self.shop.products:
                self.shop.update_product(
                    min(self.shop.products.values(), key=lambda one: one.updated_at), vendor="Moved"
                )

    def answer(self, request: Request) -> Response:
        if request.path == "/admin/oauth/authorize" and request.method == "GET":
            return self.oauth.authorize(request)
        if request.path == "/admin/oauth/access_token" and request.method == "POST":
            return self.oauth.token(request)
        if match := re.fullmatch(r"/bulk/(\d+)\.jsonl", request.path):
            return self._bulk_file(int(match[1]), request)
        if match := re.fullmatch(r"/admin/api/([\w-]+)/graphql\.json", request.path):
            return self._graphql(match[1], request)
        return json_response({"errors": "Not Found"}, 404)

    def _graphql(self, version: str, request: Request) -> Response:
        """Only the pinned version: a real shop answers an old one as the oldest that it still knows, which hides mistakes."""
        if request.method != "POST":
            return json_response({"errors": "Not Found"}, 404)
        if version != VERSION:
            return json_response({"errors": f"The fake speaks {VERSION}, not {version}"}, 404)
        if not self.oauth.knows(request.headers.get("x-shopify-access-token")):
            return json_response({"errors": NOT_AUTHORIZED}, 401)
        with self.shop.lock:
            content = self.endpoint.answer(request.body, self.address)
            self.endpoint.step_bulk()
        return json_response(content, headers=[("X-Shopify-API-Version", VERSION)])

    def _bulk_file(self, number: int, request: Request) -> Response:
        """From another host than the shop's: a token that is sent there has leaked."""
        if "x-shopify-access-token" in request.headers:
            return Response(
                400, b"The shop's token was sent to the host of the files", (("Content-Type", "text/plain"),)
            )
        given = parse_qs(request.query)
        ends, signature = given.get("expires", ["0"])[0], given.get("signature", [""])[0]
        content = self.bulk.content(number, int(ends), signature)
        if content is None:
            return Response(403, b"<Error><Code>AccessDenied</Code></Error>", (("Content-Type", "application/xml"),))
        return Response(200, content, (("Content-Type", "application/jsonl"),))


class Courier:
    """Delivers webhooks by itself, for a shop that is tried by hand."""

    def __init__(self, fake: FakeShopify, seconds: float = 0.2) -> None:
        self._fake, self._seconds, self._is_over = fake, seconds, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(self._seconds):
            self._fake.deliver()
