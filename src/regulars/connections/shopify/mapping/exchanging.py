"""A refund's transactions are in the shopper's money; the record wants the shop's.

Everything else in a refund stands in both. Where what it comes to in the shopper's money is what was paid back, the shop's side of the
same sum is exact; else the rate of anything in it, or of its order, is near enough.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from regulars.connections.shopify.mapping.values import Node, decimal

Pair = tuple[Decimal, Decimal]  # the shop's, the shopper's


def paid_back(payload: Node, currency: str, rate: Decimal | None) -> list[Decimal] | None:
    """The transactions' amounts in the shop's ``currency``, in their order; None where nothing tells what they are there."""
    told: Sequence[Node] = payload.get("transactions") or ()
    amounts = [decimal(one["amount"]) for one in told]
    if all(one.get("currency", currency) == currency for one in told):
        return amounts
    exact = _exact(payload, amounts[0]) if len(amounts) == 1 else None
    if exact is not None:
        return [exact]
    near = rate or next((shop / shown for shop, shown in _parts(payload, is_taxed=False) if shop and shown), None)
    return None if near is None else [amount * near for amount in amounts]


def rate_of(said: Node | None) -> Decimal | None:
    """The shop's money for one of the shopper's; None where a sum tells none."""
    shop, shown = _pair(said) if said and said.get("presentment_money") else (Decimal(0), Decimal(0))
    return shop / shown if shown else None


def _exact(payload: Node, paid: Decimal) -> Decimal | None:
    """With tax or without: a refund does not say whether its prices include it."""
    for is_taxed in (False, True):
        parts = list(_parts(payload, is_taxed=is_taxed))
        if parts and sum(shown for _, shown in parts) == paid:
            return sum((shop for shop, _ in parts), Decimal(0))
    return None


def _parts(payload: Node, *, is_taxed: bool) -> Iterator[Pair]:
    """What a refund is made of. Bookings stand against it: below zero is more for the shopper."""
    tax = ("total_tax_set", "tax_amount_set") if is_taxed else ()
    for one in payload.get("refund_line_items") or ():
        yield from _pairs(one, "subtotal_set", *tax)
    for one in payload.get("refund_shipping_lines") or ():
        yield from _pairs(one, "subtotal_amount_set", *tax)
    for one in payload.get("order_adjustments") or ():
        yield from ((-shop, -shown) for shop, shown in _pairs(one, "amount_set", *tax))


def _pairs(said: Node, *names: str) -> Iterator[Pair]:
    return (_pair(said[name]) for name in names if said.get(name) and said[name].get("presentment_money"))


def _pair(said: Node) -> Pair:
    return decimal(said["shop_money"]["amount"]), decimal(said["presentment_money"]["amount"])
