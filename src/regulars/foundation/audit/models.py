"""Who did what, when: an append-only chain that shows any later change (docs/security.md)."""

from django.db import models

from regulars.foundation.privacy import PrivacyClass


class AuditEntry(models.Model):
    """One deed. ``mac`` covers this entry and the one before it; a trigger forbids changing or deleting rows
    (0002_append_only).
    """

    privacy = {
        "action": PrivacyClass.CLEAR,
        "actor": PrivacyClass.CLEAR,
        "subject": PrivacyClass.CLEAR,
        "details": PrivacyClass.CLEAR,
        "mac": PrivacyClass.TOKEN,
    }

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    action = models.CharField(max_length=60)  # 'staff.role-changed'
    actor = models.CharField(max_length=40)  # 'staff:12', 'token:3', 'system'
    subject = models.CharField(max_length=80, blank=True)  # public id or 'kind:number' of what it was done to
    details = models.JSONField(default=dict)
    mac = models.BinaryField(max_length=32)

    class Meta:
        indexes = [
            models.Index(fields=["action", "-sequence"], name="audit_by_action"),
            models.Index(fields=["actor", "-sequence"], name="audit_by_actor"),
        ]
