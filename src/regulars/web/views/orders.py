"""Orders: the list, and one order with everything that hangs on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.ids import to_public
from regulars.foundation.money import to_decimal
from regulars.foundation.pages.formats import country_name, format_money_short, format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Choices, Column, Empty, Filter, ListPage, ListQuery
from regulars.foundation.pages.paging import Rows
from regulars.foundation.shop.models import Store
from regulars.record.catalog.models import Product
from regulars.record.catalog.queries import titles_of
from regulars.record.customers.queries import customers_of
from regulars.record.orders import queries
from regulars.record.orders.models import Order
from regulars.web.labels import FULFILMENT, ORDER_STATUS, PAYMENT, fulfilment_pill, order_pill, payment_pill
from regulars.web.queries.customers import countries_of_customers, names_of_customers


@dataclass(frozen=True)
class OrderRow:
    """An order with who placed it; no customer for a guest."""

    order: Order
    public_id: str
    customer: str
    customer_id: str

    @property
    def id(self) -> int:
        return self.order.pk


def with_customers(orders: Sequence[Order], viewer: Viewer) -> list[OrderRow]:
    """Orders with the names of who placed them; three queries, however many they are."""
    owners = customers_of(order.profile_id for order in orders if order.profile_id)
    names = names_of_customers(sorted(set(owners.values())), viewer)
    rows = []
    for order in orders:
        public_id, name = names.get(owners.get(order.profile_id or 0, 0), ("", ""))
        rows.append(OrderRow(order, to_public(Order.PREFIX, order.uid), name or public_id, public_id))
    return rows


def _load(query: ListQuery, viewer: Viewer) -> Rows:
    page = queries.list_orders(query, viewer)
    return Rows(with_customers(page.items, viewer), page.total, page.next, page.previous, page.first)


def _sentence(viewer: Viewer) -> str:
    waiting = queries.count_waiting(viewer)
    words = ngettext("%s order waits to be sent.", "%s orders wait to be sent.", waiting)
    return words % format_number(waiting) if waiting else gettext("Nothing waits to be sent.")


def _stores(viewer: Viewer) -> Choices:
    return [(store.code, store.name) for store in Store.objects.order_by("name") if viewer.sees_store(store.pk)]


def _countries(viewer: Viewer) -> Choices:
    return sorted(((code, country_name(code)) for code in countries_of_customers()), key=lambda pair: pair[1])


def _sum(query: ListQuery, viewer: Viewer) -> str:
    """Of a part of the orders; the sum of all there ever were answers no question and costs much."""
    if not (query.choices or query.text or any(any(ends) for ends in (*query.dates.values(), *query.numbers.values()))):
        return ""
    return " + ".join(format_money_short(one.total_minor, one.currency) for one in queries.sums_of(query, viewer))


def _describe_product(value: str) -> str:
    return titles_of([int(value)]).get(int(value), value) if value.isdigit() else value


def _describe_customer(value: str, viewer: Viewer) -> str:
    """A name only where the viewer may know it: the number in the address can be anybody's."""
    named = names_of_customers([int(value)], viewer) if value.isdigit() and len(value) < 19 else {}
    return named[int(value)][1] or value if named else value


def _yes_or_no(value: str) -> str:
    return gettext("yes") if value in {"yes", "1"} else gettext("no")


def _export(query: ListQuery, viewer: Viewer) -> Iterator[Sequence[Any]]:
    rows = queries.orders_matching(query, viewer).select_related("store").order_by("pk")
    for order in rows.iterator(chunk_size=2000):
        amounts = [
            to_decimal(minor, order.currency)
            for minor in (
                order.subtotal_minor,
                order.discount_minor,
                order.shipping_minor,
                order.tax_minor,
                order.total_minor,
            )
        ]
        yield [
            order.number,
            order.store.name,
            order.placed_at.isoformat(),
            order.status,
            order.payment_status,
            order.fulfilment_status,
            order.country,
            *amounts,
            order.currency,
        ]


