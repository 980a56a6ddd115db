"""What shoppers want and think of products, short of buying them: wishlists, searches, reviews, coupons that they tried."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from regulars.foundation.privacy import PrivacyClass


class WishlistItem(models.Model):
    """One thing on one wishlist of a profile, or that was on it. It is on it unless it was taken off after it was put on last.

    Both times are the latest that were said, so that the row is the same whatever the order in which calls come in.
    """

    privacy = {
        "list_key": PrivacyClass.CLEAR,
        "item_key": PrivacyClass.CLEAR,
        "product_key": PrivacyClass.CLEAR,
        "sku": PrivacyClass.CLEAR,
        "title": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
    }

    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE, db_index=False)
    list_key = models.CharField(max_length=120, blank=True)  # the shop's own; '' where it has one list a person
    item_key = models.CharField(max_length=120)  # sku, else the product's key, else the title: as in carts
    product_key = models.CharField(max_length=120, blank=True)
    sku = models.CharField(max_length=120, blank=True)
    title = models.TextField(blank=True)
    unit_price = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    currency = models.CharField(max_length=3)
    added_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)  # that made the row

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "list_key", "item_key"], name="one_wish")]


class Search(models.Model):
    """What somebody searched the shop for, and how often. The words are sealed: people type names and addresses too."""

    privacy = {"token": PrivacyClass.TOKEN, "words": PrivacyClass.SEALED}

    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE, db_index=False)
    token = models.BinaryField(max_length=16)  # of profile and words, in no case: the same search again is counted
    words = models.BinaryField()
    count = models.IntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)  # that made the row

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "token"], name="one_search")]
        indexes = [models.Index(fields=["profile", "-last_at"], name="searches_of_profile")]


class Review(models.Model):
    """What somebody says of a product, as it was stated last; what only a browser says gives way to what a server says."""

    privacy = {"key": PrivacyClass.CLEAR, "product_key": PrivacyClass.CLEAR, "body": PrivacyClass.SEALED}

    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE, db_index=False)
    key = models.CharField(max_length=120)  # the shop's own of the review, else of the product: one review each
    product_key = models.CharField(max_length=120, blank=True)
    rating = models.DecimalField(max_digits=5, decimal_places=2, null=True)  # as the shop counts: of 5 stars, mostly
    body = models.BinaryField(null=True)
    is_claimed = models.BooleanField()  # browsers alone speak of it
    written_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)  # that made the row

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "key"], name="one_review")]
        indexes = [models.Index(fields=["product_key"], name="reviews_of_product")]


class CouponStep(models.TextChoices):
    """What the e-commerce spec tells of a code at the checkout. Of two at one moment, the later in this list counts."""

    ENTERED = "entered", _("entered")
    DENIED = "denied", _("denied")
    REMOVED = "removed", _("taken off again")
    APPLIED = "applied", _("applied")


class TriedCoupon(models.Model):
    """A coupon code that somebody tried at the checkout, and the latest moment of each thing that became of it.

    Each time is the latest that was said, so that the row is the same whatever the order in which calls come in. Which orders a code
    was used in, orders say themselves.
    """

    privacy = {"name": PrivacyClass.CLEAR, "code": PrivacyClass.CLEAR, "currency": PrivacyClass.CLEAR}

    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE, db_index=False)
    name = models.CharField(max_length=240)  # the code as codes are compared (``coupons.rules.name_of``)
    code = models.CharField(max_length=120)  # as it was written, in capitals where anybody wrote it so
    entered_at = models.DateTimeField(null=True)
    denied_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    discount = models.DecimalField(max_digits=18, decimal_places=6, null=True)  # when it was applied last
    currency = models.CharField(max_length=3, blank=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)  # that made the row

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "name"], name="one_tried_coupon")]
        indexes = [models.Index(fields=["name"], name="tries_of_coupon")]
