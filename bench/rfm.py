"""RFM over millions of orders, beside the bare DuckDB query over the same Parquet files."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import Figure, Scale, against
from bench.volume import DAYS, FIRST_DAY, connect, write_orders_parquet
from regulars.foundation.warehouse_tables import OPEN
from regulars.insight.rfm import operations, rules
from regulars.insight.rfm.questions import figures_in
from regulars.insight.rfm.rules import DEFAULT_POLICY
from regulars.insight.segments.operations import apply_snapshot, ensure_rfm_segments
from regulars.insight.warehouse import engine, files
from regulars.insight.warehouse.models import WarehouseFile, WarehouseSnapshot
from regulars.insight.warehouse.queries import Pinned, pinned
from regulars.record.events import log

ORDERS, CUSTOMERS = 5_000_000, 500_000
AS_OF = FIRST_DAY + timedelta(days=DAYS)
SCALE = 5
ROUNDS = 5
_KNOWN = f"1::BIGINT AS known_from, {OPEN}::BIGINT AS known_until"
_TABLES = {
    "orders": f"SELECT order_id, customer_id AS profile_id, 1::BIGINT AS store_id, placed_at, 'GBP' AS currency, total_minor,"
    f" true AS counts, {_KNOWN} FROM source",
    "refunds": f"SELECT order_id AS refund_id, order_id, customer_id AS profile_id, 1::BIGINT AS store_id,"
    f" placed_at + INTERVAL 3 DAY AS occurred_at, 'GBP' AS currency, total_minor // 2 AS amount_minor, {_KNOWN}"
    " FROM source WHERE order_id % 30 = 0",
    "customer_profiles": f"SELECT DISTINCT customer_id AS profile_id, customer_id, {_KNOWN} FROM source",
}
# What somebody would write by hand who has these files and nothing else: the same figures, cut points and scores.
_BARE = """
WITH people AS (SELECT profile_id, customer_id FROM read_parquet($customer_profiles)),
bought AS (
    SELECT customer_id, sum(n) AS frequency, max(last) AS last, sum(spent) AS spent
    FROM (SELECT profile_id, count(*) AS n, max(placed_at) AS last, sum(total_minor) AS spent
          FROM read_parquet($orders) WHERE counts AND placed_at <= $as_of GROUP BY profile_id) o JOIN people USING (profile_id)
    GROUP BY customer_id
),
returned AS (
    SELECT customer_id, sum(amount_minor) AS refunded
    FROM read_parquet($refunds) JOIN people USING (profile_id) WHERE occurred_at <= $as_of GROUP BY customer_id
),
figure AS (
    SELECT customer_id, (epoch_us($as_of) - epoch_us(last)) // 86400000000 AS recency, frequency, spent - coalesce(refunded, 0) AS monetary
    FROM bought LEFT JOIN returned USING (customer_id)
),
cut AS (
    SELECT quantile_disc(recency, [0.2, 0.4, 0.6, 0.8]) AS r, quantile_disc(frequency, [0.2, 0.4, 0.6, 0.8]) AS f,
           quantile_disc(monetary, [0.2, 0.4, 0.6, 0.8]) AS m
    FROM figure
)
SELECT customer_id, recency, frequency, monetary,
       5 - (cut.r[1] < recency)::INT - (cut.r[2] < recency)::INT - (cut.r[3] < recency)::INT - (cut.r[4] < recency)::INT AS r_score,
       1 + (cut.f[1] < frequency)::INT + (cut.f[2] < frequency)::INT + (cut.f[3] < frequency)::INT + (cut.f[4] < frequency)::INT AS f_score,
       1 + (cut.m[1] < monetary)::INT + (cut.m[2] < monetary)::INT + (cut.m[3] < monetary)::INT + (cut.m[4] < monetary)::INT AS m_score
FROM figure CROSS JOIN cut
"""


def run(scale: Scale) -> list[Figure]:
    """The question with its scores against the bare query; then publishing and sorting everybody into segments."""
    orders, customers = scale.of(ORDERS), scale.of(CUSTOMERS)
    snapshot = _make(orders, customers, scale.seed)
    ours, bare = _in_turn(lambda: _score(snapshot), lambda: _bare(snapshot))
    name = f"RFM of {orders:,} orders, {customers:,} customers"
    first = against(name, ours, "s", bare, goal="at most 1.5 times the bare DuckDB query", note="best of five, in turn")
    return [first, *_publish(snapshot)]


def _make(orders: int, customers: int, seed: int) -> Pinned:
    """The warehouse's files of a shop of this size, and the manifest that names them."""
    source = files.folder() / "source.parquet.tmp"
    write_orders_parquet(source, orders, customers, seed)
    at = datetime.now(UTC)
    rows = [_write(table, query, source, at) for table, query in _TABLES.items()]
    source.unlink()
    with log.transaction("system", "bench") as transaction:
        transaction.append()
    return pinned(WarehouseSnapshot.objects.create(position=1, files=[row.pk for row in rows], published_at=at))


def _write(table: str, query: str, source: Path, at: datetime) -> WarehouseFile:
    path = files.folder() / f"{table}.parquet"
    with connect() as connection:
        relation = query.replace("FROM source", f"FROM read_parquet('{source}')")
        connection.execute(f"COPY ({relation}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        (count,) = connection.execute(f"SELECT count(*) FROM read_parquet('{path}')").fetchall()[0]
    return WarehouseFile.objects.create(
        table=table, kind="rows", name=path.name, rows=count, size=path.stat().st_size, is_open=True, written_at=at
    )


def _score(snapshot: Pinned) -> Any:
    """All that publishing does before it writes: figures, cut points, scores and segments."""
    people = figures_in(snapshot, "GBP").ask(AS_OF).people
    recency, frequency, monetary = (people[name].to_numpy() for name in ("recency_days", "frequency", "monetary_minor"))
    cuts = rules.find_cut_points(recency, frequency, monetary, SCALE)
    return rules.segments_of(DEFAULT_POLICY.rules[SCALE], rules.score(recency, frequency, monetary, cuts, SCALE), SCALE)


def _bare(snapshot: Pinned) -> Any:
    parameters = {table: snapshot.paths(table) for table in _TABLES} | {"as_of": AS_OF.replace(tzinfo=None)}
    return engine.run(_BARE, parameters)


def _in_turn(one: Callable[[], Any], other: Callable[[], Any]) -> tuple[float, float]:
    """Best time of each, taken in turn so that neither has the machine to itself; the first round warms up."""
    times: list[tuple[float, float]] = [(_seconds(one), _seconds(other)) for _ in range(ROUNDS + 1)][1:]
    return min(t for t, _ in times), min(t for _, t in times)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _publish(snapshot: Pinned) -> list[Figure]:
    """Publishing writes everybody's scores; applying it makes the initial memberships of those whom the record knows: nobody here."""
    at = datetime.now(UTC)
    began = time.perf_counter()
    published = operations.publish(snapshot, AS_OF, at, "manual")
    taken = time.perf_counter() - began
    ensure_rfm_segments(at)
    apply_snapshot(published, at)
    return [
        Figure("RFM published, with everybody's scores in PostgreSQL", taken, "s", note=f"{published.customers:,} rows")
    ]
