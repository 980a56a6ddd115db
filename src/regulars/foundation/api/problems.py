"""Errors of the API: ``application/problem+json`` (RFC 9457) with a sentence that helps."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from regulars.foundation.errors import RegularsError

logger = structlog.get_logger()
WHO = 'Send the header "Authorization: Bearer <token>"; tokens are made under Settings, API tokens.'


class Problem(Schema):
    """What every error of this API looks like."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] = []


ERRORS: dict[int, Any] = dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 422, 429, 503), Problem)


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """One problem as a response."""
    body: dict[str, Any] = {
        "type": f"urn:regulars:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors:
        body["errors"] = [dict(error) for error in errors]
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)


def install(api: NinjaAPI) -> None:
    """Maps every exception that a route may raise to a problem; what nobody expected is logged and says nothing about
    itself.
    """
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        RegularsError: _expected,
        ValidationError: _invalid,
        AuthenticationError: lambda request, error: problem(
            401, "no-token", WHO, headers={"WWW-Authenticate": "Bearer"}
        ),
        HttpError: _http,
        RequestDataTooBig: lambda request, error: problem(
            413, "too-large", "This body is too large: send at most 1 MB."
        ),
        SuspiciousOperation: lambda request, error: problem(400, "bad-request", "This request cannot be read."),
        PermissionDenied: lambda request, error: problem(403, "not-allowed", "This is not permitted."),
        Http404: lambda request, error: problem(404, "not-found", "There is nothing under this address."),
        OperationalError: _database_away,
        InterfaceError: _database_away,
        Exception: _unexpected,
    }
    for kind, handle in handlers.items():
        api.add_exception_handler(kind, handle)


def _expected(request: HttpRequest, error: RegularsError) -> HttpResponse:
    headers = {"Retry-After": str(error.details["retry_after"])} if "retry_after" in error.details else {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return problem(error.status, error.code, error.sentence, headers=headers)


def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, RegularsError):
        return _expected(request, error.__cause__)
    return problem(error.status_code, "bad-request", "This request cannot be read.")


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {"where": _place(found.get("loc", ())), "sentence": str(found.get("msg", ""))} for found in error.errors[:20]
    ]
    first = errors[0] if errors else {"where": "", "sentence": "it cannot be used"}
    detail = f"{first['where']}: {first['sentence']}." if first["where"] else f"{first['sentence']}."
    return problem(422, "invalid", detail, errors)


def _place(path: Sequence[Any]) -> str:
    """('body', 'payload', 'lines', 0, 'sku') reads 'lines.0.sku': the names of our own arguments mean nothing outside."""
    inner = path[2:] if path and path[0] == "body" else path[1:]
    return ".".join(str(part)[:80] for part in inner)


def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    raise error  # foundation.health answers 503, as it does for pages


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.exception("api route failed", route=request.resolver_match.route if request.resolver_match else "")
    return problem(500, "defect", "Something is wrong on our side; it was logged.")


def as_problem(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A method that a route does not offer is a problem too, not a page."""

    @wraps(view)
    def speaking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return no_such_route(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        allowed = response.headers.get("Allow", "")
        return problem(
            405, "method", f"This address does not offer {request.method}, but {allowed}.", headers={"Allow": allowed}
        )

    return speaking


def no_such_route(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """Every address under /api that is none."""
    return problem(404, "not-found", "There is no such route: see /api/v1/docs.")
