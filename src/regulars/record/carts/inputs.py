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
    variant_key: str = ""


@dataclass(frozen=True)
class CartInput:
    """One cart as its source states it now; without lines it is empty. ``person`` is None while nobody is known.

    ``other_keys`` are further names of the same cart: Shopify's checkout has its own token and its cart's. Whoever states a cart under
    any of them, and an order that names any of them (``OrderInput.cart_keys``), means this one. ``occurred_at`` is when it was so: an
    input older than what is stored changes nothing. ``is_closed``: the platform says that it is gone without an order (deleted).

    ``profile_id`` stands instead of ``person`` where the source has found or made it already, in the same transaction.

    ``earlier``: moments before that, of which the source tells too, and whether the cart was empty then.

    ``is_claimed``: a browser says so. It counts while nobody else states that cart; from then on a browser only says whose it is, where
    nobody knows. ``other_keys`` of a claim mean nothing.
    """

    key: str
    occurred_at: datetime
    currency: str
    lines: tuple[CartLineInput, ...] = ()
    person: PersonInput | None = None
    is_checkout: bool = False
    recovery_url: str = ""  # sealed; kept only where the person is known
    other_keys: tuple[str, ...] = ()
    is_closed: bool = False
    is_claimed: bool = False
    profile_id: int | None = None
    earlier: tuple[tuple[datetime, bool], ...] = ()

    @property
    def whose(self) -> PersonInput | int | None:
        return self.profile_id or self.person
