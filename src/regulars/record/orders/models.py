"""What was bought, paid, sent and given back (docs/revenue.md defines the amounts).

An order's row is its present state; ``OrderChange`` keeps every state before it, so that any past one can be told and an import undone.
Lines, payments and fulfilments are valid from one batch until another.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class OrderStatus(models.TextChoices):
    """Where an order stands as a whole."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PaymentStatus(models.TextChoices):
    """Shopify's financial status."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class FulfilmentStatus(models.TextChoices):
    """How much of an order has left the house."""

    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"


class Order(models.Model):
    """One order. ``total`` = ``subtotal`` + ``shipping`` + ``tax`` (unless prices include it); ``subtotal`` is after discounts."""

    PREFIX: ClassVar[str] = "ord"
    privacy = {
        "number": PrivacyClass.CLEAR,
        "external_id": PrivacyClass.CLEAR,
        "channel": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
        "status": PrivacyClass.CLEAR,
        "payment_status": PrivacyClass.CLEAR,
        "fulfilment_status": PrivacyClass.CLEAR,
        "country": PrivacyClass.CLEAR,
        "discount_codes": PrivacyClass.CLEAR,
        "cancel_reason": PrivacyClass.CLEAR,
        "cart_keys": PrivacyClass.CLEAR,
        "presentment_currency": PrivacyClass.CLEAR,
        "sealed": PrivacyClass.SEALED,
        "digest": PrivacyClass.TOKEN,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)
    number = models.CharField(max_length=80)
    external_id = models.CharField(max_length=80, blank=True)
    profile = models.ForeignKey(
        "customers.Profile", on_delete=models.PROTECT, null=True, db_index=False
    )  # none: a guest without any identity
    channel = models.CharField(max_length=40, blank=True)
    placed_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    subtotal_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    shipping_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    tax_included = models.BooleanField(default=True)
    total_minor = models.BigIntegerField()
    status = models.CharField(max_length=12, choices=OrderStatus, default=OrderStatus.COMPLETED)
    payment_status = models.CharField(max_length=20, choices=PaymentStatus, default=PaymentStatus.PAID)
    fulfilment_status = models.CharField(max_length=12, choices=FulfilmentStatus, default=FulfilmentStatus.FULFILLED)
    cancelled_at = models.DateTimeField(null=True)
    country = models.CharField(max_length=2, blank=True)
    discount_codes = models.TextField(blank=True)
    line_count = models.IntegerField(default=0)
    cancel_reason = models.CharField(
        max_length=60, blank=True, db_default=""
    )  # why it counts nothing: a test order, deleted in the shop
    cart_keys = ArrayField(
        models.CharField(max_length=120), default=list, db_default=[]
    )  # tokens of the cart that it was made of
    presentment_currency = models.CharField(
        max_length=3, blank=True, db_default=""
    )  # what the shopper saw, where it is other money
    presentment_total_minor = models.BigIntegerField(null=True)
    stated_at = models.DateTimeField(null=True)  # the platform's time of this state; an older one changes nothing
    is_claimed = models.BooleanField(
        default=False, db_default=False
    )  # only a tracker said so; the platform's word takes its place
    sealed = models.BinaryField(null=True)  # addresses and the shopper's remarks, as a sealed JSON object
    digest = models.BinaryField(max_length=16)  # of everything the source said: equal digest, nothing to do
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "number"], name="one_order")]
        indexes = [
            models.Index(fields=["profile", "-placed_at"], name="orders_of_profile"),
            models.Index(fields=["-placed_at", "-id"], name="orders_newest"),
            models.Index(  # sales over time are read from it alone, without going to the rows
                fields=["placed_at"],
                include=["profile", "store", "currency", "total_minor"],
                condition=~models.Q(status="cancelled") & ~models.Q(payment_status="voided"),
                name="orders_that_count",
            ),
            models.Index(  # refunds of these are in no sum
                fields=["id"],
                condition=models.Q(status="cancelled") | models.Q(payment_status="voided"),
                name="orders_that_do_not_count",
            ),
            models.Index(  # which currencies there are, and what has no rate
                fields=["currency", "placed_at"],
                condition=~models.Q(status="cancelled") & ~models.Q(payment_status="voided"),
                name="orders_by_currency",
            ),
            models.Index(fields=["-total_minor", "-id"], name="orders_by_total"),
            models.Index(
                fields=["-placed_at", "-id"],
                condition=models.Q(fulfilment_status__in=["unfulfilled", "partial"]),
                name="orders_not_sent",
            ),
            models.Index(fields=["-placed_at", "-id"], condition=models.Q(status="cancelled"), name="orders_cancelled"),
            models.Index(
                fields=["store", "external_id"], condition=~models.Q(external_id=""), name="orders_by_external_id"
            ),
            GinIndex(fields=["cart_keys"], condition=~models.Q(cart_keys=[]), name="orders_by_cart"),
        ]


class OrderLine(models.Model):
    """One line of an order; ``total_minor`` is rounded once, from quantity times unit price less its own discount."""

    privacy = {"sku": PrivacyClass.CLEAR, "title": PrivacyClass.CLEAR}

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey("catalog.Variant", on_delete=models.PROTECT, null=True, db_index=False)
    sku = models.CharField(max_length=120, blank=True)
    title = models.TextField(blank=True)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=18, decimal_places=6)
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_index=False, db_constraint=False)
    until_batch = models.ForeignKey(
        "events.Batch", on_delete=models.PROTECT, related_name="+", null=True, db_index=False, db_constraint=False
    )

    class Meta:
        indexes = [  # orders with a product are found in it alone
            models.Index(
                fields=["variant", "order"],
                condition=models.Q(until_batch__isnull=True),
                name="orders_lines_of_variant",
            )
        ]


class Refund(models.Model):
    """Money given back, on its own day; ``order`` is empty where the shop's record does not say which one it belongs to."""

    PREFIX: ClassVar[str] = "ref"
    privacy = {
        "number": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
        "reason": PrivacyClass.CLEAR,
        "order_name": PrivacyClass.CLEAR,
        "digest": PrivacyClass.TOKEN,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)
    number = models.CharField(max_length=80)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, related_name="refunds")
    profile = models.ForeignKey("customers.Profile", on_delete=models.PROTECT, null=True, db_index=False)
    occurred_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # positive: given back to the shopper
    reason = models.CharField(max_length=60, blank=True)
    order_name = models.CharField(
        max_length=84, blank=True, db_default=""
    )  # rules.order_name: how the source calls the order
    stated_at = models.DateTimeField(null=True)  # as of an order
    is_claimed = models.BooleanField(
        default=False, db_default=False
    )  # a tracker's word: counts while no platform states the order
    digest = models.BinaryField(max_length=16)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "number"], name="one_refund")]
        indexes = [
            models.Index(fields=["profile", "-occurred_at"], name="refunds_of_profile"),
            models.Index(fields=["-occurred_at", "-id"], name="refunds_newest"),
            models.Index(
                fields=["store", "order_name"],
                condition=models.Q(order__isnull=True) & ~models.Q(order_name=""),
                name="refunds_before_their_order",
            ),
        ]


