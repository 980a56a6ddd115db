"""Orders: list, get, create or update by store and number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Code, Country, Currency, Minor, Moment, Price, Quantity, Short, Strict, Text
from regulars.foundation.api.idempotency import idempotent
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.api.stores import find_store, get_store
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Store
from regulars.record.customers.api.customers import visible_customer
from regulars.record.customers.api.people import Contact, person_of
from regulars.record.customers.models import Customer
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.events import log as event_log
from regulars.record.orders.inputs import FulfilmentInput, LineInput, OrderInput, PaymentInput, RefundInput
from regulars.record.orders.models import FulfilmentStatus, Order, OrderStatus, PaymentStatus
from regulars.record.orders.operations.apply import apply_orders
from regulars.record.orders.queries import get_order

router = Router(tags=["orders"])
ROUTERS = {"/orders": router}
MostLines = Field(max_length=500)


class OrderOut(Schema):
    """An order as lists show it. Amounts are in minor units of ``currency``; ``customer`` is null for a guest without
    identity.
    """

    id: str
    store: str
    number: str
    external_id: str
    customer: str | None
    channel: str
    placed_at: datetime
    currency: str
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    tax_included: bool
    total_minor: int
    status: str
    payment_status: str
    fulfilment_status: str
    cancelled_at: datetime | None
    country: str
    discount_codes: str
    line_count: int


class LineOut(Schema):
    """One line of an order."""

    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    discount_minor: int
    tax_minor: int
    total_minor: int


class PaymentOut(Schema):
    """Money that moved."""

    kind: str
    gateway: str
    status: str
    currency: str
    amount_minor: int
    reference: str
    occurred_at: datetime


class FulfilmentOut(Schema):
    """A part that left the house."""

    status: str
    carrier: str
    occurred_at: datetime


class RefundOut(Schema):
    """Money given back, on its own day."""

    number: str
    occurred_at: datetime
    currency: str
    amount_minor: int
    reason: str


class OrderDetailOut(OrderOut):
    """An order with everything that hangs on it."""

    lines: list[LineOut]
    payments: list[PaymentOut]
    fulfilments: list[FulfilmentOut]
    refunds: list[RefundOut]


class LineIn(Strict):
    """One line. ``unit_price`` may have six decimals; the line is rounded once."""

    sku: Short = ""
    title: Text = ""
    quantity: Quantity
    unit_price: Price
    product_key: Short = ""
    discount_minor: Minor = 0
    tax_minor: Minor = 0
    is_service: bool = False


class PaymentIn(Strict):
    """Money that moved; ``reference`` is the gateway's own id, never a card number."""

    kind: Annotated[str, Field(pattern="^(authorization|capture|sale|refund|void)$")]
    status: Annotated[str, Field(pattern="^(pending|success|failure)$")]
    amount_minor: Minor
    currency: Currency
    occurred_at: Moment
    gateway: Annotated[str, Field(max_length=60)] = ""
    reference: Short = ""


class FulfilmentIn(Strict):
    """A part that left the house."""

    status: Annotated[str, Field(max_length=20)]
    occurred_at: Moment
    carrier: Annotated[str, Field(max_length=60)] = ""
    tracking_number: Short = ""


class RefundIn(Strict):
    """Money given back; a positive amount."""

    number: Code
    occurred_at: Moment
    currency: Currency
    amount_minor: Annotated[int, Field(ge=0, le=10**15)]
    lines: Annotated[list[LineIn], MostLines] = []
    reason: Annotated[str, Field(max_length=60)] = ""


class Buyer(Strict, Contact):
    """Who bought, with the contact data of the order."""


class OrderIn(Strict):
    """One order as its source states it now: what is left out is taken back to its default, since the whole order is
    said anew.
    """

    store: Short = ""
    number: Code
    placed_at: Moment
    currency: Currency
    lines: Annotated[list[LineIn], MostLines]
    customer: Buyer | None = None
    external_id: Annotated[str, Field(max_length=80)] = ""
    channel: Annotated[str, Field(max_length=40)] = ""
    shipping_minor: Minor = 0
    tax_minor: Minor = 0
    tax_included: bool = True
    discount_minor: Minor = 0
    discount_codes: Short = ""
    total_minor: Minor | None = None
    status: OrderStatus = OrderStatus.COMPLETED
    payment_status: PaymentStatus = PaymentStatus.PAID
    fulfilment_status: FulfilmentStatus = FulfilmentStatus.FULFILLED
    cancelled_at: Moment | None = None
    country: Country = ""
    remarks: Text = ""
    payments: Annotated[list[PaymentIn], MostLines] = []
    fulfilments: Annotated[list[FulfilmentIn], MostLines] = []
    refunds: Annotated[list[RefundIn], MostLines] = []
    is_history: bool = False

    def as_input(self, store: Store) -> OrderInput:
        parts = {"lines", "customer", "payments", "fulfilments", "refunds", "store", "is_history"}
        buyer = person_of(self.customer, self.placed_at, store, self.customer.card()) if self.customer else None
        return OrderInput(
            **{name: getattr(self, name) for name in OrderIn.model_fields if name not in parts},
            lines=_lines(self.lines),
            person=buyer,
            payments=tuple(PaymentInput(**payment.dict()) for payment in self.payments),
            fulfilments=tuple(FulfilmentInput(**fulfilment.dict()) for fulfilment in self.fulfilments),
            refunds=tuple(RefundInput(**refund.dict() | {"lines": _lines(refund.lines)}) for refund in self.refunds),
        )


