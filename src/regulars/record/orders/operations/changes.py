"""Known orders that their source now states differently."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from regulars.foundation.bulk import copy_rows, fetch
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import Entry
from regulars.record.orders import events, rules
from regulars.record.orders.inputs import OrderInput
from regulars.record.orders.models import FulfilmentStatus, Order, OrderStatus, PaymentStatus
from regulars.record.orders.operations import parts
from regulars.record.orders.operations.context import Context, Written
from regulars.record.orders.operations.finding import Present
from regulars.record.orders.operations.writing import COLUMNS, columns, seal_remarks


@dataclass(frozen=True)
class _Change:
    """One order before and after."""

    order: OrderInput
    row: int
    before: dict[str, Any]
    after: dict[str, Any]
    sealed_before: bytes | None
    digest_before: bytes
    names: list[str]


def update_orders(
    changed: Sequence[OrderInput],
    known: Mapping[str, Present],
    digests: Mapping[str, bytes],
    context: Context,
) -> Written:
    """Writes what differs, keeps the state before in ``OrderChange`` and appends events for what a shop would notice.

    Other words for the same state are noted, and are no change.
    """
    if not changed:
        return Written()
    ids = {o.number: known[o.number].id for o in changed}
    before = _columns_before(ids.values())
    moved = parts.update_parts(changed, ids, context)
    steps = [
        _change(o, ids[o.number], before[ids[o.number]], moved.get(o.number, []), known[o.number].digest, context)
        for o in changed
    ]
    moving = [step for step in steps if step.names]
    _keep(moving, context)
    sealed = seal_remarks(changed, ids, context)
    _write(steps, digests, sealed, context)
    for step in moving:
        context.log.append(*_happened(step, context))
    profiles = {p for s in moving for p in (s.before["profile_id"], s.after["profile_id"]) if p}
    owners = {s.before["profile_id"] for s in steps if s.before["profile_id"]} - context.owners.keys()
    context.owners.update(customers_of(owners))
    return Written(ids, profiles, sum(len(s.order.lines) for s in moving), len(moving))


def _columns_before(order_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    rows = fetch(f"SELECT id, sealed, {', '.join(COLUMNS)} FROM orders_order WHERE id = ANY(%s)", [list(order_ids)])
    return {row: {"sealed": sealed, **dict(zip(COLUMNS, values, strict=True))} for row, sealed, *values in rows}


def _change(
    order: OrderInput, row: int, before: dict[str, Any], moved: list[str], digest: bytes, context: Context
) -> _Change:
    sealed = before.pop("sealed")
    after = columns(order, context)
    after |= {"stated_at": order.stated_at or before["stated_at"], "cart_keys": order.cart_keys or before["cart_keys"]}
    after |= {"external_id": after["external_id"] or before["external_id"]}
    after |= {"is_claimed": after["is_claimed"] and before["is_claimed"]}
    names = [name for name in rules.changed_columns(before, after) if name != "stated_at"] + moved
    return _Change(order, row, before, after, bytes(sealed) if sealed else None, digest, names)


def _keep(steps: Iterable[_Change], context: Context) -> None:
    copy_rows(
        "orders_orderchange",
        ("order_id", "before", "changed", "sealed", "occurred_at", "batch_id"),
        (
            (
                s.row,
                json.dumps({**s.before, "digest": s.digest_before.hex()}, cls=DjangoJSONEncoder),
                json.dumps(s.names),
                s.sealed_before,
                context.at,
                context.log.batch_id,
            )
            for s in steps
        ),
    )


def _write(
    steps: Iterable[_Change], digests: Mapping[str, bytes], sealed: Mapping[str, bytes], context: Context
) -> None:
    rows = [
        Order(id=s.row, **s.after, sealed=sealed.get(s.order.number, s.sealed_before), digest=digests[s.order.number])
        for s in steps
    ]
    Order.objects.bulk_update(
        rows, [*("profile" if c == "profile_id" else c for c in COLUMNS), "sealed", "digest"], batch_size=500
    )


def _happened(step: _Change, context: Context) -> Iterable[Entry]:
    """order.updated always; paid, fulfilled and cancelled where the order became so."""
    row = {"id": step.row, **step.after}
    customer = context.customer(step.after["profile_id"])

    def became(column: str, value: str) -> bool:
        return bool(step.after[column] == value != step.before[column])

    def happened(kind: str, at: datetime, **more: object) -> Entry:
        return events.of_order(kind, row, customer, at, context.is_history, **more)

    yield happened(events.ORDER_UPDATED, context.at, changed=step.names)
    if became("payment_status", PaymentStatus.PAID):
        yield happened(events.ORDER_PAID, context.at)
    if became("fulfilment_status", FulfilmentStatus.FULFILLED):
        yield happened(events.ORDER_FULFILLED, context.at)
    if became("status", OrderStatus.CANCELLED):
        yield happened(events.ORDER_CANCELLED, step.order.cancelled_at or context.at)
