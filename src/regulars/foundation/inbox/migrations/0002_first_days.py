"""The days that the inbox needs from the first one on; later ones are made by the upkeep loop."""

from django.db import migrations
from django.utils import timezone

from regulars.foundation.inbox.partitions import DAYS


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]
    operations = [migrations.RunPython(lambda apps, editor: DAYS.ensure(timezone.now()), migrations.RunPython.noop)]
