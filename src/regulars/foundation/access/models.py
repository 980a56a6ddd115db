"""Members of staff: who may sign in, in which role, limited to which stores."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class StaffManager(BaseUserManager["StaffMember"]):
    """Signs people in by mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "StaffMember":
        return self.get(email=(username or "").strip().lower())


class StaffMember(AbstractBaseUser):
    """A person who works here. ``stores`` empty means all stores."""

    privacy = {
        "email": PrivacyClass.STAFF,
        "name": PrivacyClass.STAFF,
        "password": PrivacyClass.STAFF,
        "role": PrivacyClass.CLEAR,
        "language": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    email = models.EmailField(unique=True)
    name = models.TextField(blank=True)
    role = models.CharField(max_length=20)
    stores = models.ManyToManyField("shop.Store", blank=True)
    language = models.CharField(max_length=10, default="en-gb")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StaffManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email
