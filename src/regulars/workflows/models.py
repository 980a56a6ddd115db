"""Workflows, their immutable versions, and the runs of customers through them with the trace of every step."""

from typing import ClassVar

from django.db import models

from regulars.foundation.ids import new_uid
from regulars.foundation.privacy import PrivacyClass


class Workflow(models.Model):
    """A definition under its name; ``live`` is the version that new entries start on while the workflow is on."""

    PREFIX: ClassVar[str] = "wf"
    privacy = {"key": PrivacyClass.CLEAR, "name": PrivacyClass.CLEAR}

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    key = models.SlugField(max_length=80, unique=True)
    name = models.TextField()
    is_on = models.BooleanField(default=False)
    switched_at = models.DateTimeField(null=True)
    live = models.ForeignKey("WorkflowVersion", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class WorkflowVersion(models.Model):
    """An immutable edition. Runs keep the version that they began on."""

    privacy = {"definition": PrivacyClass.CLEAR}

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField()
    definition = models.JSONField()
    staff_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="one_version_a_number")]


class RunState(models.TextChoices):
    """ACTIVE sleeps or is due; PAUSED stands still while its workflow is off; STUCK failed three times and waits for staff."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    STUCK = "stuck"


class Run(models.Model):
    """One customer's way through one version, once per entry.

    ``slot`` says what may run beside what: of one customer and slot only one run is active ('' for the whole workflow; later a cart's key).
    A worker that takes a run writes its name, until when it may hold it, and raises ``fence``; what it writes later under an older fence
    changes nothing.
    """

    PREFIX: ClassVar[str] = "run"
    privacy = {
        "entry_key": PrivacyClass.CLEAR,
        "entry": PrivacyClass.CLEAR,
        "slot": PrivacyClass.CLEAR,
        "state": PrivacyClass.CLEAR,
        "outcome": PrivacyClass.CLEAR,
        "node": PrivacyClass.CLEAR,
        "visits": PrivacyClass.CLEAR,
        "lease_owner": PrivacyClass.CLEAR,
        "problem": PrivacyClass.CLEAR,
    }

    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="runs", db_index=False)
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, db_index=False)
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, db_index=False)
    profile = models.ForeignKey("customers.Profile", on_delete=models.CASCADE, db_index=False)
    entry_key = models.TextField()  # 'membership 4711': the entry that this run answers
    entry = models.JSONField(default=dict)  # why it began: event, segment, reason
    slot = models.TextField(blank=True, default="")
    state = models.CharField(max_length=8, choices=RunState, default=RunState.ACTIVE)
    outcome = models.TextField(blank=True, default="")
    node = models.TextField()
    since = models.DateTimeField()
    steps = models.IntegerField(default=0)
    visits = models.JSONField(default=dict)
    wake_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    lease_owner = models.TextField(blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    failures = models.SmallIntegerField(default=0)
    problem = models.TextField(blank=True, default="")
    batch = models.ForeignKey("events.Batch", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "customer", "entry_key"], name="one_run_an_entry"),
            models.UniqueConstraint(
                fields=["workflow", "customer", "slot"],
                condition=models.Q(state__in=["active", "paused"]),
                name="one_active_run_a_slot",
            ),
            models.CheckConstraint(
                name="active_run_wakes", condition=~models.Q(state="active") | models.Q(wake_at__isnull=False)
            ),
            models.CheckConstraint(
                name="ended_run_has_outcome", condition=~models.Q(state="ended") | ~models.Q(outcome="")
            ),
        ]
        indexes = [
            models.Index(fields=["wake_at", "id"], condition=models.Q(state="active"), name="run_due"),
            models.Index(fields=["workflow", "state", "node"], name="run_by_node"),
            models.Index(fields=["workflow", "-started_at", "-id"], name="run_newest"),
            models.Index(fields=["customer", "-started_at"], name="run_of_customer"),
        ]


class RunStep(models.Model):
    """One line of a run's trace; never changed. ``values`` holds what was looked at: ``[[label, value, source], ...]``, clear facts only."""

    privacy = {
        "node": PrivacyClass.CLEAR,
        "kind": PrivacyClass.CLEAR,
        "decision": PrivacyClass.CLEAR,
        "values": PrivacyClass.CLEAR,
    }

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="trace", db_index=False)
    number = models.IntegerField()
    node = models.TextField()
    kind = models.TextField()
    decision = models.TextField()
    values = models.JSONField(default=list)
    at = models.DateTimeField()
    batch_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_step_a_number")]


class Effect(models.Model):
    """What a step wants done in the world, once: the key is hash(workflow, run, step, loop index)."""

    privacy = {"key": PrivacyClass.CLEAR, "action": PrivacyClass.CLEAR, "node": PrivacyClass.CLEAR}

    key = models.BinaryField(primary_key=True, max_length=16)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="effects", db_index=False)
    step = models.IntegerField()
    node = models.TextField()
    action = models.TextField()
    at = models.DateTimeField()
