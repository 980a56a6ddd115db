"""Refunds: money given back, on its own day, tied to an order where the source says so or where every line matches."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.foundation.ids import new_uid
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.orders import events, rules
from regulars.record.orders.inputs import RefundInput
from regulars.record.orders.operations.context import Context

REFUND_COLUMNS = ("order_id", "profile_id", "occurred_at", "currency", "amount_minor", "reason")
LINE_COLUMNS = ("variant_id", "sku", "title", "quantity", "unit_price", "total_minor", "line_id")


@dataclass(frozen=True)
class RefundsApplied:
    """What became of the refunds, and the profiles whose figures may differ now."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    profiles: set[int] = field(default_factory=set)


def apply_refunds(refunds: Sequence[RefundInput], order_ids: Mapping[str, int], context: Context) -> RefundsApplied:
    """Makes the record say what the inputs say, by number; then matches their lines. Event: order.refunded, for each that is new."""
    wanted = {refund.number: refund for refund in refunds}
    if not wanted:
        return RefundsApplied()
    known = _known(wanted, context)
    digests = {number: rules.digest(refund) for number, refund in wanted.items()}
    fresh = [number for number in wanted if number not in known]
    changed = [number for number in wanted if number in known and known[number][1] != digests[number]]
    ids = dict(zip(fresh, reserve_ids("orders_refund", len(fresh)), strict=True)) | {n: known[n][0] for n in changed}
    orders = dict(order_ids) | _orders_named(wanted.values(), order_ids, context)
    rows = {
        number: {"id": ids[number], "number": number, **_columns(wanted[number], orders, context)} for number in ids
    }
    _insert(fresh, rows, digests, context)
    before = _update(changed, rows, digests, context)
    _insert_lines([wanted[number] for number in ids], ids, context)
    match_refunds(list(ids.values()))
    context.log.append(
        *(events.order_refunded(rows[n], context.customer(rows[n]["profile_id"]), context.is_history) for n in fresh)
    )
    profiles = {row["profile_id"] for row in rows.values() if row["profile_id"]} | before
    return RefundsApplied(len(fresh), len(changed), len(wanted) - len(ids), profiles)


def _known(numbers: Iterable[str], context: Context) -> dict[str, tuple[int, bytes]]:
    rows = fetch(
        "SELECT number, id, digest FROM orders_refund WHERE store_id = %s AND number = ANY(%s) ORDER BY id FOR UPDATE",
        [context.store_id, list(numbers)],
    )
    return {number: (row, bytes(digest)) for number, row, digest in rows}


def _orders_named(refunds: Iterable[RefundInput], there: Mapping[str, int], context: Context) -> dict[str, int]:
    """Orders that refunds name and that are not among those just applied."""
    numbers = {r.order_number for r in refunds if r.order_number} - there.keys()
    if not numbers:
        return {}
    return dict(
        fetch(
            "SELECT number, id FROM orders_order WHERE store_id = %s AND number = ANY(%s)",
            [context.store_id, list(numbers)],
        )
    )


def _columns(refund: RefundInput, orders: Mapping[str, int], context: Context) -> dict[str, Any]:
    return {
        "order_id": orders.get(refund.order_number),
        "profile_id": context.profile(refund.person),
        "occurred_at": refund.occurred_at,
        "currency": refund.currency,
        "amount_minor": refund.amount_minor,
        "reason": refund.reason,
    }


def _insert(
    fresh: Sequence[str], rows: Mapping[str, dict[str, Any]], digests: Mapping[str, bytes], context: Context
) -> None:
    copy_rows(
        "orders_refund",
        ("id", "uid", "store_id", "number", *REFUND_COLUMNS, "digest", "batch_id"),
        (
            (
                rows[n]["id"],
                new_uid(),
                context.store_id,
                n,
                *(rows[n][c] for c in REFUND_COLUMNS),
                digests[n],
                context.log.batch_id,
            )
            for n in fresh
        ),
    )


