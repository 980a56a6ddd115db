"""Around every request: counted and timed for Prometheus, numbered in the log, one sentence when the database is away."""

import time
from collections.abc import Callable

import structlog
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from regulars.foundation.health.metrics import REQUEST_SECONDS, REQUESTS
from regulars.foundation.ids import new_uid
from regulars.foundation.retrying import Busy, is_away, is_passing

_SENTENCE = "The database does not answer at the moment. Nothing is lost; try again in a minute."
_RETRY = {"Retry-After": "10"}

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
        REQUESTS.labels(request.method or "", route, str(response.status_code)).inc()
        REQUEST_SECONDS.labels(route).observe(time.perf_counter() - began)
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


def answer_away(request: HttpRequest, error: Exception) -> HttpResponseBase:
    """The answer to staff in words, to programs as problem+json (RFC 9457). A deadlock that nobody began again is no absence."""
    log.error("database away", failure=type(error).__name__, state=getattr(error.__cause__, "sqlstate", None))
    sentence, retry = (Busy().sentence, {"Retry-After": "1"}) if is_passing(error) else (_SENTENCE, _RETRY)
    if request.path.startswith("/api/") or "json" in request.headers.get("Accept", ""):
        problem = {"type": "about:blank", "title": "Service unavailable", "status": 503, "detail": sentence}
        return JsonResponse(problem, status=503, content_type="application/problem+json", headers=retry)
    return HttpResponse(sentence, status=503, content_type="text/plain; charset=utf-8", headers=retry)
