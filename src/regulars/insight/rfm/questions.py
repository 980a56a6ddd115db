"""The one question that RFM asks of the warehouse."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from regulars.foundation.money import exponent, parse_currency
from regulars.foundation.shop.models import ExchangeRate
from regulars.foundation.shop.settings import read_setting
from regulars.insight.warehouse import engine
from regulars.insight.warehouse.queries import Pinned
from regulars.insight.warehouse.questions import compiled_once, given_table, known_at, literal_rows, parameter, table

_RATE_COLUMNS = {
    "currency": dt.string,
    "rate_from": dt.timestamp,
    "rate_until": dt.timestamp,
    "factor": dt.Decimal(38, 12),
}
_FIRST, _LAST = "TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31'"


@dataclass(frozen=True)
class Figures:
    """Everybody's figures: parallel columns ``customer_id``, ``recency_days``, ``frequency``, ``monetary_minor``; and what was left out."""

    people: pa.Table
    left_out_orders: int
    left_out_minor: int
    unrated_orders: int


@dataclass(frozen=True)
class FiguresQuestion:
    """What RFM asks of one snapshot of the warehouse, at any moment. ``rates`` is empty where all amounts are in the reporting currency."""

    pinned: Pinned
    rates: str

    def ask(self, as_of: datetime, position: int | None = None) -> Figures:
        """Recency (whole days of 24 hours since the last order), frequency (orders) and monetary (orders less refunds, minor units of
        the reporting currency) of everybody who ordered up to ``as_of``, as known at ``position`` (the snapshot's own where not given).
        """
        bound: dict[str, Any] = {
            "as_of": as_of.astimezone(UTC).replace(tzinfo=None),
            "position": self.pinned.position if position is None else position,
        }
        if not self.rates:
            return _without_unknown(in_one_currency().ask(self.pinned, **bound))
        return _without_unknown(in_many_currencies().ask(self.pinned, {"rates": self.rates}, **bound))


def figures_in(pinned: Pinned, currency: str) -> FiguresQuestion:
    """The question with this reporting currency."""
    return FiguresQuestion(pinned, "" if _is_in_one_currency(pinned, currency) else _rates(currency))


def _without_unknown(answer: pa.Table) -> Figures:
    """Takes the group without a customer apart: orders without any identity."""
    unrated = pc.sum(answer["unrated"]).as_py() or 0
    known = answer["customer_id"].is_valid()
    guests = answer.filter(pc.invert(known))
    people = answer.filter(known).drop_columns(["unrated"]).combine_chunks()
    orders = pc.sum(guests["frequency"]).as_py() or 0
    spent = pc.sum(guests["monetary_minor"]).as_py() or 0
    return Figures(people, int(orders), int(spent), int(unrated))


@compiled_once
def in_one_currency() -> Any:
    """All amounts are in the reporting currency already."""
    return _expression(lambda rows, at, amount: rows.mutate(amount=amount))


@compiled_once
def in_many_currencies() -> Any:
    """Amounts at the rate of their day, each rounded half-even; those without a rate count as zero and are counted."""
    rates = given_table("rates", _RATE_COLUMNS)

    def converted(rows: Any, at: Any, amount: Any) -> Any:
        joined = rows.left_join(
            rates, [rows.currency == rates.currency, at >= rates.rate_from, at < rates.rate_until], rname="rate_{name}"
        )
        value = _round_even(joined[amount.get_name()].cast(dt.Decimal(18, 0)) * joined.factor)
        return joined.mutate(amount=ibis.coalesce(value, 0), unrated=joined.factor.isnull().cast(dt.int64))

    return _expression(converted)


def _expression(in_reporting_currency: Any) -> Any:
    """Grouped by profile first, so that the map is joined to few rows. A guest's orders make the group without a profile."""
    as_of, position = parameter("as_of", dt.timestamp), parameter("position", dt.int64)
    orders = known_at(table("orders"), position)
    orders = orders.filter(orders.counts, orders.placed_at <= as_of)
    bought = in_reporting_currency(orders, orders.placed_at, orders.total_minor)
    metrics = {"orders": _.count(), "last": _.placed_at.max(), "spent": _sum(_.amount)}
    bought = bought.group_by("profile_id").agg(**metrics | _sums_of(bought, "unrated"))
    refunds = known_at(table("refunds"), position)
    refunds = refunds.filter(refunds.occurred_at <= as_of, refunds.profile_id.notnull())
    off = table("orders")  # filtered before, not after: the same rows twice would be materialized
    refunds = refunds.anti_join(known_at(off.filter(~off.counts), position), "order_id")
    returned = in_reporting_currency(refunds, refunds.occurred_at, refunds.amount_minor).group_by("profile_id")
    returned = returned.agg(refunded=_sum(_.amount))
    people = known_at(table("customer_profiles"), position).select("profile_id", "customer_id")
    return _by_customer(_with_customers(bought, people), _with_customers(returned, people), as_of)


