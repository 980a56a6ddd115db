"""Whether a webhook, or the query of an installation, is Shopify's. Over the bytes as they came, in constant time.

https://shopify.dev/docs/apps/build/webhooks/verify-deliveries and .../authentication-authorization (the hmac of the query).
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from regulars.connections.base.accounts import is_stand_in
from regulars.connections.base.platforms import Account, BadSignature, Delivery
from regulars.connections.base.signing import is_signed
from regulars.connections.shopify.mapping.values import moment_or_none

LONGEST_ID = 200


def header(headers: Mapping[str, str], name: str) -> str:
    """One of Shopify's headers; the newer of its products leave the 'X-' out. Names are in small letters."""
    return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}") or ""


def authenticate(account: Account, headers: Mapping[str, str], body: bytes) -> Delivery:
    """The delivery that these bytes are. Raises BadSignature."""
    if not is_signed(body, header(headers, "hmac-sha256"), account.secrets):
        raise BadSignature
    domain = header(headers, "shop-domain").lower()
    if domain and domain != urlsplit(account.address).netloc and not is_stand_in(account.address):
        raise BadSignature("This delivery is of another shop.")
    topic, own_id = header(headers, "topic"), header(headers, "webhook-id")[:LONGEST_ID]
    return Delivery("/".join(topic.split())[:60] or "unknown", own_id, _moment(header(headers, "triggered-at")))


def is_query_signed(secret: str, query: Sequence[tuple[str, str]]) -> bool:
    """The query's parameters without ``hmac``, in their order by name, in hexadecimal.

    Shopify's own libraries differ in how they write a value with a sign in it: as in an address, or with & and % spelt out only.
    """
    given = "".join(value for name, value in query if name == "hmac").encode("utf-8", "surrogatepass")
    rest = sorted((name, value) for name, value in query if name != "hmac")
    plain = "&".join(f"{_spelt(name).replace('=', '%3D')}={_spelt(value)}" for name, value in rest)
    forms = (plain.encode("utf-8", "surrogatepass"), urlencode(rest, errors="surrogatepass").encode())
    digests = (hmac.digest(secret.encode(), text, hashlib.sha256).hex().encode() for text in forms)
    return any(hmac.compare_digest(digest, given) for digest in digests)


def _spelt(text: str) -> str:
    return text.replace("%", "%25").replace("&", "%26")


def _moment(text: str) -> datetime | None:
    try:
        return moment_or_none(text)
    except ValueError:
        return None
