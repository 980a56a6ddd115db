"""The straight way in: what programs send by the thousand goes past all that only pages need."""

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

from regulars.foundation.access.gate import rule_of
from regulars.foundation.health.middleware import answer_away
from regulars.foundation.retrying import is_away

# What the middleware that is passed by would have said, for answers that are no page.
_HEADERS = {
    "Cache-Control": "no-store, private",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}


class Straight:
    """Calls the view itself, without session, language, form token and the like, which cost more than storing what was sent.

    Only what is sent below ``settings.STRAIGHT_PATHS``, and only to a view that is public, no page, and guards itself: it says so by
    its rule and by ``csrf_exempt``. Stands behind what counts requests, says that the database is away, and insists on HTTPS.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_sent = request.method in {"POST", "OPTIONS"} and request.path_info.startswith(settings.STRAIGHT_PATHS)
        match = _straight(request.path_info) if is_sent else None
        if match is None:
            return self.get_response(request)
        request.resolver_match = match
        try:
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except Error as error:
            if not is_away(error):
                raise
            return answer_away(request, error)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


@lru_cache(maxsize=256)
def _straight(path: str) -> ResolverMatch | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    rule = rule_of(match.func)
    guards_itself = rule is not None and rule.is_api and bool(rule.public) and getattr(match.func, "csrf_exempt", False)
    return match if guards_itself else None
