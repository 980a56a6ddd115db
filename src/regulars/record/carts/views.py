"""Carts: what was put into them and not bought, and one cart."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.ids import to_public
from regulars.foundation.money import line_total
from regulars.foundation.pages.formats import format_money_short, format_number, today
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Column, Empty, Filter, ListPage, ListQuery
from regulars.foundation.pages.stores import keep_store, within_store
from regulars.foundation.pages.sums import Sum
from regulars.record.carts import queries
from regulars.record.carts.labels import STATES, state_pill
from regulars.record.carts.models import Cart, CartState
from regulars.record.catalog.models import Product
from regulars.record.customers.named import describe_customer, with_owners
from regulars.record.orders.models import Order


def _sentence(query: ListQuery, viewer: Viewer) -> str:
    left = ListQuery(choices={"state": (CartState.ABANDONED,)})
    count = queries.carts_matching(left, viewer).count()
    if not count:
        return gettext("No cart has been left behind.")
    words = ngettext(
        "%(n)s cart was left behind, worth %(sum)s.", "%(n)s carts were left behind, worth %(sum)s.", count
    )
    return words % {"n": format_number(count), "sum": Sum(queries.sums_of(left, viewer))}


CARTS = ListPage(
    name="carts",
    title=_("Carts"),
    columns=[
        Column("name", _("Customer"), value=lambda one: one.name or gettext("Unknown visitor"), in_export=False),
        Column("state", _("State"), "pill", value=lambda one: state_pill(one.row.state)),
        Column("lines", _("Lines"), "number", value=lambda one: one.row.line_count, on_phone=False),
        Column("value", _("Value"), "money", value=lambda one: (one.row.value_minor, one.row.currency), sort="value"),
        Column("currency", _("Currency"), value=lambda one: one.row.currency, on_page=False),
        Column("touched", _("Last touched"), "when", value=lambda one: one.row.changed_at, sort="touched"),
        Column("order", _("Order"), value=lambda one: one.row.order.number if one.row.order else "", is_optional=True),
        Column("opened", _("Opened"), "when", value=lambda one: one.row.opened_at, is_optional=True),
        Column("store", _("Store"), value=lambda one: one.row.store.name, is_optional=True),
    ],
    filters=[
        Filter(
            "state", _("State"), choices=lambda viewer: [(state, label) for state, (label, _tone) in STATES.items()]
        ),
        Filter("touched", _("Last touched"), "date"),
        Filter("value", _("Value"), "number"),
        Filter("who", _("Who"), choices=lambda viewer: [("known", _("Known")), ("unknown", _("Unknown visitors"))]),
        Filter("customer", _("Customer"), "hidden", describe_to=describe_customer),
    ],
    default_sort="-touched",
    sentence=_sentence,
    rows=queries.carts_matching,
    sorts=queries.SORTS,
    present=with_owners,
    sum=lambda query, viewer: Sum(queries.sums_of(query, viewer)),
    by_store=True,
    href=lambda one: f"/carts/{to_public(Cart.PREFIX, one.row.uid)}",
    unit=lambda n: ngettext("%s cart", "%s carts", n) % format_number(n),
    empty=Empty(
        _("No carts yet"),
        _("Carts come from your shop as they are filled, by the calls that its pages and its server send."),
        _("Make a key for your shop"),
        "/settings/tracking",
        "shopping-cart",
    ),
)


DAYS = 30
_FIGURES = (
    (
        CartState.ABANDONED,
        _("Left behind, 30 days"),
        _("Worth"),
        _(
            "Carts that were touched last in the last 30 days, left in silence, and neither ordered nor come back to since."
        ),
    ),
    (
        CartState.RECOVERED,
        _("Won back, 30 days"),
        _("Worth"),
        _("Carts that were touched last in the last 30 days, had been left in silence, and were ordered after that."),
    ),
)


@requires("carts.view")
def carts(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, CARTS, figures=_figures(request))


def _figures(request: HttpRequest) -> list[dict[str, Any]]:
    """What was left behind in 30 days and what was won back, each a door to its carts."""
    viewer = within_store(request)
    since = today(clock.now()) - timedelta(days=DAYS - 1)
    figures: list[dict[str, Any]] = []
    for state, label, worth, meaning in _FIGURES:
        query = ListQuery(choices={"state": (state,)}, dates={"touched": (since, None)})
        count, total = queries.carts_matching(query, viewer).count(), Sum(queries.sums_of(query, viewer))
        door = {
            "href": keep_store(f"/carts?state={state}&touched_from={since}", request),
            "count": count,
            "definition": meaning,
        }
        figures.append({"label": label, "value": format_number(count), **door})
        if count:
            figures.append({"label": worth, "value": str(total), **door})
    return figures


@requires("carts.view")
def one_cart(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    detail = queries.get_cart(public_id, viewer)
    cart = detail.cart
    [named] = with_owners([cart], viewer)
    context = {
        "title": gettext("Cart of %s") % named.name if named.customer else gettext("Cart of an unknown visitor"),
        "sentence": _cart_sentence(cart),
        "cart": cart,
        "named": named,
        "pill": state_pill(cart.state),
        "link": detail.link,
        "merged_into": f"/carts/{to_public(Cart.PREFIX, cart.merged_into.uid)}" if cart.merged_into else "",
        "order": cart.order,
        "order_href": f"/orders/{to_public(Order.PREFIX, cart.order.uid)}" if cart.order else "",
        "lines": [
            (
                line,
                line_total(line.quantity, line.unit_price, cart.currency),
                f"/products/{to_public(Product.PREFIX, line.variant.product.uid)}" if line.variant else "",
            )
            for line in detail.lines
        ],
        "moments": sorted(_moments(cart), reverse=True),
    }
    return render(request, "carts/one.html", context)


def _cart_sentence(cart: Cart) -> str:
    value = format_money_short(cart.value_minor, cart.currency)
    sentences = {
        CartState.OPEN: gettext("%s lies in it, and it is still open."),
        CartState.CHECKOUT: gettext("%s lies in it, and the checkout has begun."),
        CartState.ABANDONED: gettext("%s was left behind in it."),
        CartState.ORDERED: gettext("%s was in it, and was ordered."),
        CartState.RECOVERED: gettext("%s was left behind in it, and was ordered after all."),
        CartState.CLOSED: gettext("%s was in it when the shop closed it."),
        CartState.MERGED: gettext("%s lay in it. It is the same as another cart, and counts there."),
    }
    return sentences[CartState(cart.state)] % value


def _moments(cart: Cart) -> Iterator[tuple[datetime, str]]:
    yield cart.opened_at, gettext("Opened")
    yield cart.changed_at, gettext("In silence since") if cart.state == CartState.ABANDONED else gettext("Last touched")
    if cart.ordered_at:
        yield cart.ordered_at, gettext("Ordered")
