"""Files from outside, in frames; partitioned as items are. What is sealed cannot be made smaller: PostgreSQL is told not to try."""

from django.db import migrations, models
from django.utils import timezone

from regulars.foundation.inbox.partitions import FRAME_DAYS

FRAMES = """
CREATE TABLE inbox_frame (
    file uuid NOT NULL,
    number integer NOT NULL,
    received_at timestamptz NOT NULL,
    is_last boolean NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (file, number, received_at)
) PARTITION BY RANGE (received_at);
ALTER TABLE inbox_frame ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE inbox_frame_default PARTITION OF inbox_frame DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0004_fewer_indexes")]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(FRAMES, "DROP TABLE inbox_frame")],
            [
                migrations.CreateModel(
                    name="Frame",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "file",
                                "number",
                                "received_at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("file", models.UUIDField()),
                        ("number", models.IntegerField()),
                        ("received_at", models.DateTimeField()),
                        ("is_last", models.BooleanField()),
                        ("body", models.BinaryField()),
                    ],
                )
            ],
        ),
        migrations.RunPython(lambda apps, editor: FRAME_DAYS.ensure(timezone.now()), migrations.RunPython.noop),
    ]
