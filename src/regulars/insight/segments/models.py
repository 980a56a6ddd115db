"""Segments and who is in them since when.

A definition is typed JSON. Of its conditions there is one so far, ``{"rfm": {"segment": "champions"}}``; the language that nests and
combines conditions is written around such leaves (``rules.parse_definition`` is the place).
"""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class Segment(models.Model):
    """A named group of customers. ``key`` is what workflows and the API name it by and never changes."""

    PREFIX: ClassVar[str] = "seg"
    privacy = {
        "key": PrivacyClass.CLEAR,
        "name": PrivacyClass.CLEAR,
        "kind": PrivacyClass.CLEAR,
        "definition": PrivacyClass.CLEAR,
        "basis": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, default="rfm")
    definition = models.JSONField()
    created_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(
        null=True
    )  # moment of the newest snapshot that decides; an older one is refused
    position = models.BigIntegerField(default=0)  # of the log, up to which its memberships are complete
    basis = models.CharField(
        max_length=40, blank=True
    )  # thresholds, scale and currency that its memberships were decided by
    computed_at = models.DateTimeField(
        null=True
    )  # empty until its first computation is complete: entries until then are initial

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """The ledger: one row for each time that a customer was in a segment; closed by ``left_at``, never deleted.

    ``profile`` is the oldest profile of the customer when they entered. It is what the row is about; ``customer`` is who that
    profile belongs to now, and follows the map. ``reason`` and ``left_reason`` hold the snapshot and the values seen.
    """

    privacy = {"reason": PrivacyClass.CLEAR, "left_reason": PrivacyClass.CLEAR}

    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="memberships")
    profile = models.ForeignKey("customers.Profile", on_delete=models.PROTECT, db_index=False)
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, db_index=False)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    is_initial = models.BooleanField()
    reason = models.JSONField()
    left_reason = models.JSONField(null=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, related_name="+", db_index=False)
    until_batch = models.ForeignKey(
        "events.Batch", on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], condition=models.Q(left_at__isnull=True), name="in_a_segment_once"
            ),
            models.CheckConstraint(
                name="left_after_entering",
                condition=models.Q(left_at__isnull=True) | models.Q(left_at__gte=models.F("entered_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-entered_at"], name="memberships_of_customer"),
            models.Index(fields=["segment", "-entered_at", "-id"], name="members_newest"),
            models.Index(fields=["profile"], condition=models.Q(left_at__isnull=True), name="open_memberships"),
        ]
