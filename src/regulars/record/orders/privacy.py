"""How a person's orders are exported, and what of them is erased: remarks and tracking numbers. Amounts stay, the
books need them.
"""

from datetime import datetime
from typing import Any

from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.sealing import Cell
from regulars.foundation.subjects import exported
from regulars.record.customers.queries import customers_of
from regulars.record.orders.models import (
    CustomerFigures,
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderChange,
    OrderLine,
    Payment,
    Refund,
    RefundChange,
    RefundLine,
    StoreFigures,
)

BOOKS = "numbers and amounts: the books must be kept"


def _cell_of_order(row: OrderChange, column: str) -> Cell:
    """What an order left is sealed where it stood."""
    return Cell("orders_order", "sealed", row.order_id)


def _export_changes(profile_ids: list[int]) -> list[dict[str, Any]]:
    rows = OrderChange.objects.filter(order__profile__in=profile_ids).select_related("order").order_by("pk")
    return exported(rows, "order.profile_id", _cell_of_order)


def _erase_payments(profile_ids: list[int], at: datetime) -> int:
    return Payment.objects.filter(order__profile__in=profile_ids).exclude(reference="").update(reference="")


def _figures(figures: Any) -> Any:
    return lambda ids: exported(figures.objects.filter(customer__in=set(customers_of(ids).values())), "customer_id")


def _of_order(model: Any) -> Any:
    return lambda ids: exported(
        model.objects.filter(order__profile__in=ids).select_related("order").order_by("pk"), "order.profile_id"
    )


register(
    SubjectData(
        "orders_order",
        lambda ids: exported(Order.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: Order.objects.filter(profile__in=ids, sealed__isnull=False).update(sealed=None),
        BOOKS,
    )
)
register(SubjectData("orders_orderline", _of_order(OrderLine), keep, BOOKS))
register(SubjectData("orders_payment", _of_order(Payment), _erase_payments, BOOKS))
register(
    SubjectData(
        "orders_fulfilment",
        _of_order(Fulfilment),
        lambda ids, at: Fulfilment.objects.filter(order__profile__in=ids).update(
            tracking_number=None, tracking_url=None
        ),
        "that something was sent, and when",
    )
)
register(
    SubjectData(
        "orders_fulfilmentline",
        lambda ids: exported(
            FulfilmentLine.objects.filter(fulfilment__order__profile__in=ids)
            .select_related("fulfilment__order")
            .order_by("pk"),
            "fulfilment.order.profile_id",
        ),
        keep,
        BOOKS,
    )
)
register(
    SubjectData(
        "orders_refund", lambda ids: exported(Refund.objects.filter(profile__in=ids).order_by("pk")), keep, BOOKS
    )
)
register(
    SubjectData(
        "orders_refundline",
        lambda ids: exported(
            RefundLine.objects.filter(refund__profile__in=ids).select_related("refund").order_by("pk"),
            "refund.profile_id",
        ),
        keep,
        BOOKS,
    )
)
register(
    SubjectData(
        "orders_refundchange",
        lambda ids: exported(
            RefundChange.objects.filter(refund__profile__in=ids).select_related("refund").order_by("pk"),
            "refund.profile_id",
        ),
        keep,
        BOOKS,
    )
)
register(
    SubjectData(
        "orders_orderchange",
        _export_changes,
        lambda ids, at: OrderChange.objects.filter(order__profile__in=ids).update(sealed=None),
        BOOKS,
    )
)
register(SubjectData("orders_customerfigures", _figures(CustomerFigures), keep, "sums of a number's orders"))
register(SubjectData("orders_storefigures", _figures(StoreFigures), keep, "sums of a number's orders in each store"))
