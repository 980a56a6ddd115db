"""Money as Shopify keeps it: each amount of an order twice, in the shop's currency and in the one that the customer saw."""

from dataclasses import dataclass
from fractions import Fraction

EXPONENTS = {"BHD": 3, "CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "KWD": 3, "OMR": 3, "TND": 3, "VND": 0}


def exponent(currency: str) -> int:
    return EXPONENTS.get(currency, 2)


def plain_text(minor: int, currency: str) -> str:
    """As REST and webhooks write it: ``10.00``, ``1000`` yen, ``1.500`` dinars."""
    places = exponent(currency)
    sign, digits = ("-" if minor < 0 else ""), f"{abs(minor):0{places + 1}d}"
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def decimal_text(minor: int, currency: str) -> str:
    """As GraphQL's Decimal writes it: no zeros at the end, at least one place: ``10.0``, ``74.99``, ``1000.0`` yen."""
    whole, _, places = plain_text(minor, currency).partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def rounded(exact: Fraction) -> int:
    """Half away from zero, as till receipts do."""
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


def converted(minor: int, rate: Fraction, of: str, to: str) -> int:
    return rounded(minor * rate * Fraction(10 ** exponent(to), 10 ** exponent(of)))


@dataclass(frozen=True)
class Bag:
    """Minor units in the shop's currency and in the presentment currency."""

    shop: int = 0
    shown: int = 0

    def __add__(self, other: "Bag") -> "Bag":
        return Bag(self.shop + other.shop, self.shown + other.shown)

    def __sub__(self, other: "Bag") -> "Bag":
        return Bag(self.shop - other.shop, self.shown - other.shown)

    def __mul__(self, factor: int) -> "Bag":
        return Bag(self.shop * factor, self.shown * factor)

    def __bool__(self) -> bool:
        return bool(self.shop or self.shown)

    def part(self, share: Fraction) -> "Bag":
        return Bag(rounded(self.shop * share), rounded(self.shown * share))


def total(bags: "list[Bag]") -> Bag:
    return Bag(sum(bag.shop for bag in bags), sum(bag.shown for bag in bags))


@dataclass(frozen=True)
class Currencies:
    """What an order's amounts are in. ``rate`` is how much of ``shown`` one of ``shop`` buys."""

    shop: str
    shown: str
    rate: Fraction = Fraction(1)

    def bag(self, minor: int) -> Bag:
        """An amount of the shop's currency, in both."""
        return Bag(minor, converted(minor, self.rate, self.shop, self.shown))
