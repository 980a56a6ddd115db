"""The inbox. Its table of items is partitioned by time of recording, a day each, with a default for what no day was made for."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

ITEMS = """
CREATE SEQUENCE inbox_item_id AS bigint;
CREATE TABLE inbox_item (
    id bigint NOT NULL DEFAULT nextval('inbox_item_id'),
    received_at timestamptz NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    store_id bigint,
    key bytea NOT NULL,
    headers bytea NOT NULL,
    body bytea,
    size integer NOT NULL,
    state text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'parsed', 'quarantined')),
    attempts smallint NOT NULL DEFAULT 0,
    reason text NOT NULL DEFAULT '',
    people bigint[] NOT NULL DEFAULT '{}',
    read_at timestamptz,
    PRIMARY KEY (received_at, id)
) PARTITION BY RANGE (received_at);
CREATE INDEX inbox_item_waiting ON inbox_item (source, id) WHERE state = 'received';
CREATE INDEX inbox_item_quarantined ON inbox_item (id) WHERE state = 'quarantined';
CREATE INDEX inbox_item_by_id ON inbox_item (id);
CREATE INDEX inbox_item_people ON inbox_item USING gin (people);
CREATE TABLE inbox_item_default PARTITION OF inbox_item DEFAULT;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="DayKey",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("master_id", models.TextField()),
                ("wrapped", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="InputKey",
            fields=[
                ("key", models.BinaryField(max_length=16, primary_key=True, serialize=False)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(fields=["recorded_at"], name="input_key_by_time")
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(ITEMS, "DROP TABLE inbox_item; DROP SEQUENCE inbox_item_id")],
            [
                migrations.CreateModel(
                    name="Item",
                    fields=[
                        ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("received_at", models.DateTimeField()),
                        ("source", models.TextField()),
                        ("kind", models.TextField()),
                        ("store_id", models.BigIntegerField(null=True)),
                        ("key", models.BinaryField(max_length=16)),
                        ("headers", models.BinaryField()),
                        ("body", models.BinaryField(null=True)),
                        ("size", models.IntegerField()),
                        (
                            "state",
                            models.TextField(
                                choices=[
                                    ("received", "Received"),
                                    ("parsed", "Parsed"),
                                    ("quarantined", "Quarantined"),
                                ],
                                default="received",
                            ),
                        ),
                        ("attempts", models.SmallIntegerField(default=0)),
                        ("reason", models.TextField(blank=True)),
                        (
                            "people",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                        ("read_at", models.DateTimeField(null=True)),
                    ],
                )
            ],
        ),
    ]
