"""The key ring of this installation and the keys of its subjects."""

import base64
import binascii
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from regulars.foundation import sealing
from regulars.foundation.bulk import execute, fetch
from regulars.foundation.vault.models import SubjectKey


@cache
def key_ring() -> sealing.KeyRing:
    """Master keys from REGULARS_MASTER_KEYS, else from ``keys/master`` in the data folder (made at first use, mode
    0600).
    """
    text = settings.MASTER_KEYS or _ring_of_the_data_folder()
    try:
        pairs = [part.split(":", 1) for part in text.split(",")]
        ring = tuple((key_id.strip(), base64.b64decode(encoded, validate=True)) for key_id, encoded in pairs)
    except (ValueError, binascii.Error) as error:
        raise ImproperlyConfigured(
            "REGULARS_MASTER_KEYS must look like id:base64,id:base64 with 32-byte keys"
        ) from error
    if not ring or any(len(key) != sealing.KEY_BYTES for _, key in ring):
        raise ImproperlyConfigured("Each key of REGULARS_MASTER_KEYS must be 32 bytes in base64")
    return sealing.KeyRing(ring)


def _ring_of_the_data_folder() -> str:
    path = settings.HOME / "keys" / "master"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text("k1:" + base64.b64encode(sealing.new_key()).decode())
        with suppress(FileExistsError):
            path.hardlink_to(fresh)  # atomic, and the first of two processes wins
        fresh.unlink()
    return path.read_text()


def create_keys(subjects: Iterable[int]) -> dict[int, bytes]:
    """New keys for new subjects, stored wrapped. Plain keys by subject."""
    ring = key_ring()
    keys = {subject: sealing.new_key() for subject in subjects}
    wrapped = [ring.wrap(key, subject) for subject, key in keys.items()]
    execute(_ADD, [list(keys), [master_id for master_id, _ in wrapped], [value for _, value in wrapped]])
    return keys


_ADD = "INSERT INTO vault_subjectkey (subject, master_id, wrapped) SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bytea[])"


class Keys(dict[int, bytes]):
    """Plain keys by subject. ``in`` and ``get`` find nothing for the erased; who insists on their key gets CannotOpen."""

    def __missing__(self, subject: int) -> bytes:
        raise sealing.CannotOpen("This person was erased: nothing can be kept about them any more")


_WRAPPED = "SELECT subject, master_id, wrapped FROM vault_subjectkey WHERE subject = ANY(%s) AND wrapped IS NOT NULL"


def find_keys(subjects: Iterable[int]) -> Keys:
    """Plain keys of the subjects that have one; a destroyed key is simply not there."""
    wanted = list(set(subjects))
    rows = fetch(_WRAPPED, [wanted]) if wanted else []
    ring = _ring_that_knows({master_id for _, master_id, _ in rows})
    return Keys((subject, ring.unwrap(master_id, wrapped, subject)) for subject, master_id, wrapped in rows)


def still_held(subjects: Iterable[int]) -> set[int]:
    """Those of the subjects whose key is there; of the others nothing can be kept any more."""
    rows = SubjectKey.objects.filter(subject__in=set(subjects), wrapped__isnull=False)
    return set(rows.values_list("subject", flat=True))


def _ring_that_knows(master_ids: set[str]) -> sealing.KeyRing:
    """The cached ring, or the one of today where the master key was rotated since this process read it."""
    if not master_ids <= {key_id for key_id, _ in key_ring().keys}:
        forget_cached_ring()
    return key_ring()


def destroy_keys(subjects: Iterable[int], at: datetime) -> int:
    """Erasure: after this commits, nothing sealed for these subjects can be read. Returns the keys destroyed."""
    return SubjectKey.objects.filter(subject__in=set(subjects), wrapped__isnull=False).update(
        wrapped=None, destroyed_at=at
    )


def forget_cached_ring() -> None:
    """For tests and key rotation: read the ring again."""
    key_ring.cache_clear()
