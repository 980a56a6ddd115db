"""What the shop sells: products, their variants and categories, and the history of price, cost and stock."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class Category(models.Model):
    """A shelf of the shop; shelves stand within shelves."""

    privacy = {"name": PrivacyClass.CLEAR}

    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "parent", "name"], nulls_distinct=False, name="one_category")
        ]


class Product(models.Model):
    """Something for sale, under the shop's own key. Its present price, cost and stock are folds of the histories below."""

    PREFIX: ClassVar[str] = "prd"
    privacy = {
        "key": PrivacyClass.CLEAR,
        "title": PrivacyClass.CLEAR,
        "brand_name": PrivacyClass.CLEAR,
        "status": PrivacyClass.CLEAR,
        "url": PrivacyClass.CLEAR,
        "image_url": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=120)  # the shop's own: handle, product id or stock code
    title = models.TextField(blank=True)
    brand_name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=12, default="active")  # active, draft, archived
    is_service = models.BooleanField(default=False)  # postage, fees, vouchers: sold, but nothing to recommend or stock
    url = models.TextField(blank=True)
    image_url = models.TextField(blank=True)
    categories = models.ManyToManyField(Category, blank=True)
    occurred_at = models.DateTimeField()
    stated_at = models.DateTimeField(null=True)  # of the newest statement, where its source says when it was so
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="one_product")]
        indexes = [GinIndex(SearchVector("key", "title", config="simple"), name="product_words")]


class Variant(models.Model):
    """One form in which a product is sold; every product has at least one."""

    privacy = {
        "sku": PrivacyClass.CLEAR,
        "title": PrivacyClass.CLEAR,
        "barcode": PrivacyClass.CLEAR,
        "key": PrivacyClass.CLEAR,
        "stock_key": PrivacyClass.CLEAR,
    }

    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    sku = models.CharField(max_length=120)
    key = models.CharField(
        max_length=120, blank=True, db_default=""
    )  # the platform's own; with it the sku may be anything
    stock_key = models.CharField(max_length=120, blank=True, db_default="")
    title = models.TextField(blank=True)
    barcode = models.CharField(max_length=60, blank=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "sku"], condition=models.Q(key=""), name="one_variant"),
            models.UniqueConstraint(fields=["product", "key"], condition=~models.Q(key=""), name="one_keyed_variant"),
        ]
        indexes = [
            models.Index(fields=["sku"], name="variant_by_sku"),
            models.Index(fields=["key"], condition=~models.Q(key=""), name="variant_by_key"),
            models.Index(fields=["stock_key"], condition=~models.Q(stock_key=""), name="variant_by_stock_key"),
        ]


class ProductChange(models.Model):
    """A state that a product left, its variants and categories included; so that an import can be undone."""

    privacy = {"before": PrivacyClass.CLEAR}

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="changes")
    before = models.JSONField()  # column -> value; 'categories' -> ids; 'variants' -> {id: [title, barcode]}
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)


class PriceEntry(models.Model):
    """What a variant is sold for from then on."""

    privacy = {"currency": PrivacyClass.CLEAR, "kind": PrivacyClass.CLEAR}

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE)
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=18, decimal_places=6)
    kind = models.CharField(max_length=10, default="list")  # list, compare-at, promo
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        indexes = [models.Index(fields=["variant", "kind", "-occurred_at"], name="price_newest")]


class CostEntry(models.Model):
    """What a variant costs the shop from then on."""

    privacy = {"currency": PrivacyClass.CLEAR}

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE)
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=18, decimal_places=6)
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        indexes = [models.Index(fields=["variant", "-occurred_at"], name="cost_newest")]


class StockEntry(models.Model):
    """How many of a variant were at a location at that moment (a count, not a movement)."""

    privacy = {"location": PrivacyClass.CLEAR}

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE)
    location = models.CharField(max_length=60, blank=True)
    on_hand = models.IntegerField()
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        indexes = [models.Index(fields=["variant", "location", "-occurred_at"], name="stock_newest")]
