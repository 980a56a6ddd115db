"""The months that the log needs from the first day on; later ones are made by the upkeep loop."""

from django.db import migrations
from django.utils import timezone

from regulars.record.events.partitions import ensure_months


class Migration(migrations.Migration):
    dependencies = [("events", "0002_partitions")]
    operations = [migrations.RunPython(lambda apps, editor: ensure_months(timezone.now()), migrations.RunPython.noop)]
