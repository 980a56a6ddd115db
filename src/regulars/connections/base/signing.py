"""The signature that shop systems put on their webhooks: HMAC-SHA256 of the raw bytes, in base64. Pure."""

import base64
import hmac
from collections.abc import Iterable


def signature_of(body: bytes, secret: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256"))


def is_signed(body: bytes, given: str, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets signed exactly these bytes. In constant time, and over bytes: a header may hold anything."""
    said = given.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(signature_of(body, secret), said) for secret in secrets)
