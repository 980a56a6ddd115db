"""Names of files are sealed; those of before are forgotten, as they may speak of people and their keys lie elsewhere."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("files", "0001_initial")]

    operations = [
        migrations.RemoveField("import", "file_name"),
        migrations.AddField("import", "sealed_name", models.BinaryField(default=b"")),
        migrations.AddField("import", "undone", models.JSONField(default=dict)),
        migrations.AddField("import", "worked_at", models.DateTimeField(null=True)),
    ]
