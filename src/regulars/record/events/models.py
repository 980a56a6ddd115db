"""The log: everything that happened, in the order in which we knew it, and how far each reader has come.

Two clocks (docs/decisions/0002-two-clocks.md): ``occurred_at`` is the time in the world; the *position* is the place on the log at which
we knew it. Every row of the record that can decide something carries ``occurred_at`` and its ``batch``; the batch knows its positions.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from regulars.foundation.privacy import PrivacyClass


class Batch(models.Model):
    """One transaction that changed the record: who wrote, and which positions its events got.

    Drawn at the transaction's start, so that rows can carry it; the positions are filled in at its end, under the log's lock.
    Tables that grow fast do not have the database check it (``db_constraint=False``): see ``customers.CustomerProfile``.
    """

    privacy = {"source": PrivacyClass.CLEAR, "reference": PrivacyClass.CLEAR}

    source = models.CharField(max_length=20)  # import, staff, api, workflow, system
    reference = models.TextField(blank=True)  # id of the import, member of staff, token or run
    first_position = models.BigIntegerField(null=True)
    last_position = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["source", "reference"], name="batch_by_source"),
            models.Index(fields=["last_position"], name="batch_by_position"),
        ]


class EventKey(models.Model):
    """What has been recorded already: 16 bytes of hash of (source, its own id). Written first, so that a repetition changes nothing."""

    privacy = {"key": PrivacyClass.TOKEN}

    key = models.BinaryField(primary_key=True, max_length=16)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [BrinIndex(fields=["recorded_at"], name="event_key_by_time")]


class Event(models.Model):
    """One thing that happened. The table is partitioned by ``recorded_at`` and made by hand in 0002_partitions. Rows are
    changed by an erasure, and where staff declare a property of an own event (``own_events``)."""

    privacy = {"kind": PrivacyClass.CLEAR, "data": PrivacyClass.CLEAR, "sealed": PrivacyClass.SEALED}

    pk = models.CompositePrimaryKey("recorded_at", "position")
    position = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    occurred_at = models.DateTimeField()
    kind = models.TextField()  # 'order.placed'; the typed events stand in each module's events.py
    batch_id = models.BigIntegerField()
    profile_id = models.BigIntegerField(null=True)
    shard = models.SmallIntegerField()
    subject_id = models.BigIntegerField(
        null=True
    )  # row of the record that it is about: order, cart, product, message ...
    is_history = models.BooleanField(default=False)  # imported history: starts no workflow
    data = models.JSONField(default=dict)
    sealed = models.BinaryField(null=True)


class ReaderPosition(models.Model):
    """How far one reader has come in one shard; committed together with the reader's effects."""

    privacy = {"reader": PrivacyClass.CLEAR}

    reader = models.TextField()
    shard = models.SmallIntegerField()
    position = models.BigIntegerField(default=0)
    failures = models.SmallIntegerField(default=0)  # in a row, at the event after ``position``

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "shard"], name="one_position_a_shard")]


class ParkedEvent(models.Model):
    """An event on which a reader failed three times, or a later one of the same customer; replayed from the browser."""

    privacy = {"reader": PrivacyClass.CLEAR, "reason": PrivacyClass.CLEAR}

    reader = models.TextField()
    position = models.BigIntegerField()
    profile_id = models.BigIntegerField(null=True)
    reason = models.TextField()
    attempts = models.SmallIntegerField(default=0)  # how often the reader failed on it; 0: it only waits behind another
    parked_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "position"], name="parked_once")]
        indexes = [
            models.Index(
                fields=["reader", "profile_id"], condition=models.Q(replayed_at__isnull=True), name="parked_profiles"
            ),
        ]


class Tombstone(models.Model):
    """What a source says is gone: kept, so that nothing stated up to then brings it back, whenever it comes."""

    privacy = {"kind": PrivacyClass.CLEAR, "key": PrivacyClass.CLEAR, "reason": PrivacyClass.CLEAR}

    store_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)  # order, product, coupon
    key = models.CharField(max_length=130)  # the source's own, and how it is meant: 'id 5', 'number 1001'
    stated_at = models.DateTimeField()
    reason = models.CharField(max_length=60, blank=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store_id", "kind", "key"], name="one_tombstone")]
