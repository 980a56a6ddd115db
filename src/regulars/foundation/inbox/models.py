"""What came from outside, as it came: stored and committed before it is acknowledged, read afterwards."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from regulars.foundation.privacy import PrivacyClass


class DayKey(models.Model):
    """The wrapped key that all bodies of one day (UTC) are sealed under. It goes with the day's partition: then no backup of the
    partition can be read either."""

    privacy = {"master_id": PrivacyClass.CLEAR, "wrapped": PrivacyClass.CLEAR}

    day = models.DateField(primary_key=True)
    master_id = models.TextField()
    wrapped = models.BinaryField()


class InputKey(models.Model):
    """What has come already: 16 bytes of hash of (source, its own id). Written first, so that a repetition stores nothing."""

    privacy = {"key": PrivacyClass.TOKEN}

    key = models.BinaryField(primary_key=True, max_length=16)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [BrinIndex(fields=["recorded_at"], name="input_key_by_time")]


class ForgottenWord(models.Model):
    """A keyed hash of an identifier of somebody who was erased, for as long as what came in before is kept: it is not read any more."""

    privacy = {"token": PrivacyClass.TOKEN}

    token = models.BinaryField(primary_key=True, max_length=16)
    forgotten_at = models.DateTimeField(db_index=True)


class ItemState(models.TextChoices):
    """``received``: stored and acknowledged, not read yet."""

    RECEIVED = "received"
    PARSED = "parsed"
    QUARANTINED = "quarantined"


class Item(models.Model):
    """One body from outside. The table is partitioned by ``received_at``, a day each, and made by hand in 0001_initial.

    Its real key is (id, received_at); ``id`` alone is drawn from a sequence and rises in the order of arrival within a source.
    """

    privacy = {
        "source": PrivacyClass.CLEAR,
        "kind": PrivacyClass.CLEAR,
        "key": PrivacyClass.TOKEN,
        "headers": PrivacyClass.SEALED,
        "body": PrivacyClass.SEALED,
        "state": PrivacyClass.CLEAR,
        "reason": PrivacyClass.CLEAR,
        "people": PrivacyClass.CLEAR,
    }

    id = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField()
    source = models.TextField()  # 'tracking:12': kept in order; sources are read in parallel
    kind = models.TextField()  # which parser reads it
    store_id = models.BigIntegerField(null=True)
    key = models.BinaryField(max_length=16)  # the sealed parts are bound to it
    headers = models.BinaryField()
    body = models.BinaryField(null=True)  # null: somebody whom it spoke of was erased
    size = models.IntegerField()  # bytes of the body, in clear where it came compressed
    state = models.TextField(choices=ItemState, default=ItemState.RECEIVED)
    attempts = models.SmallIntegerField(default=0)  # counted when it is taken, so that one that kills its reader counts
    reason = models.TextField(blank=True)  # why it is in quarantine: a sentence of ours, nothing from the body
    people = ArrayField(models.BigIntegerField(), default=list)  # profiles that it spoke of
    read_at = models.DateTimeField(null=True)


class Frame(models.Model):
    """A piece of a file from outside, sealed under a key of whoever took the file in. Partitioned by ``received_at`` as items are, and made
    by hand in 0005_frames.py. All frames of a file bear the moment at which it came, so that they lie, and go, together.
    """

    privacy = {"body": PrivacyClass.SEALED}

    pk = models.CompositePrimaryKey("file", "number", "received_at")
    file = models.UUIDField()
    number = models.IntegerField()
    received_at = models.DateTimeField()
    is_last = models.BooleanField()  # sealed into the body too
    body = models.BinaryField()
