"""Write keys: made, shown once, checked and revoked."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from regulars.connections.base.writekeys import WRITE_KEYS
from regulars.connections.tracking.models import KeyKind, TrackingKey
from regulars.foundation.access.operations import By
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput, NotFound

MARKS = {KeyKind.BROWSER: "wkb", KeyKind.SERVER: "wks"}  # so that a secret one is recognised where it does not belong
REMEMBERED_SECONDS = 5.0  # how long a process may still take what comes under a key that was revoked


@dataclass(frozen=True)
class Known:
    """What taking something in needs of a key."""

    source: str
    store_id: int
    is_server: bool


_remembered: dict[bytes, tuple[float, Known | None]] = {}
_MOST_REMEMBERED = 10_000


def create_key(name: str, kind: str, store_id: int, by: By, at: datetime) -> tuple[TrackingKey, str]:
    """The key and its text, which is shown once. Raises InvalidInput, NotAllowed."""
    if isinstance(by, Viewer):
        by.require("tracking.manage")
        if not by.sees_store(store_id):
            raise InvalidInput("Choose one of your stores for this key.")
    if kind not in set(KeyKind):
        raise InvalidInput("A key is for a browser or for a server.")
    if not name.strip():
        raise InvalidInput("Give the key a name, so that you know later what it is for.")
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(24)
    text = f"{MARKS[KeyKind(kind)]}_{prefix}_{secret}"
    with transaction.atomic():
        key = TrackingKey.objects.create(
            name=name.strip()[:120], kind=kind, store_id=store_id, prefix=prefix, secret_hash=_hash(text), created_at=at
        )
        record("tracking-key.created", by, key.public_id, {"kind": kind}, at=at)
    return key, text


def revoke_key(key_id: int, by: By, at: datetime) -> None:
    """Stops a key, in all processes within five seconds. Raises NotFound, NotAllowed."""
    key = TrackingKey.objects.filter(pk=key_id).first()
    if isinstance(by, Viewer):
        by.require("tracking.manage")
    if key is None or (isinstance(by, Viewer) and not by.sees_store(key.store_id)):
        raise NotFound
    with transaction.atomic():
        if TrackingKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=at):
            record("tracking-key.revoked", by, key.public_id, at=at)


def find_key(text: str) -> Known | None:
    """The living key behind a text; None for any other. Asked of the database once in five seconds, by one of those who come at once."""
    digest = _hash(text)
    until, known = _remembered.get(digest, (0.0, None))
    if until >= time.monotonic():
        return known
    if until:
        _remember(digest, known)  # whoever comes meanwhile goes on with what was known
    try:
        known = _look_up(text, digest)
    except BaseException:
        _remembered.pop(digest, None)
        raise
    _remember(digest, known)
    return known


def _remember(digest: bytes, known: Known | None) -> None:
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[digest] = (time.monotonic() + REMEMBERED_SECONDS, known)


def forget_remembered() -> None:
    """For tests, whose database goes back to what it was."""
    _remembered.clear()


def _look_up(text: str, digest: bytes) -> Known | None:
    mark, _, rest = text.partition("_")
    prefix = rest.partition("_")[0]
    if mark not in MARKS.values() or not prefix.isalnum() or not prefix.isascii():
        return None
    key = TrackingKey.objects.filter(prefix=prefix[:12], revoked_at__isnull=True).first()
    if key is None or not hmac.compare_digest(bytes(key.secret_hash), digest):
        return None
    return Known(key.source, key.store_id, key.is_server)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _text(name: str, kind: str, store_id: int, by: Viewer, at: datetime) -> str:
    return create_key(name, kind, store_id, by, at)[1]


WRITE_KEYS.register("tracking", _text)
