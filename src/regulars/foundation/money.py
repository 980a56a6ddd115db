"""Money: totals are integer minor units with a currency, rounded half-even once per line."""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from babel.numbers import get_currency_precision, list_currencies

from regulars.foundation.errors import InvalidInput

CURRENCIES: frozenset[str] = frozenset(list_currencies())


class UnknownCurrency(InvalidInput):
    """This currency is not an ISO 4217 code such as GBP or EUR."""

    code = "unknown-currency"


def parse_currency(text: str) -> str:
    """ISO 4217 code in capitals. Raises UnknownCurrency."""
    code = text.strip().upper()
    if code not in CURRENCIES:
        raise UnknownCurrency(f"'{text.strip()[:20]}' is not a currency: use an ISO 4217 code such as GBP or EUR")
    return code


@lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """Decimal places of a currency's minor unit: 2 for GBP, 0 for JPY, 3 for KWD."""
    return get_currency_precision(currency)


def to_minor(amount: Decimal, currency: str) -> int:
    """Decimal amount to integer minor units, half-even."""
    return int(amount.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def to_decimal(amount_minor: int, currency: str) -> Decimal:
    return Decimal(amount_minor).scaleb(-exponent(currency))


def line_total(quantity: Decimal | int, unit_price: Decimal, currency: str) -> int:
    """What one line comes to, in minor units: the one place where a line is rounded."""
    return to_minor(quantity * unit_price, currency)
