"""Orders that their source says are gone: they stay, cancelled, with the reason, so that figures and past days can be told."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction
from regulars.record.events.tombstones import Buried, bury
from regulars.record.orders import events, rules
from regulars.record.orders.inputs import OrderRemoval
from regulars.record.orders.models import OrderStatus
from regulars.record.orders.operations.figures import refresh_figures
from regulars.record.orders.operations.finding import TOMBSTONE
from regulars.record.orders.operations.writing import COLUMNS

_FIND = f"""
SELECT id, digest, {", ".join(COLUMNS)} FROM orders_order
WHERE store_id = %(store)s AND (external_id = ANY(%(ids)s) AND external_id <> '' OR number = ANY(%(numbers)s))
ORDER BY id FOR UPDATE
"""
_FIND_IDS = f"SELECT id, digest, {', '.join(COLUMNS)} FROM orders_order WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
DOUBLE = "told twice by a tracker"
_CANCEL = """
UPDATE orders_order o SET status = 'cancelled', cancel_reason = w.reason, stated_at = w.at, digest = sha256(o.digest),
    cancelled_at = coalesce(o.cancelled_at, w.at)
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(moments)s::timestamptz[]) AS w(id, reason, at) WHERE o.id = w.id
"""
_Row = dict[str, Any]


def remove_orders(removals: Sequence[OrderRemoval], log: LogTransaction, *, store_id: int, at: datetime) -> int:
    """Makes the orders count nothing; how many that changed. One that is not known is remembered, so that a state of before brings
    none. A later statement brings an order back. Events: order.updated, and order.cancelled where it was not.
    """
    if not removals:
        return 0
    take_turns(store_id)
    said = [replace(one, external_id=rules.bare_id(one.external_id)) for one in removals]
    there = _find(said, store_id)
    graves = {_named(one): Buried(one.stated_at, one.reason) for one in sorted(said, key=lambda one: one.stated_at)}
    bury(graves, TOMBSTONE, log, store_id)
    going = {there[name]["id"]: (there[name], one) for one in said if (name := _named(one)) in there}
    going = {
        row: (order, one)
        for row, (order, one) in going.items()
        if not _is_newer(order, one) and not _is_gone(order, one)
    }
    _cancel(going, log, at)
    owners = customers_of({order["profile_id"] for order, _ in going.values()} - {None})
    for order, one in going.values():
        customer = owners.get(order["profile_id"])
        log.append(events.of_order(events.ORDER_UPDATED, order, customer, at, False, changed=["status"]))
        if order["status"] != OrderStatus.CANCELLED:
            log.append(events.of_order(events.ORDER_CANCELLED, order, customer, one.stated_at, False))
    refresh_figures(owners.values())
    return len(going)


def drop_doubles(order_ids: Collection[int], log: LogTransaction, at: datetime) -> set[int]:
    """Cancels what a tracker made of orders that a platform states under another name. The profiles whose figures may differ now."""
    if not order_ids:
        return set()
    rows = [_order(*row) for row in fetch(_FIND_IDS, [list(order_ids)])]
    _cancel({order["id"]: (order, OrderRemoval(at, reason=DOUBLE)) for order in rows}, log, at)
    return {order["profile_id"] for order in rows} - {None}


def _named(removal: OrderRemoval) -> str:
    return rules.order_name(removal.external_id, removal.number)


def _find(said: Sequence[OrderRemoval], store_id: int) -> dict[str, _Row]:
    wanted = {
        "ids": [one.external_id for one in said if one.external_id],
        "numbers": [o.number for o in said if not o.external_id],
    }
    found: dict[str, _Row] = {}
    for row, digest, *values in fetch(_FIND, {"store": store_id} | wanted):
        order = _order(row, digest, *values)
        found |= {
            rules.order_name("", order["number"]): order,
            rules.order_name(order["external_id"], order["number"]): order,
        }
    return found


def _order(row: int, digest: bytes, *values: Any) -> _Row:
    return {"id": row, "digest": bytes(digest).hex(), **dict(zip(COLUMNS, values, strict=True))}


def _is_newer(order: _Row, removal: OrderRemoval) -> bool:
    return order["stated_at"] is not None and order["stated_at"] > removal.stated_at


def _is_gone(order: _Row, removal: OrderRemoval) -> bool:
    return bool(order["cancel_reason"] == removal.reason[:60])


def _cancel(going: Mapping[int, tuple[_Row, OrderRemoval]], log: LogTransaction, at: datetime) -> None:
    columns = ("order_id", "before", "changed", "sealed", "occurred_at", "batch_id")
    copy_rows(
        "orders_orderchange",
        columns,
        (
            (row, json.dumps(_before(order), cls=DjangoJSONEncoder), json.dumps(["status"]), None, at, log.batch_id)
            for row, (order, _) in going.items()
        ),
    )
    said = [one for _, one in going.values()]
    execute(_CANCEL, {"ids": list(going)} | _words(said))


def _before(order: _Row) -> dict[str, Any]:
    return {name: order[name] for name in (*COLUMNS, "digest")}


def _words(said: Sequence[OrderRemoval]) -> dict[str, Any]:
    return {"reasons": [one.reason[:60] for one in said], "moments": [one.stated_at for one in said]}
