"""Refunds: money given back, on its own day, tied to an order where the source says so or where every line matches."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.foundation.ids import new_uid
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.orders import events, rules
from regulars.record.orders.inputs import OrderInput, RefundInput
from regulars.record.orders.operations.context import Context

REFUND_COLUMNS = (
    "order_id",
    "profile_id",
    "occurred_at",
    "currency",
    "amount_minor",
    "reason",
    "order_name",
    "stated_at",
    "is_claimed",
)
_TOLD = ("order_id", "profile_id", "occurred_at", "currency", "amount_minor")
LINE_COLUMNS = ("variant_id", "sku", "title", "quantity", "unit_price", "total_minor", "line_id")


@dataclass(frozen=True)
class RefundsApplied:
    """What became of the refunds, and the profiles whose figures may differ now."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    profiles: set[int] = field(default_factory=set)

    def __add__(self, other: "RefundsApplied") -> "RefundsApplied":
        return RefundsApplied(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.profiles | other.profiles,
        )


def apply_refunds(refunds: Sequence[RefundInput], order_ids: Mapping[str, int], context: Context) -> RefundsApplied:
    """Makes the record say what the inputs say, by number; then matches their lines. An input stated earlier than what is known
    changes nothing, and a tracker's says nothing of an order that a platform states. Event: order.refunded, for each that is new.
    """
    orders = _orders_named(refunds, order_ids, context)
    wanted: dict[str, RefundInput] = {}
    for refund in refunds:
        order = orders.get(_named(refund))
        if not (refund.is_claimed and order and order.is_stated) and not _is_older(refund, wanted.get(refund.number)):
            wanted[refund.number] = refund
    if not wanted:
        return RefundsApplied(unchanged=len(refunds))
    known = _known(wanted, context)
    digests = {number: rules.digest(refund) for number, refund in wanted.items()}
    fresh = [number for number in wanted if number not in known]
    changed = [
        number
        for number, refund in wanted.items()
        if number in known and known[number].digest != digests[number] and not _is_stale(refund, known[number])
    ]
    ids = dict(zip(fresh, reserve_ids("orders_refund", len(fresh)), strict=True)) | {n: known[n].id for n in changed}
    rows = {
        number: {"id": ids[number], "number": number, **_columns(wanted[number], orders, context)} for number in ids
    }
    _insert(fresh, rows, digests, context)
    before, moved = _update([wanted[number] for number in changed], rows, digests, context)
    _insert_lines([wanted[number] for number in ids], ids, context)
    match_refunds(list(ids.values()))
    context.log.append(
        *(events.order_refunded(rows[n], context.customer(rows[n]["profile_id"]), context.is_history) for n in fresh)
    )
    profiles = {row["profile_id"] for row in rows.values() if row["profile_id"]} | before
    return RefundsApplied(len(fresh), moved, len(wanted) - len(fresh) - moved, profiles)


@dataclass(frozen=True)
class _Known:
    id: int
    digest: bytes
    stated_at: datetime | None


@dataclass(frozen=True)
class _Order:
    """The order that a refund names."""

    id: int
    profile_id: int | None
    is_stated: bool  # by a platform


def _known(numbers: Iterable[str], context: Context) -> dict[str, _Known]:
    rows = fetch(
        "SELECT number, id, digest, stated_at FROM orders_refund WHERE store_id = %s AND number = ANY(%s) ORDER BY id FOR UPDATE",
        [context.store_id, list(numbers)],
    )
    return {number: _Known(row, bytes(digest), stated_at) for number, row, digest, stated_at in rows}


def _is_older(refund: RefundInput, other: RefundInput | None) -> bool:
    return bool(other and refund.stated_at and other.stated_at and refund.stated_at < other.stated_at)


def _is_stale(refund: RefundInput, known: _Known) -> bool:
    return bool(refund.stated_at and known.stated_at and refund.stated_at < known.stated_at)


def _named(refund: RefundInput) -> str:
    return rules.order_name(refund.order_external_id if not refund.order_number else "", refund.order_number)


def _orders_named(refunds: Iterable[RefundInput], there: Mapping[str, int], context: Context) -> dict[str, _Order]:
    """The orders that refunds name, by ``rules.order_name``: those just applied, and others that are known."""
    said = [refund for refund in refunds if _named(refund)]
    ids = {there[refund.order_number] for refund in said if refund.order_number in there}
    numbers = {
        form
        for r in said
        if r.order_number not in there
        for form in (r.order_number, f"#{rules.bare_number(r.order_number)}")
    }
    external = {rules.bare_id(refund.order_external_id) for refund in said if refund.order_external_id}
    wanted = {"store": context.store_id, "ids": list(ids), "numbers": list(numbers - {""}), "external": list(external)}
    found: dict[str, _Order] = {}
    for row, number, external_id, profile, is_stated in fetch(_NAMED, wanted) if said else []:
        order = _Order(row, profile, is_stated)
        found |= {rules.order_name("", number): order, rules.order_name(external_id, number): order}
    return found


