"""Views of lists that readers keep."""

from typing import ClassVar

from django.conf import settings
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
