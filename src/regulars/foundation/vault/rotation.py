"""A new master key: every wrapped key is wrapped again; what they seal is not touched, and blind tokens stay what they
are.
"""

import base64
import os
import secrets
from collections.abc import Callable

from django.conf import settings

from regulars.foundation.errors import InvalidInput
from regulars.foundation.registry import Registry
from regulars.foundation.sealing import KeyRing, new_key
from regulars.foundation.vault.keys import forget_cached_ring, key_ring
from regulars.foundation.vault.models import SubjectKey

Rewrap = Callable[[KeyRing], int]
WRAPPED: Registry[Rewrap] = Registry("wrapped keys of")
BATCH = 1000


class RingComesFromOutside(InvalidInput):
    """The key ring comes from REGULARS_MASTER_KEYS: put the new key before the others there, restart, then run this
    again.
    """

    code = "ring-from-outside"


def add_master_key() -> str:
    """A new key in front of the ring in the data folder; its id. The others stay: they open what is not wrapped again
    yet,
    and the last one keeps the blind tokens findable. Raises RingComesFromOutside.
    """
    if settings.MASTER_KEYS:
        raise RingComesFromOutside
    ring = key_ring()
    path = settings.HOME / "keys" / "master"
    key_id = f"k{len(ring.keys) + 1}"
    fresh = path.with_suffix(f".{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(f"{key_id}:{base64.b64encode(new_key()).decode()},{path.read_text()}")
    os.replace(fresh, path)  # noqa: PTH105  the one call that replaces at once
    forget_cached_ring()
    return key_ring().current_id


def rewrap_all() -> dict[str, int]:
    """Wraps every key that is not under the first master key; how many, by what they belong to. Can be stopped and run
    again.
    """
    ring = key_ring()
    counts = {name: rewrap(ring) for name, rewrap in WRAPPED.items()}
    return {"people": _rewrap_subjects(ring)} | counts


def _rewrap_subjects(ring: KeyRing) -> int:
    count = 0
    while rows := list(_waiting(ring)[:BATCH]):
        for row in rows:
            plain = ring.unwrap(row.master_id, bytes(row.wrapped or b""), row.subject)
            master_id, wrapped = ring.wrap(plain, row.subject)
            # conditional: a key destroyed meanwhile stays destroyed
            same = SubjectKey.objects.filter(pk=row.pk, master_id=row.master_id, wrapped__isnull=False)
            count += same.update(master_id=master_id, wrapped=wrapped)
    return count


def _waiting(ring: KeyRing):  # type: ignore[no-untyped-def]  # a QuerySet of ours
    return SubjectKey.objects.filter(wrapped__isnull=False).exclude(master_id=ring.current_id).order_by("pk")