def _with_customers(rows: Any, people: Any) -> Any:
    return rows.left_join(people, "profile_id", rname="map_{name}").drop("map_profile_id")


def _by_customer(bought: Any, returned: Any, as_of: Any) -> Any:
    metrics = {"frequency": _sum(_.orders), "last": _["last"].max(), "spent": _sum(_.spent)}
    spent = bought.group_by("customer_id").agg(**metrics | _sums_of(bought, "unrated"))
    refunded = returned.group_by("customer_id").agg(refunded=_sum(_.refunded))
    both = spent.left_join(refunded, "customer_id", rname="back_{name}")
    seconds = as_of.epoch_seconds() - both["last"].epoch_seconds()
    return both.select(
        customer_id=both.customer_id,
        recency_days=(seconds // 86_400).cast(dt.int64),
        frequency=both.frequency,
        monetary_minor=(both.spent - ibis.coalesce(both.refunded, 0)).cast(dt.int64),
        unrated=both.unrated if "unrated" in both.columns else ibis.literal(0, dt.int64),
    )


def _sums_of(rows: Any, *names: str) -> dict[str, Any]:
    """Sums of those columns that are there."""
    return {name: _sum(rows[name]) for name in names if name in rows.columns}


def _sum(column: Any) -> Any:
    """DuckDB sums bigints into 128 bits, of which Ibis' own sum knows nothing, so that its cast would be left out."""
    return _WIDE_SUM(column).cast(dt.int64)


def _round_even(value: Any) -> Any:
    """DuckDB's half-even rounding to a whole number; Ibis has none of its own."""
    return _ROUND_EVEN(value, 0).cast(dt.int64)


def _of_one(value: Any) -> None:
    """Shape of a built-in function, for Ibis; never called."""


def _of_two(value: Any, digits: Any) -> None:
    """As above."""


_WIDE_SUM = ibis.udf.agg.builtin(_of_one, name="sum", signature=((dt.int64,), dt.Decimal(38, 0)))
_ROUND_EVEN = ibis.udf.scalar.builtin(
    _of_two, name="round_even", signature=((dt.Decimal(38, 12), dt.int32), dt.Decimal(38, 0))
)


def _is_in_one_currency(pinned: Pinned, currency: str) -> bool:
    """Answered from the files' statistics where all are alike."""
    amounts = " UNION ALL ".join(f"SELECT currency FROM {pinned.relation(name)}" for name in ("orders", "refunds"))
    return not engine.run(
        f"SELECT 1 FROM ({amounts}) WHERE currency <> $currency LIMIT 1", {"currency": currency}
    ).num_rows


def _rates(currency: str) -> str:
    """Rates into the reporting currency as a relation of spans; the currency itself is worth 1 at all times. Raises UnknownCurrency for a
    code that is none: the codes become part of the SQL.
    """
    currency = parse_currency(currency)
    rows = [[f"'{currency}'", _FIRST, _LAST, "CAST(1 AS DECIMAL(38, 12))"]]
    zone = ZoneInfo(str(read_setting("shop.time_zone")))
    rates = list(ExchangeRate.objects.filter(reporting_currency=currency).order_by("currency", "on"))
    for rate, following in zip(rates, [*rates[1:], None], strict=False):
        is_same = following is not None and following.currency == rate.currency
        until = _midnight(following.on, zone) if following and is_same else _LAST
        scale = exponent(currency) - exponent(rate.currency)
        factor = f"CAST({rate.rate.scaleb(scale):f} AS DECIMAL(38, 12))"
        rows.append([f"'{parse_currency(rate.currency)}'", _midnight(rate.on, zone), until, factor])
    return literal_rows(rows, list(_RATE_COLUMNS))


def _midnight(day: date, zone: ZoneInfo) -> str:
    """Begin of the shop's day, as SQL in UTC."""
    moment = datetime.combine(day, time(), zone).astimezone(UTC)
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}'"
