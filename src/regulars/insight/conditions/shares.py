"""Stable shares of customers by chance, in arithmetic that every engine does alike: products stay below 2**63. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from hashlib import sha256

PRIME = 2_147_483_647  # 2**31 - 1


@dataclass(frozen=True)
class Mixing:
    """What a salt draws: x = (id % PRIME * a + b) % PRIME; x = (x * x % PRIME * x) % PRIME; x = (x * c + d) % PRIME."""

    a: int
    b: int
    c: int
    d: int


@cache
def mixing(salt: str) -> Mixing:
    """Four numbers below PRIME from SHA-256 of the salt, eight bytes each; ``a`` and ``c`` are not zero."""
    digest = sha256(salt.encode()).digest()
    a, b, c, d = (int.from_bytes(digest[place : place + 8], "big") for place in (0, 8, 16, 24))
    return Mixing(a % (PRIME - 1) + 1, b % PRIME, c % (PRIME - 1) + 1, d % PRIME)


def limit(percent: Decimal) -> int:
    """Customers whose number is below it are in the share."""
    return int(percent * PRIME / 100)


def number(customer_id: int, salt: str) -> int:
    """From 0 to PRIME - 1, as good as by chance."""
    by = mixing(salt)
    x = (customer_id % PRIME * by.a + by.b) % PRIME
    x = x * x % PRIME * x % PRIME
    return (x * by.c + by.d) % PRIME
