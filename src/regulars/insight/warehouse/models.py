"""The manifest of the warehouse: which immutable files make which snapshot, and up to which position of the log.

A file is published by the row that names it, after it got its final name; it is deleted a grace after no snapshot needs it any more.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from regulars.foundation.privacy import PrivacyClass


class WarehouseFile(models.Model):
    """One Parquet file. ``kind`` is 'rows' (versions of rows) or 'closings' (positions at which versions of older files ended)."""

    privacy = {"table": PrivacyClass.CLEAR, "kind": PrivacyClass.CLEAR, "name": PrivacyClass.CLEAR}

    table = models.TextField()
    kind = models.CharField(max_length=10)
    name = models.TextField(unique=True)  # inside the warehouse's folder
    rows = models.BigIntegerField()
    size = models.BigIntegerField()  # bytes
    is_open = models.BooleanField()  # all its versions still held when it was written
    written_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)  # from then on no new reader gets it


class WarehouseSnapshot(models.Model):
    """A readable state: all files together hold everything that was known at ``position``, which never falls."""

    privacy = {"files": PrivacyClass.CLEAR, "shapes": PrivacyClass.CLEAR}

    position = models.BigIntegerField()
    files = ArrayField(models.BigIntegerField())
    shapes = models.JSONField(default=dict)  # table -> ``WarehouseTable.shape``
    published_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-id"], name="warehouse_newest")]
