"""Lines, payments and fulfilments: written with new orders, and compared as multisets with those of known ones."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.foundation.sealing import CannotOpen, Cell, seal, unseal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.orders import rules
from regulars.record.orders.inputs import OrderInput
from regulars.record.orders.operations.context import Context

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Part:
    """One of an order's tables: the columns in which two rows are the same, in clear and sealed, and how the input says them."""

    table: str
    columns: tuple[str, ...]
    said: Callable[[OrderInput, Context], list[Row]]
    sealed: tuple[str, ...] = ()


def _lines(order: OrderInput, context: Context) -> list[Row]:
    currency = order.currency
    return [
        (
            context.variant(line),
            line.sku,
            line.title,
            line.quantity,
            line.unit_price,
            line.discount_minor,
            line.tax_minor,
            rules.line_amount(line, currency),
        )
        for line in order.lines
    ]


def _payments(order: OrderInput, context: Context) -> list[Row]:
    return [
        (p.kind, p.gateway, p.status, p.currency, p.amount_minor, p.reference, p.occurred_at) for p in order.payments
    ]


def _fulfilments(order: OrderInput, context: Context) -> list[Row]:
    """Of a guest without any identity neither number nor link is kept."""
    is_known = context.profile(order.person) is not None
    tracking = [(f.tracking_number, f.tracking_url) if is_known else ("", "") for f in order.fulfilments]
    return [(f.status, f.carrier, f.occurred_at, *said) for f, said in zip(order.fulfilments, tracking, strict=True)]


LINES = Part(
    "orders_orderline",
    ("variant_id", "sku", "title", "quantity", "unit_price", "discount_minor", "tax_minor", "total_minor"),
    _lines,
)
PAYMENTS = Part(
    "orders_payment", ("kind", "gateway", "status", "currency", "amount_minor", "reference", "occurred_at"), _payments
)
FULFILMENTS = Part(
    "orders_fulfilment", ("status", "carrier", "occurred_at"), _fulfilments, ("tracking_number", "tracking_url")
)
PARTS = (LINES, PAYMENTS, FULFILMENTS)


def insert_parts(orders: Sequence[OrderInput], ids: Mapping[str, int], context: Context) -> int:
    """Writes all parts of new orders. Number of lines written."""
    for part in (LINES, PAYMENTS):
        _insert(part, ((ids[o.number], row) for o in orders for row in part.said(o, context)), context)
    _insert_fulfilments([(o, position) for o in orders for position in range(len(o.fulfilments))], ids, context)
    return sum(len(o.lines) for o in orders)


def update_parts(orders: Sequence[OrderInput], ids: Mapping[str, int], context: Context) -> dict[str, list[str]]:
    """Ends and adds what differs. Names of the tables that changed, by order number.

    Payments that come to those that are known are no change of the order by themselves: its own states say that it was paid or
    refunded, and a platform's webhooks may leave payments to be asked for.
    """
    changed: dict[str, list[str]] = defaultdict(list)
    for part in PARTS:
        there = _present(part, [ids[o.number] for o in orders])
        ended: list[int] = []
        added: list[tuple[OrderInput, int]] = []
        for order in orders:
            if not _tells(order, part):
                continue
            difference = rules.multiset_difference(there[ids[order.number]], part.said(order, context))
            ended += difference.ended
            added += [(order, position) for position in difference.added]
            is_told_later = part is PAYMENTS and not difference.ended
            if (difference.ended or difference.added) and not is_told_later:
                changed[order.number].append(part.table.removeprefix("orders_"))
        execute(f"UPDATE {part.table} SET until_batch_id = %s WHERE id = ANY(%s)", [context.log.batch_id, ended])
        _add(part, added, ids, context)
    return changed


def _tells(order: OrderInput, part: Part) -> bool:
    """What a source does not tell, it takes away from nobody."""
    return (order.tells_payments or part is not PAYMENTS) and (order.tells_fulfilments or part is not FULFILMENTS)


def _add(part: Part, added: Sequence[tuple[OrderInput, int]], ids: Mapping[str, int], context: Context) -> None:
    if part is FULFILMENTS:
        _insert_fulfilments(added, ids, context)
    else:
        _insert(part, ((ids[order.number], part.said(order, context)[position]) for order, position in added), context)


def _present(part: Part, order_ids: Sequence[int]) -> dict[int, dict[int, Row]]:
    """Present rows by order: id to content, in clear."""
    rows: dict[int, dict[int, Row]] = defaultdict(dict)
    columns = ", ".join((*part.columns, *part.sealed))
    statement = f"SELECT order_id, id, {columns} FROM {part.table} WHERE order_id = ANY(%s) AND until_batch_id IS NULL"
    found, clear = list(fetch(statement, [list(order_ids)])), len(part.columns) + 2
    plain = _keys_of({row[0] for row in found if any(row[clear:])})
    for order_id, row_id, *content in found:
        key = plain.get(order_id)
        words = zip(part.sealed, content[len(part.columns) :], strict=True)
        opened = (_opened(value, key, Cell(part.table, column, row_id)) for column, value in words)
        rows[order_id][row_id] = (*content[: len(part.columns)], *opened)
    return rows


def _keys_of(order_ids: set[int]) -> dict[int, bytes]:
    """By order, the key of whose it is."""
    if not order_ids:
        return {}
    whose = "SELECT id, profile_id FROM orders_order WHERE id = ANY(%s) AND profile_id IS NOT NULL"
    profiles = dict(fetch(whose, [list(order_ids)]))
    plain = keys.find_keys(profiles.values())
    return {order: plain[profile] for order, profile in profiles.items() if profile in plain}


def _opened(sealed: bytes | None, key: bytes | None, cell: Cell) -> str:
    """'' for what is not there, or can be opened by nobody any more."""
    try:
        return unseal(key, bytes(sealed), cell).decode() if sealed and key else ""
    except CannotOpen:
        return ""


def _insert(part: Part, rows: Iterable[tuple[int, Row]], context: Context) -> None:
    batch = context.log.batch_id
    copy_rows(part.table, ("order_id", *part.columns, "batch_id"), ((order_id, *row, batch) for order_id, row in rows))


def _insert_fulfilments(wanted: Sequence[tuple[OrderInput, int]], ids: Mapping[str, int], context: Context) -> None:
    """Fulfilments, with their tracking numbers and links sealed; those of a guest without any identity have no key and are left out."""
    if not wanted:
        return
    plain = keys.find_keys(filter(None, (context.profile(order.person) for order, _ in wanted)))
    rows = []
    for row_id, (order, position) in zip(reserve_ids(FULFILMENTS.table, len(wanted)), wanted, strict=True):
        said = order.fulfilments[position]
        key = plain.get(context.profile(order.person) or 0)
        number, url = (
            seal(key, text.encode(), Cell(FULFILMENTS.table, column, row_id)) if key and text else None
            for column, text in (("tracking_number", said.tracking_number), ("tracking_url", said.tracking_url))
        )
        rows.append(
            (row_id, ids[order.number], said.status, said.carrier, said.occurred_at, number, url, context.log.batch_id)
        )
    columns = ("id", "order_id", *FULFILMENTS.columns, *FULFILMENTS.sealed, "batch_id")
    copy_rows(FULFILMENTS.table, columns, rows)
