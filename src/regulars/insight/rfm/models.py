"""RFM as published: each snapshot is immutable and holds the date, the policy, the cut points and everybody's scores."""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class RfmPolicy(models.Model):
    """Thresholds as staff saved them; the id is the version, and rows are never changed. No row: the published default, version 0."""

    privacy = {"rules": PrivacyClass.CLEAR}

    rules = models.JSONField()  # scale -> ordered rules (see rules.parse_rules)
    staff_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()


class RfmSnapshot(models.Model):
    """RFM of everybody at one moment, as it was known at one position of the log.

    ``counts`` caches folds of the scores: for each segment's number how many and their monetary sum, the same for each cell of the
    ``grid`` of recency and frequency, and the ``movement`` since a month before. ``regulars verify`` folds them again.
    """

    PREFIX: ClassVar[str] = "rfm"
    privacy = {
        "kind": PrivacyClass.CLEAR,
        "currency": PrivacyClass.CLEAR,
        "cut_points": PrivacyClass.CLEAR,
        "counts": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    kind = models.CharField(max_length=10)  # monthly, nightly, manual
    as_of = models.DateTimeField()
    position = models.BigIntegerField()
    policy_version = models.BigIntegerField()
    scale = models.SmallIntegerField()
    currency = models.CharField(max_length=3)
    cut_points = models.JSONField()
    customers = models.BigIntegerField()
    left_out_orders = models.BigIntegerField()  # without any identity
    left_out_minor = models.BigIntegerField()
    unrated_orders = models.BigIntegerField(
        default=0
    )  # in a currency that had no rate on their day: in frequency, not in monetary
    counts = models.JSONField()
    computed_at = models.DateTimeField()
    thinned_at = models.DateTimeField(null=True)  # its scores were dropped: only monthly ones are kept for good

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["as_of", "position", "policy_version", "scale", "currency"],
                condition=models.Q(thinned_at__isnull=True),
                name="one_rfm_snapshot",
            ),
        ]
        indexes = [models.Index(fields=["-as_of", "-position", "-id"], name="rfm_newest")]


class RfmScore(models.Model):
    """One customer's figures and scores in one snapshot. Written by ``COPY``, without checks of references: they would take longer than all
    the rest, and customers are never removed. No index begins with the customer, since every row would go to another page of it: one
    customer's rows are found by naming the snapshots too.
    """

    pk = models.CompositePrimaryKey("snapshot_id", "customer_id")
    snapshot = models.ForeignKey(
        RfmSnapshot, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="scores"
    )
    customer = models.ForeignKey("customers.Customer", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    recency_days = models.IntegerField()
    frequency = models.IntegerField()
    monetary_minor = models.BigIntegerField()
    r = models.SmallIntegerField()
    f = models.SmallIntegerField()
    m = models.SmallIntegerField()
    segment = models.SmallIntegerField()  # its number in rules.SEGMENTS

    class Meta:
        indexes = [
            models.Index(  # members of a segment or of a cell of the map, and what they spent, are read from it alone
                fields=["snapshot", "segment", "customer"],
                include=["r", "f", "m", "monetary_minor"],
                name="rfm_by_score",
            )
        ]
