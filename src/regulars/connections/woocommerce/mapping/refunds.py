"""Money given back. An order tells number, reason and amount of its refunds; their days and lines must be asked for.

The two readings of one refund have its number in common. What an order tells is stated as of the order's beginning, so that it never
changes what was read of the refund itself, whichever came first.
"""

from dataclasses import replace

from regulars.connections.woocommerce.mapping.lines import Money, fee, returned
from regulars.connections.woocommerce.mapping.values import Json, changed_at, key, minor, moment, parts, words
from regulars.record.customers.inputs import PersonInput
from regulars.record.orders.inputs import OrderInput, RefundInput


def refunds_told(order: Json, money: Money, person: PersonInput | None) -> tuple[RefundInput, ...]:
    """What an order says of its refunds; their day is taken to be that of the order's last change."""
    known = RefundInput("", changed_at(order), money.currency, 0, person=person)
    known = replace(known, order_external_id=key(order["id"]), stated_at=moment(order, "date_created"))
    return tuple(
        replace(
            known,
            number=key(one["id"]),
            amount_minor=abs(minor(one["total"], money.currency)),
            reason=words(one.get("reason"), 60),
        )
        for one in parts(order.get("refunds"))
    )


def refund_of(said: Json, order: OrderInput) -> RefundInput:
    """A refund as it was asked for, with its day and lines."""
    money, at = Money(order.currency, order.tax_included), moment(said, "date_created")
    lines = [returned(one, money) for one in parts(said.get("line_items"))]
    lines += [fee(one, money, -1) for name in ("fee_lines", "shipping_lines") for one in parts(said.get(name))]
    return RefundInput(
        number=key(said["id"]),
        occurred_at=at,
        currency=order.currency,
        amount_minor=abs(minor(said["amount"], order.currency)),
        lines=tuple(lines),
        person=order.person,
        reason=words(said.get("reason"), 60),
        order_external_id=order.external_id,
        stated_at=at,
    )
