"""The straight way in passes by what only pages need, and by nothing that protects."""

from typing import Any

import psycopg
import pytest
from django.db import InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import ResolverMatch

from regulars.connections.tracking import views
from regulars.foundation.access.gate import rule_of
from regulars.foundation.inbox import middleware
from regulars.foundation.inbox.middleware import Straight

pytestmark = pytest.mark.django_db


def test_what_is_sent_gets_no_session_and_every_header(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def look(request: HttpRequest, path: str) -> HttpResponse:
        seen.append((hasattr(request, "session"), hasattr(request, "user"), hasattr(request, "htmx")))
        return HttpResponse(b"{}", content_type="application/json")

    monkeypatch.setattr(look, "csrf_exempt", True, raising=False)
    monkeypatch.setattr(look, "access_rule", rule_of(views.collect), raising=False)
    monkeypatch.setattr(middleware, "_straight", lambda path: ResolverMatch(look, (), {"path": "t"}, route="v1/t"))
    answer = Client(enforce_csrf_checks=True).post("/v1/t", b"{}", content_type="application/json")
    assert (answer.status_code, seen) == (200, [(False, False, False)])
    assert {name: answer[name] for name in ("Cache-Control", "X-Frame-Options", "X-Content-Type-Options")} == {
        "Cache-Control": "no-store, private",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
    }
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert (answer["Referrer-Policy"], answer["Content-Length"]) == ("same-origin", "2")
    settings.SECURE_SSL_REDIRECT = True
    assert Client().post("/v1/t", b"{}", content_type="application/json").status_code == 301
    assert len(seen) == 1


def test_pages_and_unknown_addresses_go_the_long_way() -> None:
    gone: list[str] = []

    def long_way(request: HttpRequest) -> HttpResponse:
        gone.append(request.path)
        return HttpResponse()

    straight = Straight(long_way)
    make = RequestFactory()
    for request in (
        make.post("/v1/nothing"),
        make.get("/v1/track"),
        make.post("/sign-in"),
        make.post("/v1/projects/k/x"),
    ):
        straight(request)
    assert gone == ["/v1/nothing", "/v1/track", "/sign-in", "/v1/projects/k/x"]
    assert Client().post("/v1/nothing").status_code == 404


QUOTA = "could not write to file: Disk quota exceeded"


@pytest.mark.parametrize(
    "error", [OperationalError("the connection is gone"), InternalError(QUOTA)], ids=["gone", "no room"]
)
def test_while_the_database_is_away_it_says_so(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def away(text: str) -> None:
        raise error from (psycopg.errors.InternalError_(QUOTA) if isinstance(error, InternalError) else None)

    monkeypatch.setattr(views, "find_key", away)
    answer = Client(headers={"Authorization": "Bearer x"}).post("/v1/t", b"{}", content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
