"""Keys that personal data is sealed under: one per subject, destroyed to erase."""

from django.db import models

from regulars.foundation.privacy import PrivacyClass


class SubjectKey(models.Model):
    """The wrapped key of one profile. Without it nothing that was sealed for the profile can ever be read."""

    privacy = {"master_id": PrivacyClass.CLEAR, "wrapped": PrivacyClass.CLEAR}

    subject = models.BigIntegerField(primary_key=True)
    master_id = models.TextField()
    wrapped = models.BinaryField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="subject_key_is_there_until_destroyed",
                condition=models.Q(wrapped__isnull=False) ^ models.Q(destroyed_at__isnull=False),
            )
        ]
