"""The straight way in passes by what only pages need, and by nothing that protects."""

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import InternalError, OperationalError, connection
from django.test import Client, RequestFactory

from regulars.connections.tracking import views
from regulars.connections.tracking.tests.shop import Shop, basic
from regulars.connections.tracking.urls import urlpatterns
from regulars.foundation.health.metrics import REQUESTS
from regulars.foundation.inbox import straight
from regulars.foundation.inbox.models import Item
from regulars.foundation.inbox.queries import open_item
from regulars.foundation.inbox.straight import Straight

pytestmark = pytest.mark.django_db
BODY = b'{"event": "E", "anonymousId": "a"}'


@dataclass
class Said:
    status: int
    headers: dict[str, str]
    body: bytes


class Server:
    """The web server's application in front of a Django that only notes what it is given."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.application = Straight(self._page)

    def _page(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.pages.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return []

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Said:
        environ = RequestFactory(headers=headers).generic(method, path, body, content_type="application/json").environ
        return self._ask(environ | {"wsgi.input": io.BytesIO(body + b"what comes behind")})

    def ask_in_pieces(self, path: str, body: bytes, **headers: str) -> Said:
        """As Granian gives what came with 'Transfer-Encoding: chunked'."""
        environ = RequestFactory(headers=headers).generic("POST", path, content_type="application/json").environ
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        environ.pop("CONTENT_LENGTH", None)
        return self._ask(environ)

    def _ask(self, environ: dict[str, Any]) -> Said:
        said: list[Any] = []
        pieces = self.application(environ, lambda status, named: said.append((int(status[:3]), dict(named))))
        [(status, named)] = said
        return Said(status, named, b"".join(pieces))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """As Django's test client: a look at the connection would end the transaction that the test runs in."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    straight._protecting.cache_clear()
    yield Server()
    straight._protecting.cache_clear()


def count(status: str) -> float:
    [route] = [str(one.pattern) for one in urlpatterns if one.name == "track"]
    return float(REQUESTS.labels("POST", route, status)._value.get())


def test_what_is_sent_is_stored_as_it_came_and_answered_with_every_header(shop: Shop, server: Server) -> None:
    before = count("200")
    said = server.ask("POST", "/v1/t", BODY, Authorization=basic(shop.browser))
    assert (said.status, said.body) == (200, b'{"success": true}')
    assert said.headers == {
        "Content-Type": "application/json",
        "Content-Length": "17",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
        "Cache-Control": "no-store, private",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
    }
    assert (Item.objects.get().size, server.pages, count("200") - before) == (len(BODY), [], 1)


def test_what_comes_compressed_is_kept_so_and_counted_in_clear(shop: Shop, server: Server) -> None:
    """Else a flood of small bodies would be read at once, and fill the memory of whoever reads them."""
    text = b'{"batch": [' + b",".join([BODY] * 100) + b"]}"
    body = gzip.compress(text)
    assert server.ask("POST", "/v1/batch", body, Authorization=basic(shop.browser)).status == 200
    item = Item.objects.get()
    assert (item.size, open_item(item)[1]) == (len(text), body)


def test_refusals_and_leave_to_send_go_the_same_way(shop: Shop, server: Server) -> None:
    named = {"Authorization": basic(shop.browser)}
    large = b'{"a":"' + b"x" * 40_000 + b'"}'
    assert [server.ask("POST", "/v1/t", body, **named).status for body in (b"{", large, b"")] == [400, 400, 400]
    assert server.ask("POST", "/v1/t", BODY).status == 401
    assert server.ask("POST", "/hooks/nobody/con_1", BODY).status == 404
    leave = server.ask("OPTIONS", "/v1/t")
    assert (leave.status, leave.headers["Access-Control-Allow-Methods"]) == (204, "GET, POST, OPTIONS")
    assert server.pages == []
    assert not Item.objects.exists()


def test_a_body_that_comes_in_pieces_has_no_length_and_is_taken_all_the_same(shop: Shop, server: Server) -> None:
    named = {"Authorization": basic(shop.browser)}
    assert server.ask_in_pieces("/v1/t", BODY, **named).status == 200
    assert Item.objects.get().size == len(BODY)
    too_large = b'{"a":"' + b"x" * 40_000 + b'"}'
    assert [server.ask_in_pieces("/v1/t", body, **named).status for body in (too_large, b"")] == [400, 400]
    assert Item.objects.count() == 1


def test_pages_and_unknown_addresses_are_for_django(server: Server) -> None:
    asked = [("POST", "/v1/nothing"), ("GET", "/v1/track"), ("POST", "/sign-in"), ("POST", "/v1/id")]
    for method, path in asked:
        server.ask(method, path)
    assert server.pages == [path for _, path in asked]
    assert Client().post("/v1/nothing").status_code == 404


def test_where_https_is_insisted_on_nothing_else_is_taken(shop: Shop, server: Server, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    named = {"Authorization": basic(shop.browser)}
    server.ask("POST", "/v1/t", BODY, **named)
    assert (server.pages, Item.objects.count()) == (["/v1/t"], 0)
    assert Client().post("/v1/t", BODY, content_type="application/json").status_code == 301
    said = server.ask("POST", "/v1/t", BODY, **named, **{"X-Forwarded-Proto": "https"})
    assert (said.status, Item.objects.count()) == (200, 1)
    assert said.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


QUOTA = "could not write to file: Disk quota exceeded"


@pytest.mark.parametrize(
    "error", [OperationalError("the connection is gone"), InternalError(QUOTA)], ids=["gone", "no room"]
)
def test_while_the_database_is_away_it_says_so(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(text: str) -> None:
        raise error from (psycopg.errors.InternalError_(QUOTA) if isinstance(error, InternalError) else None)

    monkeypatch.setattr(views, "find_key", away)
    said = server.ask("POST", "/v1/t", b"{}", Authorization="Bearer x")
    assert (said.status, said.headers["Retry-After"], said.headers["Content-Type"]) == (503, "10", straight.PLAIN)
    assert b"does not answer at the moment" in said.body
    said = server.ask("POST", "/v1/t", b"{}", Accept="application/json")
    assert (said.status, said.headers["Content-Type"]) == (503, "application/problem+json")
    assert Client(headers={"Authorization": "Bearer x"}).post("/v1/t", b"{}", "application/json").status_code == 503


def test_a_defect_of_ours_is_one_sentence_with_a_number_in_the_log(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(views, "find_key", lambda text: 1 / 0)
    said = server.ask("POST", "/v1/t", b"{}")
    assert (said.status, said.body) == (500, straight._FAILED.encode())
    assert "request_id" in caplog.text
