"""What happens to carts. Amounts are minor units of ``currency``."""

from datetime import datetime

from regulars.record.carts.models import Cart
from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

_FIELDS = {"value_minor": "what lies in it, in minor units", "currency": "ISO 4217", "lines": "number of lines"}

CART_OPENED = register("cart.opened", "A shopper put the first thing into a cart", "cart", **_FIELDS)
CART_CHANGED = register("cart.changed", "A cart holds other things than before", "cart", **_FIELDS)
CHECKOUT_STARTED = register("cart.checkout_started", "A shopper began to check out", "cart", **_FIELDS)
CART_ABANDONED = register("cart.abandoned", "A cart was left in silence", "cart", **_FIELDS)
CART_ORDERED = register("cart.ordered", "A cart became an order", "cart", order_id="the order", **_FIELDS)
CART_RECOVERED = register(
    "cart.recovered", "An abandoned cart became an order after all", "cart", order_id="the order", **_FIELDS
)


def of_cart(
    kind: str, cart: Cart, customer_id: int | None, occurred_at: datetime, is_history: bool = False, **more: object
) -> Entry:
    """Any of the cart's events."""
    data = {"value_minor": cart.value_minor, "currency": cart.currency, **more}
    return Entry(kind, occurred_at, cart.profile_id, customer_id, cart.pk, data, is_history=is_history)
