"""What sums of orders are made of, row by row: refunds, and the lines that were sold."""

from django.db.models import Q, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.days import within_days
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order as Sorting
from regulars.record.customers.queries import profiles_of
from regulars.record.orders.models import OrderLine, OrderStatus, PaymentStatus, Refund

REFUND_SORTS = {"given": Sorting("occurred_at"), "amount": Sorting("amount_minor")}
SOLD_SORTS = {"placed": Sorting("order__placed_at"), "units": Sorting("quantity"), "total": Sorting("total_minor")}
# As COUNTS of queries.py, from the order's rows; see docs/revenue.md.
_OF_ORDERS_THAT_COUNT = ~Q(order__status=OrderStatus.CANCELLED) & ~Q(order__payment_status=PaymentStatus.VOIDED)


def refunds_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Refund]:
    """Refunds that fit the filters of their list and that the viewer may see; with ``counts`` those that lessen the sales."""
    rows = Refund.objects.select_related("order", "store")
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    if query.text:
        rows = rows.filter(number__istartswith=query.text)
    if query.one("counts"):
        rows = rows.filter(Q(order=None) | _OF_ORDERS_THAT_COUNT)
    if currency := query.choices.get("currency"):
        rows = rows.filter(currency__in=currency)
    if query.one("customer"):
        customer = query.row_id("customer")
        rows = rows.filter(profile__in=profiles_of([customer]).get(customer, []))
    return rows.filter(within_days("occurred_at", query.dates, "given"))


def sold_matching(query: ListQuery, viewer: Viewer) -> QuerySet[OrderLine]:
    """Present lines of orders that count, which fit the filters of their list and which the viewer may see."""
    rows = OrderLine.objects.filter(_OF_ORDERS_THAT_COUNT, until_batch=None)
    if viewer.store_ids is not None:
        rows = rows.filter(order__store__in=viewer.store_ids)
    if query.one("product"):
        rows = rows.filter(variant__product=query.row_id("product"))
    if currency := query.choices.get("currency"):
        rows = rows.filter(order__currency__in=currency)
    rows = rows.filter(within_days("order__placed_at", query.dates, "placed"))
    return rows.select_related("order__store", "variant__product")
