"""Who may come in: members of staff, tokens of programs, and how often somebody tried."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from regulars.foundation.access.rules import Role, permissions_of
from regulars.foundation.access.viewer import Viewer, limited
from regulars.foundation.ids import new_uid, to_public
from regulars.foundation.privacy import PrivacyClass


class StaffManager(BaseUserManager["StaffMember"]):
    """Signs people in by mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "StaffMember":
        return self.get(email=(username or "").strip().lower())


class StaffMember(AbstractBaseUser):
    """A person who works here. ``stores`` empty means all stores. ``epoch`` rises when all their sessions must end."""

    PREFIX: ClassVar[str] = "stf"
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
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    stores = models.ManyToManyField("shop.Store", blank=True)
    language = models.CharField(max_length=10, default="en-gb")
    is_active = models.BooleanField(default=True)
    epoch = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StaffManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="staff_role_is_known", condition=models.Q(role__in=[role.value for role in Role])
            ),
            models.CheckConstraint(name="staff_mail_is_lower", condition=models.Q(email=Lower("email"))),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def public_id(self) -> str:
        return to_public(self.PREFIX, self.uid)

    def may(self, permission: str) -> bool:
        return self.is_active and (not permission or permission in permissions_of(self.role))

    def viewer(self) -> Viewer:
        """On behalf of this member of staff; reads their stores."""
        permissions = permissions_of(self.role) if self.is_active else frozenset()
        return limited(Viewer(self.pk, permissions, self.limit(), self.language, str(self)))

    def limit(self) -> frozenset[int] | None:
        """Stores that they are limited to; None: all."""
        return frozenset(self.stores.values_list("id", flat=True)) or None

    def get_session_auth_hash(self) -> str:
        """Changes with the password, the role and the epoch, so that a session made before any of them is over."""
        text = f"{self.password}|{self.role}|{self.epoch}|{self.is_active}"
        return salted_hmac("regulars.foundation.access.session", text, algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self) -> list[str]:
        return []


class ApiToken(models.Model):
    """A key for a program. Of the secret only its SHA-256 is kept; ``prefix`` finds it. Made by staff, it can never do
    more than they can.
    """

    PREFIX: ClassVar[str] = "tok"
    privacy = {
        "name": PrivacyClass.STAFF,
        "prefix": PrivacyClass.CLEAR,
        "secret_hash": PrivacyClass.TOKEN,
        "scopes": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=60))
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT, null=True)
    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return to_public(self.PREFIX, self.uid)


class RateWindow(models.Model):
    """How often something was tried within one window of time. ``key`` is a keyed hash: no address or mail address
    stands here.
    """

    privacy = {"key": PrivacyClass.TOKEN}

    pk = models.CompositePrimaryKey("key", "began_at")
    key = models.BinaryField(max_length=16)
    began_at = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["began_at"], name="rate_window_by_time")]


class IdempotentReply(models.Model):
    """What the API answered under an ``Idempotency-Key``; ``status`` empty: still at work. The body is sealed under the
    client's own key, which is nowhere kept."""

    privacy = {"key": PrivacyClass.TOKEN, "request_hash": PrivacyClass.TOKEN, "body": PrivacyClass.SEALED}

    key = models.BinaryField(primary_key=True, max_length=16)
    request_hash = models.BinaryField(max_length=32)
    status = models.IntegerField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="idempotent_reply_by_time")]
