"""API keys and how a request proves to have one, after WooCommerce's WC_REST_Authentication."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, quote

from fakes.server import Request
from fakes.woocommerce.query import numbered

_WINDOW = 15 * 60  # seconds that a timestamp may be off, and that a nonce is remembered
_OAUTH = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Refused(Exception):
    """Answered with ``status`` and WordPress' form of an error."""

    def __init__(self, code: str, message: str, status: int = 401) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class Key:
    id: int
    consumer_key: str
    consumer_secret: str
    permissions: str = "read_write"  # or read, write
    nonces: dict[int, str] = field(default_factory=dict)  # by timestamp, so only the last of a second is known


@dataclass
class Keys:
    """``find`` gives the key of a request that proves it, None where it does not even try."""

    known: dict[str, Key] = field(default_factory=dict)

    def add(self, permissions: str = "read_write", key: str = "", secret: str = "") -> Key:
        made = Key(
            len(self.known) + 1,
            key or f"ck_{secrets.token_hex(20)}",
            secret or f"cs_{secrets.token_hex(20)}",
            permissions,
        )
        self.known[made.consumer_key] = made
        return made

    def remove(self, key: Key) -> None:
        del self.known[key.consumer_key]

    def find(self, request: Request, home: str, at: datetime) -> Key | None:
        key = (self._basic(request) if request.is_secure else None) or self._oauth(request, home, at)
        if key is not None:
            _require_permission(key, request.method)
        return key

    def _basic(self, request: Request) -> Key | None:
        given = dict(parse_qsl(request.query))
        name, secret = given.get("consumer_key", ""), given.get("consumer_secret", "")
        header = request.headers.get("authorization", "")
        if not (name and secret) and header.startswith("Basic "):
            name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        key = self.known.get(name)
        if key is None:
            return None
        if not hmac.compare_digest(key.consumer_secret.encode(), secret.encode()):
            raise Refused("woocommerce_rest_authentication_error", "Consumer secret is invalid.")
        return key

    def _oauth(self, request: Request, home: str, at: datetime) -> Key | None:
        given = numbered(request.query)
        missing = [name for name in _OAUTH if not given.get(name)]
        if len(missing) == len(_OAUTH):
            return None
        if missing:
            raise Refused(
                "woocommerce_rest_authentication_missing_parameter", f"Missing OAuth parameters {', '.join(missing)}"
            )
        key = self.known.get(given["oauth_consumer_key"])
        if key is None:
            raise Refused("woocommerce_rest_authentication_error", "Consumer key is invalid.")
        expected = oauth_signature(request.method, home + request.path, given, key.consumer_secret)
        if not hmac.compare_digest(expected.encode(), given["oauth_signature"].replace(" ", "+").encode()):
            raise Refused(
                "woocommerce_rest_authentication_error", "Invalid signature - provided signature does not match."
            )
        _spend_nonce(key, given["oauth_timestamp"], given["oauth_nonce"], int(at.timestamp()))
        return key


def _require_permission(key: Key, method: str) -> None:
    kind = "read" if method in _READING else "write"
    if method != "OPTIONS" and kind not in key.permissions.split("_"):
        raise Refused(
            "woocommerce_rest_authentication_error", f"The API key provided does not have {kind} permissions."
        )


def _spend_nonce(key: Key, timestamp: str, nonce: str, now: int) -> None:
    second = int(timestamp) if timestamp.isdecimal() else 0
    if abs(second - now) > _WINDOW:
        raise Refused("woocommerce_rest_authentication_error", "Invalid timestamp.")
    if nonce in key.nonces.values():
        raise Refused("woocommerce_rest_authentication_error", "Invalid nonce - nonce has already been used.")
    key.nonces[second] = nonce
    key.nonces = {at: used for at, used in key.nonces.items() if at >= now - _WINDOW}


def oauth_signature(method: str, url: str, parameters: dict[str, str], secret: str) -> str:
    """OAuth 1.0a (RFC 5849, section 3.4) with one leg: base64; HMAC-SHA1 or HMAC-SHA256 as ``parameters`` say.

    Lists (``include[]=1&include[]=2``) are taken with their numbers (``include[0]``), as PHP reads them.
    """
    named = sorted(
        parameters.items(), key=lambda pair: pair[0].partition("[")[0]
    )  # lists keep their own order, as in PHP
    pairs = [(name, value) for name, value in named if name != "oauth_signature"]
    query = "%26".join(_encoded(f"{_encoded(name)}={_encoded(value)}") for name, value in pairs)
    base = f"{method.upper()}&{_encoded(url)}&{query}"
    algorithms = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
    algorithm = algorithms.get(parameters["oauth_signature_method"])
    if algorithm is None:
        raise Refused("woocommerce_rest_authentication_error", "Invalid signature - signature method is invalid.")
    return base64.b64encode(hmac.new(f"{secret}&".encode(), base.encode(), algorithm).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="~")
