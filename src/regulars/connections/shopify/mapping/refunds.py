"""Money that was given back, and what an edit took out of an order before it was paid.

Shopify writes both as a refund. One with lines and neither money nor a booking that makes up for it is an edit: the order comes to
less from then on, and nothing was given back. If the shopper had paid by then, the money goes back in a refund of its own, without
lines; then the order keeps its sums, and that refund stands against them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from regulars.connections.shopify.mapping.values import Node, amount, minor, moment, number_in, number_of, text, whole
from regulars.foundation.money import line_total, to_decimal
from regulars.record.orders.inputs import LineInput, RefundInput


@dataclass(frozen=True)
class Part:
    """So many of a line, what they come to before tax, and their tax."""

    quantity: int = 0
    subtotal: int = 0
    tax: int = 0


@dataclass(frozen=True)
class Gone:
    """What edits took out, by line."""

    lines: Mapping[str, Part] = field(default_factory=dict)

    @property
    def subtotal(self) -> int:
        return sum(part.subtotal for part in self.lines.values())

    @property
    def tax(self) -> int:
        return sum(part.tax for part in self.lines.values())


def refund(node: Node, currency: str) -> RefundInput:
    """One refund, without its order. What counts is the money that moved, not what the lines come to."""
    goods = (_line(one, currency) for one in node["refundLineItems"]["nodes"])
    postage = (_postage(one, currency) for one in node["refundShippingLines"]["nodes"])
    return RefundInput(
        number=number_of(node["id"]),
        occurred_at=moment(node.get("processedAt") or node["createdAt"]),
        currency=currency,
        amount_minor=_money(node, currency),
        lines=(*goods, *postage),
    )


def taken_out(refunds: Sequence[Node], currency: str) -> Gone:
    """What edits took out and nobody was given money for."""
    if any(_money(one, currency) and not one["refundLineItems"]["nodes"] for one in refunds):
        return Gone()
    parts: dict[str, Part] = defaultdict(Part)
    for one in filter(_is_edit, refunds):
        for line in one["refundLineItems"]["nodes"]:
            number, before = number_in(line, "lineItem"), parts[number_in(line, "lineItem")]
            parts[number] = Part(
                before.quantity + whole(line["quantity"]),
                before.subtotal + minor(line["subtotalSet"], currency),
                before.tax + minor(line["totalTaxSet"], currency),
            )
    return Gone(dict(parts))


def _is_edit(node: Node) -> bool:
    return (
        bool(node["refundLineItems"]["nodes"])
        and not node["transactions"]["nodes"]
        and not node["orderAdjustments"]["nodes"]
    )


def _money(node: Node, currency: str) -> int:
    moved = node["transactions"]["nodes"]
    return sum(
        minor(one["amountSet"], currency) for one in moved if one["kind"] == "REFUND" and one["status"] == "SUCCESS"
    )


def named(line: Node) -> dict[str, Any]:
    """What the catalog knows a line by."""
    return {
        "sku": text(line.get("sku"), 120),
        "title": text(line.get("name") or line.get("title"), 1000),
        "product_key": number_in(line, "product"),
        "variant_key": number_in(line, "variant"),
    }


def _line(node: Node, currency: str) -> LineInput:
    line, quantity = node["lineItem"], whole(node["quantity"])
    price = amount(line["originalUnitPriceSet"])
    return LineInput(
        **named(line),
        quantity=quantity,
        unit_price=price,
        discount_minor=line_total(quantity, price, currency) - minor(node["subtotalSet"], currency),
        tax_minor=minor(node["totalTaxSet"], currency),
    )


def _postage(node: Node, currency: str) -> LineInput:
    worth: Decimal = to_decimal(minor(node["subtotalAmountSet"], currency), currency)
    return LineInput("", "Shipping", 1, worth, tax_minor=minor(node["taxAmountSet"], currency), is_service=True)
