"""The ledger as published, and how it is moved and cut."""

import csv
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from demo.source import LAST_DAY, Ledger, first_stamps, weeks_to
from demo.tests import ledgers

pytestmark = ledgers.of_the_ledger


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return ledgers.whole()


def test_the_ledger_is_the_published_one(ledger: Ledger) -> None:
    rows = list(ledger.rows())
    invoices = {row[0] for row in rows}

    assert len(rows) == 541_909
    assert len(invoices) == 25_900
    assert [sum(i.startswith(letter) for i in invoices) for letter in "CA"] == [3_836, 3]
    assert len(ledger.shoppers()) == 4_372
    assert sum(not row[6] for row in rows) == 135_080
    assert sum(int(row[3]) * Decimal(row[5]) for row in rows) == Decimal("9747747.934")
    assert (min(row[4] for row in rows), max(row[4] for row in rows)) == ("2010-12-01 08:26:00", "2011-12-09 12:50:00")


def test_an_invoice_with_two_stamps_counts_on_its_earliest(ledger: Ledger) -> None:
    stamps: dict[str, set[str]] = {}
    for row in ledger.rows():
        stamps.setdefault(row[0], set()).add(row[4])
    twice = {invoice: both for invoice, both in stamps.items() if len(both) > 1}

    first = first_stamps(ledger.rows())
    assert len(twice) == 43
    assert all(first[invoice] == min(both) for invoice, both in twice.items())


@pytest.mark.parametrize("today", [date(2026, 11, 16) + timedelta(days=n) for n in range(14)])
def test_the_last_day_falls_in_the_past_week(today: date) -> None:
    last = LAST_DAY + timedelta(weeks=weeks_to(today))

    assert last.weekday() == LAST_DAY.weekday()
    assert timedelta(days=1) <= today - last <= timedelta(days=7)


def test_a_slice_has_whole_customers(ledger: Ledger) -> None:
    part = ledgers.part()
    of = {s.number: s for s in ledger.shoppers()}

    assert 3_000 <= sum(map(len, part.days.values())) < 3_750
    assert all(s == of[s.number] for s in part.shoppers())
    assert list(Ledger.read(3_000).rows()) == list(part.rows())


def test_written_rows_differ_in_their_time_only(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    count = ledger.write(path, [LAST_DAY], timedelta(weeks=10))

    with path.open(newline="") as file:
        header, *written = csv.reader(file)
    assert header == ledger.header
    assert count == len(written) == 1_632
    for before, after in zip(ledger.days[LAST_DAY], written, strict=True):
        assert before[:4] + before[5:] == after[:4] + after[5:]
        assert datetime.fromisoformat(after[4]) - datetime.fromisoformat(before[4]) == timedelta(weeks=10)
