"""Taking back what one batch of an import did to orders, refunds and adjustments."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.record.customers.queries import customers_of
from regulars.record.orders.operations.buyers import tell_buyers
from regulars.record.orders.operations.figures import refresh_figures
from regulars.record.orders.operations.refunds import LINE_COLUMNS, REFUND_COLUMNS
from regulars.record.orders.operations.writing import COLUMNS

_PARTS = ("orders_orderline", "orders_payment", "orders_fulfilment")


@dataclass(frozen=True)
class Undone:
    """How many orders and refunds went or are as before; numbers of those that others changed since and that stay."""

    removed: int = 0
    restored: int = 0
    kept: list[str] = field(default_factory=list)
    profiles: set[int] = field(default_factory=set)  # to be resolved: they have no order any more


def undo_orders(batch_id: int) -> Undone:
    """Undoes one batch; called from the newest batch of an import to its oldest, inside a log transaction.

    An order or refund that a later batch changed stays as it is. Orders that the batch made go with all their parts; refunds of
    others that belong to such an order stand alone from then on.
    """
    profiles = _profiles(batch_id)
    restored_refunds, kept_refunds = _restore_refunds(batch_id)
    removed_refunds = _remove_refunds(batch_id)
    restored, kept = _restore_orders(batch_id)
    removed, kept_new = _remove_orders(batch_id)
    execute("DELETE FROM orders_adjustment WHERE batch_id = %s", [batch_id])
    refresh_figures(customers_of(profiles).values())
    changed = tell_buyers(profiles, batch_id)
    numbers = sorted({*kept, *kept_new, *kept_refunds})
    return Undone(removed + removed_refunds, restored + restored_refunds, numbers, changed)


def _profiles(batch_id: int) -> list[int]:
    """Everybody whose figures the batch may have touched."""
    rows = fetch(
        "SELECT profile_id FROM orders_order WHERE batch_id = %(batch)s UNION SELECT profile_id FROM orders_refund WHERE batch_id = %(batch)s"
        " UNION SELECT o.profile_id FROM orders_orderchange c JOIN orders_order o ON o.id = c.order_id WHERE c.batch_id = %(batch)s"
        " UNION SELECT (c.before->>'profile_id')::bigint FROM orders_orderchange c WHERE c.batch_id = %(batch)s"
        " UNION SELECT r.profile_id FROM orders_refundchange c JOIN orders_refund r ON r.id = c.refund_id WHERE c.batch_id = %(batch)s",
        {"batch": batch_id},
    )
    return [profile for (profile,) in rows if profile is not None]


def _restore_orders(batch_id: int) -> tuple[int, list[str]]:
    rows = fetch(
        "SELECT c.id, c.order_id, o.number, c.before, c.sealed, EXISTS (SELECT 1 FROM orders_orderchange later"
        " WHERE later.order_id = c.order_id AND later.batch_id > c.batch_id)"
        " FROM orders_orderchange c JOIN orders_order o ON o.id = c.order_id WHERE c.batch_id = %s ORDER BY c.order_id FOR UPDATE OF o",
        [batch_id],
    )
    free = [
        (change, order, json.loads(before), sealed)
        for change, order, _, before, sealed, is_changed in rows
        if not is_changed
    ]
    for _, order_id, before, sealed in free:
        settings = ", ".join(f"{column} = %s" for column in (*COLUMNS, "sealed", "digest"))
        values = [*(before[column] for column in COLUMNS), sealed, bytes.fromhex(before["digest"])]
        execute(f"UPDATE orders_order SET {settings} WHERE id = %s", [*values, order_id])
    _restore_parts([order_id for _, order_id, _, _ in free], batch_id)
    execute("DELETE FROM orders_orderchange WHERE id = ANY(%s)", [[change for change, *_ in free]])
    return len(free), [number for _, _, number, _, _, is_changed in rows if is_changed]


def _restore_parts(order_ids: Sequence[int], batch_id: int) -> None:
    """What the batch added goes, what it ended is there again."""
    _forget_lines("l.order_id = ANY(%s) AND l.batch_id = %s", [list(order_ids), batch_id])
    for table in _PARTS:
        execute(f"DELETE FROM {table} WHERE order_id = ANY(%s) AND batch_id = %s", [list(order_ids), batch_id])
        execute(
            f"UPDATE {table} SET until_batch_id = NULL WHERE order_id = ANY(%s) AND until_batch_id = %s",
            [list(order_ids), batch_id],
        )


def _forget_lines(condition: str, parameters: Sequence[Any]) -> None:
    """Nothing may point to lines that go."""
    for table in ("orders_refundline", "orders_fulfilmentline"):
        statement = (
            "UPDATE orders_refundline r SET line_id = NULL"
            if table == "orders_refundline"
            else "DELETE FROM orders_fulfilmentline r"
        )
        source = " FROM " if table == "orders_refundline" else " USING "
        execute(f"{statement}{source}orders_orderline l WHERE r.line_id = l.id AND {condition}", parameters)


def _remove_orders(batch_id: int) -> tuple[int, list[str]]:
    rows = fetch(
        "SELECT o.id, o.number, EXISTS (SELECT 1 FROM orders_orderchange later WHERE later.order_id = o.id)"
        " FROM orders_order o WHERE o.batch_id = %s ORDER BY o.id FOR UPDATE OF o",
        [batch_id],
    )
    ids = [row for row, _, is_changed in rows if not is_changed]
    _forget_lines("l.order_id = ANY(%s)", [ids])
    execute("UPDATE orders_refund SET order_id = NULL WHERE order_id = ANY(%s)", [ids])
    execute(
        "DELETE FROM orders_fulfilmentline USING orders_fulfilment f WHERE fulfilment_id = f.id AND f.order_id = ANY(%s)",
        [ids],
    )
    for table in _PARTS:
        execute(f"DELETE FROM {table} WHERE order_id = ANY(%s)", [ids])
    execute("DELETE FROM orders_order WHERE id = ANY(%s)", [ids])
    return len(ids), [number for _, number, is_changed in rows if is_changed]


def _restore_refunds(batch_id: int) -> tuple[int, list[str]]:
    rows = fetch(
        "SELECT c.id, c.refund_id, r.number, c.before, EXISTS (SELECT 1 FROM orders_refundchange later"
        " WHERE later.refund_id = c.refund_id AND later.batch_id > c.batch_id)"
        " FROM orders_refundchange c JOIN orders_refund r ON r.id = c.refund_id WHERE c.batch_id = %s",
        [batch_id],
    )
    free = [(change, refund, json.loads(before)) for change, refund, _, before, is_changed in rows if not is_changed]
    for change, refund_id, before in free:
        settings = ", ".join(f"{column} = %s" for column in REFUND_COLUMNS)
        values = [*(before[column] for column in REFUND_COLUMNS), bytes.fromhex(before["digest"]), refund_id]
        execute(f"UPDATE orders_refund SET {settings}, digest = %s WHERE id = %s", values)
        execute("DELETE FROM orders_refundline WHERE refund_id = %s", [refund_id])
        columns = ("refund_id", *LINE_COLUMNS, "batch_id")
        copy_rows("orders_refundline", columns, ((refund_id, *line) for line in before["lines"]))
        execute("DELETE FROM orders_refundchange WHERE id = %s", [change])
    return len(free), [number for _, _, number, _, is_changed in rows if is_changed]


def _remove_refunds(batch_id: int) -> int:
    free = "r.batch_id = %s AND NOT EXISTS (SELECT 1 FROM orders_refundchange c WHERE c.refund_id = r.id)"
    execute(f"DELETE FROM orders_refundline USING orders_refund r WHERE refund_id = r.id AND {free}", [batch_id])
    return execute(f"DELETE FROM orders_refund r WHERE {free}", [batch_id])