class RefundLine(models.Model):
    """What came back; ``line`` only where it matches one line of the order exactly."""

    privacy = {"sku": PrivacyClass.CLEAR, "title": PrivacyClass.CLEAR}

    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.SET_NULL, null=True)
    variant = models.ForeignKey("catalog.Variant", on_delete=models.PROTECT, null=True)
    sku = models.CharField(max_length=120, blank=True)
    title = models.TextField(blank=True)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=18, decimal_places=6)
    total_minor = models.BigIntegerField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_index=False, db_constraint=False)


class Adjustment(models.Model):
    """A booking in the shop's ledger that is neither a sale nor a refund (bad debt, corrections): kept, never revenue."""

    privacy = {"number": PrivacyClass.CLEAR, "currency": PrivacyClass.CLEAR, "reason": PrivacyClass.CLEAR}

    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)
    number = models.CharField(max_length=80)
    occurred_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    reason = models.TextField(blank=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "number"], name="one_adjustment")]


class Payment(models.Model):
    """Money that moved for an order."""

    privacy = {
        "kind": PrivacyClass.CLEAR,
        "gateway": PrivacyClass.CLEAR,
        "status": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
        "reference": PrivacyClass.CLEAR,
    }

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments")
    kind = models.CharField(max_length=14)  # authorization, capture, sale, refund, void
    gateway = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=10)  # pending, success, failure
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    reference = models.CharField(max_length=120, blank=True)
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)
    until_batch = models.ForeignKey(
        "events.Batch", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )


