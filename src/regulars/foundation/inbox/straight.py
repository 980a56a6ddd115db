"""The straight way in: what programs send by the thousand never becomes a request of Django, whose own costs are more than storing it.

A **door** is a function of what was sent and of the words in its address; it gives the answer, and guards itself. ``straight`` makes a
view of it, so that it has an address and a rule as all others. ``Straight`` stands before Django in the web server: what is sent to a
door goes in there, everything else to Django. All that such a call passes stands in this file: counted and timed, numbered in the log,
on a living connection, one sentence where it fails, the headers of ``_headers``.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from regulars.foundation.access.gate import Rule, mark
from regulars.foundation.health.metrics import count_request
from regulars.foundation.health.middleware import PROBLEM, absence_of
from regulars.foundation.ids import new_uid
from regulars.foundation.inbox.bodies import Body, Pieces
from regulars.foundation.retrying import is_away

PLAIN = "text/plain; charset=utf-8"
_FAILED = "Something went wrong here, and is in our log. Send it again later."
_NAMED_APART = ("CONTENT_TYPE", "CONTENT_LENGTH")  # headers that a WSGI server does not begin with HTTP_

log = structlog.get_logger(__name__)
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Sent:
    """What a program sent: the method, the headers by their names in small letters, and the body as it came."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Environ) -> None:
        self._environ = environ

    @property
    def method(self) -> str:
        return str(self._environ["REQUEST_METHOD"])

    def header(self, name: str) -> str:
        """Empty where it was not sent. Not for Content-Type and Content-Length."""
        return str(self._environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))

    def headers(self) -> dict[str, str]:
        named = {name[5:]: value for name, value in self._environ.items() if name.startswith("HTTP_")}
        named |= {name: self._environ[name] for name in _NAMED_APART if self._environ.get(name)}
        return {name.replace("_", "-").lower(): value for name, value in named.items()}

    def body(self, most: int) -> bytes | None:
        """None for one that is larger than so many bytes. One that comes in pieces says no length: it is read where the server sees its end."""
        length = self._environ.get("CONTENT_LENGTH") or ""
        if length.isdecimal():
            size = int(length)
            return None if size > most else bytes(self._environ["wsgi.input"].read(size))
        if length or not self._environ.get("wsgi.input_terminated"):
            return b""
        body = bytes(self._environ["wsgi.input"].read(most + 1))
        return body if len(body) <= most else None


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = PLAIN
    headers: Mapping[str, str] = field(default_factory=dict)

    def for_django(self) -> HttpResponse:
        return HttpResponse(self.body, self.content_type, self.status, headers=dict(self.headers))


Door = Callable[..., Answer]


@dataclass(frozen=True)
class _Way:
    """Where an address leads to."""

    door: Door
    words: Mapping[str, Any]
    route: str


def straight(why: str) -> Callable[[Door], Callable[..., HttpResponse]]:
    """The public view of a door; ``why`` says why the world may send to it. Django calls it for what does not come the straight way."""

    def decorate(door: Door) -> Callable[..., HttpResponse]:
        @csrf_exempt
        def view(request: HttpRequest, **words: Any) -> HttpResponse:
            return door(Sent(request.META), **words).for_django()

        view.door = door  # type: ignore[attr-defined]
        mark(view, Rule(get="", post="", public=why, is_api=True))
        return view

    return decorate


class Straight:
    """The web server's application: sees what is sent below ``settings.STRAIGHT_PATHS`` to a door, and gives Django (``pages``) the rest.

    Where HTTPS is insisted on, Django is given what did not come by it too: it knows where to send it.
    """

    def __init__(self, pages: Callable[..., Any]) -> None:
        self._pages = pages

    def __call__(self, environ: Environ, start_response: StartResponse) -> Any:
        environ["wsgi.input"] = Body(environ)
        way = _way_of(environ)
        if way is None:
            pages = self._pages(environ, start_response)
            return Pieces(pages, environ) if getattr(pages, "streaming", False) else pages
        began = time.perf_counter()
        answer = _answer(way, environ)
        count_request(environ["REQUEST_METHOD"], way.route, answer.status, time.perf_counter() - began)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", _headers(answer))
        return [answer.body]  # a list, which the server sends at once


def _way_of(environ: Environ) -> _Way | None:
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] not in {"POST", "OPTIONS"} or not path.startswith(settings.STRAIGHT_PATHS):
        return None
    return None if settings.SECURE_SSL_REDIRECT and not _is_secure(environ) else _find(path)


def _is_secure(environ: Environ) -> bool:
    name, value = settings.SECURE_PROXY_SSL_HEADER or ("wsgi.url_scheme", "https")
    return bool(environ.get(name) == value)


@lru_cache(maxsize=256)
def _find(path: str) -> _Way | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    door = getattr(match.func, "door", None)
    return _Way(door, match.kwargs, match.route) if door else None


def _answer(way: _Way, environ: Environ) -> Answer:
    sent = Sent(environ)
    with structlog.contextvars.bound_contextvars(request_id=str(new_uid())):
        try:
            connection.close_if_unusable_or_obsolete()  # as Django does before each request
            return way.door(sent, **way.words)
        except Exception as error:
            if is_away(error):
                return _away(sent, error)
            log.exception("request failed", route=way.route)
            return Answer(500, _FAILED.encode())


def _away(sent: Sent, error: Exception) -> Answer:
    said = absence_of(error)
    if "json" in sent.header("Accept"):
        return Answer(503, said.problem, PROBLEM, said.headers)
    return Answer(503, said.sentence.encode(), headers=said.headers)


def _headers(answer: Answer) -> list[tuple[str, str]]:
    own = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
    return [*own, *answer.headers.items(), *_protecting()]


@cache
def _protecting() -> Sequence[tuple[str, str]]:
    """What Django's middlewares add to answers that are no page."""
    lasting = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
    return [
        ("Cache-Control", "no-store, private"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY),
        ("Referrer-Policy", settings.SECURE_REFERRER_POLICY),
        *([("Strict-Transport-Security", lasting)] if settings.SECURE_HSTS_SECONDS else []),
    ]
