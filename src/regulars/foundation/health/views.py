"""For load balancers and Prometheus: alive, ready, metrics. None of them shows anything about the shop or its people."""

import hmac
import ipaddress
import sys

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults
from django.views.decorators.csrf import requires_csrf_token
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from regulars.foundation.access.gate import public
from regulars.foundation.health.middleware import answer_away
from regulars.foundation.health.queries import find_obstacle
from regulars.foundation.retrying import is_away


@public("load balancers ask whether the process lives; it says nothing else")
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return _plain("ok")


@public("load balancers ask whether the process can serve; it says one sentence")
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and all migrations are applied, else 503 and why."""
    obstacle = find_obstacle()
    return _plain(obstacle or "ok", 503 if obstacle else 200)


@public("Prometheus signs in with a bearer token, or comes from this machine")
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's text format, for those who may; 404 for everybody else."""
    if not may_read_metrics(request):
        return _plain("not found", 404)
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request: HttpRequest) -> bool:
    """With REGULARS_METRICS_TOKEN set: who presents it. Without: only this machine itself, and not through a proxy on it."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())
    came_through_a_proxy = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"))
    return not came_through_a_proxy and _is_loopback(request.META.get("REMOTE_ADDR", ""))


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's page for a failure, but one sentence and 503 where the cause is that the database is away (also in a middleware)."""
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and is_away(error):
        return answer_away(request, error)
    return defaults.server_error(request)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _plain(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(
        text, status=status, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
    )
