"""Writing the audit chain, in the transaction of the deed itself."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from django.db import connection, transaction

from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.rules import Link, canonical
from regulars.foundation.vault.keys import key_ring

LOCK = 0x4155_4449  # 'AUDI': the advisory lock under which sequence numbers are drawn
PURPOSE = "audit chain"
_PLAIN = re.compile(r"[\w .:/+,\-]{0,120}")


class Actor(Protocol):
    """Whoever does something: the Viewer of a request, or SYSTEM."""

    @property
    def actor(self) -> str: ...


class System:
    """A command or a loop: nobody signed in."""

    actor = "system"


SYSTEM = System()


class PersonalDetail(ValueError):
    """An audit entry would hold free text: it may carry codes, ids and numbers only, so that erasure never has to
    change the chain.
    """


def record(
    action: str, viewer: Actor, subject: str = "", details: Mapping[str, Any] | None = None, *, at: datetime
) -> AuditEntry:
    """Appends one entry in the caller's transaction (or one of its own). Call it last, before the log's exit: its lock
    is held until the commit.

    Raises PersonalDetail for details that are not codes, ids, numbers, or lists of them.
    """
    kept = dict(details or {})
    _check(kept)
    with transaction.atomic():
        previous = _lock_head()
        link = Link(previous.sequence + 1 if previous else 1, at, action, viewer.actor, subject, kept)
        mac = chain_mac(bytes(previous.mac) if previous else b"", link)
        return AuditEntry.objects.create(
            sequence=link.sequence, at=at, action=action, actor=viewer.actor, subject=subject, details=kept, mac=mac
        )


def chain_mac(previous: bytes, link: Link) -> bytes:
    """HMAC-SHA256 under a key derived from the key ring, over the entry before it and this one's canonical JSON (RFC
    8785's idea).
    """
    return key_ring().token(PURPOSE, previous.hex() + canonical(link), 32)


def _lock_head() -> AuditEntry | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    return AuditEntry.objects.order_by("-sequence").first()


def _check(details: Any) -> None:
    match details:
        case None | bool() | int():
            return
        case str() if _PLAIN.fullmatch(details):
            return
        case dict():
            for name, value in details.items():
                _check(name)
                _check(value)
            return
        case list() | tuple():
            for value in details:
                _check(value)
            return
    raise PersonalDetail
