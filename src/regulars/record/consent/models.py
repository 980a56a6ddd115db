"""Whom we may write to: append-only ledgers of consent and suppression, by address (docs/decisions/0004-personal-data.md)."""

from django.db import models

from regulars.foundation.privacy import PrivacyClass


class Channel(models.TextChoices):
    """How a person can be written to."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class ConsentState(models.TextChoices):
    """What one entry says. An import without proof is UNKNOWN, which means no marketing."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


class ConsentEntry(models.Model):
    """What a person said, or what a source says that they said, about one brand, channel, topic and address."""

    privacy = {
        "address": PrivacyClass.TOKEN,
        "channel": PrivacyClass.CLEAR,
        "topic": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "method": PrivacyClass.CLEAR,
        "proof": PrivacyClass.SEALED,
        "text_hash": PrivacyClass.CLEAR,
        "source": PrivacyClass.CLEAR,
    }

    profile_id = models.BigIntegerField(null=True)
    brand = models.ForeignKey("shop.Brand", on_delete=models.PROTECT)
    address = models.BinaryField(max_length=16)  # blind index, as the identity's
    channel = models.CharField(max_length=10, choices=Channel)
    topic = models.CharField(max_length=40, default="marketing")
    state = models.CharField(max_length=10, choices=ConsentState)
    method = models.CharField(max_length=30)  # checkout, form, double opt-in, import, staff, one-click, api
    proof = models.BinaryField(null=True)  # sealed JSON: source, address of the computer, double opt-in
    text_hash = models.CharField(max_length=64, blank=True)  # SHA-256 of the words that were agreed to
    source = models.CharField(
        max_length=40, blank=True, db_default=""
    )  # the connection that said it; '' for our own pages, staff, files
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT)

    class Meta:
        indexes = [
            models.Index(fields=["address", "brand", "channel", "topic", "-occurred_at", "-id"], name="consent_newest")
        ]


class SuppressionEntry(models.Model):
    """An address that nothing may be sent to from then on (or may again, when lifted). Outlives erasure: it holds only a keyed hash."""

    privacy = {"address": PrivacyClass.TOKEN, "channel": PrivacyClass.CLEAR, "reason": PrivacyClass.CLEAR}

    address = models.BinaryField(max_length=16)
    channel = models.CharField(max_length=10, choices=Channel)
    is_on = models.BooleanField()
    reason = models.CharField(
        max_length=30
    )  # do not contact, hard bounce, complaint, unsubscribed from all, import, lifted
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT)

    class Meta:
        indexes = [models.Index(fields=["address", "channel", "-id"], name="suppression_newest")]


class DoNotContact(models.Model):
    """Staff's 'leave this person alone': holds for every present and future address of the customer's profiles. Latest entry counts."""

    privacy: dict[str, PrivacyClass] = {}

    profile_id = models.BigIntegerField()
    is_on = models.BooleanField()
    staff_id = models.BigIntegerField(null=True)
    occurred_at = models.DateTimeField()
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT)

    class Meta:
        indexes = [models.Index(fields=["profile_id", "-id"], name="do_not_contact_newest")]
