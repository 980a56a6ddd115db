"""The table of events: partitioned by time of recording, a month each, with a default that catches what no month was made for."""

from django.db import migrations, models

CREATE = """
CREATE SEQUENCE events_position AS bigint;
CREATE TABLE events_event (
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    kind text NOT NULL,
    batch_id bigint NOT NULL,
    profile_id bigint,
    shard smallint NOT NULL,
    subject_id bigint,
    is_history boolean NOT NULL DEFAULT false,
    data jsonb NOT NULL DEFAULT '{}',
    sealed bytea,
    PRIMARY KEY (recorded_at, position)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX events_by_position ON events_event (position);
CREATE INDEX events_of_profile ON events_event (profile_id, occurred_at DESC, position DESC) WHERE profile_id IS NOT NULL;
CREATE INDEX events_by_kind ON events_event (kind, occurred_at DESC, position DESC);
CREATE INDEX events_of_batch ON events_event (batch_id);
CREATE TABLE events_event_default PARTITION OF events_event DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(CREATE, "DROP TABLE events_event; DROP SEQUENCE events_position")],
            [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('pk', models.CompositePrimaryKey('recorded_at', 'position', blank=True, editable=False, primary_key=True, serialize=False)),
                ('position', models.BigIntegerField()),
                ('recorded_at', models.DateTimeField()),
                ('occurred_at', models.DateTimeField()),
                ('kind', models.TextField()),
                ('batch_id', models.BigIntegerField()),
                ('profile_id', models.BigIntegerField(null=True)),
                ('shard', models.SmallIntegerField()),
                ('subject_id', models.BigIntegerField(null=True)),
                ('is_history', models.BooleanField(default=False)),
                ('data', models.JSONField(default=dict)),
                ('sealed', models.BinaryField(null=True)),
            ],
        ),
            ],
        )
    ]
