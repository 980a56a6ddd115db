"""Orders in the navigation, the search and the timeline."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import format_date, format_money, format_number
from regulars.foundation.pages.registries import (
    FINDINGS,
    NAVIGATION,
    SEARCH,
    TIMELINE,
    Finding,
    FindingSource,
    Group,
    NavigationEntry,
    SearchHit,
    SearchSource,
    TimelineEntry,
    TimelineKind,
)
from regulars.record.orders.models import Order, OrderStatus, Refund
from regulars.record.orders.queries import count_unconverted, find_orders, orders_of_customer, refunds_of_customer


def _href(order: Order) -> str:
    return f"/orders/{to_public(Order.PREFIX, order.uid)}"


def find(text: str, viewer: Viewer, limit: int) -> list[SearchHit]:
    hits = []
    for order in find_orders(text, viewer, limit) if any(c.isdigit() for c in text) else []:
        detail = f"{format_date(order.placed_at)} · {format_money(order.total_minor, order.currency)}"
        hits.append(SearchHit(order.number, detail, _href(order), "shopping-bag"))
    return hits


def load_orders(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    return [_placed(order) for order in orders_of_customer(customer_id, viewer, before, limit)]


def _placed(order: Order) -> TimelineEntry:
    lines = ngettext("%d line", "%d lines", order.line_count) % order.line_count
    detail = f"{format_money(order.total_minor, order.currency)} · {lines}"
    if order.status == OrderStatus.CANCELLED:
        detail += " · " + gettext("cancelled")
    return TimelineEntry(
        f"order-{order.pk}", "order", order.placed_at, gettext("Placed order %s") % order.number, detail, _href(order)
    )


def load_refunds(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    return [_returned(refund) for refund in refunds_of_customer(customer_id, viewer, before, limit)]


def _returned(refund: Refund) -> TimelineEntry:
    amount = format_money(refund.amount_minor, refund.currency)
    of = gettext("of order %s") % refund.order.number if refund.order else gettext("the order is not known")
    href = _href(refund.order) if refund.order else ""
    return TimelineEntry(
        f"refund-{refund.pk}",
        "refund",
        refund.occurred_at,
        gettext("Got %s back") % amount,
        f"{refund.number} · {of}",
        href,
    )


def find_unconverted(viewer: Viewer, at: datetime) -> Sequence[Finding]:
    """Orders that are in no sum, because nobody said what their currency is worth."""
    left_out = count_unconverted(viewer)
    if not left_out:
        return []
    words = ngettext(
        "%s order is in no sum: there is no rate for its currency on its day.",
        "%s orders are in no sum: there is no rate for their currency on their day.",
        left_out,
    )
    sentence, rows = words % format_number(left_out), "/orders?unconverted=yes"
    return [Finding(sentence, gettext("Add rates"), "/settings/rates", 75, left_out, rows)]


NAVIGATION.register(
    "orders",
    NavigationEntry(
        Group.SELL, _("Orders"), "orders", "shopping-bag", "orders.view", order=10, at_hand=True, by_store=True
    ),
)
SEARCH.register("orders", SearchSource(_("Orders"), "orders.view", find, "/orders", order=20))
TIMELINE.register(
    "order", TimelineKind(_("Orders"), "shopping-bag", "orders.view", load_orders, order=10, opens=_("Open the order"))
)
TIMELINE.register(
    "refund",
    TimelineKind(_("Refunds"), "arrow-back-up", "orders.view", load_refunds, order=20, opens=_("Open the order")),
)
FINDINGS.register("unconverted", FindingSource("orders.view", find_unconverted))
