"""What can be done to orders: one function each, one transaction, events last."""

from regulars.record.orders.operations.apply import Applied, apply_orders
from regulars.record.orders.operations.figures import Figures, refresh_figures, verify_figures
from regulars.record.orders.operations.known import Known
from regulars.record.orders.operations.refunds import match_refunds
from regulars.record.orders.operations.removing import remove_orders

__all__ = [
    "Applied",
    "Figures",
    "Known",
    "apply_orders",
    "match_refunds",
    "refresh_figures",
    "remove_orders",
    "verify_figures",
]
