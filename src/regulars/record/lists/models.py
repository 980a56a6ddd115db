"""Lists that staff keep by hand or by upload, and who was put on them when."""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class CustomerList(models.Model):
    """A named list of customers. ``key`` is what conditions and the API name it by and never changes. It says nothing of consent."""

    PREFIX: ClassVar[str] = "lst"
    privacy = {"key": PrivacyClass.CLEAR, "name": PrivacyClass.CLEAR}

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    is_archived = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    staff_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return self.name


class ListMember(models.Model):
    """The ledger: one row for each time that a profile was put on a list. Its end is all that is ever written to it later.

    A customer is on a list while one of their profiles is. The batches say who put them on and took them off.
    """

    privacy: ClassVar[dict[str, PrivacyClass]] = {}

    list = models.ForeignKey(CustomerList, on_delete=models.PROTECT, related_name="members", db_index=False)
    profile = models.ForeignKey("customers.Profile", on_delete=models.PROTECT)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, related_name="+")
    until_batch = models.ForeignKey(
        "events.Batch", on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["list", "profile"], condition=models.Q(until_batch__isnull=True), name="on_a_list_once"
            ),
            models.CheckConstraint(
                name="off_after_on",
                condition=models.Q(removed_at__isnull=True, until_batch__isnull=True)
                | models.Q(removed_at__gte=models.F("added_at"), until_batch__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["list", "-added_at", "-id"], name="list_members_newest"),
            models.Index(
                fields=["until_batch"], condition=models.Q(until_batch__isnull=False), name="list_members_ended"
            ),
        ]
