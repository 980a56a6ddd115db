"""RFM of the UCI Online Retail data against a direct query over the published file, customer by customer."""

import lzma
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pytest

from regulars.insight.rfm import operations, queries
from regulars.insight.rfm.models import RfmScore, RfmSnapshot
from regulars.insight.rfm.rules import SEGMENTS, RfmSegment
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.queries import customers_of

FILE = Path(__file__).parents[5] / "demo" / "data" / "online_retail.csv.xz"
AS_OF = datetime(2011, 12, 10, tzinfo=UTC)

# One line is rounded once, half to even; an invoice carries its earliest time; C… invoices are refunds, A… neither.
INVOICES = """
    SELECT "InvoiceNo" AS number, any_value("CustomerID") AS person, min(CAST("InvoiceDate" AS TIMESTAMP)) AS moment,
           CAST(sum(round_even("Quantity" * CAST("UnitPrice" AS DECIMAL(18, 6)) * 100, 0)) AS BIGINT) AS total
    FROM lines WHERE NOT starts_with("InvoiceNo", 'A') GROUP BY "InvoiceNo"
"""
EXPECTED = f"""
    WITH invoice AS ({INVOICES})
    SELECT person, date_diff('day', max(moment) FILTER (NOT starts_with(number, 'C')), TIMESTAMP '2011-12-10') - 1 AS recency,
           count(*) FILTER (NOT starts_with(number, 'C')) AS frequency, CAST(sum(total) AS BIGINT) AS monetary
    FROM invoice WHERE person <> '' GROUP BY person HAVING frequency > 0
"""
# Nearest rank once more, by counting: a value's score is one more than how many fifths of the shop lie wholly below it.
_FIFTHS = "SELECT count(*) FROM range(1, 5) k(k) WHERE (SELECT count(*) FROM figure o WHERE o.{0} < figure.{0}) >= ceil(k * n / 5.0)"
SCORES = f"""
    WITH figure AS ({EXPECTED}), shop AS (SELECT count(*) AS n FROM figure)
    SELECT person, 5 - ({_FIFTHS.format("recency")}) AS r, 1 + ({_FIFTHS.format("frequency")}) AS f, 1 + ({_FIFTHS.format("monetary")}) AS m
    FROM figure, shop
"""


@pytest.fixture(scope="module")
def published() -> Iterator[duckdb.DuckDBPyConnection]:
    with lzma.open(FILE) as file:
        types = {
            "InvoiceNo": pa.string(),
            "CustomerID": pa.string(),
            "UnitPrice": pa.string(),
            "Quantity": pa.int64(),
            "InvoiceDate": pa.string(),
        }
        lines = pyarrow.csv.read_csv(file, convert_options=pyarrow.csv.ConvertOptions(column_types=types))
    with duckdb.connect() as connection:
        connection.register("lines", lines)
        yield connection


@pytest.mark.django_db
def test_every_customer_has_the_figures_of_the_file(
    published: duckdb.DuckDBPyConnection, settings: Any, tmp_path: Path
) -> None:
    settings.HOME = tmp_path
    invoices = published.sql(INVOICES).fetchall()
    people = _people(sorted({person for _, person, _, _ in invoices if person}), invoices)
    monthly = operations.compute_months(AS_OF)
    snapshot = operations.compute(AS_OF, AS_OF)
    found = {
        people[row.customer_id]: (row.recency_days, row.frequency, row.monetary_minor)
        for row in RfmScore.objects.filter(snapshot=snapshot)
    }
    assert found == {person: (r, f, m) for person, r, f, m in published.sql(EXPECTED).fetchall()}
    assert len(people) == 4372
    assert sum(m <= 0 for _, _, m in found.values()) == 22  # 33 more never ordered and are in no snapshot
    assert sum(f for _, f, _ in found.values()) + snapshot.left_out_orders == 22_061
    scores = {people[row.customer_id]: (row.r, row.f, row.m) for row in RfmScore.objects.filter(snapshot=snapshot)}
    assert scores == {person: (r, f, m) for person, r, f, m in published.sql(SCORES).fetchall()}
    _check_shape(snapshot, monthly)


def _check_shape(snapshot: RfmSnapshot, monthly: list[RfmSnapshot]) -> None:
    tallies = queries.tallies(snapshot)
    assert (
        sum(t.customers for t in tallies.values())
        == snapshot.customers
        == RfmScore.objects.filter(snapshot=snapshot).count()
    )
    assert all(tallies[segment].customers for segment in SEGMENTS)
    assert tallies[RfmSegment.CHAMPIONS].monetary_minor > tallies[RfmSegment.LOST].monetary_minor
    assert sum(t.customers for t in queries.grid(snapshot).values()) == snapshot.customers
    assert len(monthly) == 12
    moves = queries.movement(monthly[-1], snapshot)
    assert sum(m.customers for m in moves if m.after) == snapshot.customers
    assert sum(m.customers for m in moves if m.before) == monthly[-1].customers


def _people(numbers: list[str], invoices: list[tuple[Any, ...]]) -> dict[int, str]:
    """The file's orders and refunds as the record holds them; number in the file of each customer."""
    store = shop.make_store()
    profiles = dict(zip(numbers, shop.make_people(store, len(numbers), AS_OF), strict=True))
    rows = [(number, profiles.get(person), at.replace(tzinfo=UTC), total) for number, person, at, total in invoices]
    shop.add_orders(store, [row for row in rows if not row[0].startswith("C")])
    shop.add_refunds(store, [(n, p, at, -total) for n, p, at, total in rows if n.startswith("C")])
    owners = customers_of(profiles.values())
    return {owners[profile]: number for number, profile in profiles.items()}
