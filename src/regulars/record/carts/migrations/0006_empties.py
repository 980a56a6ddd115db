import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carts", "0005_fewer_checks_and_indexes")]
    operations = [
        migrations.AddField(
            "cart",
            "empties",
            django.contrib.postgres.fields.ArrayField(models.DateTimeField(), default=list, db_default=[]),
        ),
    ]
