"""The cached figures of each customer, in each store and over all: a fold of orders and refunds in the reporting currency."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from regulars.foundation.bulk import execute, fetch
from regulars.record.customers.operations.cards import each_slice
from regulars.record.orders.conversion import WORTH, reporting

_VALUES = "currency, order_count, spent_minor, refunded_minor, first_order_at, last_order_at, unconverted_count"
_EXCLUDED = ", ".join(f"{column} = EXCLUDED.{column}" for column in _VALUES.split(", "))
_FOLD = f"""
wanted AS MATERIALIZED (SELECT unnest(%(customers)s::bigint[]) AS customer_id),
member AS MATERIALIZED (
    SELECT w.customer_id, m.profile_id FROM wanted w
    CROSS JOIN LATERAL (
        SELECT profile_id, until_batch_id FROM customers_customerprofile WHERE customer_id = w.customer_id OFFSET 0) m
    WHERE m.until_batch_id IS NULL
),
fact AS (
    SELECT m.customer_id, o.store_id, true AS is_order, o.currency, o.total_minor AS amount, o.placed_at AS at
    FROM member m CROSS JOIN LATERAL (SELECT * FROM orders_order WHERE profile_id = m.profile_id OFFSET 0) o
    WHERE o.status <> 'cancelled' AND o.payment_status <> 'voided'
    UNION ALL
    SELECT m.customer_id, r.store_id, false, r.currency, r.amount_minor, r.occurred_at
    FROM member m JOIN orders_refund r ON r.profile_id = m.profile_id LEFT JOIN orders_order o ON o.id = r.order_id
    WHERE o.id IS NULL OR o.status <> 'cancelled' AND o.payment_status <> 'voided'
),
{WORTH},
fold AS (
    SELECT customer_id, store_id, %(reporting)s::text AS currency, count(*) FILTER (WHERE is_order)::int AS order_count,
           coalesce(sum(minor) FILTER (WHERE is_order), 0)::bigint AS spent_minor,
           coalesce(sum(minor) FILTER (WHERE NOT is_order), 0)::bigint AS refunded_minor,
           min(at) FILTER (WHERE is_order) AS first_order_at, max(at) FILTER (WHERE is_order) AS last_order_at,
           count(*) FILTER (WHERE minor IS NULL)::int AS unconverted_count
    FROM worth GROUP BY customer_id, store_id
)
"""
_SUM = """
SELECT customer_id, max(currency) AS currency, sum(order_count)::int AS order_count, sum(spent_minor)::bigint AS spent_minor,
       sum(refunded_minor)::bigint AS refunded_minor, min(first_order_at) AS first_order_at, max(last_order_at) AS last_order_at,
       sum(unconverted_count)::int AS unconverted_count
FROM orders_storefigures WHERE customer_id = ANY(%(customers)s) GROUP BY customer_id
"""
# A row for everybody, then its lock: what others wrote of the same customer is waited for, and is in the fold of the next statement.
_RESERVE = """
INSERT INTO orders_customerfigures (customer_id, currency, order_count, spent_minor, refunded_minor, unconverted_count)
SELECT id, %(reporting)s, 0, 0, 0, 0 FROM customers_customer WHERE id = ANY(%(customers)s) ORDER BY id
ON CONFLICT (customer_id) DO NOTHING
"""
_LOCK = (
    "SELECT 1 FROM orders_customerfigures WHERE customer_id = ANY(%(customers)s) ORDER BY customer_id FOR NO KEY UPDATE"
)
_REFRESH_STORES = f"""
WITH {_FOLD}, gone AS (
    DELETE FROM orders_storefigures s USING wanted w
    WHERE s.customer_id = w.customer_id
      AND NOT EXISTS (SELECT 1 FROM fold f WHERE f.customer_id = s.customer_id AND f.store_id = s.store_id)
)
INSERT INTO orders_storefigures AS cached (customer_id, store_id, {_VALUES})
SELECT customer_id, store_id, {_VALUES} FROM fold ORDER BY customer_id, store_id
ON CONFLICT (customer_id, store_id) DO UPDATE SET {_EXCLUDED} WHERE cached.* IS DISTINCT FROM EXCLUDED.*
"""
_REFRESH = f"""
INSERT INTO orders_customerfigures AS cached (customer_id, {_VALUES})
SELECT customer_id, {_VALUES} FROM ({_SUM}) summed ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET {_EXCLUDED} WHERE cached.* IS DISTINCT FROM EXCLUDED.*
"""
_DROP = """
DELETE FROM orders_customerfigures cached WHERE customer_id = ANY(%(customers)s)
AND NOT EXISTS (SELECT 1 FROM orders_storefigures s WHERE s.customer_id = cached.customer_id)
"""
_COMPARE_STORES = f"""
WITH {_FOLD}
SELECT coalesce(f.customer_id, c.customer_id), to_jsonb(f), to_jsonb(c)
FROM (SELECT customer_id, store_id, {_VALUES} FROM fold) f FULL JOIN (
    SELECT customer_id, store_id, {_VALUES} FROM orders_storefigures WHERE customer_id IN (SELECT customer_id FROM wanted)
) c USING (customer_id, store_id)
WHERE to_jsonb(f) IS DISTINCT FROM to_jsonb(c) ORDER BY 1
"""
_COMPARE = f"""
SELECT coalesce(f.customer_id, c.customer_id), to_jsonb(f), to_jsonb(c)
FROM ({_SUM}) f FULL JOIN (
    SELECT customer_id, {_VALUES} FROM orders_customerfigures WHERE customer_id = ANY(%(customers)s)
) c USING (customer_id)
WHERE to_jsonb(f) IS DISTINCT FROM to_jsonb(c) ORDER BY 1
"""
_SLICE = 50_000


@dataclass(frozen=True)
class Figures:
    """A customer whose cached figures are not what the facts come to; either may be missing."""

    customer_id: int
    folded: dict[str, Any] | None
    cached: dict[str, Any] | None


def refresh_figures(customer_ids: Iterable[int]) -> None:
    """Rebuilds the figures of these customers; who has neither orders nor refunds has none.

    An order in another currency is worth what the newest rate on or before its day says; without any such rate it is left out of
    the sums and counted in ``unconverted_count``.
    """
    wanted = sorted(set(customer_ids))
    if wanted:
        parameters = {"customers": wanted, **reporting()}
        for statement in (_RESERVE, _LOCK, _REFRESH_STORES, _REFRESH, _DROP):
            execute(statement, parameters)


def verify_figures() -> list[Figures]:
    """Every customer whose cached figures differ from the fold of the facts; empty when all is well."""
    found: list[Figures] = []

    def compare(ids: list[int]) -> None:
        parameters = {"customers": ids, **reporting()}
        for statement in (_COMPARE_STORES, _COMPARE):
            found.extend(
                Figures(row, _opened(folded), _opened(cached)) for row, folded, cached in fetch(statement, parameters)
            )

    each_slice(compare, _SLICE)
    return found


def _opened(row: str | None) -> dict[str, Any] | None:
    return None if row is None else json.loads(row)
