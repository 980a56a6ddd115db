import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_fewer_checks_of_batches")]

    operations = [
        migrations.AddField(
            model_name="contactversion",
            name="words",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="contactversion",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", max_length=40),
        ),
    ]
