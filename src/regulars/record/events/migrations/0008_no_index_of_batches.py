"""Nobody asks for the events of a batch, whose positions the batch itself knows: one index less to write for each event."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("events", "0007_one_index_of_positions")]
    operations = [
        migrations.RunSQL("DROP INDEX events_of_batch", "CREATE INDEX events_of_batch ON events_event (batch_id)")
    ]
