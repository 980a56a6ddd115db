"""What the states of an order mean, the shop's own ones too."""

from dataclasses import dataclass

from regulars.connections.woocommerce.mapping.parcels import STATUS
from regulars.connections.woocommerce.mapping.values import Json, find_moment, meta, text
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus

DRAFTS = frozenset({"draft", "auto-draft", "checkout-draft", "new"})
TRASH = "trash"

_OVER = frozenset({"cancelled", "failed"})
_DONE = frozenset({"completed", "refunded", "shipped", "delivered"})
_SENT = frozenset({"completed", "shipped", "delivered"})
_NOTED = {"fulfilled": FulfilmentStatus.FULFILLED, "partially_fulfilled": FulfilmentStatus.PARTIAL}
_PARTLY_SENT = frozenset({"partial-shipped", "partially-shipped"})


@dataclass(frozen=True)
class State:
    order: OrderStatus
    payment: PaymentStatus
    fulfilment: FulfilmentStatus


def state_of(said: Json, status: str, total: int, given_back: int) -> State:
    """Plugins add states of their own: such an order is open, paid when it has a day of payment, sent when it has one of completion."""
    if status in _OVER:
        return State(OrderStatus.CANCELLED, PaymentStatus.VOIDED, FulfilmentStatus.UNFULFILLED)
    is_paid = status == "completed" or find_moment(said, "date_paid") is not None
    done = OrderStatus.COMPLETED if status in _DONE else OrderStatus.OPEN
    return State(done, _payment(status, is_paid, total, given_back), _fulfilment(said, status))


def _payment(status: str, is_paid: bool, total: int, given_back: int) -> PaymentStatus:
    if status == "refunded" or 0 < total <= given_back:
        return PaymentStatus.REFUNDED
    if given_back:
        return PaymentStatus.PARTIALLY_REFUNDED
    return PaymentStatus.PAID if is_paid else PaymentStatus.PENDING


def _fulfilment(said: Json, status: str) -> FulfilmentStatus:
    if status in _SENT or find_moment(said, "date_completed"):
        return FulfilmentStatus.FULFILLED
    noted = _NOTED.get(text(meta(said, STATUS)))
    return noted or (FulfilmentStatus.PARTIAL if status in _PARTLY_SENT else FulfilmentStatus.UNFULFILLED)
