"""Synthetic volume: orders, lines and events of any number, the same again for the same seed.

Plainly made: customers are numbers, products are 'Product 17'. Few customers order often and most seldom (the number
is drawn with the square of a share), orders are spread over two years, and an order has 20 lines on average, as the
demo shop's have. DuckDB makes the rows, so that a million lines take seconds.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 730
LINES_AN_ORDER = 20
PRODUCTS = 5_000
_DAY_MICROSECONDS = 86_400_000_000
_HASHES = 2.0**64


@dataclass(frozen=True)
class Volume:
    """What a file holds."""

    path: Path
    orders: int
    lines: int
    customers: int


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own that loads nothing and looks at no Python variable."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    connection.execute("SET python_enable_replacements = false")
    return connection


def orders_query(orders: int, customers: int, seed: int) -> str:
    """SQL of rows ``(order_id, customer_id, placed_at, line_count)``; order ids from 1, in order of time."""
    return f"""
        SELECT n AS order_id, {_customer("n", customers, seed)} AS customer_id, {_moment("n", orders)} AS placed_at,
               1 + CAST(floor({_share("n", seed, 2)} * {2 * LINES_AN_ORDER - 1}) AS BIGINT) AS line_count
        FROM range(1, {orders} + 1) t(n)"""


def lines_query(orders: int, customers: int, seed: int) -> str:
    """SQL of rows ``(order_id, customer_id, placed_at, line, product, quantity, price)``."""
    key = f"order_id * {2 * LINES_AN_ORDER} + line"
    return f"""
        SELECT order_id, customer_id, placed_at, line,
               1 + CAST(floor({_share(key, seed, 3)} * {PRODUCTS}) AS BIGINT) AS product,
               1 + CAST(floor(pow({_share(key, seed, 4)}, 3) * 24) AS BIGINT) AS quantity,
               CAST(0.29 + floor({_share(key, seed, 5)} * 1500) / 100 AS DECIMAL(10, 2)) AS price
        FROM ({orders_query(orders, customers, seed)}) o, unnest(range(1, line_count + 1)) AS u(line)"""


LAYOUTS: dict[str, str] = {
    "uci": """
        SELECT CAST(500000 + order_id AS VARCHAR) AS "InvoiceNo", 'P' || product AS "StockCode",
               'Product ' || product AS "Description", quantity AS "Quantity",
               strftime(placed_at, '%Y-%m-%d %H:%M:00') AS "InvoiceDate", price AS "UnitPrice",
               10000 + customer_id AS "CustomerID", 'United Kingdom' AS "Country"
        FROM lines ORDER BY order_id, line""",
    "shopify": """
        SELECT '#' || order_id AS "Name", 'customer' || customer_id || '@volume.example' AS "Email",
               'paid' AS "Financial Status", strftime(placed_at, '%Y-%m-%d %H:%M:%S +0000') AS "Paid at",
               'fulfilled' AS "Fulfillment Status", 'GBP' AS "Currency", sum(quantity * price) OVER w AS "Subtotal",
               0.00 AS "Shipping", 0.00 AS "Taxes", sum(quantity * price) OVER w AS "Total",
               strftime(placed_at, '%Y-%m-%d %H:%M:%S +0000') AS "Created at", quantity AS "Lineitem quantity",
               'Product ' || product AS "Lineitem name", price AS "Lineitem price", 'P' || product AS "Lineitem sku",
               order_id AS "Id"
        FROM lines WINDOW w AS (PARTITION BY order_id) ORDER BY order_id, line""",
}


def write_orders_csv(path: Path, lines: int, seed: int, layout: str = "uci", customers: int | None = None) -> Volume:
    """About ``lines`` order lines as CSV in a layout that the importer knows; the result says how many exactly."""
    orders = max(lines // LINES_AN_ORDER, 1)
    with connect() as connection:
        people = customers or max(orders // 5, 1)
        connection.execute(f"CREATE TEMP TABLE lines AS {lines_query(orders, people, seed)}")
        connection.execute(f"COPY ({LAYOUTS[layout]}) TO '{path}' (HEADER, DELIMITER ',')")
        counts = "SELECT count(DISTINCT order_id), count(*), count(DISTINCT customer_id) FROM lines"
        return Volume(path, *connection.execute(counts).fetchall()[0])


def write_orders_parquet(path: Path, orders: int, customers: int, seed: int) -> None:
    """Rows ``(order_id, customer_id, placed_at, total_minor)``: for questions over millions of orders."""
    total = f"500 + CAST(line_count * 2000 * {_share('order_id', seed, 6)} AS BIGINT)"
    source = orders_query(orders, customers, seed)
    _copy(path, f"SELECT order_id, customer_id, placed_at, {total} AS total_minor FROM ({source})")


def write_events_parquet(path: Path, events: int, customers: int, seed: int) -> None:
    """Rows ``(customer_id, occurred_at, kind)``: browsing, nine looks at a product to one search."""
    kind = f"CASE WHEN {_share('n', seed, 8)} < 0.9 THEN 'product.viewed' ELSE 'product.searched' END"
    columns = f"{_customer('n', customers, seed)} AS customer_id, {_moment('n', events)} AS occurred_at, {kind} AS kind"
    _copy(path, f"SELECT {columns} FROM range(1, {events} + 1) t(n)")


def _copy(path: Path, query: str) -> None:
    with connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def _share(expression: str, seed: int, salt: int) -> str:
    """SQL of a number from 0 up to 1 that depends on the expression, the seed and the salt only."""
    return f"(hash({expression}, {seed}, {salt})::DOUBLE / {_HASHES:.1f})"


def _customer(number: str, customers: int, seed: int) -> str:
    return f"1 + CAST(floor(pow({_share(number, seed, 1)}, 2) * {customers}) AS BIGINT)"


def _moment(number: str, of: int) -> str:
    """SQL of a time: the ``number``-th of ``of`` moments spread evenly over all days."""
    step = DAYS * _DAY_MICROSECONDS // max(of, 1)
    return f"TIMESTAMP '{FIRST_DAY:%Y-%m-%d}' + to_microseconds(({number} - 1) * {step})"


if (
    __name__ == "__main__"
):  # python -m bench.volume PATH LINES SEED: in a process of its own, whose memory is not counted
    write_orders_csv(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
