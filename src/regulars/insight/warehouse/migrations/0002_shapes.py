from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        migrations.AddField("warehousesnapshot", "shapes", models.JSONField(default=dict)),
    ]
