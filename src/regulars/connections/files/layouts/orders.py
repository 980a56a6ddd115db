"""Orders from any table with one row for each line, or one for each order: what all layouts of orders share."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.layouts.countries import country_code
from regulars.connections.files.layouts.people import find_person
from regulars.connections.files.reading import Row, Unit
from regulars.connections.files.values import Unreadable
from regulars.record.customers.inputs import PersonInput
from regulars.record.orders import rules
from regulars.record.orders.inputs import FulfilmentInput, LineInput, OrderInput, PaymentInput, RefundInput
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus

State = TypeVar("State")

_MOST_MINOR = 10**15
_ORDER_WORDS = {
    OrderStatus.COMPLETED: (
        "completed",
        "complete",
        "closed",
        "done",
        "delivered",
        "refunded",
        "shipped",
        "fulfilled",
        "paid",
        "abgeschlossen",
        "erledigt",
        "versendet",
        "bezahlt",
        "terminée",
        "terminé",
        "completado",
        "voltooid",
        "completato",
    ),
    OrderStatus.CANCELLED: (
        "cancelled",
        "canceled",
        "failed",
        "trash",
        "storniert",
        "annulé",
        "annulée",
        "cancelado",
        "geannuleerd",
        "annullato",
    ),
    OrderStatus.OPEN: (
        "open",
        "pending",
        "processing",
        "on hold",
        "on-hold",
        "offen",
        "in bearbeitung",
        "en cours",
        "pendiente",
    ),
}
_PAYMENT_WORDS = {
    PaymentStatus.PAID: (
        "paid",
        "success",
        "captured",
        "completed",
        "complete",
        "bezahlt",
        "payé",
        "payée",
        "pagado",
        "betaald",
        "pagato",
    ),
    PaymentStatus.PENDING: ("pending", "unpaid", "offen", "unbezahlt", "on-hold", "pending payment"),
    PaymentStatus.AUTHORIZED: ("authorized", "authorised"),
    PaymentStatus.PARTIALLY_PAID: ("partially_paid", "partially paid", "teilweise bezahlt"),
    PaymentStatus.PARTIALLY_REFUNDED: ("partially_refunded", "partially refunded"),
    PaymentStatus.REFUNDED: ("refunded", "erstattet", "remboursé"),
    PaymentStatus.VOIDED: ("voided", "expired", "failed"),
}
_FULFILMENT_WORDS = {
    FulfilmentStatus.FULFILLED: (
        "fulfilled",
        "shipped",
        "completed",
        "versendet",
        "expédié",
        "enviado",
        "verzonden",
        "spedito",
    ),
    FulfilmentStatus.PARTIAL: ("partial", "partially fulfilled", "partially shipped", "teilweise versendet"),
    FulfilmentStatus.UNFULFILLED: ("unfulfilled", "restocked", "pending", "processing", "offen", "not shipped"),
}


@dataclass(frozen=True)
class Head:
    """What is said once for the whole order."""

    number: str
    at: datetime
    currency: str
    person: PersonInput | None

    @classmethod
    def read(cls, unit: Unit, reading: Reading, built: Built) -> "Head":
        """Raises Unreadable for an order without number or date."""
        first = reading.columns.first
        if not unit.key:
            raise Unreadable("there is no order number")
        if len(unit.key) > 80:
            raise Unreadable("the order number is longer than 80 characters")
        times = {reading.columns.cell(row, "placed_at") for row in unit.rows} - {""}
        if not times:
            raise Unreadable("there is no date")
        at = min(reading.values.moment(text) for text in times)
        for row in unit.rows if len(times) > 1 else []:
            if (text := reading.columns.cell(row, "placed_at")) and reading.values.moment(text) != at:
                built.alter(row, "the order has two timestamps: the earlier one counts")
        currency = reading.values.code(first(unit.rows, "currency"))
        return cls(unit.key, at, currency, find_person(unit.rows, reading, at, built))


def build(unit: Unit, reading: Reading) -> Built:
    """One order of a table that we know by its mapping only; where everything counts down it is a refund."""
    built = Built()
    head = Head.read(unit, reading, built)
    lines = read_lines(unit.rows, reading, head.currency)
    total = optional_minor(unit, reading, "total", head.currency)
    if not lines and total is None:
        raise Unreadable("there is neither a line with a price nor a total")
    if (lines and all(line.quantity < 0 for line in lines)) or (not lines and total is not None and total < 0):
        built.refunds.append(_refund(head, lines, total))
        return built
    order = read_order(unit, reading, head, lines, built)
    built.orders.append(replace(order, total_minor=total))
    return built


def read_order(unit: Unit, reading: Reading, head: Head, lines: tuple[LineInput, ...], built: Built) -> OrderInput:
    """The order with everything that our fields can say; totals as computed."""
    first, currency = reading.columns.first, head.currency

    def text(name: str, length: int) -> str:
        return first(unit.rows, name)[:length]

    def minor(name: str) -> int:
        return optional_minor(unit, reading, name, currency) or 0

    cancelled = first(unit.rows, "cancelled_at")
    status = _meant(unit, reading, built, "status", _ORDER_WORDS, OrderStatus.COMPLETED)
    order = OrderInput(
        number=head.number,
        placed_at=head.at,
        currency=currency,
        lines=lines,
        person=head.person,
        external_id=text("external_id", 80),
        channel=text("channel", 40),
        shipping_minor=minor("shipping"),
        tax_minor=minor("tax"),
        discount_minor=minor("discount"),
        discount_codes=text("discount_codes", 500),
        status=OrderStatus.CANCELLED if cancelled else status,
        payment_status=_meant(unit, reading, built, "payment_status", _PAYMENT_WORDS, PaymentStatus.PAID),
        fulfilment_status=_meant(
            unit, reading, built, "fulfilment_status", _FULFILMENT_WORDS, FulfilmentStatus.FULFILLED
        ),
        cancelled_at=reading.values.moment(cancelled) if cancelled else None,
        country=country_code(first(unit.rows, "ship_country") or first(unit.rows, "country")),
        remarks=text("remarks", 4000),
    )
    given_back = optional_minor(unit, reading, "refunded", currency)
    return replace(order, refunds=(cumulative_refund(order, given_back, unit.rows[0], built),)) if given_back else order


def read_lines(rows: list[Row], reading: Reading, currency: str) -> tuple[LineInput, ...]:
    """A line for each row that holds a quantity or a price; without a quantity it is one piece."""
    cell, values = reading.columns.cell, reading.values
    lines = []
    for row in rows:
        price, quantity = cell(row, "unit_price"), cell(row, "quantity")
        if not price:
            continue
        lines.append(
            LineInput(
                sku=cell(row, "sku")[:120],
                title=cell(row, "title")[:1000],
                quantity=values.whole(quantity) if quantity else 1,
                unit_price=values.decimal(price, "price"),
                product_key=cell(row, "product_key")[:120],
                discount_minor=abs(values.minor(cell(row, "line_discount"), currency, "discount")),
                tax_minor=values.minor(cell(row, "line_tax"), currency, "tax"),
            )
        )
        check_size(lines[-1], currency)
    return tuple(lines)


def check_size(line: LineInput, currency: str) -> None:
    """Raises Unreadable for an amount that no order comes to."""
    if abs(rules.line_amount(line, currency)) > _MOST_MINOR:
        raise Unreadable("the amount is out of range")


def optional_minor(unit: Unit, reading: Reading, name: str, currency: str) -> int | None:
    """An amount of the whole order; None where no row says it."""
    text = reading.columns.first(unit.rows, name)
    amount = reading.values.minor(text, currency, name.replace("_", " ")) if text else None
    if amount is not None and abs(amount) > _MOST_MINOR:
        raise Unreadable("the amount is out of range")
    return amount


def _meant(
    unit: Unit, reading: Reading, built: Built, name: str, words: dict[State, tuple[str, ...]], default: State
) -> State:
    """What a status means; one that is not known is noted and counts as the usual one."""
    text = reading.columns.first(unit.rows, name)
    plain = text.casefold().removeprefix("wc-")
    found = next((state for state, known in words.items() if plain in known), None)
    if text and found is None:
        said = f"{name.replace('_', ' ')} '{text[:30]}' is not known: '{default}' counts"
        built.alter(unit.rows[0], said)
    return found or default


def cumulative_refund(order: OrderInput, amount: int, row: Row, built: Built) -> RefundInput:
    """What an export says was given back in all, without saying when: it counts when the order was cancelled, else on the order's day."""
    built.alter(row, "the export does not say on which day it was refunded: the order's own day counts")
    at = order.cancelled_at or order.placed_at
    return RefundInput(
        f"{order.number[:72]}-refund", at, order.currency, abs(amount), order_number=order.number, reason="refund"
    )


def _refund(head: Head, lines: tuple[LineInput, ...], total: int | None) -> RefundInput:
    back = tuple(replace(line, quantity=-line.quantity) for line in lines)
    amount = abs(total) if total is not None else sum(rules.line_amount(line, head.currency) for line in back)
    return RefundInput(head.number, head.at, head.currency, amount, back, person=head.person, reason="refund")


def payment(order_total: int, currency: str, at: datetime, gateway: str, reference: str) -> PaymentInput:
    return PaymentInput("sale", "success", order_total, currency, at, gateway[:60], reference[:120])


def fulfilment(at: datetime) -> FulfilmentInput:
    return FulfilmentInput("success", at)


LAYOUT = register(
    Layout(
        "any-orders",
        Kind.ORDERS,
        "Any table of orders or their lines",
        {},
        ("number", "placed_at"),
        build,
        key="number",
    )
)
