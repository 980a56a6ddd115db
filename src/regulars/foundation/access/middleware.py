"""What stands before every view: sessions that end, and no way through an unmarked view."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase

from regulars.foundation import clock
from regulars.foundation.access.gate import rule_of
from regulars.foundation.access.rules import is_session_over

SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
_SEEN_EVERY = timedelta(minutes=1)  # so that not every page writes the session


class SessionLimits:
    """Ends a session after 12 hours, or after 30 minutes without a sign of life. A poll (header ``X-Poll``) is no sign
    of life.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            self._check(request, clock.now())
        return self.get_response(request)

    def _check(self, request: HttpRequest, at: datetime) -> None:
        session = request.session
        signed_in_at, seen_at = _moment(session.get(SIGNED_IN_AT)), _moment(session.get(SEEN_AT))
        if signed_in_at is None or seen_at is None:
            session[SIGNED_IN_AT] = session[SEEN_AT] = at.isoformat()
        elif is_session_over(signed_in_at, seen_at, at):
            logout(request)
        elif at - seen_at >= _SEEN_EVERY and "X-Poll" not in request.headers:
            session[SEEN_AT] = at.isoformat()


class Gate:
    """Refuses a view that does not say whom it is for, and keeps what staff see out of shared caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        rule = getattr(request, "access_rule", None)
        if rule is not None and (rule.is_api or not rule.public):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        rule = rule_of(view)
        if rule is None:
            raise PermissionDenied("This address names no permission, so nobody may open it.")
        if not rule.is_api:
            _refuse_nul(request, may_stream=getattr(view, "csrf_exempt", False))
        request.access_rule = rule  # type: ignore[attr-defined]


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _refuse_nul(request: HttpRequest, *, may_stream: bool) -> None:
    """PostgreSQL cannot hold NUL, and nobody types it: 400 for the whole house, so that no page can stumble over it.

    ``may_stream``: the view takes an upload as it comes, so a body with files is left to it.
    """
    has_nul = "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path
    is_form = request.content_type == "application/x-www-form-urlencoded" or not may_stream
    if request.method == "POST" and is_form:
        has_nul = has_nul or any("\x00" in value for values in request.POST.lists() for value in values[1])
    if has_nul:
        raise SuspiciousOperation("NUL in a request")
