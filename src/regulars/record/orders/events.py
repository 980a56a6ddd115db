"""What happens to orders and refunds. Amounts are minor units of ``currency``."""

from datetime import datetime
from typing import Any

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

_MONEY = {"total_minor": "what the shopper pays, in minor units", "currency": "ISO 4217"}

ORDER_PLACED = register(
    "order.placed", "A shopper placed an order", "order", number="the shop's own", line_count="lines", **_MONEY
)
ORDER_UPDATED = register(
    "order.updated",
    "An order is not what it was",
    "order",
    number="the shop's own",
    changed="names of what changed",
    **_MONEY,
)
ORDER_PAID = register("order.paid", "An order is paid in full", "order", number="the shop's own", **_MONEY)
ORDER_FULFILLED = register(
    "order.fulfilled", "All of an order has left the house", "order", number="the shop's own", **_MONEY
)
ORDER_CANCELLED = register("order.cancelled", "An order was called off", "order", number="the shop's own", **_MONEY)
ORDER_REFUNDED = register(
    "order.refunded",
    "Money was given back, on its own day; ``subject_id`` is the refund",
    "refund",
    number="the refund's own",
    amount_minor="given back, in minor units",
    currency="ISO 4217",
    order_id="the order, where the source says which",
)


def of_order(
    kind: str, order: dict[str, Any], customer_id: int | None, occurred_at: datetime, is_history: bool, **more: object
) -> Entry:
    """Any of the order's events. ``order`` holds the order's columns."""
    data = {"number": order["number"], "total_minor": order["total_minor"], "currency": order["currency"], **more}
    return Entry(kind, occurred_at, order["profile_id"], customer_id, order["id"], data, is_history=is_history)


def order_refunded(refund: dict[str, Any], customer_id: int | None, is_history: bool) -> Entry:
    data = {name: refund[name] for name in ("number", "amount_minor", "currency", "order_id")}
    return Entry(
        ORDER_REFUNDED,
        refund["occurred_at"],
        refund["profile_id"],
        customer_id,
        refund["id"],
        data,
        is_history=is_history,
    )


MONEY_CHANGED = register(
    "money.changed",
    "The reporting currency, the shop's time zone or exchange rates changed: every sum is made anew",
    "",
    what="names of the settings that changed, or 'rates'",
)
MONEY_REFOLDED = register(
    "money.refolded", "Every customer's figures follow the last change of currency, zone or rates"
)


def money_changed(what: list[str], at: datetime) -> Entry:
    return Entry(MONEY_CHANGED, at, data={"what": what})


def money_refolded(at: datetime) -> Entry:
    return Entry(MONEY_REFOLDED, at)
