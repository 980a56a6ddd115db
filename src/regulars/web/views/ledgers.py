"""What sums are made of: refunds, and the lines that were sold. Both are reached from the numbers that they explain."""

from dataclasses import replace

from django.db.models import Sum as Total
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Column, Empty, Filter, ListPage, ListQuery
from regulars.foundation.pages.sums import PIECES, Sum
from regulars.record.customers.named import describe_customer, with_owners
from regulars.record.orders import ledgers
from regulars.record.orders.models import Order
from regulars.record.orders.worth import sum_worth
from regulars.web.filters import describe_product, yes_or_no


def _order_href(order: Order | None) -> str:
    return f"/orders/{to_public(Order.PREFIX, order.uid)}" if order else ""


REFUNDS = ListPage(
    name="refunds",
    title=_("Refunds"),
    search=_("Search by refund number"),
    columns=[
        Column("number", _("Refund"), value=lambda one: one.row.number),
        Column("given", _("Given back"), "when", value=lambda one: one.row.occurred_at, sort="given"),
        Column("customer", _("Customer"), "template", template="web/owner_cell.html", in_export=False),
        Column("order", _("Order"), value=lambda one: one.row.order.number if one.row.order else "", on_phone=False),
        Column("reason", _("Reason"), value=lambda one: one.row.reason, on_phone=False),
        Column(
            "amount", _("Amount"), "money", value=lambda one: (one.row.amount_minor, one.row.currency), sort="amount"
        ),
        Column("currency", _("Currency"), value=lambda one: one.row.currency, on_page=False),
        Column("store", _("Store"), value=lambda one: one.row.store.name, is_optional=True),
    ],
    filters=[
        Filter("given", _("Given back"), "date"),
        Filter("currency", _("Currency"), "hidden", describe=str),
        Filter("counts", _("Lessens the sales"), "hidden", describe=yes_or_no),
        Filter("customer", _("Customer"), "hidden", describe_to=describe_customer),
    ],
    default_sort="-given",
    rows=ledgers.refunds_matching,
    sorts=ledgers.REFUND_SORTS,
    present=with_owners,
    sum=lambda query, viewer: sum_worth(ledgers.refunds_matching(query, viewer), "amount_minor", "occurred_at"),
    by_store=True,
    href=lambda one: _order_href(one.row.order),
    unit=lambda n: ngettext("%s refund", "%s refunds", n) % format_number(n),
    empty=Empty(
        _("Nothing was given back"),
        _("Refunds come with your orders. Each counts on the day on which it was given."),
        _("Orders"),
        "/orders",
        "arrow-back-up",
    ),
    export_permission="orders.export",
)


def _sum_of_sold(query: ListQuery, viewer: Viewer) -> Sum:
    rows = ledgers.sold_matching(query, viewer)
    sold = sum_worth(rows, "total_minor", "order__placed_at", "order__currency")
    pieces = rows.aggregate(total=Total("quantity"))["total"] or 0
    words = ngettext("%s piece", "%s pieces", pieces) % format_number(pieces)
    said = f"{words} · {sold}" if sold.amounts else words
    return replace(sold, amounts=[*sold.amounts, (pieces, PIECES)], words=said)


SOLD = ListPage(
    name="sold",
    title=_("Sold lines"),
    columns=[
        Column("order", _("Order"), value=lambda line: line.order.number),
        Column("placed", _("Placed"), "when", value=lambda line: line.order.placed_at, sort="placed"),
        Column("title", _("Product"), value=lambda line: line.title or line.sku),
        Column("units", _("Sold"), "number", value=lambda line: line.quantity, sort="units"),
        Column("total", _("Total"), "money", value=lambda line: (line.total_minor, line.order.currency), sort="total"),
        Column("currency", _("Currency"), value=lambda line: line.order.currency, on_page=False),
        Column("store", _("Store"), value=lambda line: line.order.store.name, is_optional=True),
    ],
    filters=[
        Filter("placed", _("Placed"), "date"),
        Filter("currency", _("Currency"), "hidden", describe=str),
        Filter("product", _("Product"), "hidden", describe=describe_product),
    ],
    default_sort="-placed",
    rows=ledgers.sold_matching,
    sorts=ledgers.SOLD_SORTS,
    sum=_sum_of_sold,
    by_store=True,
    href=lambda line: _order_href(line.order),
    key=lambda line: int(line.pk),
    unit=lambda n: ngettext("%s line", "%s lines", n) % format_number(n),
    empty=Empty(
        _("Nothing was sold yet"), _("The lines of your orders stand here."), _("Orders"), "/orders", "package"
    ),
    export_permission="orders.export",
)


@requires("orders.view", post="orders.view")
def refunds(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, REFUNDS)


@requires("orders.view", post="orders.view")
def sold(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, SOLD)
