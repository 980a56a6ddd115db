"""What amounts are worth in the reporting currency: at the newest rate on or before their day in the shop's zone, each rounded once,
half-even (docs/revenue.md). Without such a rate they are worth nothing that is known, and whoever sums them counts them.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min, Q

from regulars.foundation.bulk import fetch
from regulars.foundation.money import CURRENCIES, exponent
from regulars.foundation.shop.models import ExchangeRate
from regulars.foundation.shop.settings import KNOWN, read_setting

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


def _literals(texts: Iterable[str]) -> str:
    return ", ".join(f"'{text}'" for text in sorted(texts))


_BY_EXPONENT = {places: {one for one in CURRENCIES if exponent(one) == places} for places in (0, 1, 3, 4)}
_EXPONENT = " ".join(
    f"WHEN {{0}} IN ({_literals(some)}) THEN {places}" for places, some in _BY_EXPONENT.items() if some
)
_SET = "coalesce((SELECT value #>> '{{}}' FROM shop_setting WHERE name = '{0}'), '{1}')"
REPORTING, ZONE = (_SET.format(name, KNOWN[name].default) for name in ("shop.reporting_currency", "shop.time_zone"))


def exponent_sql(currency: str) -> str:
    """SQL of the decimal places of a currency's minor unit; ``currency`` is SQL."""
    return f"CASE {_EXPONENT.format(currency)} ELSE 2 END"


def rated(currency: str, at: str) -> str:
    """SQL of a join that gives ``rated.factor``: what one minor unit is worth in those of the reporting currency, null where there is no
    rate. Both arguments are SQL of the rows to its left. It is as ``WORTH``, for a few rows and within a query of any shape.
    """
    return f"""
    LEFT JOIN LATERAL (
        SELECT 1::numeric AS factor WHERE {currency} = {REPORTING}
        UNION ALL (
            SELECT e.rate * 10::numeric ^ ({exponent_sql(REPORTING)} - {exponent_sql(currency)})
            FROM shop_exchangerate e
            WHERE {currency} <> {REPORTING} AND e.reporting_currency = {REPORTING} AND e.currency = {currency}
              AND e."on" <= ({at} AT TIME ZONE {ZONE})::date
            ORDER BY e."on" DESC LIMIT 1
        )
    ) rated ON true
    """


def worth(amount: str) -> str:
    """SQL of an amount in minor units of the reporting currency, beside ``rated``: rounded once, half-even."""
    value = f"({amount} * rated.factor)"
    return f"""
    (CASE WHEN rated.factor = 1 THEN {amount} ELSE round({value} - CASE
        WHEN abs({value} - trunc({value})) = 0.5 AND mod(trunc({value}), 2) = 0 THEN sign({value}) * 0.1 ELSE 0 END)::bigint END)
    """


def revalued(rows: str) -> str:
    """SQL for ``WarehouseTable.touched``: rows whose worth may be another. Where the rates or the zone changed, what is in other
    currencies; where the reporting currency did, everything.
    """
    return f"""
        SELECT o.id, m.position FROM {rows} o, (
            SELECT max(e.position) AS position, bool_or(e.data -> 'what' ? 'shop.reporting_currency') AS is_all FROM events_event e
            WHERE e.kind = 'money.changed' AND e.position > %(after)s AND e.position <= %(upto)s
        ) m WHERE m.position IS NOT NULL AND (m.is_all OR o.currency <> {REPORTING})
    """


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
