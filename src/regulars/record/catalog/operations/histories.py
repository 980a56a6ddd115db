"""Price, cost and stock: append-only, an entry only where it differs from the newest one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from regulars.foundation.bulk import copy_rows, fetch
from regulars.record.catalog import events
from regulars.record.catalog.inputs import ProductInput, VariantInput
from regulars.record.events.log import LogTransaction

Name = tuple[int, str]  # variant and what tells one of its histories from another


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
    variants: Mapping[tuple[int, str], int],
    log: LogTransaction,
    is_history: bool,
) -> set[str]:
    """Appends what differs, with its events. Keys of the products of which something did."""
    said = [(p.key, p.occurred_at, variants[product_ids[p.key], v.sku], v) for p in products for v in p.variants]
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


def _differing(said: Sequence[_Said], newest: Mapping[tuple[int, str, str], Decimal]) -> list[_Said]:
    """Those whose value is not the newest one."""
    return [s for s in said if newest.get((s.variant_id, s.label, s.currency)) != s.value]


def _newest(statement: str, said: Sequence[_Said]) -> dict[tuple[int, str, str], Decimal]:
    rows = fetch(statement, [list({s.variant_id for s in said})]) if said else []
    return {(row, label, currency): Decimal(value) for row, label, currency, value in rows}


def _append_prices(said: Sequence[_Said], log: LogTransaction, is_history: bool) -> set[str]:
    fresh = _differing(
        said,
        _newest(
            "SELECT DISTINCT ON (variant_id, kind, currency) variant_id, kind, currency, amount FROM catalog_priceentry"
            " WHERE variant_id = ANY(%s) ORDER BY variant_id, kind, currency, occurred_at DESC, id DESC",
            said,
        ),
    )
    rows = ((s.variant_id, s.currency, s.value, s.label, s.occurred_at, log.batch_id) for s in fresh)
    copy_rows("catalog_priceentry", ("variant_id", "currency", "amount", "kind", "occurred_at", "batch_id"), rows)
    log.append(
        *(events.price_changed(s.variant_id, s.value, s.currency, s.label, s.occurred_at, is_history) for s in fresh)
    )
    return {s.key for s in fresh}


def _append_costs(said: Sequence[_Said], log: LogTransaction, is_history: bool) -> set[str]:
    fresh = _differing(
        said,
        _newest(
            "SELECT DISTINCT ON (variant_id, currency) variant_id, '', currency, amount FROM catalog_costentry"
            " WHERE variant_id = ANY(%s) ORDER BY variant_id, currency, occurred_at DESC, id DESC",
            said,
        ),
    )
    rows = ((s.variant_id, s.currency, s.value, s.occurred_at, log.batch_id) for s in fresh)
    copy_rows("catalog_costentry", ("variant_id", "currency", "amount", "occurred_at", "batch_id"), rows)
    log.append(*(events.cost_changed(s.variant_id, s.value, s.currency, s.occurred_at, is_history) for s in fresh))
    return {s.key for s in fresh}


def _append_counts(said: Sequence[_Said], log: LogTransaction, is_history: bool) -> set[str]:
    fresh = _differing(
        said,
        _newest(
            "SELECT DISTINCT ON (variant_id, location) variant_id, location, '', on_hand FROM catalog_stockentry"
            " WHERE variant_id = ANY(%s) ORDER BY variant_id, location, occurred_at DESC, id DESC",
            said,
        ),
    )
    rows = ((s.variant_id, s.label, int(s.value), s.occurred_at, log.batch_id) for s in fresh)
    copy_rows("catalog_stockentry", ("variant_id", "location", "on_hand", "occurred_at", "batch_id"), rows)
    log.append(*(events.stock_counted(s.variant_id, int(s.value), s.label, s.occurred_at, is_history) for s in fresh))
    return {s.key for s in fresh}
