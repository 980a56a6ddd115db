"""UCI Online Retail (Chen, Sain and Guo, 2012): one line a row; invoices that begin with C are refunds, with A adjustments."""

import re
from functools import lru_cache

from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.layouts.countries import country_code
from regulars.connections.files.reading import Unit
from regulars.foundation.money import line_total
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.orders.inputs import AdjustmentInput, LineInput, OrderInput, RefundInput

_PRODUCT = re.compile(
    r"\d{5}|DCGS|PADS|gift_", re.IGNORECASE
)  # everything else is postage, a fee, a discount or a correction


@lru_cache(maxsize=10_000)
def is_service(code: str) -> bool:
    """POST, DOT, C2, M, D, S, BANK CHARGES, AMAZONFEE, CRUK, B: sold or booked, but nothing to stock or recommend."""
    return not _PRODUCT.match(code)


def build(unit: Unit, reading: Reading) -> Built:
    """One invoice: an order, a refund or an adjustment. Of two timestamps the earliest counts; the rows of the other are noted."""
    built = Built()
    cell, moment = reading.columns.cell, reading.values.moment
    times = [moment(cell(row, "placed_at")) for row in unit.rows]
    at = min(times)
    for row, time in zip(unit.rows, times, strict=True):
        if time != at:
            built.alter(row, "the invoice has two timestamps: the earlier one counts")
    lines = _lines(unit, reading)
    if unit.key.startswith("A"):
        built.adjustments.append(_adjustment(unit, reading, lines))
        return built
    customer = reading.columns.first(unit.rows, "customer_number")
    country = country_code(reading.columns.first(unit.rows, "country"))
    person = None
    if customer:
        identity = IdentityInput(IdentityKind.STORE_CUSTOMER, customer, reading.store_code)
        contact = ContactCard(country=country) if country else None
        person = PersonInput((identity,), at, reading.store_id, contact=contact)
    currency = reading.values.currency
    if unit.key.startswith("C"):
        amount = sum(line_total(line.quantity, line.unit_price, currency) for line in lines)
        built.refunds.append(RefundInput(unit.key, at, currency, amount, lines, person=person, reason="cancellation"))
    else:
        built.orders.append(OrderInput(unit.key, at, currency, lines, person, channel="web", country=country))
    return built


def _lines(unit: Unit, reading: Reading) -> tuple[LineInput, ...]:
    """The invoice's lines; what a refund gives back counts up. Written for speed: half a million rows pass here."""
    places, decimal = reading.columns.places, reading.values.decimal
    sku, title, quantity, price = (
        places["sku"],
        places.get("title", places["sku"]),
        places["quantity"],
        places["unit_price"],
    )
    sign = -1 if unit.key.startswith("C") else 1
    lines = []
    for row in unit.rows:
        cells = row.cells
        code = cells[sku].strip()
        count = sign * reading.values.whole(cells[quantity])
        lines.append(
            LineInput(code, cells[title].strip(), count, decimal(cells[price], "price"), code, 0, 0, is_service(code))
        )
    return tuple(lines)


def _adjustment(unit: Unit, reading: Reading, lines: tuple[LineInput, ...]) -> AdjustmentInput:
    amount = sum(line_total(line.quantity, line.unit_price, reading.values.currency) for line in lines)
    at = reading.values.moment(reading.columns.cell(unit.rows[0], "placed_at"))
    return AdjustmentInput(unit.key, at, reading.values.currency, amount, lines[0].title)


LAYOUT = register(
    Layout(
        name="uci",
        kind=Kind.ORDERS,
        title="UCI Online Retail",
        columns={
            "number": "InvoiceNo",
            "sku": "StockCode",
            "title": "Description",
            "quantity": "Quantity",
            "placed_at": "InvoiceDate",
            "unit_price": "UnitPrice",
            "customer_number": "CustomerID",
            "country": "Country",
        },
        required=("number", "sku", "quantity", "placed_at", "unit_price", "customer_number"),
        build=build,
        key="number",
        source="https://archive.ics.uci.edu/dataset/352/online+retail",
    )
)
