"""Imports from files: what was handed in, how it was read, how far it came and what it did."""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class ImportState(models.TextChoices):
    """Where an import stands; ``done`` and ``failed`` can be undone."""

    CHECKING = "checking"  # every line of a list is looked at; then it is staged
    STAGED = "staged"  # sealed copy and guesses are there; nothing else has happened
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # stopped; can be continued while its copy is kept
    UNDOING = "undoing"
    UNDONE = "undone"


class Import(models.Model):
    """One file that was accepted. What it wrote carries batches of source 'import' with this row's public id."""

    PREFIX: ClassVar[str] = "imp"
    privacy = {
        "kind": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "layout": PrivacyClass.CLEAR,
        "sealed_name": PrivacyClass.SEALED,
        "sha256": PrivacyClass.CLEAR,
        "master_id": PrivacyClass.CLEAR,
        "wrapped_key": PrivacyClass.CLEAR,
        "format": PrivacyClass.CLEAR,
        "options": PrivacyClass.CLEAR,
        "counts": PrivacyClass.CLEAR,
        "undone": PrivacyClass.CLEAR,
        "sentence": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT)
    kind = models.CharField(max_length=12)  # orders, customers, products, consent, list
    layout = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.STAGED)
    sealed_name = models.BinaryField(default=b"")  # what the file was called, under the import's key
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    master_id = models.TextField()  # the staged copy and the reject file are sealed under a key of their own
    wrapped_key = models.BinaryField()
    format = models.JSONField()  # sniff.Format: encoding, separator, decimal, date order, each with its evidence
    options = models.JSONField()  # mapping, currency, time zone, shift of dates
    row_count = models.BigIntegerField()  # data rows of the file
    units_applied = models.BigIntegerField(
        default=0
    )  # orders, people ... taken up so far; commits with what they wrote
    counts = models.JSONField(default=dict)  # rows by what became of them, and what the record gained
    undone = models.JSONField(default=dict)  # operations.undoing.Undoing: how far an undo has come
    sentence = models.TextField(blank=True)  # how it ended, or what must be mapped before it can begin; for a person
    task = models.ForeignKey("work.Task", on_delete=models.SET_NULL, null=True)
    staff_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)  # when its latest batch began
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="imports_newest")]


class RejectedRows(models.Model):
    """Rows that one batch of an import skipped or altered: lines of the reject file, sealed under the import's key."""

    privacy = {"lines": PrivacyClass.SEALED}

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rejected")
    first_unit = models.BigIntegerField()  # units applied before the batch
    row_count = models.IntegerField()
    lines = models.BinaryField()  # JSON: [[line, 'skipped' or 'altered', reason, [cells]], ...]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "first_unit"], name="one_reject_a_batch")]
