"""A list's file is looked at line by line before anything is decided: a state of its own."""

from django.db import migrations, models

STATES = ["checking", "staged", "waiting", "running", "done", "failed", "undoing", "undone"]


class Migration(migrations.Migration):
    dependencies = [("files", "0002_sealed_names")]

    operations = [
        migrations.AlterField(
            model_name="import",
            name="state",
            field=models.CharField(
                choices=[(state, state.capitalize()) for state in STATES], default="staged", max_length=10
            ),
        )
    ]
