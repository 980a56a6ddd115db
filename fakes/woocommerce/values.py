"""How WooCommerce writes money and time."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

Resource = dict[str, Any]  # as JSON has it

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "KWD": "د.ك", "CHF": "CHF"}

# Parts of an order whose numbers the parameter ``dp`` rounds.
_OF_ORDER = ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total", "total_tax")
_OF_LINE = (
    "subtotal",
    "subtotal_tax",
    "total",
    "total_tax",
    "tax_total",
    "shipping_tax_total",
    "discount",
    "discount_tax",
)
_LINES = ("line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines", "refunds")


def fixed(amount: Decimal | int | str, places: int) -> str:
    rounded = rounded_to(Decimal(amount), places)
    return str(rounded if rounded else abs(rounded))


def rounded_to(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def with_decimals(order: Resource, places: int) -> Resource:
    """A copy of an order, or of a refund, whose sums have so many decimals."""
    shown = _rounded(order, (*_OF_ORDER, "amount"), places)
    for name in _LINES:
        if name in shown:
            shown[name] = [_rounded(line, _OF_LINE, places) for line in shown[name]]
    return shown


def _rounded(part: Resource, names: tuple[str, ...], places: int) -> Resource:
    return part | {name: fixed(part[name], places) for name in names if part.get(name)}


def written(at: datetime) -> str:
    """UTC, without a zone: what a field ``*_gmt`` holds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def read(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stamp(resource: Resource, name: str, at: datetime | None, zone: ZoneInfo) -> None:
    """Sets ``date_<name>`` in the shop's time and ``date_<name>_gmt``."""
    resource[f"date_{name}"] = None if at is None else at.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
    resource[f"date_{name}_gmt"] = None if at is None else written(at)
