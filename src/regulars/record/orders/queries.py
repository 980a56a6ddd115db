"""What can be asked of orders: lists for pages, one order with all that hangs on it, and sales over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, FilteredRelation, Max, Min, OuterRef, Q, QuerySet, Sum

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.pages.days import within_days, within_numbers
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order as Sorting
from regulars.record.customers.queries import Stores, profiles_of
from regulars.record.orders.conversion import WORTH, reporting, unconverted_orders
from regulars.record.orders.coupons import orders_with_coupon
from regulars.record.orders.events import MONEY_CHANGED
from regulars.record.orders.models import (
    CustomerFigures,
    Figures,
    Fulfilment,
    FulfilmentStatus,
    Order,
    OrderChange,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    StoreFigures,
)

SORTS = {"placed": Sorting("placed_at"), "total": Sorting("total_minor")}
COUNTS = ~Q(status=OrderStatus.CANCELLED) & ~Q(payment_status=PaymentStatus.VOIDED)  # docs/revenue.md


def orders_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Order]:
    """Orders that fit the filters of the list page and that the viewer may see."""
    rows = Order.objects.all()
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    if query.text:
        rows = rows.filter(number__istartswith=query.text.lstrip("#"))
    for name, column in _COLUMNS.items():
        if chosen := query.choices.get(name):
            rows = rows.filter(**{f"{column}__in": chosen})
    if query.one("counts"):
        rows = rows.filter(COUNTS)
    if guests := query.one("guest"):
        rows = rows.filter(profile__isnull=guests == "yes")
    if refunded := query.one("refunded"):
        given_back = Exists(Refund.objects.filter(order=OuterRef("pk")))
        rows = rows.filter(given_back if refunded == "yes" else ~given_back)
    if query.one("unconverted"):
        rows = rows.filter(COUNTS, unconverted_orders())
    rows = _of_subject(rows, query)
    return rows.filter(
        within_days("placed_at", query.dates, "placed"), within_numbers("total_minor", query.numbers, "total", 100)
    )


_COLUMNS = {
    "store": "store__code",
    "status": "status",
    "payment": "payment_status",
    "fulfilment": "fulfilment_status",
    "country": "country",
    "currency": "currency",
}


def _of_subject(rows: QuerySet[Order], query: ListQuery) -> QuerySet[Order]:
    """Orders of one customer, with one product or with one coupon, by row id."""
    if query.one("customer"):
        customer = query.row_id("customer")
        rows = rows.filter(profile__in=profiles_of([customer]).get(customer, []))
    if query.one("product"):
        lines = OrderLine.objects.filter(
            order=OuterRef("pk"), variant__product=query.row_id("product"), until_batch=None
        )
        rows = rows.filter(Exists(lines))
    if query.one("coupon"):
        rows = orders_with_coupon(rows, query.row_id("coupon"))
    return rows


@dataclass(frozen=True)
class OrderDetail:
    """One order with everything that hangs on it; lines, payments and fulfilments are the present ones."""

    order: Order
    lines: Sequence[OrderLine]
    payments: Sequence[Payment]
    fulfilments: Sequence[Fulfilment]
    refunds: Sequence[Refund]
    changes: Sequence[OrderChange]


def get_order(public_id: str, viewer: Viewer) -> OrderDetail:
    """Raises NotFound, also for an order of a store that the viewer does not see."""
    order = Order.objects.filter(uid=from_public(Order.PREFIX, public_id)).select_related("store").first()
    if order is None or not viewer.sees_store(order.store_id):
        raise NotFound(f"There is no order {public_id}")
    return OrderDetail(
        order,
        list(order.lines.filter(until_batch=None).select_related("variant__product").order_by("id")),
        list(order.payments.filter(until_batch=None).order_by("occurred_at", "id")),
        list(order.fulfilments.filter(until_batch=None).order_by("occurred_at", "id")),
        list(order.refunds.order_by("occurred_at", "id").prefetch_related("lines")),
        list(order.changes.order_by("-occurred_at", "-id")[:50]),
    )


def find_orders(text: str, viewer: Viewer, limit: int) -> list[Order]:
    """Orders whose number begins so, newest first."""
    return list(
        orders_matching(ListQuery(text=text), viewer).select_related("store").order_by("-placed_at", "-id")[:limit]
    )


def orders_of_customer(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> list[Order]:
    """A customer's orders, newest first."""
    rows = orders_matching(ListQuery(choices={"customer": (str(customer_id),)}), viewer)
    if before:
        rows = rows.filter(placed_at__lt=before)
    return list(rows.select_related("store").order_by("-placed_at", "-id")[:limit])