def _update(
    changed: Sequence[str], rows: Mapping[str, dict[str, Any]], digests: Mapping[str, bytes], context: Context
) -> set[int]:
    """Keeps each refund's state before and writes its new one, without lines. Profiles that it had before."""
    profiles: set[int] = set()
    for number in changed:
        row = rows[number]
        before = _state(row["id"])
        profiles |= {before["profile_id"]} - {None}
        copy_rows(
            "orders_refundchange",
            ("refund_id", "before", "occurred_at", "batch_id"),
            [(row["id"], json.dumps(before, cls=DjangoJSONEncoder), context.at, context.log.batch_id)],
        )
        execute("DELETE FROM orders_refundline WHERE refund_id = %s", [row["id"]])
        settings = ", ".join(f"{column} = %s" for column in REFUND_COLUMNS)
        execute(
            f"UPDATE orders_refund SET {settings}, digest = %s WHERE id = %s",
            [*(row[c] for c in REFUND_COLUMNS), digests[number], row["id"]],
        )
    return profiles


def _state(refund_id: int) -> dict[str, Any]:
    """A refund's columns and lines, as ``RefundChange`` keeps them."""
    ((*values, digest),) = fetch(
        f"SELECT {', '.join(REFUND_COLUMNS)}, digest FROM orders_refund WHERE id = %s", [refund_id]
    )
    lines = fetch(
        f"SELECT {', '.join((*LINE_COLUMNS, 'batch_id'))} FROM orders_refundline WHERE refund_id = %s ORDER BY id",
        [refund_id],
    )
    return {**dict(zip(REFUND_COLUMNS, values, strict=True)), "digest": bytes(digest).hex(), "lines": lines}


def _insert_lines(refunds: Iterable[RefundInput], ids: Mapping[str, int], context: Context) -> None:
    copy_rows(
        "orders_refundline",
        ("refund_id", "variant_id", "sku", "title", "quantity", "unit_price", "total_minor", "batch_id"),
        (
            (
                ids[refund.number],
                context.variant(line),
                line.sku,
                line.title,
                line.quantity,
                line.unit_price,
                rules.line_amount(line, refund.currency),
                context.log.batch_id,
            )
            for refund in refunds
            for line in refund.lines
        ),
    )


_MATCH = """
WITH candidate AS MATERIALIZED (
    SELECT rl.id, r.store_id, r.profile_id, r.occurred_at, r.order_id, rl.sku, rl.quantity
    FROM orders_refundline rl JOIN orders_refund r ON r.id = rl.refund_id
    WHERE rl.refund_id = ANY(%s) AND rl.line_id IS NULL AND r.profile_id IS NOT NULL AND rl.sku <> ''
)
UPDATE orders_refundline rl SET line_id = best.line_id
FROM candidate c CROSS JOIN LATERAL (
    SELECT l.id AS line_id FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id AND l.until_batch_id IS NULL
    WHERE o.profile_id = c.profile_id AND o.store_id = c.store_id AND o.placed_at <= c.occurred_at
      AND (c.order_id IS NULL OR o.id = c.order_id) AND l.sku = c.sku AND l.quantity = c.quantity
    ORDER BY o.placed_at DESC, l.id LIMIT 1
) best
WHERE rl.id = c.id
"""
_ADOPT = """
UPDATE orders_refund r SET order_id = whole.order_id
FROM (
    SELECT rl.refund_id, min(l.order_id) AS order_id FROM orders_refundline rl LEFT JOIN orders_orderline l ON l.id = rl.line_id
    WHERE rl.refund_id = ANY(%s) GROUP BY rl.refund_id
    HAVING count(*) = count(l.id) AND count(DISTINCT l.order_id) = 1
) whole
WHERE r.id = whole.refund_id AND r.order_id IS NULL
"""


def match_refunds(refund_ids: Sequence[int]) -> int:
    """Ties refund lines to the newest earlier line of the same profile, sku and quantity; how many. No such line: it stands alone.

    A refund whose lines all match lines of one order belongs to that order.
    """
    matched = execute(_MATCH, [list(refund_ids)])
    execute(_ADOPT, [list(refund_ids)])
    return matched
