"""New orders: their rows by ``COPY``."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regulars.foundation.bulk import copy_rows
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.foundation.ids import new_uid
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.events.log import Entry
from regulars.record.orders import events, rules
from regulars.record.orders.inputs import OrderInput
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus
from regulars.record.orders.operations import parts
from regulars.record.orders.operations.context import Context, Written

COLUMNS = (
    "number",
    "external_id",
    "profile_id",
    "channel",
    "placed_at",
    "currency",
    "subtotal_minor",
    "discount_minor",
    "shipping_minor",
    "tax_minor",
    "tax_included",
    "total_minor",
    "status",
    "payment_status",
    "fulfilment_status",
    "cancelled_at",
    "country",
    "discount_codes",
    "line_count",
    "cancel_reason",
    "cart_keys",
    "presentment_currency",
    "presentment_total_minor",
    "stated_at",
    "is_claimed",
)
TEST = "test order"
_ALL = ("id", "uid", "store_id", *COLUMNS, "sealed", "digest", "batch_id")


def insert_orders(fresh: Sequence[OrderInput], digests: Mapping[str, bytes], context: Context) -> Written:
    """Writes orders that the record does not hold, with all their parts, and appends their events."""
    if not fresh:
        return Written()
    ids = dict(zip((o.number for o in fresh), reserve_ids("orders_order", len(fresh)), strict=True))
    rows = {o.number: {"id": ids[o.number], **columns(o, context)} for o in fresh}
    sealed = seal_remarks(fresh, ids, context)
    copy_rows(
        "orders_order",
        _ALL,
        (
            (
                r["id"],
                new_uid(),
                context.store_id,
                *(r[c] for c in COLUMNS),
                sealed.get(n),
                digests[n],
                context.log.batch_id,
            )
            for n, r in rows.items()
        ),
    )
    lines = parts.insert_parts(fresh, ids, context)
    for order in fresh:
        context.log.append(*_history(order, rows[order.number], context))
    profiles = {r["profile_id"] for r in rows.values() if r["profile_id"]}
    return Written(ids, profiles, lines)


def columns(order: OrderInput, context: Context) -> dict[str, Any]:
    """The order's columns as the input says them."""
    sums = rules.amounts(order)
    reason = TEST if order.is_test else context.gone.get(order.number, "")
    return {
        "number": order.number,
        "external_id": rules.bare_id(order.external_id),
        "profile_id": context.profile(order.person),
        "channel": order.channel,
        "placed_at": order.placed_at,
        "currency": order.currency,
        "subtotal_minor": sums.subtotal,
        "discount_minor": order.discount_minor,
        "shipping_minor": order.shipping_minor,
        "tax_minor": order.tax_minor,
        "tax_included": order.tax_included,
        "total_minor": sums.total,
        "status": OrderStatus.CANCELLED.value if reason else order.status.value,
        "payment_status": order.payment_status.value,
        "fulfilment_status": order.fulfilment_status.value,
        "cancelled_at": order.cancelled_at,
        "country": order.country,
        "discount_codes": order.discount_codes,
        "line_count": len(order.lines),
        "cancel_reason": reason,
        "cart_keys": list(order.cart_keys),
        "presentment_currency": order.presentment_currency,
        "presentment_total_minor": order.presentment_total_minor,
        "stated_at": order.stated_at,
        "is_claimed": order.is_claimed,
    }


def seal_remarks(orders: Iterable[OrderInput], ids: Mapping[str, int], context: Context) -> dict[str, bytes]:
    """Sealed remarks by order number. Those of a guest without any identity have nobody's key to be sealed with and are not kept."""
    told = {o.number: o for o in orders if o.remarks and o.person}
    plain = keys.find_keys(filter(None, (context.profile(o.person) for o in told.values())))
    sealed = {}
    for number, order in told.items():
        key = plain.get(context.profile(order.person) or 0)
        if key:
            text = json.dumps({"remarks": mask_card_numbers(order.remarks)}, ensure_ascii=False)
            sealed[number] = seal(key, text.encode(), Cell("orders_order", "sealed", ids[number]))
    return sealed


def _history(order: OrderInput, row: dict[str, Any], context: Context) -> Iterable[Entry]:
    """What happened to an order up to now, as far as its source says when."""
    customer = context.customer(row["profile_id"])

    def happened(kind: str, at: Any, **more: object) -> Entry:
        return events.of_order(kind, row, customer, at, context.is_history or bool(row["cancel_reason"]), **more)

    yield happened(events.ORDER_PLACED, order.placed_at, line_count=row["line_count"])
    settled = [p.occurred_at for p in order.payments if p.status == "success" and p.kind in {"sale", "capture"}]
    if settled and order.payment_status == PaymentStatus.PAID:
        yield happened(events.ORDER_PAID, max(settled))
    if order.fulfilments and order.fulfilment_status == FulfilmentStatus.FULFILLED:
        yield happened(events.ORDER_FULFILLED, max(f.occurred_at for f in order.fulfilments))
    if row["status"] == OrderStatus.CANCELLED:
        yield happened(events.ORDER_CANCELLED, order.cancelled_at or order.placed_at)
