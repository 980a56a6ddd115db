"""One line of an order or refund: quantity, unit price, its own discount and tax, exact to the cent."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regulars.connections.woocommerce.mapping.values import Json, decimal, key, minor, text
from regulars.foundation.money import line_total, to_decimal
from regulars.record.orders.inputs import LineInput


@dataclass(frozen=True)
class Money:
    """How amounts of one order are read."""

    currency: str
    with_tax: bool

    def amount(self, net: Any, tax: Any) -> int:
        """An amount as the lines hold it, in minor units."""
        return minor(net, self.currency) + (minor(tax, self.currency) if self.with_tax else 0)


def sold(said: Json, money: Money) -> LineInput:
    """One line of an order. What is off its ``subtotal`` in its ``total`` is its own discount."""
    return _line(said, money, 1, money.amount(said.get("subtotal"), said.get("subtotal_tax")))


def returned(said: Json, money: Money) -> LineInput:
    """One line of a refund, whose quantities and amounts are below zero."""
    return _line(said, money, -1, 0)


def fee(said: Json, money: Money, sign: int = 1) -> LineInput:
    """A fee, a rebate that a plugin gives as a fee below zero, or postage that was given back."""
    amount = sign * money.amount(said.get("total"), said.get("total_tax"))
    name = text(said.get("name"), 1000) or text(said.get("method_title"), 1000)
    price = to_decimal(amount, money.currency)
    return LineInput(
        "", name or "Fee", 1, price, tax_minor=sign * minor(said.get("total_tax"), money.currency), is_service=True
    )


def _line(said: Json, money: Money, sign: int, before: int) -> LineInput:
    total = sign * money.amount(said.get("total"), said.get("total_tax"))
    quantity = sign * decimal(said.get("quantity"))
    title = text(said.get("name"), 1000)
    if quantity != quantity.to_integral_value():  # plugins sell by weight: one line of it, whole
        title, quantity = f"{quantity.normalize():f} × {title}", Decimal(1)
    whole = max(before, total) if sign > 0 else total
    price = round(to_decimal(whole, money.currency) / quantity, 6) if quantity else Decimal(0)
    product = key(said.get("product_id"))
    return LineInput(
        sku=text(said.get("sku"), 120),
        title=title,
        quantity=int(quantity),
        unit_price=price,
        product_key=product,
        variant_key=key(said.get("variation_id")) or product,
        # Also what rounding the price leaves, and all of an amount that is given back without any piece coming back.
        discount_minor=line_total(int(quantity), price, money.currency) - total,
        tax_minor=sign * minor(said.get("total_tax"), money.currency),
    )
