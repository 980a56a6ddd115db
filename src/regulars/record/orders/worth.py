"""What the rows of a list come to: by currency, and together in the reporting currency where there are others (docs/revenue.md)."""

import re
from collections.abc import Sequence
from itertools import count
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Count, QuerySet
from django.db.models import Sum as Total

from regulars.foundation.bulk import fetch
from regulars.foundation.pages.sums import Sum
from regulars.foundation.shop.settings import read_setting
from regulars.record.events import totals
from regulars.record.orders.conversion import WORTH, reporting

_Sums = Sequence[tuple[str, int, int]]  # currency, minor, rows


def sum_worth(rows: QuerySet[Any], amount: str, at: str, currency: str = "currency") -> Sum:
    """Of orders, refunds or lines: ``amount``, ``at`` and ``currency`` are their fields. Remembered as ``totals.count`` is."""

    def by_currency(rows: QuerySet[Any]) -> _Sums:
        sums = rows.order_by(currency).values_list(currency).annotate(total=Total(amount), number=Count("pk"))
        return [(unit, int(total), number) for unit, total, number in sums]

    found = totals.of(rows, f"sum of {amount}", by_currency, lambda sums: sum(number for _, _, number in sums))
    amounts, here = [(total, unit) for unit, total, _ in found], read_setting("shop.reporting_currency")
    if all(unit == here for _, unit in amounts):
        return Sum(amounts)
    return Sum(amounts, total=(_converted(rows, amount, at, currency), here))


def _converted(rows: QuerySet[Any], amount: str, at: str, currency: str) -> int:
    try:
        statement, values = rows.order_by().values_list(currency, amount, at).query.sql_with_params()
    except EmptyResultSet:
        return 0
    number = count()
    fact = re.sub("%s", lambda _: f"%(p{next(number)})s", statement)
    named = {f"p{n}": value for n, value in enumerate(values)}
    sql = f"WITH fact(currency, amount, at) AS MATERIALIZED ({fact}), {WORTH} SELECT coalesce(sum(minor), 0) FROM worth"
    return int(fetch(sql, {**reporting(), **named})[0][0])
