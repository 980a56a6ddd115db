"""Public ids: a prefix and a UUIDv7 (RFC 9562) in Crockford's base 32: sortable by time, not guessable."""

import os
import time
import uuid

from regulars.foundation.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26


def new_uid() -> uuid.UUID:
    """A UUIDv7: 48 bits of milliseconds, then 74 random bits."""
    random = int.from_bytes(os.urandom(10))
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def to_public(prefix: str, uid: uuid.UUID) -> str:
    """``to_public('cus', uid)`` gives ``cus_01j...``: 26 letters after the prefix."""
    value = uid.int
    return f"{prefix}_" + "".join(_ALPHABET[value >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


def from_public(prefix: str, public_id: str) -> uuid.UUID:
    """The uid behind a public id. Raises NotFound for any other text, so that a mistyped address is a 404."""
    head, _, text = public_id.partition("_")
    if head != prefix or len(text) != _LENGTH or not set(text) <= _VALUES.keys():
        raise NotFound(f"'{public_id[:60]}' is not the id of this kind of thing: such ids look like {prefix}_…")
    value = 0
    for letter in text:
        value = value << 5 | _VALUES[letter]
    if value >> 128:
        raise NotFound
    return uuid.UUID(int=value)
