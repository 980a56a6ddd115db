"""Price, cost and stock: append-only, an entry only where it differs from the newest one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from regulars.foundation.bulk import copy_rows, fetch
from regulars.record.catalog import events
from regulars.record.catalog.inputs import ProductInput, StockInput, VariantInput
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.events.log import LogTransaction

History = tuple[int, str, str]  # variant, what tells one of its histories from another (kind, location), currency


def name_of(variant: VariantInput) -> tuple[str, str]:
    """What tells a variant of a product from others: the platform's key where there is one, else the sku."""
    return (variant.key, "" if variant.key else variant.sku)


@dataclass(frozen=True)
class _Said:
    """One value that an input states of one variant."""

    key: str
    variant_id: int
    value: Decimal
    label: str
    currency: str
    occurred_at: datetime


def append_histories(
    products: Iterable[ProductInput],
    product_ids: Mapping[str, int],
    variants: Mapping[tuple[int, str, str], int],
    log: LogTransaction,
    is_history: bool,
) -> set[str]:
    """Appends what differs, with its events. Keys of the products of which something did."""
    said = [(p.key, p.occurred_at, variants[product_ids[p.key], *name_of(v)], v) for p in products for v in p.variants]
    prices = [s for key, at, row, v in said for s in _prices(key, at, row, v)]
    costs = [_Said(key, row, v.cost, "", v.currency, at) for key, at, row, v in said if v.cost is not None]
    counts = [
        _Said(key, row, Decimal(v.on_hand), v.location, "", at) for key, at, row, v in said if v.on_hand is not None
    ]
    return (
        _append_prices(prices, log, is_history)
        | _append_costs(costs, log, is_history)
        | _append_counts(counts, log, is_history)
    )


def _prices(key: str, at: datetime, row: int, variant: VariantInput) -> Iterable[_Said]:
    if variant.price is not None:
        yield _Said(key, row, variant.price, "list", variant.currency, at)
    if variant.compare_at is not None:
        yield _Said(key, row, variant.compare_at, "compare-at", variant.currency, at)


@dataclass(frozen=True)
class _Ledger:
    """One of the histories: its table and columns, and its entries of some variants, of each history the newest or all, as variant, label,
    currency, value and time."""

    table: str
    columns: tuple[str, ...]
    newest: str
    entries: str


_PRICES = _Ledger(
    "catalog_priceentry",
    ("variant_id", "amount", "kind", "currency", "occurred_at"),
    "SELECT DISTINCT ON (variant_id, kind, currency) variant_id, kind, currency, amount, occurred_at FROM catalog_priceentry"
    " WHERE variant_id = ANY(%s) ORDER BY variant_id, kind, currency, occurred_at DESC, id DESC",
    "SELECT variant_id, kind, currency, amount, occurred_at FROM catalog_priceentry WHERE variant_id = ANY(%s)",
)
_COSTS = _Ledger(
    "catalog_costentry",
    ("variant_id", "amount", "currency", "occurred_at"),
    "SELECT DISTINCT ON (variant_id, currency) variant_id, '', currency, amount, occurred_at FROM catalog_costentry"
    " WHERE variant_id = ANY(%s) ORDER BY variant_id, currency, occurred_at DESC, id DESC",
    "SELECT variant_id, '', currency, amount, occurred_at FROM catalog_costentry WHERE variant_id = ANY(%s)",
)
_COUNTS = _Ledger(
    "catalog_stockentry",
    ("variant_id", "on_hand", "location", "occurred_at"),
    "SELECT DISTINCT ON (variant_id, location) variant_id, location, '', on_hand, occurred_at FROM catalog_stockentry"
    " WHERE variant_id = ANY(%s) ORDER BY variant_id, location, occurred_at DESC, id DESC",
    "SELECT variant_id, location, '', on_hand, occurred_at FROM catalog_stockentry WHERE variant_id = ANY(%s)",
)


def _append(said: Sequence[_Said], ledger: _Ledger, log: LogTransaction) -> tuple[list[_Said], set[str]]:
    """Appends what differs from the newest entry. What is news (not older than that), and the keys of whatever was appended.

    What is older is kept as the past that it is, once for each moment, and changes nothing of the present.
    """
    if not said:
        return [], set()
    variants = list({s.variant_id for s in said})
    newest: dict[History, tuple[Decimal, datetime]] = {
        (row, label, currency): (Decimal(value), at)
        for row, label, currency, value, at in fetch(ledger.newest, [variants])
    }
    differing = [s for s in said if _history(s) not in newest or newest[_history(s)][0] != s.value]
    news = [s for s in differing if _history(s) not in newest or newest[_history(s)][1] <= s.occurred_at]
    past = {id(s) for s in differing} - {id(s) for s in news}
    known = {(*entry[:3], entry[4]) for entry in fetch(ledger.entries, [variants])} if past else set()
    fresh = [s for s in differing if id(s) not in past or (*_history(s), s.occurred_at) not in known]
    copy_rows(ledger.table, (*ledger.columns, "batch_id"), ((*_row(s, ledger), log.batch_id) for s in fresh))
    return news, {s.key for s in fresh}


def _history(said: _Said) -> History:
    return (said.variant_id, said.label, said.currency)


def _row(said: _Said, ledger: _Ledger) -> tuple[object, ...]:
    """The entry's columns, in the order of the ledger."""
    value = int(said.value) if ledger is _COUNTS else said.value
    values = {"amount": value, "on_hand": value, "kind": said.label, "location": said.label, **vars(said)}
    return tuple(values[column] for column in ledger.columns)


def _append_prices(said: Sequence[_Said], log: LogTransaction, is_history: bool) -> set[str]:
    news, keys = _append(said, _PRICES, log)
    log.append(
        *(events.price_changed(s.variant_id, s.value, s.currency, s.label, s.occurred_at, is_history) for s in news)
    )
    return keys


def _append_costs(said: Sequence[_Said], log: LogTransaction, is_history: bool) -> set[str]:
    news, keys = _append(said, _COSTS, log)
    log.append(*(events.cost_changed(s.variant_id, s.value, s.currency, s.occurred_at, is_history) for s in news))
    return keys


def _append_counts(said: Sequence[_Said], log: LogTransaction, is_history: bool) -> set[str]:
    news, keys = _append(said, _COUNTS, log)
    log.append(*(events.stock_counted(s.variant_id, int(s.value), s.label, s.occurred_at, is_history) for s in news))
    return keys


_COUNTED = """
SELECT v.id, v.key, v.stock_key FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id
WHERE p.store_id = %s AND (v.stock_key <> '' AND v.stock_key = ANY(%s) OR v.key <> '' AND v.key = ANY(%s)) ORDER BY v.id
"""


def count_stock(inputs: Sequence[StockInput], log: LogTransaction, *, store_id: int, is_history: bool = False) -> int:
    """Appends counts of known variants that differ from the newest; how many variants that were. Unknown ones come with their product.

    Event: product.stock_counted.
    """
    if not inputs:
        return 0
    take_turns(store_id)
    rows = fetch(_COUNTED, [store_id, [i.stock_key for i in inputs], [i.variant_key for i in inputs]])
    by_stock = {stock: row for row, _, stock in rows if stock}
    by_key = {key: row for row, key, _ in rows if key}
    said = []
    for one in sorted(inputs, key=lambda one: one.occurred_at):
        row = by_stock.get(one.stock_key) or by_key.get(one.variant_key)
        if row:
            said.append(_Said(str(row), row, Decimal(one.on_hand), one.location, "", one.occurred_at))
    return len(_append_counts(said, log, is_history))
