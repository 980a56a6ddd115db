"""Numbers, moments and money as Shopify writes them. Whatever is not as documented raises ValueError, and the thing is set aside."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from regulars.foundation.money import to_minor

Node = Mapping[str, Any]
LATEST = 2**31 - 1


def number_of(gid: object) -> str:
    """'466157049' of gid://shopify/LineItem/466157049, and of the bare number. '' for nothing."""
    return str(gid or "").rpartition("/")[2].partition("?")[0]


def kind_of(gid: str) -> str:
    """'LineItem' of gid://shopify/LineItem/466157049."""
    return gid.removeprefix("gid://shopify/").partition("/")[0]


def number_in(node: Node, name: str) -> str:
    """The number of the thing that a thing points to; '' where it points to nothing."""
    return number_of((node.get(name) or {}).get("id"))


def moment(text: object) -> datetime:
    """Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError("no moment")
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def moment_or_none(text: object) -> datetime | None:
    return moment(text) if text else None


def decimal(text: object) -> Decimal:
    """An exact amount; a float never comes in. Raises ValueError."""
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        raise ValueError("no amount")
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("no amount") from error
    if not found.is_finite() or abs(found) >= 10**15 or (found and found.adjusted() < -12):
        raise ValueError("no amount")
    return found


def amount(bag: Node | None) -> Decimal:
    """Of a money bag, in the shop's own money; 0 for none."""
    return decimal(bag["shopMoney"]["amount"]) if bag else Decimal(0)


def minor(bag: Node | None, currency: str) -> int:
    return to_minor(amount(bag), currency)


def whole(value: object) -> int:
    """Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not -LATEST <= value <= LATEST:
        raise ValueError("no whole number")
    return value


def text(value: object, longest: int = 300) -> str:
    """'' for nothing; anything but a text is no text. Raises ValueError."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("no text")
    value.encode()  # half of a surrogate pair is no text either
    return value.replace("\x00", "")[:longest].strip()
