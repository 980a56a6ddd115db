"""Coupons: codes that a shopper types in at the checkout, and what they are worth."""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class CouponKind(models.TextChoices):
    """What a coupon does. ``other``: what the platform cannot say in these words (buy one, get one)."""

    PERCENT = "percent"
    FIXED = "fixed"
    FREE_SHIPPING = "free_shipping"
    OTHER = "other"


class CouponStatus(models.TextChoices):
    """As the platform says it; that a coupon has run out by its date or its limit is worked out when it is shown."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


class Coupon(models.Model):
    """One code of one store. ``amount`` is a percentage or money in whole units, by ``kind``."""

    PREFIX: ClassVar[str] = "cpn"
    privacy = {
        "code": PrivacyClass.CLEAR,
        "kind": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
        "status": PrivacyClass.CLEAR,
        "external_id": PrivacyClass.CLEAR,
        "description": PrivacyClass.CLEAR,
        "name": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT)
    code = models.CharField(max_length=120)  # as the platform writes it
    name = models.CharField(max_length=240)  # the code in no case: what shoppers type is compared with it
    kind = models.CharField(max_length=14, choices=CouponKind)
    amount = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    currency = models.CharField(max_length=3, blank=True)
    minimum = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    usage_limit = models.IntegerField(null=True)
    used = models.IntegerField(null=True)  # as the platform counts
    starts_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, choices=CouponStatus, default=CouponStatus.ACTIVE)
    external_id = models.CharField(max_length=120, blank=True)
    profile = models.ForeignKey("customers.Profile", on_delete=models.SET_NULL, null=True)  # for one customer only
    description = models.TextField(blank=True)
    stated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "name"], name="one_coupon")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="coupons_newest"),
            models.Index(fields=["store", "external_id"], name="coupons_by_external_id"),
        ]


class MakingState(models.TextChoices):
    """How far the making of a code is."""

    WAITING = "waiting"
    MADE = "made"
    FAILED = "failed"


class WantedCode(models.Model):
    """A code that a workflow's step made up for one customer, and that the customer's shop is to take. Once for each effect."""

    privacy = {
        "effect_key": PrivacyClass.TOKEN,
        "node": PrivacyClass.CLEAR,
        "code": PrivacyClass.CLEAR,
        "rule": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "problem": PrivacyClass.CLEAR,
    }

    effect_key = models.BinaryField(max_length=32, unique=True)
    run_id = models.BigIntegerField(db_index=True)  # the workflow's run and step: they stand on a floor above
    workflow_id = models.BigIntegerField(db_index=True)
    node = models.TextField()
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, null=True)
    profile = models.ForeignKey("customers.Profile", on_delete=models.SET_NULL, null=True)
    code = models.CharField(max_length=120)
    rule = models.JSONField()  # percent or amount and currency, minimum, free shipping; decimals as text
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=MakingState, default=MakingState.WAITING)
    tries = models.IntegerField(default=0)
    problem = models.TextField(blank=True)
    next_at = models.DateTimeField()
    planned_at = models.DateTimeField()
    coupon = models.ForeignKey(Coupon, on_delete=models.SET_NULL, null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=models.Q(state="waiting"), name="codes_to_make")]
