"""How an app gets its token: authorization code, refresh of expiring tokens, and client credentials for one's own stores.

Public apps must ask for expiring tokens (``expiring=1``: one hour, a refresh token of 90 days); a custom app may have one without end.
A refresh token that was used may be used again until its replacement is (at most 30 days): so a lost answer loses nothing.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode

from fakes.server import Request, Response, json_response
from fakes.shopify.settings import scope_text
from fakes.shopify.shop import Shop

CODE_LIVES = timedelta(minutes=10)
TOKEN_LIVES = timedelta(hours=1)
REFRESH_LIVES = timedelta(days=90)
CREDENTIALS_LIVE = timedelta(seconds=86399)


def query_signature(secret: str, parameters: dict[str, str]) -> str:
    """Hexadecimal, over everything but ``hmac``, sorted by name."""
    text = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()) if name != "hmac")
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass
class OAuth:
    shop: Shop
    codes: dict[str, datetime] = field(default_factory=dict)
    tokens: dict[str, datetime | None] = field(default_factory=dict)
    refresh_tokens: dict[str, datetime] = field(default_factory=dict)
    retired_by: dict[str, str] = field(default_factory=dict)

    def custom_token(self) -> str:
        """Of an app that was made in the admin: shown once there, without end."""
        token = f"shpat_{self.shop.token()}"
        self.tokens[token] = None
        return token

    def knows(self, token: str | None) -> bool:
        if not self.shop.is_installed or token not in self.tokens:
            return False
        ends = self.tokens[token]
        return ends is None or self.shop.now() < ends

    def authorize(self, request: Request) -> Response:
        """The merchant says yes at once, and is sent back."""
        given = dict(parse_qsl(request.query))
        app, back = self.shop.app, given.get("redirect_uri", "")
        if given.get("client_id") != app.client_id:
            return Response(400, b"Oauth error invalid_request: The application could not be found", _TEXT)
        if not back.startswith(app.redirect_prefixes):
            return Response(400, b"Oauth error invalid_request: The redirect_uri is not whitelisted", _TEXT)
        wanted = [one.strip() for one in given.get("scope", "").split(",") if one.strip()]
        if wanted:
            app.scopes = tuple(wanted)
        self.shop.is_installed = True
        return Response(302, b"", (("Location", f"{back}?{urlencode(self._sent_back(given.get('state')))}"),))

    def _sent_back(self, state: str | None) -> dict[str, str]:
        code = self.shop.token()
        self.codes[code] = self.shop.now() + CODE_LIVES
        handle = self.shop.settings.domain.partition(".")[0]
        host = base64.urlsafe_b64encode(f"admin.shopify.com/store/{handle}".encode()).decode().rstrip("=")
        told = {"code": code, "host": host, "shop": self.shop.settings.domain}
        told |= {"timestamp": str(int(self.shop.now().timestamp()))} | ({"state": state} if state is not None else {})
        return told | {"hmac": query_signature(self.shop.app.client_secret, told)}

    def token(self, request: Request) -> Response:
        given = _given(request)
        if given.get("client_id") != self.shop.app.client_id:
            return _refused("application_cannot_be_found", "The application could not be found.")
        if not hmac.compare_digest(given.get("client_secret", "").encode(), self.shop.app.client_secret.encode()):
            return _refused("invalid_client", "The client secret is wrong.", 401)
        grants = {"client_credentials": self._credentials, "refresh_token": self._refreshed}
        return grants.get(given.get("grant_type", ""), self._exchanged)(given)

    def _exchanged(self, given: dict[str, str]) -> Response:
        ends = self.codes.pop(given.get("code", ""), None)
        if ends is None or ends <= self.shop.now():
            return _refused("invalid_request", "The authorization code was not found or was already used")
        if given.get("expiring") == "1":
            return self._expiring()
        return json_response({"access_token": self.custom_token(), "scope": self._scope()})

    def _scope(self) -> str:
        return scope_text(self.shop.app.scopes)

    def _credentials(self, given: dict[str, str]) -> Response:
        if not self.shop.is_installed:
            return _refused("shop_not_permitted", "Client credentials cannot be performed on this shop.")
        token = f"shpat_{self.shop.token()}"
        self.tokens[token] = self.shop.now() + CREDENTIALS_LIVE
        seconds = int(CREDENTIALS_LIVE.total_seconds())
        return json_response({"access_token": token, "scope": self._scope(), "expires_in": seconds})

    def _expiring(self, replaced: str | None = None) -> Response:
        token, refresh = f"shpat_{self.shop.token()}", f"shprt_{self.shop.token()}"
        self.tokens[token] = self.shop.now() + TOKEN_LIVES
        self.refresh_tokens[refresh] = self.shop.now() + REFRESH_LIVES
        if replaced:
            self.retired_by[refresh] = replaced
        return json_response(
            {
                "access_token": token,
                "scope": self._scope(),
                "expires_in": int(TOKEN_LIVES.total_seconds()),
                "refresh_token": refresh,
                "refresh_token_expires_in": int(REFRESH_LIVES.total_seconds()),
            }
        )

    def _refreshed(self, given: dict[str, str]) -> Response:
        used = given.get("refresh_token", "")
        ends = self.refresh_tokens.get(used)
        if ends is None or ends <= self.shop.now() or not self.shop.is_installed:
            return _refused("invalid_grant", "The refresh token was not found or has expired.")
        if predecessor := self.retired_by.pop(used, None):
            self.refresh_tokens.pop(predecessor, None)
        return self._expiring(replaced=used)


_TEXT = (("Content-Type", "text/plain"),)


def _refused(error: str, description: str, status: int = 400) -> Response:
    return json_response({"error": error, "error_description": description}, status)


def _given(request: Request) -> dict[str, str]:
    """JSON or a form."""
    if "json" in request.headers.get("content-type", ""):
        try:
            content = json.loads(request.body)
        except ValueError:
            return {}
        return {name: str(value) for name, value in content.items()} if isinstance(content, dict) else {}
    return {name: values[-1] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
