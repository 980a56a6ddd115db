"""What ``regulars stats`` says of orders."""

from django.db.models import QuerySet, Sum

from regulars.record.orders.models import Adjustment, Order, OrderLine, Refund
from regulars.record.orders.queries import COUNTS


def stats() -> dict[str, object]:
    """Orders, their present lines, refunds, and what they come to in minor units by currency.

    Revenue is orders that count less refunds; adjustments of the ledger are neither and stand beside it.
    """
    ordered, refunded = _sums(Order.objects.filter(COUNTS), "total_minor"), _sums(Refund.objects.all(), "amount_minor")
    currencies = sorted({*ordered, *refunded})
    return {
        "orders": Order.objects.count(),
        "order_lines": OrderLine.objects.filter(until_batch=None).count(),
        "refunds": Refund.objects.count(),
        "adjustments": Adjustment.objects.count(),
        "ordered_minor": ordered,
        "refunded_minor": refunded,
        "revenue_minor": {code: ordered.get(code, 0) - refunded.get(code, 0) for code in currencies},
        "adjustments_minor": _sums(Adjustment.objects.all(), "amount_minor"),
    }


def _sums(rows: QuerySet[Order] | QuerySet[Refund] | QuerySet[Adjustment], column: str) -> dict[str, int]:
    found = rows.order_by("currency").values_list("currency").annotate(total=Sum(column))
    return {str(currency): int(total) for currency, total in found}
