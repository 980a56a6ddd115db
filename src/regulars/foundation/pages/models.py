"""Views of lists that readers keep, and what is done to many rows of a list."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from regulars.foundation.ids import new_uid, to_public
from regulars.foundation.privacy import PrivacyClass


class SavedView(models.Model):
    """Filters, order and columns of one list under a name. ``path`` is the list's address, ``query`` what follows it.

    What was searched for is not kept: it may be somebody's name.
    """

    PREFIX: ClassVar[str] = "view"
    privacy = {"path": PrivacyClass.CLEAR, "name": PrivacyClass.CLEAR, "query": PrivacyClass.CLEAR}

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    path = models.TextField()
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True)
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["staff", "path", "name"], name="one_view_of_a_name")]
        indexes = [models.Index(fields=["path"], name="views_of_a_list")]

    @property
    def public_id(self) -> str:
        return to_public(self.PREFIX, self.uid)

    @property
    def href(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


class BulkRun(models.Model):
    """One thing that is done to many rows in the background: what, on whose behalf, and how far it is."""

    privacy = {"action": PrivacyClass.CLEAR, "word": PrivacyClass.CLEAR, "store_ids": PrivacyClass.CLEAR}

    task = models.OneToOneField("work.Task", on_delete=models.CASCADE)
    action = models.TextField()  # 'customers.tag'
    word = models.CharField(max_length=200, blank=True)  # what was typed for it, such as the tag
    staff_id = models.BigIntegerField()
    store_ids = ArrayField(models.BigIntegerField(), null=True)  # that they chose from; null: all
    total = models.BigIntegerField()
    done = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class BulkSlice(models.Model):
    """Rows of a run that are still to be done, as many as go in one transaction; deleted in it."""

    privacy = {"ids": PrivacyClass.CLEAR}

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="slices")
    ids = ArrayField(models.BigIntegerField())
