"""Sealing of personal data: AES-256-GCM (NIST SP 800-38D), one key per subject, wrapped by a key ring outside the database.

A sealed value is ``version (1 byte) | nonce (12) | ciphertext and tag`` and is bound to its table, column and row, so that it
cannot be moved elsewhere. Blind tokens are HMAC-SHA256 under a key derived per purpose (HKDF, RFC 5869), cut to what the purpose needs.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from regulars.foundation.errors import RegularsError

_VERSION = b"\x01"
_NONCE = 12
KEY_BYTES = 32


class CannotOpen(RegularsError):
    """This personal data cannot be opened: its key was destroyed, or the key ring lacks the key that sealed it."""

    code = "cannot-open"
    status = 410


@dataclass(frozen=True)
class Cell:
    """Where a sealed value stands: binds it to its table, column and row."""

    table: str
    column: str
    row: int

    @property
    def aad(self) -> bytes:
        return f"{self.table}|{self.column}|{self.row}".encode()


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


class Sealer:
    """Seals several values that are bound to one place: the cipher is made ready once."""

    def __init__(self, key: bytes, cell: Cell) -> None:
        self._encrypt, self._aad = AESGCM(key).encrypt, cell.aad

    def __call__(self, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._encrypt(nonce, plain, self._aad)


def seal(key: bytes, plain: bytes, cell: Cell) -> bytes:
    return Sealer(key, cell)(plain)


def unseal(key: bytes, sealed: bytes, cell: Cell) -> bytes:
    """The plain bytes. Raises CannotOpen for a wrong key, a changed byte or a value moved from another cell."""
    if sealed[:1] != _VERSION:
        raise CannotOpen
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], cell.aad)
    except InvalidTag as error:
        raise CannotOpen from error


@dataclass(frozen=True)
class KeyRing:
    """Master keys by id, the current one first. ``index_key`` never rotates with them: tokens must stay findable."""

    keys: tuple[tuple[str, bytes], ...]

    @property
    def current_id(self) -> str:
        return self.keys[0][0]

    def wrap(self, key: bytes, subject: int) -> tuple[str, bytes]:
        """Wrapped key and the id of the master key that wrapped it."""
        master_id, master = self.keys[0]
        return master_id, seal(master, key, Cell("subject_key", master_id, subject))

    def unwrap(self, master_id: str, wrapped: bytes, subject: int) -> bytes:
        for known_id, master in self.keys:
            if known_id == master_id:
                return unseal(master, wrapped, Cell("subject_key", master_id, subject))
        raise CannotOpen(f"The key ring has no master key '{master_id}': add it to REGULARS_MASTER_KEYS")

    @cached_property
    def _index_root(self) -> bytes:
        return self.keys[-1][1]

    def token(self, purpose: str, value: str, size: int = 16) -> bytes:
        """Blind index: the same value under the same purpose gives the same bytes, and nothing else can be learnt from them."""
        return hmac.digest(_derive(self._index_root, purpose), value.encode(), hashlib.sha256)[:size]

    def token_number(self, purpose: str, value: str) -> int:
        """Blind token as a signed 64-bit number, for PostgreSQL's bigint arrays."""
        return int.from_bytes(self.token(purpose, value, 8), signed=True)

    def short_tokens(self, purpose: str, size: int) -> Callable[[bytes], bytes]:
        """As ``token`` by keyed BLAKE2b (RFC 7693), at a fifth of the cost: for those of which a person has dozens."""
        begun = hashlib.blake2b(digest_size=size, key=_derive(self._index_root, purpose))

        def token(value: bytes) -> bytes:
            one = begun.copy()
            one.update(value)
            return one.digest()

        return token

    def seal_alike(self, purpose: str, plain: str) -> bytes:
        """AES-SIV (RFC 5297): the same text gives the same bytes, so that sealed texts can be compared, and can be opened again."""
        return AESSIV(_derive(self._index_root, purpose, 2 * KEY_BYTES)).encrypt(plain.encode(), [purpose.encode()])

    def open_alike(self, purpose: str, sealed: bytes) -> str:
        """Raises CannotOpen for what ``seal_alike`` of this ring and purpose did not make."""
        try:
            key = _derive(self._index_root, purpose, 2 * KEY_BYTES)
            return AESSIV(key).decrypt(sealed, [purpose.encode()]).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen from error


@cache
def _derive(root: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"regulars index {purpose}".encode()).derive(root)