ORDERS = ListPage(
    name="orders",
    title=_("Orders"),
    search=_("Search by order number"),
    columns=[
        Column("number", _("Order"), value=lambda row: row.order.number),
        Column("placed_at", _("Placed"), "when", value=lambda row: row.order.placed_at, sort="placed"),
        Column("customer", _("Customer"), "template", template="web/order_customer_cell.html"),
        Column("status", _("Status"), "pill", value=lambda row: order_pill(row.order.status), on_phone=False),
        Column(
            "payment", _("Payment"), "pill", value=lambda row: payment_pill(row.order.payment_status), on_phone=False
        ),
        Column(
            "fulfilment",
            _("Delivery"),
            "pill",
            value=lambda row: fulfilment_pill(row.order.fulfilment_status),
            on_phone=False,
        ),
        Column("country", _("Country"), value=lambda row: country_name(row.order.country), on_phone=False),
        Column("lines", _("Lines"), "number", value=lambda row: row.order.line_count, on_phone=False),
        Column(
            "total", _("Total"), "money", value=lambda row: (row.order.total_minor, row.order.currency), sort="total"
        ),
        Column("store", _("Store"), value=lambda row: row.order.store.name, is_optional=True),
    ],
    filters=[
        Filter("placed", _("Placed"), "date"),
        Filter("total", _("Total"), "number"),
        Filter("status", _("Status"), choices=lambda viewer: list(ORDER_STATUS.items())),
        Filter("payment", _("Payment"), choices=lambda viewer: list(PAYMENT.items())),
        Filter("fulfilment", _("Delivery"), choices=lambda viewer: list(FULFILMENT.items())),
        Filter(
            "refunded",
            _("Refunded"),
            choices=lambda viewer: [("yes", _("Something came back")), ("no", _("Nothing came back"))],
        ),
        Filter("guest", _("Who"), choices=lambda viewer: [("no", _("Known customers")), ("yes", _("Guests"))]),
        Filter("country", _("Country"), choices=_countries),
        Filter("store", _("Store"), choices=_stores),
        Filter("currency", _("Currency"), "hidden", describe=str),
        Filter("counts", _("Counts as a sale"), "hidden", describe=_yes_or_no),
        Filter("customer", _("Customer"), "hidden", describe_to=_describe_customer),
        Filter("product", _("With"), "hidden", describe=_describe_product),
    ],
    default_sort="-placed",
    sentence=_sentence,
    load=_load,
    summary=_sum,
    href=lambda row: f"/orders/{row.public_id}",
    unit=lambda n: ngettext("%s order", "%s orders", n) % format_number(n),
    empty=Empty(
        _("No orders yet"),
        _(
            "Import your order history as a CSV file from Shopify, WooCommerce or anything else. Customers, products and RFM follow from it."
        ),
        _("Import orders"),
        "/imports/new",
        "shopping-bag",
    ),
    export=_export,
    export_permission="orders.export",
    export_header=[
        _("Order"),
        _("Store"),
        _("Placed"),
        _("Status"),
        _("Payment"),
        _("Delivery"),
        _("Country"),
        _("Subtotal"),
        _("Discount"),
        _("Shipping"),
        _("Tax"),
        _("Total"),
        _("Currency"),
    ],
)


@requires("orders.view", post="orders.view")
def orders(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, ORDERS)


@dataclass(frozen=True)
class Step:
    """Something that happened to an order."""

    at: datetime
    icon: str
    text: str


@requires("orders.view")
def one_order(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    detail = queries.get_order(public_id, viewer)
    [row] = with_customers([detail.order], viewer)
    products = {line.variant.product_id: line.variant.product for line in detail.lines if line.variant}
    context = {
        "title": gettext("Order %s") % detail.order.number,
        "detail": detail,
        "order": detail.order,
        "row": row,
        "lines": [
            (line, to_public(Product.PREFIX, products[line.variant.product_id].uid) if line.variant else "")
            for line in detail.lines
        ],
        "pills": [
            order_pill(detail.order.status),
            payment_pill(detail.order.payment_status),
            fulfilment_pill(detail.order.fulfilment_status),
        ],
        "country": country_name(detail.order.country),
        "refunded_minor": sum(
            refund.amount_minor for refund in detail.refunds if refund.currency == detail.order.currency
        ),
        "steps": sorted(_steps(detail), key=lambda step: step.at, reverse=True),
    }
    return render(request, "web/order.html", context)


def _steps(detail: queries.OrderDetail) -> Iterator[Step]:
    order = detail.order
    yield Step(order.placed_at, "shopping-bag", gettext("Order placed"))
    for payment in detail.payments:
        amount = format_money_short(payment.amount_minor, payment.currency)
        yield Step(
            payment.occurred_at,
            "credit-card",
            gettext("Payment %(kind)s of %(amount)s: %(status)s")
            % {"kind": payment.kind, "amount": amount, "status": payment.status},
        )
    for sent in detail.fulfilments:
        yield Step(
            sent.occurred_at, "truck", gettext("Sent with %s") % sent.carrier if sent.carrier else gettext("Sent")
        )
    for refund in detail.refunds:
        amount = format_money_short(refund.amount_minor, refund.currency)
        yield Step(refund.occurred_at, "arrow-back-up", gettext("%s given back") % amount)
    if order.cancelled_at:
        yield Step(order.cancelled_at, "ban", gettext("Cancelled"))
    for change in detail.changes:
        yield Step(
            change.occurred_at,
            "pencil",
            gettext("Changed: %s") % ", ".join(name.replace("_", " ") for name in change.changed),
        )
