"""The made files, in layouts that the product's own importer takes, with their dates moved as the ledger's are."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from demo.goods import Good
from demo.people import Person

CUSTOMER_COLUMNS = (
    "Customer number", "First name", "Last name", "Email", "Company", "Street", "City", "Postal code", "Country", "Language", "Customer since",
)  # fmt: skip
CONSENT_COLUMNS = ("Email", "Consent", "When", "Method")
PRODUCT_COLUMNS = ("Product key", "SKU", "Title", "Category", "Price", "Cost", "Currency", "Stock")


def write_customers(path: Path, people: Iterable[Person], shift: timedelta) -> int:
    """One row a person, first seen with their first order. Returns the rows."""
    return _write(
        path,
        CUSTOMER_COLUMNS,
        (
            (p.number, p.first_name, p.last_name, p.email, p.company, p.street, p.city, p.postal_code, p.country, p.language,
             _stamp(p.first_at + shift))
            for p in people
        ),
    )  # fmt: skip


def write_consent(path: Path, people: Iterable[Person], shift: timedelta) -> int:
    """One row for each person who said something. Returns the rows."""
    said = (p for p in people if p.consent)
    return _write(
        path, CONSENT_COLUMNS, ((p.email, p.consent, _stamp(p.consent_at + shift), p.consent_method) for p in said)
    )


def write_products(path: Path, goods: Iterable[Good]) -> int:
    """One row an article. Returns the rows."""
    return _write(
        path, PRODUCT_COLUMNS, ((g.code, g.code, g.title, g.category, g.price, g.cost, "GBP", g.stock) for g in goods)
    )


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _stamp(at: datetime) -> str:
    return at.isoformat(" ")
