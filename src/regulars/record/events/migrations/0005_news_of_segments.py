"""Who entered a segment last, for the home page: the first computation leaves a history of everybody that would have to be walked over."""

from django.db import migrations

CREATE = """
CREATE INDEX events_entered ON events_event (occurred_at DESC, position DESC) WHERE kind = 'segment.entered' AND NOT is_history
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0004_attempts")]
    operations = [migrations.RunSQL(CREATE, "DROP INDEX events_entered")]
