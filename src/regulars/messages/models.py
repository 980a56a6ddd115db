"""What is said: templates with their immutable versions, and the ledger of every message that was ever planned."""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass
from regulars.record.consent.models import Channel


class MessageTemplate(models.Model):
    """A mail as staff write it; ``live`` is the version that is sent from now on."""

    PREFIX: ClassVar[str] = "tpl"
    privacy = {"key": PrivacyClass.CLEAR, "name": PrivacyClass.CLEAR, "topic": PrivacyClass.CLEAR}

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    key = models.SlugField(max_length=80, unique=True)
    name = models.TextField()
    topic = models.CharField(max_length=40, default="marketing")
    is_marketing = models.BooleanField(default=True)
    live = models.ForeignKey("MessageTemplateVersion", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class MessageTemplateVersion(models.Model):
    """An immutable edition: Liquid in MJML, together with the layout that it stood in."""

    privacy = {
        "subject": PrivacyClass.CLEAR,
        "preheader": PrivacyClass.CLEAR,
        "body": PrivacyClass.CLEAR,
        "layout": PrivacyClass.CLEAR,
    }

    template = models.ForeignKey(MessageTemplate, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField()
    subject = models.TextField()
    preheader = models.TextField(blank=True)
    body = models.TextField()
    layout = models.TextField()
    staff_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="one_template_version")]


class MessageState(models.TextChoices):
    """SENDING is committed before the mail is handed over; UNKNOWN: the process died in between, and nobody can tell."""

    PLANNED = "planned", "Planned"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Not known"
    HELD = "held", "Held back"
    SKIPPED = "skipped", "Not sent"


class Message(models.Model):
    """One intent to write to one person, once: ``effect_key`` names it, and is in the mail's Message-ID.

    What was sent is kept as template version and sealed rendering context (``sending.context``); rendering it again gives the same bytes,
    which ``digest`` proves.
    """

    PREFIX: ClassVar[str] = "msg"
    privacy = {
        "effect_key": PrivacyClass.CLEAR,
        "node": PrivacyClass.CLEAR,
        "topic": PrivacyClass.CLEAR,
        "channel": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "reason": PrivacyClass.CLEAR,
        "sentence": PrivacyClass.CLEAR,
        "address": PrivacyClass.TOKEN,
        "context": PrivacyClass.SEALED,
        "digest": PrivacyClass.TOKEN,
        "reply": PrivacyClass.CLEAR,
        "lease_owner": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    effect_key = models.BinaryField(max_length=16, unique=True)
    run = models.ForeignKey("workflows.Run", on_delete=models.PROTECT, null=True)
    node = models.TextField(blank=True, default="")  # step of the run that planned it
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, db_index=False)
    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE, db_index=False)
    brand = models.ForeignKey("shop.Brand", on_delete=models.PROTECT, db_index=False)
    template = models.ForeignKey(MessageTemplate, on_delete=models.PROTECT, db_index=False)
    version = models.ForeignKey(MessageTemplateVersion, on_delete=models.PROTECT, null=True, db_index=False)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL)
    topic = models.CharField(max_length=40)
    is_marketing = models.BooleanField()
    state = models.CharField(max_length=8, choices=MessageState, default=MessageState.PLANNED)
    reason = models.CharField(
        max_length=40, blank=True, default=""
    )  # code of why it is held, skipped, failed or may be sent
    sentence = models.TextField(blank=True, default="")  # the same for a person
    planned_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # useless afterwards: a mail about yesterday's news is worse than none
    address = models.BinaryField(max_length=16, null=True)
    context = models.BinaryField(null=True)
    digest = models.BinaryField(max_length=16, null=True)
    attempts = models.SmallIntegerField(default=0)
    lease_owner = models.TextField(blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    sending_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    reply = models.TextField(blank=True, default="")  # what the mail server said, addresses taken out
    batch_id = models.BigIntegerField(null=True)  # batch of the log that decided it

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="what_was_handed_over_is_kept",
                condition=~models.Q(state__in=["sending", "sent", "unknown"])
                | models.Q(
                    version__isnull=False,
                    context__isnull=False,
                    digest__isnull=False,
                    address__isnull=False,
                    sending_at__isnull=False,
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=models.Q(state="planned"), name="message_due"),
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="message_sending"),
            models.Index(fields=["expires_at"], condition=models.Q(state="held"), name="message_held"),
            models.Index(fields=["customer", "-planned_at"], name="message_of_customer"),
            models.Index(fields=["-planned_at", "-id"], name="message_newest"),
            models.Index(fields=["state", "-planned_at", "-id"], name="message_by_state"),
        ]
