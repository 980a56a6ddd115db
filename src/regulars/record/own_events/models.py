"""Which properties of a shop's own events conditions may use."""

from django.db import models

from regulars.foundation.privacy import PrivacyClass
from regulars.record.own_events.rules import Declared, PropertyType


class DeclaredProperty(models.Model):
    """Staff's word that a property says nothing personal, and of which type it is. A row is never given another type or field: what is
    withdrawn and declared again is another row.

    What was recorded before is worked through in the background, up to ``upto``: after the declaration its values are taken out of the
    sealed part (``ready_at``), after a withdrawal they are taken away (``gone_at``).
    """

    privacy = {
        "event": PrivacyClass.CLEAR,
        "name": PrivacyClass.CLEAR,
        "type": PrivacyClass.CLEAR,
        "field": PrivacyClass.CLEAR,
    }

    event = models.CharField(max_length=200)  # its name, as it is told
    name = models.CharField(max_length=200)  # of the property, as it is told
    type = models.CharField(max_length=8, choices=[(one.value, one.value) for one in PropertyType])
    field = models.CharField(max_length=63, unique=True)
    declared_at = models.DateTimeField()
    staff_id = models.BigIntegerField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    position = models.BigIntegerField(default=0)  # the log is worked through up to here
    upto = models.BigIntegerField(null=True)  # until here; None: it is not settled yet what others still write
    transactions = models.BigIntegerField(
        null=True
    )  # those that began before this number may know nothing of the decision

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "name"], condition=models.Q(withdrawn_at=None), name="declared_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.event})"

    @property
    def plain(self) -> Declared:
        return Declared(self.pk, self.event, self.name, PropertyType(self.type), self.field)

    @property
    def is_ready(self) -> bool:
        return self.ready_at is not None