_NAMED = """
SELECT id, number, external_id, profile_id, NOT is_claimed AND stated_at IS NOT NULL FROM orders_order WHERE id = ANY(%(ids)s)
UNION
SELECT id, number, external_id, profile_id, NOT is_claimed AND stated_at IS NOT NULL FROM orders_order
WHERE store_id = %(store)s AND number = ANY(%(numbers)s)
UNION
SELECT id, number, external_id, profile_id, NOT is_claimed AND stated_at IS NOT NULL FROM orders_order
WHERE store_id = %(store)s AND external_id = ANY(%(external)s) AND external_id <> ''
"""


def _columns(refund: RefundInput, orders: Mapping[str, _Order], context: Context) -> dict[str, Any]:
    order = orders.get(_named(refund))
    return {
        "order_id": order.id if order else None,
        "profile_id": context.profile(refund.person) or (order.profile_id if order else None),
        "occurred_at": refund.occurred_at,
        "currency": refund.currency,
        "amount_minor": refund.amount_minor,
        "reason": refund.reason,
        "order_name": _named(refund),
        "stated_at": refund.stated_at,
        "is_claimed": refund.is_claimed,
    }


_OTHERS = """
SELECT r.number, r.order_id, r.occurred_at, r.currency, r.reason, r.stated_at FROM orders_refund r
JOIN unnest(%(orders)s::bigint[], %(all)s::boolean[]) AS w(order_id, is_all) ON w.order_id = r.order_id
WHERE r.amount_minor <> 0 AND r.number <> ALL(%(said)s) AND (w.is_all OR r.is_claimed)
ORDER BY r.id
"""


def take_back(orders: Sequence[OrderInput], order_ids: Mapping[str, int], context: Context) -> RefundsApplied:
    """Refunds that the whole list of an order's refunds does not name any more, and a tracker's of an order that its platform states:
    they count nothing from now on."""
    stating = [order for order in orders if not order.is_claimed]
    if not stating:
        return RefundsApplied()
    numbers = {order_ids[order.number]: order for order in stating}
    columns = {
        "orders": list(numbers),
        "all": [order.has_all_refunds for order in numbers.values()],
        "said": [refund.number for order in stating for refund in order.refunds],
    }
    rows = fetch(_OTHERS, columns)
    emptied = [
        RefundInput(
            number,
            occurred_at,
            currency,
            0,
            order_number=numbers[order].number,
            person=numbers[order].person,
            reason="taken back",
            stated_at=numbers[order].stated_at or stated_at,
        )
        for number, order, occurred_at, currency, _, stated_at in rows
    ]
    return apply_refunds(emptied, order_ids, context) if emptied else RefundsApplied()


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
    changed: Sequence[RefundInput], rows: Mapping[str, dict[str, Any]], digests: Mapping[str, bytes], context: Context
) -> tuple[set[int], int]:
    """Keeps each refund's state before and writes its new one, without lines. Profiles that it had before, and how many differ in more
    than the words."""
    profiles: set[int] = set()
    moved = 0
    for refund in changed:
        number, row = refund.number, rows[refund.number]
        before = _state(row["id"])
        tells_lines = bool(refund.lines) or before["amount_minor"] != row["amount_minor"]
        is_moved = any(before[column] != row[column] for column in _TOLD)
        moved += is_moved or (tells_lines and len(before["lines"]) != len(refund.lines))
        profiles |= {before["profile_id"]} - {None}
        copy_rows(
            "orders_refundchange",
            ("refund_id", "before", "occurred_at", "batch_id"),
            [(row["id"], json.dumps(before, cls=DjangoJSONEncoder), context.at, context.log.batch_id)],
        )
        if tells_lines:  # a summary of the same amount leaves the lines that are known
            execute("DELETE FROM orders_refundline WHERE refund_id = %s", [row["id"]])
        settings = ", ".join(f"{column} = %s" for column in REFUND_COLUMNS)
        execute(
            f"UPDATE orders_refund SET {settings}, digest = %s WHERE id = %s",
            [*(row[c] for c in REFUND_COLUMNS), digests[number], row["id"]],
        )
    return profiles, moved


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
