"""Tokens of the API: made, shown once, checked and revoked."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from regulars.foundation.access.models import ApiToken
from regulars.foundation.access.operations import By
from regulars.foundation.access.rules import SCOPES, permissions_for, permissions_of
from regulars.foundation.access.viewer import Viewer, limited
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput, NotFound, RegularsError

MARK = "reg"
_USED_EVERY = timedelta(minutes=1)


class UnknownScope(InvalidInput):
    """There is no such scope."""

    code = "unknown-scope"


class BadToken(RegularsError):
    """This token is unknown, has expired or was revoked: make a new one under Settings, API tokens."""

    code = "bad-token"
    status = 401


def create_token(
    name: str,
    scopes: Sequence[str],
    by: By,
    at: datetime,
    store_id: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """The token and its text, which is shown once and never again. ``all`` and ``read`` stand for many scopes.

    Raises UnknownScope, InvalidInput, NotAllowed. Whoever makes it gives away nothing that they do not hold.
    """
    wanted = expand_scopes(scopes)
    if isinstance(by, Viewer):
        by.require("tokens.manage")
        for permission in permissions_for(wanted):
            by.require(permission)
        if not by.sees_store(store_id):
            raise InvalidInput("Choose one of your stores for this token.")
    if not name.strip():
        raise InvalidInput("Give the token a name, so that you know later what it is for.")
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name.strip()[:120],
        prefix=prefix,
        secret_hash=_hash(secret),
        scopes=wanted,
        store_id=store_id,
        staff_id=by.staff_id if isinstance(by, Viewer) else None,
        created_at=at,
        expires_at=expires_at,
    )
    record("token.created", by, token.public_id, {"scopes": wanted}, at=at)
    return token, f"{MARK}_{prefix}_{secret}"


def expand_scopes(scopes: Sequence[str]) -> list[str]:
    """Sorted names of scopes; 'all' is every one, 'read' every one that reads. Raises UnknownScope."""
    given = {part.strip() for scope in scopes for part in scope.split(",") if part.strip()}
    known = {name for name, _ in SCOPES.items()}
    wide = {
        "all": known,
        "*": known,
        "read": {n for n in known if n.endswith(":read")},
        "write": {n for n in known if n.endswith(":write")},
    }
    wanted = {name for scope in given for name in wide.get(scope, {scope})}
    if not wanted or wanted - known:
        unknown = ", ".join(sorted(wanted - known))[:80]
        raise UnknownScope(
            f"There is no scope '{unknown}': choose from {', '.join(sorted(known))}, or read, write, all."
        )
    return sorted(wanted)


def check_token(text: str, at: datetime) -> Viewer:
    """Whom a bearer token speaks for. Raises BadToken, always for the same reason."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    token = (
        ApiToken.objects.select_related("staff").filter(prefix=prefix[:12].replace("\x00", "")).first()
        if mark == MARK
        else None
    )
    kept = bytes(token.secret_hash) if token else bytes(32)
    if not hmac.compare_digest(kept, _hash(secret)) or token is None or not _is_alive(token, at):
        raise BadToken
    if token.last_used_at is None or at - token.last_used_at >= _USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)
    return _viewer(token)


def revoke_token(token_id: int, by: By, at: datetime) -> None:
    """Stops a token at once. Raises NotFound, NotAllowed."""
    if isinstance(by, Viewer):
        by.require("tokens.manage")
    token = ApiToken.objects.filter(pk=token_id).first()
    if token is None:
        raise NotFound
    if ApiToken.objects.filter(pk=token_id, revoked_at__isnull=True).update(revoked_at=at):
        record("token.revoked", by, token.public_id, at=at)


def list_tokens() -> list[ApiToken]:
    """All tokens, living ones first, then the newest."""
    return sorted(ApiToken.objects.select_related("staff", "store"), key=lambda t: (t.revoked_at is not None, -t.pk))


def _find(prefix: str) -> ApiToken | None:
    return ApiToken.objects.select_related("staff").filter(prefix=prefix).first()


def _is_alive(token: ApiToken, at: datetime) -> bool:
    is_current = token.revoked_at is None and (token.expires_at is None or at < token.expires_at)
    return is_current and (token.staff is None or token.staff.is_active)


def _viewer(token: ApiToken) -> Viewer:
    """A token's rights are those of its scopes; one made by staff has no more than they have now."""
    permissions = permissions_for(token.scopes)
    stores = frozenset({token.store_id}) if token.store_id else None
    language = "en-gb"
    if token.staff:
        permissions &= permissions_of(token.staff.role)
        own = token.staff.limit()
        stores = (stores & own if stores else own) if own else stores
        language = token.staff.language
    return limited(Viewer(token.staff_id, permissions, stores, language, token.name, token.pk))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
