"""Who may use a route: a bearer token with the route's scope, so many times a minute."""

from datetime import timedelta

from django.http import HttpRequest
from ninja.security import HttpBearer

from regulars.foundation import clock
from regulars.foundation.access.client import client_address
from regulars.foundation.access.limits import Limit, spend
from regulars.foundation.access.rules import SCOPES
from regulars.foundation.access.tokens import BadToken, check_token
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import NotAllowed

BY_TOKEN = Limit("api token", 3000, timedelta(minutes=1))
BAD_TOKENS = Limit("api bad token", 60, timedelta(minutes=1))


class WrongScope(NotAllowed):
    """This token lacks the scope of this route."""

    code = "wrong-scope"


class BearerToken(HttpBearer):
    """A token made under Settings, API tokens, or by ``regulars token create``."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Viewer:
        """The viewer, who becomes ``request.auth``. Raises BadToken, WrongScope, TooManyTries."""
        at = clock.now()
        try:
            viewer = check_token(token.strip(), at)
        except BadToken:
            spend(BAD_TOKENS, client_address(request), at)
            raise
        spend(BY_TOKEN, viewer.actor, at)
        if not viewer.may(SCOPES[self.scope].permission):
            record("access.denied", viewer, "", {"scope": self.scope, "method": request.method or ""}, at=at)
            raise WrongScope(f"This token lacks the scope {self.scope}.")
        return viewer


def needs(scope: str) -> BearerToken:
    """``auth=needs("customers:read")``: every route has one, or the tests fail."""
    return BearerToken(scope)


def caller(request: HttpRequest) -> Viewer:
    """On behalf of whom this route runs."""
    viewer = getattr(request, "auth", None)
    if not isinstance(viewer, Viewer):
        raise BadToken
    return viewer