class Fulfilment(models.Model):
    """A part of an order that left the house."""

    privacy = {
        "status": PrivacyClass.CLEAR,
        "carrier": PrivacyClass.CLEAR,
        "tracking_number": PrivacyClass.SEALED,
        "tracking_url": PrivacyClass.SEALED,
    }

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="fulfilments")
    status = models.CharField(max_length=20)
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.BinaryField(null=True)
    tracking_url = models.BinaryField(null=True)
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)
    until_batch = models.ForeignKey(
        "events.Batch", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )


class FulfilmentLine(models.Model):
    """Which lines, and how many of each, a fulfilment holds."""

    fulfilment = models.ForeignKey(Fulfilment, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE)
    quantity = models.IntegerField()


class OrderChange(models.Model):
    """A state that an order left: its columns as they were before the batch that changed them. ``sealed`` is bound to the order's own cell."""

    privacy = {"before": PrivacyClass.CLEAR, "changed": PrivacyClass.CLEAR, "sealed": PrivacyClass.SEALED}

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="changes")
    before = models.JSONField()  # column -> value, amounts in minor units
    changed = models.JSONField()  # names of the columns that differ now
    sealed = models.BinaryField(null=True)
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)


class RefundChange(models.Model):
    """A state that a refund left, its lines included; so that an import can be undone."""

    privacy = {"before": PrivacyClass.CLEAR}

    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, related_name="changes")
    before = models.JSONField()  # column -> value; 'lines' -> list of rows
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)


class Figures(models.Model):
    """A fold of orders and refunds in the reporting currency, at the rate of each one's day."""

    currency = models.CharField(max_length=3)
    order_count = models.IntegerField()
    spent_minor = models.BigIntegerField()  # totals of orders that count
    refunded_minor = models.BigIntegerField()
    first_order_at = models.DateTimeField(null=True)
    last_order_at = models.DateTimeField(null=True)
    unconverted_count = models.IntegerField(
        default=0
    )  # orders and refunds left out of the sums: no rate for their currency

    class Meta:
        abstract = True


class StoreFigures(Figures):
    """Cached fold of a customer's orders and refunds in one store; rebuilt by ``operations.refresh_figures``."""

    privacy = {"currency": PrivacyClass.CLEAR}

    pk = models.CompositePrimaryKey("customer_id", "store_id")
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.CASCADE, related_name="store_figures", db_index=False
    )
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [
            models.Index(  # who bought for the first time and who again is read from it alone; as below for all stores
                fields=["store", "-last_order_at", "-customer"],
                include=["first_order_at"],
                name="store_figures_by_last_order",
            ),
            models.Index(fields=["store", "-spent_minor", "-customer"], name="store_figures_by_spent"),
            models.Index(fields=["store", "-order_count", "-customer"], name="store_figures_by_orders"),
        ]


class CustomerFigures(Figures):
    """What a customer's ``StoreFigures`` add up to, over all stores."""

    privacy = {"currency": PrivacyClass.CLEAR}

    customer = models.OneToOneField(
        "customers.Customer", on_delete=models.CASCADE, primary_key=True, related_name="figures"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["-last_order_at", "-customer"], include=["first_order_at"], name="figures_by_last_order"
            ),
            models.Index(fields=["-spent_minor", "-customer"], name="figures_by_spent"),
            models.Index(fields=["-order_count", "-customer"], name="figures_by_orders"),
        ]
