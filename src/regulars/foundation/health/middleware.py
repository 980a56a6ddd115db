"""Around every request: counted and timed for Prometheus, numbered in the log, one sentence when the database is away."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from regulars.foundation.health.metrics import count_request
from regulars.foundation.ids import new_uid
from regulars.foundation.retrying import Busy, is_away, is_passing

_SENTENCE = "The database does not answer at the moment. Nothing is lost; try again in a minute."
_RETRY = {"Retry-After": "10"}
PROBLEM = "application/problem+json"

log = structlog.get_logger(__name__)


class Measured:
    """Counts by route, never by address: an address may hold an id or a search for a person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=str(new_uid())):
            response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match else "(none)"
        count_request(request.method or "", route, response.status_code, time.perf_counter() - began)
        return response


class DatabaseAway:
    """503 with one sentence where the database is away, so that shops and trackers send again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self.get_response(request)
        except Error as error:
            if not is_away(error):
                raise
            return answer_away(request, error)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        return answer_away(request, error) if is_away(error) else None


@dataclass(frozen=True)
class Absence:
    """What is said while the database is away: to staff in words, to programs as problem+json (RFC 9457)."""

    sentence: str
    headers: dict[str, str]

    @property
    def problem(self) -> bytes:
        said = {"type": "about:blank", "title": "Service unavailable", "status": 503, "detail": self.sentence}
        return json.dumps(said).encode()


def absence_of(error: Exception) -> Absence:
    """Logs it. A deadlock that nobody began again is no absence."""
    log.error("database away", failure=type(error).__name__, state=getattr(error.__cause__, "sqlstate", None))
    return Absence(Busy().sentence, {"Retry-After": "1"}) if is_passing(error) else Absence(_SENTENCE, _RETRY)


def answer_away(request: HttpRequest, error: Exception) -> HttpResponseBase:
    said = absence_of(error)
    if request.path.startswith("/api/") or "json" in request.headers.get("Accept", ""):
        return HttpResponse(said.problem, status=503, content_type=PROBLEM, headers=said.headers)
    return HttpResponse(said.sentence, status=503, content_type="text/plain; charset=utf-8", headers=said.headers)
