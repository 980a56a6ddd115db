"""What every source of carts hands in."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from regulars.record.customers.inputs import PersonInput


@dataclass(frozen=True)
class CartLineInput:
    """What lies in a cart; ``product_key`` is the shop's key of the product."""

    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    product_key: str = ""


@dataclass(frozen=True)
class CartInput:
    """One cart as its source states it now; without lines it is empty. ``person`` is None while nobody is known."""

    key: str
    occurred_at: datetime
    currency: str
    lines: tuple[CartLineInput, ...] = ()
    person: PersonInput | None = None
    is_checkout: bool = False
    recovery_url: str = ""  # sealed; kept only where the person is known
