"""The product's figures of the demo shop beside a direct query over the published file: equal to the penny.

A fifth of its customers and of its guests' invoices, with all that is theirs; 'REGULARS_LEDGER_SHARE=1' compares the whole file,
which takes a minute and more.
"""

import csv
import lzma
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import connection
from django.db.models import F

from demo.source import LEDGER
from regulars.connections.files.layouts import Kind
from regulars.connections.files.operations import apply_import, stage_import
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.insight.rfm.models import RfmScore
from regulars.insight.rfm.operations import compute
from regulars.record.customers.models import Customer
from regulars.record.orders.models import Adjustment, CustomerFigures, Order, OrderLine, Refund, RefundLine
from regulars.record.orders.operations import verify_figures

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
_AT = datetime(2026, 11, 21, tzinfo=UTC)
_AS_OF = datetime(2011, 12, 10, tzinfo=UTC)
_SHARE = int(os.environ.get("REGULARS_LEDGER_SHARE", "5"))
# By share: customers, lines of refunds, those of them that an order's line was found for, and customers who have nothing left of
# what they spent.
_KNOWN = {1: (4_372, 9_288, 2_937, 55), 5: (879, 1_628, 462, 7)}

_INVOICE, _CUSTOMER = 0, 6

Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "online_retail.csv"
    with lzma.open(LEDGER, "rt", newline="") as packed, path.open("w", newline="") as plain:
        rows = csv.reader(packed)
        csv.writer(plain).writerows([next(rows), *(row for row in rows if _belongs(row))])
    return path


def _belongs(row: list[str]) -> bool:
    """By the customer's number, else by the invoice's; what has neither (adjustments of the books) always does."""
    digits = re.sub(r"\D", "", row[_CUSTOMER] or row[_INVOICE])
    return row[_INVOICE].startswith("A") or int(digits) % _SHARE == 0


@pytest.fixture(scope="module")
def ask(published: Path) -> Iterator[Ask]:
    """Questions to the file itself. Amounts in pence, rounded half-even once a line; an invoice counts at its earliest time."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""CREATE VIEW lines AS SELECT *, CAST(round_even(CAST(Quantity * UnitPrice * 100 AS DECIMAL(18, 3)), 0) AS BIGINT) AS minor,
                min(InvoiceDate) OVER (PARTITION BY InvoiceNo) AS stamp FROM read_csv('{published}', header = true, columns = {{
                'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR', 'Quantity': 'BIGINT', 'InvoiceDate': 'TIMESTAMP',
                'UnitPrice': 'DECIMAL(12, 3)', 'CustomerID': 'VARCHAR', 'Country': 'VARCHAR'}})"""
        )
        yield lambda query: connection.execute(query).fetchall()


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


def test_the_figures_are_those_of_the_file(published: Path, ask: Ask) -> None:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@shop.example")
    store = Store.objects.create(code="shop", name="Shop", brand=brand, time_zone="UTC", currency="GBP")
    write_setting("shop.reporting_currency", "GBP", _AT)
    with published.open("rb") as file:
        row = stage_import(file, kind=Kind.ORDERS, file_name="online_retail.csv", store=store, at=_AT)
    done = apply_import(row.pk, lambda: _AT)

    assert done.layout == "uci"
    assert done.row_count == sum(done.counts[name] for name in ("rows_taken", "rows_altered", "rows_skipped"))
    assert done.counts["rows_skipped"] == 0
    assert [(done.row_count, Order.objects.count(), Refund.objects.count(), Adjustment.objects.count())] == ask(
        "SELECT count(*), count(DISTINCT InvoiceNo) FILTER (InvoiceNo SIMILAR TO '[0-9]+'),"
        " count(DISTINCT InvoiceNo) FILTER (InvoiceNo LIKE 'C%'), count(DISTINCT InvoiceNo) FILTER (InvoiceNo LIKE 'A%') FROM lines"
    )
    assert (
        Customer.objects.count(),
        RefundLine.objects.count(),
        RefundLine.objects.filter(line__isnull=False).count(),
        CustomerFigures.objects.filter(spent_minor__lte=F("refunded_minor")).count(),
    ) == _KNOWN[_SHARE]
    assert _sums("orders_order", "total_minor") == ask(
        "SELECT sum(minor) FROM lines WHERE InvoiceNo SIMILAR TO '[0-9]+'"
    )
    assert _sums("orders_refund", "amount_minor") == ask("SELECT -sum(minor) FROM lines WHERE InvoiceNo LIKE 'C%'")
    assert _sums("orders_adjustment", "amount_minor") == ask("SELECT sum(minor) FROM lines WHERE InvoiceNo LIKE 'A%'")
    assert OrderLine.objects.count() == ask("SELECT count(*) FROM lines WHERE InvoiceNo SIMILAR TO '[0-9]+'")[0][0]
    assert _orders() == ask(
        "SELECT InvoiceNo, min(stamp), sum(minor), count(*) FROM lines WHERE InvoiceNo SIMILAR TO '[0-9]+' GROUP BY 1 ORDER BY 1"
    )
    assert verify_figures() == []
    _check_rfm(ask)


def _check_rfm(ask: Ask) -> None:
    snapshot = compute(_AS_OF, _AT)
    wanted = ask(
        f"""SELECT CustomerID, date_diff('second', max(stamp) FILTER (counts), TIMESTAMP '{_AS_OF:%Y-%m-%d}') // 86400,
                   count(DISTINCT InvoiceNo) FILTER (counts), sum(minor)
            FROM (SELECT *, InvoiceNo NOT LIKE 'C%' AS counts FROM lines WHERE CustomerID IS NOT NULL AND CustomerID <> '')
            GROUP BY 1 HAVING count(*) FILTER (counts) > 0 ORDER BY 2, 3, 4"""
    )
    scores = RfmScore.objects.filter(snapshot=snapshot).values_list("recency_days", "frequency", "monetary_minor")

    assert sorted(scores) == sorted(row[1:] for row in wanted)
    assert snapshot.customers == len(wanted)
    guests = ask(
        "SELECT count(DISTINCT InvoiceNo) FROM lines WHERE InvoiceNo SIMILAR TO '[0-9]+' AND coalesce(CustomerID, '') = ''"
    )
    assert snapshot.left_out_orders == guests[0][0]


def _sums(table: str, column: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sum({column})::bigint FROM {table}")
        return list(cursor.fetchall())


def _orders() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, placed_at AT TIME ZONE 'UTC', total_minor, line_count FROM orders_order ORDER BY number COLLATE \"C\""
        )
        return list(cursor.fetchall())
