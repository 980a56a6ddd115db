"""The shop itself: its stores, the brands under whose name it writes, its settings and the rates of its currencies."""

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class Brand(models.Model):
    """The sender under whose name people are written to."""

    privacy = {
        "name": PrivacyClass.CLEAR,
        "from_name": PrivacyClass.CLEAR,
        "from_address": PrivacyClass.CLEAR,
        "postal_address": PrivacyClass.CLEAR,
        "website": PrivacyClass.CLEAR,
    }

    name = models.TextField(unique=True)
    from_name = models.TextField()
    from_address = models.EmailField()
    postal_address = models.TextField(blank=True)
    website = models.URLField(blank=True)


class Store(models.Model):
    """One shop or sales channel; its numbers (orders, customers) are unique within it."""

    privacy = {
        "code": PrivacyClass.CLEAR,
        "name": PrivacyClass.CLEAR,
        "time_zone": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    code = models.SlugField(unique=True)
    name = models.TextField()
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT)
    time_zone = models.TextField(default="UTC")
    currency = models.CharField(max_length=3)

    def __str__(self) -> str:
        return self.name


class Setting(models.Model):
    """One setting that staff change in the browser; ``settings.py`` knows their names, types and defaults."""

    privacy = {"name": PrivacyClass.CLEAR, "value": PrivacyClass.CLEAR}

    name = models.TextField(primary_key=True)
    value = models.JSONField()
    changed_at = models.DateTimeField()


class ExchangeRate(models.Model):
    """From a day on, one unit of ``currency`` is worth ``rate`` units of ``reporting_currency``, until a later day says otherwise."""

    privacy = {
        "currency": PrivacyClass.CLEAR,
        "reporting_currency": PrivacyClass.CLEAR,
        "source": PrivacyClass.CLEAR,
    }

    currency = models.CharField(max_length=3)
    reporting_currency = models.CharField(max_length=3)
    on = models.DateField()
    rate = models.DecimalField(max_digits=24, decimal_places=12)
    source = models.CharField(max_length=60, blank=True)  # who said so: a bank, a file, a member of staff

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reporting_currency", "currency", "on"], name="one_rate_a_day"),
            models.CheckConstraint(name="rate_is_positive", condition=models.Q(rate__gt=0)),
        ]
