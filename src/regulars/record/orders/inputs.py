"""What every source of orders hands in, whatever its own format: parsed, typed and in UTC at the edge."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from regulars.record.customers.inputs import PersonInput
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus


@dataclass(frozen=True)
class LineInput:
    """One line. ``discount_minor`` and ``tax_minor`` are the line's own; ``product_key`` is the shop's key of the product."""

    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    product_key: str = ""
    discount_minor: int = 0
    tax_minor: int = 0
    is_service: bool = False  # postage, fees: not a product

    @property
    def product_name(self) -> tuple[str, str]:
        """What the catalog knows it by; the same as ``catalog.operations.SoldItem.name``."""
        return (self.product_key or self.sku or self.title[:120], self.sku)


@dataclass(frozen=True)
class PaymentInput:
    """Money that moved; ``reference`` is the gateway's own id."""

    kind: str
    status: str
    amount_minor: int
    currency: str
    occurred_at: datetime
    gateway: str = ""
    reference: str = ""


@dataclass(frozen=True)
class FulfilmentInput:
    """A part that left the house."""

    status: str
    occurred_at: datetime
    carrier: str = ""
    tracking_number: str = ""


@dataclass(frozen=True)
class RefundInput:
    """Money given back; positive amounts. ``order_number`` empty: the source does not say which order."""

    number: str
    occurred_at: datetime
    currency: str
    amount_minor: int
    lines: tuple[LineInput, ...] = ()
    order_number: str = ""
    person: PersonInput | None = None
    reason: str = ""


@dataclass(frozen=True)
class AdjustmentInput:
    """A booking that is neither a sale nor a refund."""

    number: str
    occurred_at: datetime
    currency: str
    amount_minor: int
    reason: str = ""


@dataclass(frozen=True)
class OrderInput:
    """One order as its source states it now. ``person`` is None for a guest without any identity."""

    number: str
    placed_at: datetime
    currency: str
    lines: tuple[LineInput, ...]
    person: PersonInput | None = None
    external_id: str = ""
    channel: str = ""
    shipping_minor: int = 0
    tax_minor: int = 0
    tax_included: bool = True
    discount_minor: int = 0  # of the whole order, beyond the lines' own
    discount_codes: str = ""
    total_minor: int | None = None  # as the source states it; None: computed
    status: OrderStatus = OrderStatus.COMPLETED
    payment_status: PaymentStatus = PaymentStatus.PAID
    fulfilment_status: FulfilmentStatus = FulfilmentStatus.FULFILLED
    cancelled_at: datetime | None = None
    country: str = ""
    remarks: str = ""  # sealed
    payments: tuple[PaymentInput, ...] = ()
    fulfilments: tuple[FulfilmentInput, ...] = ()
    refunds: tuple[RefundInput, ...] = ()
