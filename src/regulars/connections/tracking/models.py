"""Keys under which shops and shoppers' browsers send events, and what of it was not taken as it came."""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid, to_public
from regulars.foundation.privacy import PrivacyClass


class KeyKind(models.TextChoices):
    """``browser`` keys are public: what they say is claimed. ``server`` keys are secret, and confirm."""

    BROWSER = "browser"
    SERVER = "server"


class TrackingKey(models.Model):
    """A write key of one store. Of its secret only the SHA-256 is kept; ``prefix`` finds it."""

    PREFIX: ClassVar[str] = "key"
    privacy = {
        "name": PrivacyClass.STAFF,
        "kind": PrivacyClass.CLEAR,
        "prefix": PrivacyClass.CLEAR,
        "secret_hash": PrivacyClass.TOKEN,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=KeyKind)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT)
    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return to_public(self.PREFIX, self.uid)

    @property
    def source(self) -> str:
        """How the inbox and the log name what comes under this key."""
        return f"tracking:{self.pk}"

    @property
    def is_server(self) -> bool:
        return self.kind == KeyKind.SERVER


class Refusal(models.Model):
    """Calls of one key and day that were not recorded, or recorded with a mark, by reason. Nothing of the calls themselves: the
    newest one is opened in the inbox."""

    privacy = {
        "call": PrivacyClass.CLEAR,
        "event": PrivacyClass.CLEAR,
        "reason": PrivacyClass.CLEAR,
        "fields": PrivacyClass.CLEAR,
    }

    key = models.ForeignKey(TrackingKey, on_delete=models.CASCADE, related_name="refusals")
    day = models.DateField()
    call = models.CharField(max_length=10, blank=True)  # track, identify ...
    event = models.CharField(max_length=60, blank=True)  # name in the e-commerce spec; other names are the sender's
    reason = models.CharField(max_length=60)
    fields = models.CharField(max_length=500, blank=True)  # of the spec, where they were of another type
    is_recorded = models.BooleanField()
    count = models.BigIntegerField()
    newest_item = models.BigIntegerField()
    newest_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "day", "call", "event", "reason", "fields"], name="one_refusal_a_day_and_reason"
            )
        ]