class OrderFilters(PageQuery):
    """Which orders."""

    store: Short = ""
    customer: Short = ""
    number: Annotated[str, Field(max_length=80)] = ""
    status: OrderStatus | None = None
    payment_status: PaymentStatus | None = None
    fulfilment_status: FulfilmentStatus | None = None
    placed_after: Moment | None = None
    placed_before: Moment | None = None


@router.get("", auth=needs("orders:read"), response={200: Page[OrderOut], **ERRORS}, summary="List orders")
def list_orders(request: HttpRequest, query: Query[OrderFilters]) -> Page[OrderOut]:
    viewer = caller(request)
    found, following = take(_filtered(_visible(viewer), query, viewer), query)
    return Page[OrderOut](items=_show(found), next=following)


@router.get("/{order_id}", auth=needs("orders:read"), response={200: OrderDetailOut, **ERRORS}, summary="Get an order")
def one_order(request: HttpRequest, order_id: str) -> OrderDetailOut:
    return _detail(order_id, caller(request))


@router.post(
    "",
    auth=needs("orders:write"),
    response={200: OrderDetailOut, 201: OrderDetailOut, **ERRORS},
    summary="Create or update an order",
)
@idempotent
def write_order(request: HttpRequest, payload: OrderIn) -> tuple[int, OrderDetailOut]:
    """Known by store and number; sent twice it changes nothing the second time."""
    viewer = caller(request)
    store = get_store(payload.store, viewer)
    with event_log.transaction("api", viewer.actor) as log:
        given = payload.as_input(store)
        applied = apply_orders([given], log, store_id=store.pk, at=clock.now(), is_history=payload.is_history)
    uid = Order.objects.values_list("uid", flat=True).get(pk=applied.order_ids[payload.number])
    return (201 if applied.created else 200), _detail(to_public(Order.PREFIX, uid), viewer)


def _lines(lines: Sequence[LineIn]) -> tuple[LineInput, ...]:
    return tuple(LineInput(**line.dict()) for line in lines)


def _visible(viewer: Viewer) -> QuerySet[Order]:
    return Order.objects.all() if viewer.store_ids is None else Order.objects.filter(store__in=viewer.store_ids)


def _filtered(rows: QuerySet[Order], query: OrderFilters, viewer: Viewer) -> QuerySet[Order]:
    if query.store:
        rows = rows.filter(store=find_store(query.store, viewer))
    if query.customer:
        customer = visible_customer(query.customer, viewer)
        rows = rows.filter(profile__in=profiles_of([customer.pk]).get(customer.pk, []))
    if query.number:
        rows = rows.filter(number=query.number)
    if query.status:
        rows = rows.filter(status=query.status)
    if query.payment_status:
        rows = rows.filter(payment_status=query.payment_status)
    if query.fulfilment_status:
        rows = rows.filter(fulfilment_status=query.fulfilment_status)
    if query.placed_after:
        rows = rows.filter(placed_at__gte=query.placed_after)
    return rows.filter(placed_at__lt=query.placed_before) if query.placed_before else rows


def _show(orders: Sequence[Order]) -> list[OrderOut]:
    names = _Names.of(orders)
    return [OrderOut(**names.columns(order)) for order in orders]


def _detail(order_id: str, viewer: Viewer) -> OrderDetailOut:
    detail = get_order(order_id, viewer)
    return OrderDetailOut(
        **_Names.of([detail.order]).columns(detail.order),
        lines=[LineOut.from_orm(line) for line in detail.lines],
        payments=[PaymentOut.from_orm(payment) for payment in detail.payments],
        fulfilments=[FulfilmentOut.from_orm(fulfilment) for fulfilment in detail.fulfilments],
        refunds=[RefundOut.from_orm(refund) for refund in detail.refunds],
    )


@dataclass(frozen=True)
class _Names:
    """Stores' codes and customers' public ids of some orders, asked for at once."""

    stores: Mapping[int, str]
    owners: Mapping[int, int]
    uids: Mapping[int, Any]

    @classmethod
    def of(cls, orders: Sequence[Order]) -> "_Names":
        owners = customers_of(order.profile_id for order in orders if order.profile_id)
        uids = dict(Customer.objects.filter(pk__in=owners.values()).values_list("id", "uid"))
        return cls(dict(Store.objects.values_list("id", "code")), owners, uids)

    def columns(self, order: Order) -> dict[str, Any]:
        own = {"id", "store", "customer"}
        owner = self.owners.get(order.profile_id or 0)
        return {name: getattr(order, name) for name in OrderOut.model_fields if name not in own} | {
            "id": to_public(Order.PREFIX, order.uid),
            "store": self.stores[order.store_id],
            "customer": to_public(Customer.PREFIX, self.uids[owner]) if owner else None,
        }