def refunds_of_customer(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> list[Refund]:
    """A customer's refunds, newest first."""
    rows = Refund.objects.filter(profile__in=profiles_of([customer_id]).get(customer_id, []))
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    if before:
        rows = rows.filter(occurred_at__lt=before)
    return list(rows.select_related("store", "order").order_by("-occurred_at", "-id")[:limit])


_FOLDS = {
    "currency": Max,
    "order_count": Sum,
    "spent_minor": Sum,
    "refunded_minor": Sum,
    "first_order_at": Min,
    "last_order_at": Max,
    "unconverted_count": Sum,
}  # fmt: skip


def with_figures(rows: QuerySet[Any], store_ids: Stores) -> QuerySet[Any]:
    """Rows that have a ``customer`` with each one's figures in these stores, under the names of ``Figures``; null without any.

    For all stores and for one they are columns of a joined row, so that an index sorts by them; for several they are summed, which
    takes a walk over all that these stores know.
    """
    folded: QuerySet[Any]
    if store_ids is None:
        folded = rows.annotate(**{name: F(f"customer__figures__{name}") for name in _FOLDS})
        return folded
    mine = Q(customer__store_figures__store__in=store_ids)
    rows = rows.annotate(own=FilteredRelation("customer__store_figures", condition=mine))
    is_one = len(store_ids) == 1
    folded = rows.annotate(**{name: (F if is_one else fold)(f"own__{name}") for name, fold in _FOLDS.items()})
    return folded


def find_figures(customer_id: int, store_ids: Stores = None) -> Figures | None:
    """Figures of a customer in these stores; None without orders and refunds."""
    if store_ids is None:
        return CustomerFigures.objects.filter(customer=customer_id).first()
    found = StoreFigures.objects.filter(customer=customer_id, store__in=store_ids)
    summed = found.aggregate(**{name: fold(name) for name, fold in _FOLDS.items()})
    return None if summed["currency"] is None else CustomerFigures(customer_id=customer_id, **summed)


def count_unconverted(viewer: Viewer, customer_id: int | None = None) -> int:
    """Orders that count but are in no sum, because there is no rate for their currency on or before their day."""
    choices = {"unconverted": ("yes",)} | ({"customer": (str(customer_id),)} if customer_id else {})
    return orders_matching(ListQuery(choices=choices), viewer).count()


def last_money_change(position: int) -> int:
    """Where on the log, up to a position, the worth of amounts changed last: a rate, the reporting currency, the zone. 0: never."""
    [(found,)] = fetch(
        "SELECT coalesce(max(position), 0) FROM events_event WHERE kind = %s AND position <= %s",
        [MONEY_CHANGED, position],
    )
    return int(found)


def count_waiting(viewer: Viewer) -> int:
    """Orders that are neither cancelled nor wholly sent."""
    query = ListQuery(choices={"fulfilment": (FulfilmentStatus.UNFULFILLED, FulfilmentStatus.PARTIAL)})
    return orders_matching(query, viewer).exclude(status=OrderStatus.CANCELLED).count()


def _stores(viewer: Viewer) -> list[int] | None:
    return sorted(viewer.store_ids) if viewer.store_ids is not None else None


@dataclass(frozen=True)
class ProductSales:
    """How a product sold within some time, in orders that count. Amounts in minor units of the reporting currency."""

    orders: int = 0
    units: int = 0
    total_minor: int = 0
    customers: int = 0


_PRODUCTS = f"""
WITH fact AS MATERIALIZED (
    SELECT v.product_id, o.id AS order_id, l.quantity, m.customer_id, o.currency, l.total_minor AS amount, o.placed_at AS at
    FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id AND l.until_batch_id IS NULL
    JOIN catalog_variant v ON v.id = l.variant_id
    LEFT JOIN customers_customerprofile m ON m.profile_id = o.profile_id AND m.until_batch_id IS NULL
    WHERE o.placed_at >= %(since)s AND o.status <> 'cancelled' AND o.payment_status <> 'voided'
      AND (%(products)s::bigint[] IS NULL OR v.product_id = ANY(%(products)s::bigint[]))
      AND (%(stores)s::bigint[] IS NULL OR o.store_id = ANY(%(stores)s::bigint[]))
),
{WORTH}
SELECT product_id, count(DISTINCT order_id), sum(quantity), coalesce(sum(minor), 0), count(DISTINCT customer_id)
FROM worth GROUP BY product_id
"""


def sales_of_products(product_ids: Sequence[int] | None, since: datetime, viewer: Viewer) -> dict[int, ProductSales]:
    """Sales of these products (None: of all) since a moment, in the reporting currency; those without any are left out."""
    products = list(product_ids) if product_ids is not None else None
    rows = fetch(_PRODUCTS, {"products": products, "since": since, "stores": _stores(viewer), **reporting()})
    return {row[0]: ProductSales(*map(int, row[1:])) for row in rows}


_MONTHS = """
SELECT date_trunc('month', o.placed_at AT TIME ZONE %(zone)s)::date AS month, sum(l.quantity), count(DISTINCT o.id)
FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id JOIN catalog_variant v ON v.id = l.variant_id
WHERE v.product_id = %(product)s AND l.until_batch_id IS NULL AND o.status <> 'cancelled' AND o.payment_status <> 'voided'
  AND (%(stores)s::bigint[] IS NULL OR o.store_id = ANY(%(stores)s::bigint[]))
GROUP BY 1 ORDER BY 1
"""


def months_of_product(product_id: int, zone: str, viewer: Viewer) -> list[tuple[date, int, int]]:
    """Month, units and orders of each month in which a product sold, oldest first."""
    stores = _stores(viewer)
    return [
        (month, int(units), int(orders))
        for month, units, orders in fetch(_MONTHS, {"product": product_id, "zone": zone, "stores": stores})
    ]
