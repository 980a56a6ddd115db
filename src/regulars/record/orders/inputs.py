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
    variant_key: str = ""  # the platform's id of the variant: tells it from others where skus are empty or doubled

    @property
    def product_name(self) -> tuple[str, str, str]:
        """What the catalog knows it by; the same as ``catalog.operations.SoldItem.name``."""
        return (self.product_key or self.sku or self.title[:120], self.sku, self.variant_key)


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
    """A part that left the house. Tracking number and link are sealed; several of them stand in one text, with ', ' between."""

    status: str
    occurred_at: datetime
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


@dataclass(frozen=True)
class RefundInput:
    """Money given back; positive amounts. Its order is named by number or by the platform's id; neither: the source does not say which.

    An order that comes later finds the refunds that named it. Without ``lines`` it is an amount; postage given back is a line with
    ``is_service``. An input stated earlier than what is stored changes nothing.
    """

    number: str
    occurred_at: datetime
    currency: str
    amount_minor: int
    lines: tuple[LineInput, ...] = ()
    order_number: str = ""
    person: PersonInput | None = None
    reason: str = ""
    order_external_id: str = ""
    stated_at: datetime | None = None
    is_claimed: bool = False  # a tracker's word: counts only while no platform states the order


@dataclass(frozen=True)
class OrderRemoval:
    """An order that its source says is gone (deleted, put in the trash). It stays in the record as cancelled, with the reason.

    Named by ``external_id``, else by ``number``. ``stated_at`` is when it went, or when we were told. What was stated of the order
    up to then does not bring it back, whenever it comes; a later statement does.
    """

    stated_at: datetime
    external_id: str = ""
    number: str = ""
    reason: str = "deleted in the shop"


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
    """One order as its source states it now. ``person`` is None for a guest without any identity.

    Which order it is: the one with the same ``external_id`` (a platform's own id; 'gid://…/123' means '123'), else the one of that
    number that has no other id, with or without a leading '#'. A claimed order (``is_claimed``: a tracker said so) is the platform's
    order whose id, number or cart it names: they are one, whichever comes first, and the platform's word stands.

    ``stated_at`` is the platform's time of that state (``updated_at``, ``date_modified_gmt``). An input stated earlier than what is
    stored changes nothing, its refunds included; of two of the same second the one further on stands (cancelled, paid, sent), and
    of two as far the one that comes later. None (files, the API): what comes later stands.

    Amounts are in the shop's own money (Shopify's ``shop_money``).
    """

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
    tells_payments: bool = True  # False: the source tells none (Shopify's webhooks), and those that are known stay
    fulfilments: tuple[FulfilmentInput, ...] = ()
    tells_fulfilments: bool = True  # False: those that are known stay, as with payments
    refunds: tuple[RefundInput, ...] = ()
    stated_at: datetime | None = None
    is_claimed: bool = False
    is_test: bool = False  # kept as cancelled with that reason: in no figure, starts no workflow
    has_all_refunds: bool = (
        False  # ``refunds`` is the whole list: others of this order were taken back, and count 0 from then on
    )
    cart_keys: tuple[
        str, ...
    ] = ()  # tokens of the cart and of the checkout that it was made of, as ``CartInput.key`` has them
    presentment_currency: str = ""  # what the shopper saw, where it is other money than the shop's
    presentment_total_minor: int | None = None
