"""Carts: list and get. They come from shops and trackers; nobody writes them by hand."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Moment, Short
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.api.stores import find_store
from regulars.foundation.ids import to_public
from regulars.foundation.pages.lists import ListQuery
from regulars.record.carts.models import Cart, CartState
from regulars.record.carts.queries import carts_matching, get_cart
from regulars.record.customers.api.customers import visible_customer
from regulars.record.customers.models import Customer
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.orders.models import Order

router = Router(tags=["carts"])
ROUTERS = {"/carts": router}


class CartOut(Schema):
    """A cart as lists show it. ``value_minor`` is in minor units of ``currency``; ``customer`` is null while nobody is known.

    ``changed_at`` is when it was touched last: of an abandoned cart, since when it lies in silence. ``order`` is the one that it became.
    """

    id: str
    store: str
    key: str
    state: str
    customer: str | None
    value_minor: int
    currency: str
    opened_at: datetime
    changed_at: datetime
    ordered_at: datetime | None
    order: str | None


class CartLineOut(Schema):
    """What lies in a cart."""

    sku: str
    title: str
    quantity: int
    unit_price: Decimal


class CartDetailOut(CartOut):
    """A cart with what lies in it. ``recovery_url`` is '' where there is none, or the token may not see the person."""

    lines: list[CartLineOut]
    recovery_url: str


class CartFilters(PageQuery):
    """Which carts."""

    store: Short = ""
    customer: Short = ""
    state: CartState | None = None
    changed_after: Moment | None = None


@router.get("", auth=needs("carts:read"), response={200: Page[CartOut], **ERRORS}, summary="List carts")
def list_carts(request: HttpRequest, query: Query[CartFilters]) -> Page[CartOut]:
    viewer = caller(request)
    found, following = take(_filtered(query, viewer), query)
    return Page[CartOut](items=[CartOut(**values) for values in _show(found)], next=following)


@router.get("/{cart_id}", auth=needs("carts:read"), response={200: CartDetailOut, **ERRORS}, summary="Get a cart")
def one_cart(request: HttpRequest, cart_id: str) -> CartDetailOut:
    detail = get_cart(cart_id, caller(request))
    lines = [CartLineOut(**{name: getattr(line, name) for name in CartLineOut.model_fields}) for line in detail.lines]
    [values] = _show([detail.cart])
    return CartDetailOut(**values, lines=lines, recovery_url=detail.link)


def _filtered(query: CartFilters, viewer: Viewer) -> QuerySet[Cart]:
    rows = carts_matching(ListQuery(), viewer)
    if query.store:
        rows = rows.filter(store=find_store(query.store, viewer))
    if query.customer:
        customer = visible_customer(query.customer, viewer)
        rows = rows.filter(profile__in=profiles_of([customer.pk]).get(customer.pk, []))
    if query.state:
        rows = rows.filter(state=query.state)
    return rows.filter(changed_at__gt=query.changed_after) if query.changed_after else rows


def _show(carts: Sequence[Cart]) -> list[dict[str, Any]]:
    owners = customers_of(cart.profile_id for cart in carts if cart.profile_id)
    uids = dict(Customer.objects.filter(pk__in=set(owners.values())).values_list("pk", "uid"))
    people = {profile: to_public(Customer.PREFIX, uids[customer]) for profile, customer in owners.items()}
    same = ("key", "state", "value_minor", "currency", "opened_at", "changed_at", "ordered_at")
    return [
        {
            "id": to_public(Cart.PREFIX, cart.uid),
            "store": cart.store.code,
            "customer": people.get(cart.profile_id or 0),
            "order": to_public(Order.PREFIX, cart.order.uid) if cart.order else None,
            **{name: getattr(cart, name) for name in same},
        }
        for cart in carts
    ]
