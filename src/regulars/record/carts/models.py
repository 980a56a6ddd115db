"""What lies in the cart: open carts and checkouts, until they are ordered, abandoned or recovered."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class CartState(models.TextChoices):
    """``abandoned`` is decided by silence, ``recovered`` by an order after it, ``closed`` by the platform; ``merged`` went into another."""

    OPEN = "open"
    CHECKOUT = "checkout"
    ABANDONED = "abandoned"
    ORDERED = "ordered"
    RECOVERED = "recovered"
    CLOSED = "closed"
    MERGED = "merged"


LIVE = (CartState.OPEN, CartState.CHECKOUT, CartState.ABANDONED)
ORDERED = (CartState.ORDERED, CartState.RECOVERED)


class Cart(models.Model):
    """One cart of one profile. What lies in it is what was stated last with something in it; ``value_minor`` is 0 once it was emptied."""

    PREFIX: ClassVar[str] = "crt"
    privacy = {
        "key": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
        "recovery_url": PrivacyClass.SEALED,
        "touches": PrivacyClass.CLEAR,
        "empties": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=120)  # the shop's own: the first that was told; all of them are ``CartKey``
    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE, null=True, db_index=False)
    state = models.CharField(max_length=10, choices=CartState, default=CartState.OPEN)
    currency = models.CharField(max_length=3)
    value_minor = models.BigIntegerField(default=0)
    recovery_url = models.BinaryField(null=True)
    order = models.ForeignKey("orders.Order", on_delete=models.SET_NULL, null=True)
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()  # of the newest statement
    filled_at = models.DateTimeField(null=True)  # of the newest with something in it
    touches = ArrayField(
        models.DateTimeField(), default=list
    )  # of all statements, in no order: silences are found in them
    # Those of them by which nothing lay in it.
    empties = ArrayField(models.DateTimeField(), default=list, db_default=[])
    ordered_at = models.DateTimeField(null=True)
    is_told = models.BooleanField(
        default=False
    )  # that it was ordered was said of this very cart; else it follows from the order
    is_checkout = models.BooleanField(default=False)
    is_claimed = models.BooleanField(default=False, db_default=False)  # browsers alone speak of it
    is_history = models.BooleanField(default=False)  # stated by imported history: begins nothing
    merged_into = models.ForeignKey("self", on_delete=models.CASCADE, null=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="one_cart")]
        indexes = [
            models.Index(fields=["state", "changed_at"], name="carts_by_silence"),
            models.Index(fields=["profile", "-changed_at"], name="carts_of_profile"),
        ]


class CartKey(models.Model):
    """A name of a cart: the shop's token of the cart, of its checkout, or a tracker's."""

    privacy = {"key": PrivacyClass.CLEAR}

    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=120)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="keys")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="one_cart_key")]


class CartLine(models.Model):
    """What lies in a cart now."""

    privacy = {"sku": PrivacyClass.CLEAR, "title": PrivacyClass.CLEAR}

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey("catalog.Variant", on_delete=models.SET_NULL, null=True)
    sku = models.CharField(max_length=120, blank=True)
    title = models.TextField(blank=True)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=18, decimal_places=6)
