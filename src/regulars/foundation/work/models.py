"""Long work that people watch (imports, exports, recomputations), and leases of the loops."""

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class Task(models.Model):
    """One piece of long work with its progress: what the bell shows. The doing is a Procrastinate job with this row's id."""

    privacy = {
        "kind": PrivacyClass.CLEAR,
        "title": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "unit": PrivacyClass.CLEAR,
        "sentence": PrivacyClass.CLEAR,
        "link": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    kind = models.TextField()
    title = models.TextField()
    state = models.CharField(max_length=12, default="waiting")  # waiting, running, done, failed
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    unit = models.TextField(default="rows")
    sentence = models.TextField(blank=True)  # how it ended, for a person
    link = models.TextField(blank=True)
    staff_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="task_newest")]


class Lease(models.Model):
    """Who drives a loop until when; every take-over raises the fence, and a write under an older fence is refused."""

    privacy = {"name": PrivacyClass.CLEAR, "owner": PrivacyClass.CLEAR}

    name = models.TextField(primary_key=True)
    owner = models.TextField()
    fence = models.BigIntegerField(default=0)
    until = models.DateTimeField()
