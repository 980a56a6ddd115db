"""The cached figures of each customer: a fold of orders and refunds in the reporting currency (docs/revenue.md)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.money import exponent
from regulars.foundation.shop.models import ExchangeRate
from regulars.foundation.shop.settings import read_setting

_COLUMNS = (
    "customer_id, currency, order_count, spent_minor, refunded_minor, first_order_at, last_order_at, unconverted_count"
)

# Rounded half-even once per order or refund: a tie goes to the even side by being moved a little towards it.
_FOLD = """
wanted AS MATERIALIZED (SELECT unnest(%(customers)s::bigint[]) AS customer_id),
member AS MATERIALIZED (
    SELECT w.customer_id, m.profile_id FROM wanted w
    JOIN customers_customerprofile m ON m.customer_id = w.customer_id AND m.until_batch_id IS NULL
),
fact AS (
    SELECT m.customer_id, true AS is_order, o.currency, o.total_minor AS amount, o.placed_at AS at
    FROM member m JOIN orders_order o ON o.profile_id = m.profile_id
    WHERE o.status <> 'cancelled' AND o.payment_status <> 'voided'
    UNION ALL
    SELECT m.customer_id, false, r.currency, r.amount_minor, r.occurred_at
    FROM member m JOIN orders_refund r ON r.profile_id = m.profile_id LEFT JOIN orders_order o ON o.id = r.order_id
    WHERE o.id IS NULL OR o.status <> 'cancelled' AND o.payment_status <> 'voided'
),
scale AS MATERIALIZED (SELECT * FROM unnest(%(currencies)s::text[], %(scales)s::numeric[]) AS s(currency, factor)),
converted AS (
    SELECT f.*, CASE WHEN f.currency = %(reporting)s THEN f.amount ELSE f.amount * r.rate * s.factor END AS value
    FROM fact f LEFT JOIN scale s ON s.currency = f.currency LEFT JOIN LATERAL (
        SELECT e.rate FROM shop_exchangerate e
        WHERE e.reporting_currency = %(reporting)s AND e.currency = f.currency AND e."on" <= (f.at AT TIME ZONE %(zone)s)::date
        ORDER BY e."on" DESC LIMIT 1
    ) r ON f.currency <> %(reporting)s
),
rounded AS (
    SELECT c.*, round(value - CASE WHEN abs(value - trunc(value)) = 0.5 AND mod(trunc(value), 2) = 0 THEN sign(value) * 0.1 ELSE 0 END) AS minor
    FROM converted c
),
fold AS (
    SELECT customer_id, %(reporting)s::text AS currency, count(*) FILTER (WHERE is_order)::int AS order_count,
           coalesce(sum(minor) FILTER (WHERE is_order), 0)::bigint AS spent_minor,
           coalesce(sum(minor) FILTER (WHERE NOT is_order), 0)::bigint AS refunded_minor,
           min(at) FILTER (WHERE is_order) AS first_order_at, max(at) FILTER (WHERE is_order) AS last_order_at,
           count(*) FILTER (WHERE value IS NULL)::int AS unconverted_count
    FROM rounded GROUP BY customer_id
)
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
_REFRESH = f"""
WITH {_FOLD}
INSERT INTO orders_customerfigures AS cached ({_COLUMNS}) SELECT {_COLUMNS} FROM fold ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET
    currency = EXCLUDED.currency, order_count = EXCLUDED.order_count, spent_minor = EXCLUDED.spent_minor,
    refunded_minor = EXCLUDED.refunded_minor, first_order_at = EXCLUDED.first_order_at, last_order_at = EXCLUDED.last_order_at,
    unconverted_count = EXCLUDED.unconverted_count
WHERE cached.* IS DISTINCT FROM EXCLUDED.*
"""
_DROP = f"""
WITH {_FOLD}
DELETE FROM orders_customerfigures cached USING wanted w
WHERE cached.customer_id = w.customer_id AND NOT EXISTS (SELECT 1 FROM fact WHERE fact.customer_id = w.customer_id)
"""
_COMPARE = f"""
WITH {_FOLD}
SELECT coalesce(f.customer_id, c.customer_id), to_jsonb(f), to_jsonb(c)
FROM fold f FULL JOIN (SELECT * FROM orders_customerfigures WHERE customer_id IN (SELECT customer_id FROM wanted)) c
    ON c.customer_id = f.customer_id
WHERE (f.currency, f.order_count, f.spent_minor, f.refunded_minor, f.first_order_at, f.last_order_at, f.unconverted_count)
    IS DISTINCT FROM (c.currency, c.order_count, c.spent_minor, c.refunded_minor, c.first_order_at, c.last_order_at, c.unconverted_count)
ORDER BY 1
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
        parameters = _parameters(wanted)
        for statement in (_RESERVE, _LOCK, _REFRESH, _DROP):
            execute(statement, parameters)


def verify_figures() -> list[Figures]:
    """Every customer whose cached figures differ from the fold of the facts; empty when all is well."""
    found = []
    last = 0
    while ids := [
        row for (row,) in fetch("SELECT id FROM customers_customer WHERE id > %s ORDER BY id LIMIT %s", [last, _SLICE])
    ]:
        found += [
            Figures(row, _opened(folded), _opened(cached)) for row, folded, cached in fetch(_COMPARE, _parameters(ids))
        ]
        last = ids[-1]
    return found


def _opened(row: str | None) -> dict[str, Any] | None:
    return None if row is None else json.loads(row)


def _parameters(customer_ids: list[int]) -> dict[str, Any]:
    reporting = read_setting("shop.reporting_currency")
    known = ExchangeRate.objects.filter(reporting_currency=reporting).values_list("currency", flat=True).distinct()
    scales = {currency: 10 ** Decimal(exponent(reporting) - exponent(currency)) for currency in known}
    return {
        "customers": customer_ids,
        "reporting": reporting,
        "zone": read_setting("shop.time_zone"),
        "currencies": list(scales),
        "scales": list(scales.values()),
    }
