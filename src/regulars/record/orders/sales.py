"""Sales over time, and who bought: in each point of a span and in the whole of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.record.orders.conversion import WORTH, reporting


@dataclass(frozen=True)
class Span:
    """From ``since`` until just before ``until``, which are day limits in ``zone``; ``step`` days make one point."""

    first: date
    since: datetime
    until: datetime
    zone: str
    step: int

    @property
    def points(self) -> int:
        return -(-(self.until - self.since).days // self.step)


@dataclass(frozen=True)
class Sales:
    """A stretch of time: orders that count, their totals, and what was refunded then, in minor units of the reporting currency."""

    orders: int = 0
    ordered_minor: int = 0
    refunded_minor: int = 0

    @property
    def sales_minor(self) -> int:
        """Orders less refunds of the same days (docs/revenue.md)."""
        return self.ordered_minor - self.refunded_minor

    @property
    def average_minor(self) -> int | None:
        """Average order value, before refunds; None without an order."""
        return round(self.ordered_minor / self.orders) if self.orders else None


@dataclass(frozen=True)
class SalesOverTime:
    """One entry for each point, empty ones included, and the whole span."""

    points: Sequence[Sales]
    total: Sales


# Amounts in the reporting currency are added up as they are read; of others, equal ones of a day are worth the same.
_SALES = f"""
WITH sold AS (
    SELECT (o.placed_at AT TIME ZONE %(zone)s)::date AS day, o.currency, min(o.placed_at) AS at, count(*) AS orders,
           CASE WHEN o.currency <> %(reporting)s THEN o.total_minor END AS each, sum(o.total_minor)::bigint AS together
    FROM orders_order o
    WHERE o.placed_at >= %(since)s AND o.placed_at < %(until)s AND o.status <> 'cancelled' AND o.payment_status <> 'voided'
      AND (%(stores)s::bigint[] IS NULL OR o.store_id = ANY(%(stores)s::bigint[]))
    GROUP BY day, o.currency, each
),
fact AS MATERIALIZED (
    SELECT (day - %(first)s::date) / %(step)s AS point, currency, coalesce(each, together) AS amount, at,
           orders, CASE WHEN each IS NULL THEN 1 ELSE orders END AS times
    FROM sold
    UNION ALL
    SELECT ((r.occurred_at AT TIME ZONE %(zone)s)::date - %(first)s::date) / %(step)s, r.currency, r.amount_minor, r.occurred_at, 0, 1
    FROM orders_refund r
    WHERE r.occurred_at >= %(since)s AND r.occurred_at < %(until)s AND NOT EXISTS (
        SELECT 1 FROM orders_order o WHERE o.id = r.order_id AND (o.status = 'cancelled' OR o.payment_status = 'voided')
    )
      AND (%(stores)s::bigint[] IS NULL OR r.store_id = ANY(%(stores)s::bigint[]))
),
{WORTH}
SELECT point, sum(orders), coalesce(sum(minor * times) FILTER (WHERE orders > 0), 0), coalesce(sum(minor) FILTER (WHERE orders = 0), 0)
FROM worth GROUP BY point
"""


def sales_over_time(span: Span, viewer: Viewer) -> SalesOverTime:
    """In the reporting currency. Orders that have no rate count, their amounts do not: ``count_unconverted`` tells how many they are."""
    known = {row[0]: Sales(*map(int, row[1:])) for row in fetch(_SALES, _asked(span, viewer) | reporting())}
    total = Sales(
        sum(one.orders for one in known.values()),
        sum(one.ordered_minor for one in known.values()),
        sum(one.refunded_minor for one in known.values()),
    )
    return SalesOverTime([known.get(point, Sales()) for point in range(span.points)], total)


@dataclass(frozen=True)
class People:
    """Who bought in a stretch of time, each counted once: for the first time ever, or again. Guests are in neither."""

    new: int = 0
    again: int = 0


@dataclass(frozen=True)
class PeopleOverTime:
    """One entry for each point, empty ones included, and the whole span, in which everybody counts once."""

    points: Sequence[People]
    total: People


_OF_ALL = "orders_customerfigures"
_OF_STORES = """
(SELECT customer_id, min(first_order_at) AS first_order_at, max(last_order_at) AS last_order_at
 FROM orders_storefigures WHERE store_id = ANY(%(stores)s::bigint[]) GROUP BY customer_id)
"""
# Read from the figures alone. A point that is not negative: who bought for the first time in it.
_CAME_BACK, _BOUGHT_LATER_TOO = -1, -2
_PARTS = {
    figures: f"""
SELECT CASE WHEN f.first_order_at >= %(since)s THEN ((f.first_order_at AT TIME ZONE %(zone)s)::date - %(first)s::date) / %(step)s
            WHEN f.last_order_at < %(until)s THEN -1 ELSE -2 END AS part, count(*)
FROM {figures} f WHERE f.last_order_at >= %(since)s AND f.first_order_at < %(until)s GROUP BY part
"""
    for figures in (_OF_ALL, _OF_STORES)
}
_ORDERS = """
orders_order o JOIN customers_customerprofile m ON m.profile_id = o.profile_id AND m.until_batch_id IS NULL
WHERE o.placed_at >= %(since)s AND o.placed_at < %(until)s AND o.status <> 'cancelled' AND o.payment_status <> 'voided'
  AND (%(stores)s::bigint[] IS NULL OR o.store_id = ANY(%(stores)s::bigint[]))
"""
# Of those who bought before the span and after it: who bought in it as well?
_MEANWHILE = {
    figures: f"""
SELECT count(*) FROM {figures} f WHERE f.last_order_at >= %(until)s AND f.first_order_at < %(since)s
AND f.customer_id IN (SELECT m.customer_id FROM {_ORDERS})
"""
    for figures in (_OF_ALL, _OF_STORES)
}
_BUYERS = f"""
SELECT point, count(*) FROM (
    SELECT DISTINCT ((o.placed_at AT TIME ZONE %(zone)s)::date - %(first)s::date) / %(step)s AS point, m.customer_id FROM {_ORDERS}
) bought GROUP BY point
"""


def people_over_time(span: Span, viewer: Viewer) -> PeopleOverTime:
    """A span of one point, which is quicker, is answered from the figures where nobody bought after it."""
    asked = _asked(span, viewer)
    figures = _OF_ALL if asked["stores"] is None else _OF_STORES
    parts = Counter(dict(fetch(_PARTS[figures], asked)))
    again = parts.pop(_CAME_BACK, 0)
    if parts.pop(_BOUGHT_LATER_TOO, 0):
        again += fetch(_MEANWHILE[figures], asked)[0][0]
    total = People(parts.total(), again)
    if span.points == 1:
        return PeopleOverTime([total], total)
    buyers = Counter(dict(fetch(_BUYERS, asked)))
    return PeopleOverTime([People(parts[n], buyers[n] - parts[n]) for n in range(span.points)], total)


def _asked(span: Span, viewer: Viewer) -> dict[str, Any]:
    stores = sorted(viewer.store_ids) if viewer.store_ids is not None else None
    of_span = {"first": span.first, "since": span.since, "until": span.until, "zone": span.zone, "step": span.step}
    return {**of_span, "stores": stores}
