"""Orders: the list, and one order with everything that hangs on it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import country_name, format_money_short, format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Column, Empty, Filter, ListPage, ListQuery
from regulars.foundation.pages.registries import Text
from regulars.foundation.pages.sums import Sum
from regulars.record.catalog.models import Product
from regulars.record.coupons.models import Coupon
from regulars.record.coupons.queries import find_by_codes
from regulars.record.coupons.rules import codes_in, name_of
from regulars.record.customers.named import describe_customer, with_owners
from regulars.record.events import totals
from regulars.record.orders import queries
from regulars.record.orders.ledgers import refunds_matching
from regulars.record.orders.models import Order
from regulars.record.orders.worth import sum_worth
from regulars.web.filters import countries, describe_coupon, describe_product, yes_or_no
from regulars.web.labels import FULFILMENT, ORDER_STATUS, PAYMENT, fulfilment_pill, order_pill, payment_pill


def _sentence(query: ListQuery, viewer: Viewer) -> str:
    waiting = queries.count_waiting(viewer)
    words = ngettext("%s order waits to be sent.", "%s orders wait to be sent.", waiting)
    return words % format_number(waiting) if waiting else gettext("Nothing waits to be sent.")


def _sum(query: ListQuery, viewer: Viewer) -> Sum | None:
    """Of a part of the orders; the sum of all there ever were answers no question and costs much."""
    if not query.is_narrowed:
        return None
    ordered = sum_worth(queries.orders_matching(query, viewer), "total_minor", "placed_at")
    return _less_refunds(ordered, query, viewer) if query.one("net") else ordered


def _less_refunds(ordered: Sum, query: ListQuery, viewer: Viewer) -> Sum:
    """Orders less the refunds of the same days, customer and currency, whichever order these belong to (docs/revenue.md)."""
    same = {name: query.choices[name] for name in ("customer", "currency") if name in query.choices}
    asked = ListQuery(choices={**same, "counts": ("1",)}, dates={"given": query.dates.get("placed", (None, None))})
    refunds = sum_worth(refunds_matching(asked, viewer), "amount_minor", "occurred_at")
    if not refunds.amounts:
        return ordered
    net = ordered.less(refunds)
    link = format_html('<a href="{}">{}</a>', _refunds_href(asked), refunds)
    words = gettext("{ordered} less {refunds} given back: {net}")
    return replace(net, words=format_html(words, ordered=ordered, refunds=link, net=net))


def _refunds_href(asked: ListQuery) -> str:
    first, last = asked.dates["given"]
    days = {"given_from": first.isoformat() if first else "", "given_to": last.isoformat() if last else ""}
    chosen = {name: value for name, value in days.items() if value}
    return "/refunds?" + urlencode(
        {**{name: list(value) for name, value in asked.choices.items()}, **chosen}, doseq=True
    )


def _money(name: str, label: Text, **more: Any) -> Column:
    """A column of one amount of the order."""
    return Column(name, label, "money", lambda one: (getattr(one.row, f"{name}_minor"), one.row.currency), **more)


ORDERS = ListPage(
    name="orders",
    title=_("Orders"),
    search=_("Search by order number"),
    columns=[
        Column("number", _("Order"), value=lambda one: one.row.number),
        Column("placed_at", _("Placed"), "when", value=lambda one: one.row.placed_at, sort="placed", on_phone=False),
        Column("customer", _("Customer"), "template", template="web/owner_cell.html", in_export=False),
        Column("status", _("Status"), "pill", value=lambda one: order_pill(one.row.status), on_phone=False),
        Column("payment", _("Payment"), "pill", value=lambda one: payment_pill(one.row.payment_status), on_phone=False),
        Column(
            "fulfilment",
            _("Delivery"),
            "pill",
            value=lambda one: fulfilment_pill(one.row.fulfilment_status),
            on_phone=False,
        ),
        Column(
            "country", _("Country"), value=lambda one: country_name(one.row.country), on_phone=False, on_tablet=False
        ),
        Column("lines", _("Lines"), "number", value=lambda one: one.row.line_count, on_phone=False, on_tablet=False),
        _money("subtotal", _("Subtotal"), on_page=False),
        _money("discount", _("Discount"), on_page=False),
        _money("shipping", _("Shipping"), on_page=False),
        _money("tax", _("Tax"), on_page=False),
        _money("total", _("Total"), sort="total"),
        Column("currency", _("Currency"), value=lambda one: one.row.currency, on_page=False),
        Column("store", _("Store"), value=lambda one: one.row.store.name, is_optional=True),
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
        Filter("country", _("Country"), choices=countries),
        Filter("currency", _("Currency"), "hidden", describe=str),
        Filter("counts", _("Counts as a sale"), "hidden", describe=yes_or_no),
        Filter("unconverted", _("Without a rate"), "hidden", describe=yes_or_no),
        Filter("net", _("Less refunds"), "hidden", describe=yes_or_no),
        Filter("customer", _("Customer"), "hidden", describe_to=describe_customer),
        Filter("product", _("With"), "hidden", describe=describe_product),
        Filter("coupon", _("Coupon"), "hidden", describe=describe_coupon),
    ],
    tabs=[(_("Orders"), "/orders"), (_("Refunds"), "/refunds")],
    default_sort="-placed",
    sentence=_sentence,
    rows=lambda query, viewer: queries.orders_matching(query, viewer).select_related("store"),
    sorts=queries.SORTS,
    present=with_owners,
    count=totals.count,
    sum=_sum,
    by_store=True,
    href=lambda one: f"/orders/{to_public(Order.PREFIX, one.row.uid)}",
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
    export_permission="orders.export",
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
    [row] = with_owners([detail.order], viewer)
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
        "codes": _codes(detail.order, viewer),
        "refunded_minor": sum(
            refund.amount_minor for refund in detail.refunds if refund.currency == detail.order.currency
        ),
        "steps": sorted(_steps(detail), key=lambda step: step.at, reverse=True),
    }
    return render(request, "web/order.html", context)


def _codes(order: Order, viewer: Viewer) -> list[tuple[str, str]]:
    """The codes that were used, each with the page of its coupon where the record knows it."""
    codes = codes_in(order.discount_codes)
    known = find_by_codes(order.store_id, codes) if viewer.may("coupons.view") else {}
    found = ((code, known.get(name_of(code))) for code in codes)
    return [(code, f"/coupons/{to_public(Coupon.PREFIX, coupon.uid)}" if coupon else "") for code, coupon in found]


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
