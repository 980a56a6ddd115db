"""Deny by default: every view says whom it is for, and one that does not is refused (``middleware.Gate``)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect

from regulars.foundation import clock
from regulars.foundation.access.rules import PERMISSIONS
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.audit.operations import record

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Rule:
    """Whom a view is for. A permission of None: this method is not offered (405); '': everybody who is signed in.
    ``public`` says why not even that.
    """

    get: str | None = None
    post: str | None = None
    public: str = ""
    is_api: bool = False  # answers in problems, and checks its own tokens

    def permission(self, method: str) -> str | None:
        return self.get if method in READS else self.post if method == "POST" else None

    @property
    def methods(self) -> list[str]:
        reads = ["GET", "HEAD", "OPTIONS"] if self.get is not None else []
        return reads + (["POST"] if self.post is not None else [])


def requires(get: str | None = None, *, post: str | None = None) -> Callable[[View], View]:
    """``@requires("customers.view", post="customers.edit")``. Without ``post`` a POST is a 405; without ``get`` a GET is.

    Nobody signed in: sent to sign in. Signed in without the permission: 403 and an audit entry.
    """
    return _guard(Rule(get=get, post=post))


def signed_in(view: View) -> View:
    """For everybody who is signed in, reading and writing."""
    return _guard(Rule(get="", post=""))(view)


def public(why: str, *, post: bool = False, get: bool = True) -> Callable[[View], View]:
    """For the whole world; ``why`` stands in the reviewed list of tests/test_every_url.py."""
    return _guard(Rule(get="" if get else None, post="" if post else None, public=why))


def rule_of(view: Any) -> Rule | None:
    """The rule that a view was marked with."""
    return getattr(view, "access_rule", None)


def mark(view: Any, rule: Rule) -> None:
    """Marks a view that guards itself: the API's routes, whose tokens and scopes are checked route by route."""
    view.access_rule = rule


def _guard(rule: Rule) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return refusal(request, rule) or view(request, *args, **kwargs)

        mark(guarded, rule)
        return cast("View", guarded)

    return decorate


def refusal(request: HttpRequest, rule: Rule) -> HttpResponseBase | None:
    """What this request gets instead of the view; None lets it through. Raises PermissionDenied for the 403 page."""
    permission = rule.permission(request.method or "")
    if permission is None:
        return HttpResponseNotAllowed(rule.methods)
    if rule.public:
        return None
    if not request.user.is_authenticated:
        return to_sign_in(request)
    viewer = viewer_of(request)
    if viewer.may(permission):
        return None
    route = request.resolver_match.view_name if request.resolver_match else ""
    record(
        "access.denied",
        viewer,
        "",
        {"permission": permission, "route": route, "method": request.method or ""},
        at=clock.now(),
    )
    known = PERMISSIONS.get(permission)
    raise PermissionDenied(known.meaning if known else permission)


def to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """A redirect that comes back here; for a fragment, word to HTMX to load the sign-in page whole."""
    address = f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": settings.LOGIN_URL})
    return HttpResponseRedirect(address if request.method in READS else settings.LOGIN_URL)


def require_known(names: list[str]) -> list[str]:
    """Those of ``names`` that no module registered; for tests."""
    return [name for name in names if name and name not in PERMISSIONS]
