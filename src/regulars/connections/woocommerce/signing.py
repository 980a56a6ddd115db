"""How WooCommerce signs, in both directions. Pure.

Requests: Basic under https; under plain http, where WooCommerce refuses it, and where a web server keeps the header from PHP, OAuth 1.0a
with one leg (RFC 5849, section 3.4).
Webhooks: HMAC-SHA256 of the raw body with the secret as WordPress unescapes it.
Source: WooCommerce's WC_REST_Authentication and WC_Webhook; checked against what its own clients send and against live deliveries.
"""

import base64
import hmac
import re
from urllib.parse import parse_qsl, quote

from regulars.connections.base.signing import signature_of

_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#039;": "'", "&#39;": "'", "&#x27;": "'"}
_ENTITY = re.compile("|".join(map(re.escape, _ENTITIES)))


def basic(key: str, secret: str) -> str:
    """The value of the header Authorization."""
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def signed_address(method: str, address: str, key: str, secret: str, second: int, nonce: str) -> str:
    """The address with the OAuth parameters in its query. ``second`` is of now; WooCommerce allows for a quarter of an hour."""
    where, _, query = address.partition("?")
    said = [
        *parse_qsl(query, keep_blank_values=True),
        ("oauth_consumer_key", key),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", str(second)),
    ]
    told = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(said))
    base = "&".join(map(_encoded, (method, where, told)))
    signature = base64.b64encode(hmac.digest(f"{secret}&".encode(), base.encode(), "sha256")).decode()
    return f"{where}?{told}&oauth_signature={_encoded(signature)}"


def webhook_signature(body: bytes, secret: str) -> bytes:
    return signature_of(body, unescaped(secret))


def unescaped(secret: str) -> str:
    """As PHP's ``wp_specialchars_decode`` with both kinds of quotes."""
    return _ENTITY.sub(lambda found: _ENTITIES[found[0]], secret)


def _encoded(text: str) -> str:
    return quote(text, safe="")
