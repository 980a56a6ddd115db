"""Segments and who is in them since when.

A segment of kind ``conditions`` is defined in the condition language (``insight.conditions``), one of kind ``rfm`` by its place among the
eleven. Membership is a ledger; ``Wake`` says when time alone may change it, ``Deviation`` where a full refresh found it wrong.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class SegmentKind(models.TextChoices):
    """What decides it: the newest RFM snapshot, or conditions."""

    RFM = "rfm"
    CONDITIONS = "conditions"


class Segment(models.Model):
    """A named group of customers. ``key`` is what workflows and the API name it by and never changes.

    ``version`` is the newest definition, ``decided`` the one by which its memberships are kept: while they differ, it is being computed.
    """

    PREFIX: ClassVar[str] = "seg"
    privacy = {
        "key": PrivacyClass.CLEAR,
        "name": PrivacyClass.CLEAR,
        "kind": PrivacyClass.CLEAR,
        "definition": PrivacyClass.CLEAR,
        "basis": PrivacyClass.CLEAR,
        "description": PrivacyClass.CLEAR,
        "event_kinds": PrivacyClass.CLEAR,
        "segment_keys": PrivacyClass.CLEAR,
        "problem": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, db_default="")
    kind = models.CharField(max_length=12, choices=SegmentKind, default=SegmentKind.RFM)
    definition = models.JSONField()
    version = models.IntegerField(default=1, db_default=1)
    decided = models.IntegerField(default=0, db_default=0)
    event_kinds = ArrayField(models.TextField(), default=list, db_default=[])  # events after which it is decided anew
    segment_keys = ArrayField(models.TextField(), default=list, db_default=[])  # segments that its conditions name
    is_archived = models.BooleanField(default=False, db_default=False)
    problem = models.TextField(blank=True, db_default="")  # why its last computation failed, as a sentence
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


class SegmentVersion(models.Model):
    """A definition that a segment had, from then on. ``starts_workflows``: whether those who entered by this change were new to workflows."""

    privacy = {"definition": PrivacyClass.CLEAR}

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField()
    definition = models.JSONField()
    starts_workflows = models.BooleanField(default=False)
    staff_id = models.BigIntegerField(null=True)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "number"], name="one_version_of_a_number")]


class Wake(models.Model):
    """The earliest moment at which time alone may change whether a customer is in a segment. Of those within the horizon only: the next
    full refresh finds the others (docs/segments.md).
    """

    privacy: ClassVar[dict[str, PrivacyClass]] = {}

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, db_index=False)
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "customer"], name="one_wake")]
        indexes = [models.Index(fields=["at"], name="wakes_due")]


class Postponed(models.Model):
    """Whom scores put into a segment on a day on which enough others had entered by them: they come on another day."""

    privacy: ClassVar[dict[str, PrivacyClass]] = {}

    pk = models.CompositePrimaryKey("segment_id", "customer_id")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, db_index=False)
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE)


class Deviation(models.Model):
    """A membership that a full refresh found wrong and mended, and that no rule explains: a defect, shown to whoever runs the house."""

    privacy: ClassVar[dict[str, PrivacyClass]] = {}

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE)
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE)
    was_in = models.BooleanField()
    found_at = models.DateTimeField()
    position = models.BigIntegerField()  # of the log, at which the refresh looked

    class Meta:
        indexes = [models.Index(fields=["-found_at"], name="deviations_newest")]


class SegmentDraft(models.Model):
    """A definition that a member of staff is building, with every state that it had: what was done can be undone, also after a reload."""

    PREFIX: ClassVar[str] = "dft"
    privacy = {
        "name": PrivacyClass.CLEAR,
        "description": PrivacyClass.CLEAR,
        "states": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    staff_id = models.BigIntegerField()
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, null=True)  # none: it is to be a new one
    version = models.IntegerField(default=0)  # of the segment, that it was begun from
    name = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    states = models.JSONField()  # definitions without their version, oldest first
    place = models.IntegerField(default=0)  # which of them is shown
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["staff_id", "-changed_at"], name="drafts_newest")]
