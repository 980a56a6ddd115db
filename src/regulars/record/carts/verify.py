"""Do carts say what their lines, names and orders say?"""

from regulars.foundation.bulk import fetch
from regulars.foundation.money import line_total
from regulars.record.carts.models import LIVE, ORDERED, Cart, CartLine

_BROKEN = """
SELECT id, what FROM (SELECT c.id, CASE
    WHEN c.state IN ('ordered', 'recovered') AND (c.ordered_at IS NULL OR (c.order_id IS NULL AND NOT c.is_told))
        THEN 'it is ordered, and nobody knows when or by which order'
    WHEN c.state NOT IN ('ordered', 'recovered', 'merged') AND c.order_id IS NOT NULL THEN 'it has an order, and is not ordered'
    WHEN o.status = 'cancelled' AND c.state <> 'merged' THEN 'its order was called off'
    WHEN (c.state = 'merged') <> (c.merged_into_id IS NOT NULL) THEN 'it is another cart, or is not'
    WHEN c.state = 'merged' AND EXISTS (SELECT FROM carts_cartkey k WHERE k.cart_id = c.id) THEN 'names lead to it, and it is another cart'
    WHEN c.state <> 'merged' AND NOT EXISTS (SELECT FROM carts_cartkey k WHERE k.cart_id = c.id) THEN 'no name leads to it'
END AS what
FROM carts_cart c LEFT JOIN orders_order o ON o.id = c.order_id) found
WHERE what IS NOT NULL ORDER BY id
"""


def differences() -> list[str]:
    """One sentence for each cart whose row is not what follows from the facts."""
    broken = fetch(_BROKEN, [])
    return [f"cart {cart}: {what}" for cart, what in broken] + _worth()


def _worth() -> list[str]:
    currencies, said = {}, {}
    for row in Cart.objects.filter(state__in=(*LIVE, *ORDERED), value_minor__gt=0).only("currency", "value_minor"):
        currencies[row.pk], said[row.pk] = row.currency, row.value_minor
    come_to = dict.fromkeys(said, 0)
    for line in CartLine.objects.filter(cart__state__in=(*LIVE, *ORDERED), cart__value_minor__gt=0).iterator():
        come_to[line.cart_id] += line_total(line.quantity, line.unit_price, currencies[line.cart_id])
    return [
        f"cart {cart}: it is worth {value}, its lines come to {come_to[cart]}"
        for cart, value in said.items()
        if value != come_to[cart]
    ]
