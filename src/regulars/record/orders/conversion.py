"""What amounts are worth in the reporting currency: at the newest rate on or before their day in the shop's zone, each rounded once,
half-even (docs/revenue.md). Without such a rate they are worth nothing that is known, and whoever sums them counts them.
"""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min, Q

from regulars.foundation.bulk import fetch
from regulars.foundation.money import exponent
from regulars.foundation.shop.models import ExchangeRate
from regulars.foundation.shop.settings import read_setting

_VALUE = "f.amount * p.factor"
# Half-even: a tie goes to the even side by being moved a little towards it.
_ROUNDED = f"""
round({_VALUE} - CASE WHEN abs({_VALUE} - trunc({_VALUE})) = 0.5 AND mod(trunc({_VALUE}), 2) = 0
      THEN sign({_VALUE}) * 0.1 ELSE 0 END)::bigint
"""
# To stand after a relation ``fact(currency, amount, at, ...)``; gives ``worth``, the same with ``minor``, null where there is no rate.
# Rates are looked up once for each currency and day.
WORTH = f"""
scale AS MATERIALIZED (SELECT * FROM unnest(%(currencies)s::text[], %(scales)s::numeric[]) AS s(currency, factor)),
priced AS MATERIALIZED (
    SELECT d.currency, d.day, r.rate * s.factor AS factor
    FROM (SELECT DISTINCT currency, (at AT TIME ZONE %(zone)s)::date AS day FROM fact WHERE currency <> %(reporting)s) d
    JOIN scale s USING (currency) CROSS JOIN LATERAL (
        SELECT e.rate FROM shop_exchangerate e
        WHERE e.reporting_currency = %(reporting)s AND e.currency = d.currency AND e."on" <= d.day
        ORDER BY e."on" DESC LIMIT 1
    ) r
),
worth AS (
    SELECT f.*, CASE WHEN f.currency = %(reporting)s THEN f.amount ELSE {_ROUNDED} END AS minor
    FROM fact f LEFT JOIN priced p
        ON f.currency <> %(reporting)s AND p.currency = f.currency AND p.day = (f.at AT TIME ZONE %(zone)s)::date
)
"""


def reporting() -> dict[str, Any]:
    """Parameters of ``WORTH``, as the shop's settings are now."""
    currency = read_setting("shop.reporting_currency")
    known = ExchangeRate.objects.filter(reporting_currency=currency).values_list("currency", flat=True).distinct()
    scales = {one: 10 ** Decimal(exponent(currency) - exponent(one)) for one in known}
    return {
        "reporting": currency,
        "zone": read_setting("shop.time_zone"),
        "currencies": list(scales),
        "scales": list(scales.values()),
    }


def unconverted_orders() -> Q:
    """Condition on orders that count: there is no rate for their currency on or before their day."""
    currency, zone = read_setting("shop.reporting_currency"), ZoneInfo(read_setting("shop.time_zone"))
    used = {one for (one,) in fetch(_CURRENCIES, [])} - {currency}
    rates = ExchangeRate.objects.filter(reporting_currency=currency, currency__in=used)
    first = dict(rates.values_list("currency").annotate(Min("on")))
    condition = Q(currency__in=sorted(used - set(first)))
    for one, day in sorted(first.items()):
        condition |= Q(currency=one, placed_at__lt=_begin(day, zone))
    return condition


# One step of the index for each currency that there is, instead of a walk over all orders.
_CURRENCIES = """
WITH RECURSIVE found AS (
    SELECT min(currency) AS currency FROM orders_order WHERE status <> 'cancelled' AND payment_status <> 'voided'
    UNION ALL
    SELECT (SELECT min(currency) FROM orders_order
            WHERE currency > found.currency AND status <> 'cancelled' AND payment_status <> 'voided')
    FROM found WHERE found.currency IS NOT NULL
)
SELECT currency FROM found WHERE currency IS NOT NULL
"""


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
