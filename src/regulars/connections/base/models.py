"""Connected shops, what was pulled from them and found missing, and what waits to be told to them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from regulars.foundation.ids import new_uid, to_public
from regulars.foundation.privacy import PrivacyClass


class ConnectionState(models.TextChoices):
    """``new``: begun, the shop has not agreed yet. ``failing``: the shop refuses or is away for long; it is still tried."""

    NEW = "new"
    ACTIVE = "active"
    FAILING = "failing"
    OVER = "over"


class Connection(models.Model):
    """One account of one shop system. Its credentials and secrets are sealed under a key of its own."""

    PREFIX: ClassVar[str] = "con"
    privacy = {
        "platform": PrivacyClass.CLEAR,
        "name": PrivacyClass.CLEAR,
        "address": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "master_id": PrivacyClass.CLEAR,
        "wrapped_key": PrivacyClass.CLEAR,
        "sealed": PrivacyClass.SEALED,
        "about": PrivacyClass.CLEAR,
        "webhooks": PrivacyClass.CLEAR,
        "problem": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    platform = models.CharField(max_length=20)
    store = models.ForeignKey("shop.Store", on_delete=models.PROTECT)
    name = models.CharField(max_length=120)
    address = models.URLField(max_length=300)
    state = models.CharField(max_length=8, choices=ConnectionState, default=ConnectionState.NEW)
    master_id = models.TextField()
    wrapped_key = models.BinaryField()
    sealed = models.BinaryField(default=b"")  # JSON: accounts.Secrets
    # Version, currency, scopes, missing: what the shop said when it was last checked.
    about = models.JSONField(default=dict)
    webhooks = models.JSONField(default=dict)  # platforms.WebhookReport of the last look
    problem = models.TextField(blank=True)  # why it is failing, for a person
    staff_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)  # when its webhooks were last looked at
    heard_at = models.DateTimeField(null=True)  # when its newest webhook was read
    failing_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "address"],
                condition=~Q(state=ConnectionState.OVER),
                name="one_connection_of_a_shop",
            )
        ]

    @property
    def public_id(self) -> str:
        return to_public(self.PREFIX, self.uid)

    @property
    def source(self) -> str:
        """What comes from it is kept in order under this name in the inbox."""
        return f"{self.platform}:{self.pk}"


class PullState(models.TextChoices):
    """``fetched``: all pages are in the inbox, the last are still being read."""

    WAITING = "waiting"
    RUNNING = "running"
    FETCHED = "fetched"
    DONE = "done"
    FAILED = "failed"


class PullKind(models.TextChoices):
    """``history`` is everything; the others ask for what changed, to find what no webhook told."""

    HISTORY = "history"
    QUARTER = "quarter"
    NIGHT = "night"
    HAND = "hand"


class Pull(models.Model):
    """One run through a shop's topics. ``cursor`` is committed with the page that it follows, so that a kill repeats nothing."""

    privacy = {
        "kind": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "topics": PrivacyClass.CLEAR,
        "cursor": PrivacyClass.CLEAR,
        "counts": PrivacyClass.CLEAR,
        "problem": PrivacyClass.CLEAR,
    }

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="pulls")
    kind = models.CharField(max_length=8, choices=PullKind)
    state = models.CharField(max_length=8, choices=PullState, default=PullState.WAITING)
    since = models.DateTimeField(null=True)  # null: everything
    topics = ArrayField(models.CharField(max_length=30))  # those still to be pulled; the first is at work
    cursor = models.TextField(blank=True)
    counts = models.JSONField(default=dict)  # by topic: fetched, total, new, changed
    problem = models.TextField(blank=True)
    tries = models.IntegerField(default=0)  # in a row without an answer of the shop
    task = models.ForeignKey("work.Task", on_delete=models.SET_NULL, null=True)
    begun_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["connection", "-begun_at"], name="pulls_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind"],
                condition=Q(state__in=["waiting", "running", "fetched"]),
                name="one_pull_of_a_kind",
            )
        ]


class TellState(models.TextChoices):
    """``refused``: the shop will not have it, whatever we do."""

    WAITING = "waiting"
    TOLD = "told"
    REFUSED = "refused"


class Tell(models.Model):
    """One thing that a shop is to be told: a person's consent. The newest of a person and channel is told, older ones are passed over."""

    privacy = {
        "channel": PrivacyClass.CLEAR,
        "consent": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "problem": PrivacyClass.CLEAR,
    }

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tells")
    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE)  # of this shop
    channel = models.CharField(max_length=10)
    consent = models.CharField(max_length=10)
    occurred_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=TellState, default=TellState.WAITING)
    tries = models.IntegerField(default=0)
    problem = models.TextField(blank=True)
    next_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "profile", "channel"], name="one_tell")]
        indexes = [models.Index(fields=["next_at"], condition=Q(state="waiting"), name="tells_waiting")]


class RequestKind(models.TextChoices):
    EXPORT = "export"
    ERASE = "erase"
    ERASE_SHOP = "erase-shop"


class PlatformRequest(models.Model):
    """What a platform asked in a person's name, by when it must be done, and when it was."""

    privacy = {
        "kind": PrivacyClass.CLEAR,
        "reference": PrivacyClass.CLEAR,
        "token": PrivacyClass.TOKEN,
        "orders": PrivacyClass.CLEAR,
        "outcome": PrivacyClass.CLEAR,
    }

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="requests")
    kind = models.CharField(max_length=10, choices=RequestKind)
    profile = models.ForeignKey("customers.Profile", on_delete=models.SET_NULL, null=True)
    reference = models.CharField(max_length=120)  # the platform's own number of the request, or of the person
    token = models.BinaryField(null=True, max_length=16)  # of the identity, for somebody whose history is still to come
    orders = ArrayField(
        models.CharField(max_length=80), default=list
    )  # that the platform asks to be redacted, by its ids
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "kind", "reference"], name="one_request")]
