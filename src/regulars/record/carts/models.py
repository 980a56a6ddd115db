"""What lies in the cart: open carts and checkouts, until they are ordered, abandoned or recovered."""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class CartState(models.TextChoices):
    """``abandoned`` is decided by silence, ``recovered`` by an order after it."""

    OPEN = "open"
    CHECKOUT = "checkout"
    ABANDONED = "abandoned"
    ORDERED = "ordered"
    RECOVERED = "recovered"


class Cart(models.Model):
    """One cart of one profile; its row is the fold of its events."""

    PREFIX: ClassVar[str] = "crt"
    privacy = {
        "key": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
        "recovery_url": PrivacyClass.SEALED,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT)
    key = models.CharField(max_length=120)  # the shop's own
    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE, null=True)
    state = models.CharField(max_length=10, choices=CartState, default=CartState.OPEN)
    currency = models.CharField(max_length=3)
    value_minor = models.BigIntegerField(default=0)
    recovery_url = models.BinaryField(null=True)
    order = models.ForeignKey("orders.Order", on_delete=models.SET_NULL, null=True)
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="one_cart")]
        indexes = [models.Index(fields=["state", "changed_at"], name="carts_by_silence")]


class CartLine(models.Model):
    """What lies in a cart now."""

    privacy = {"sku": PrivacyClass.CLEAR, "title": PrivacyClass.CLEAR}

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey("catalog.Variant", on_delete=models.SET_NULL, null=True)
    sku = models.CharField(max_length=120, blank=True)
    title = models.TextField(blank=True)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=18, decimal_places=6)
