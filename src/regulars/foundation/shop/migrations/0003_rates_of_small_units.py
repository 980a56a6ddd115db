from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shop", "0002_source_of_a_rate"),
    ]

    operations = [
        migrations.AlterField(
            model_name="exchangerate",
            name="rate",
            field=models.DecimalField(decimal_places=12, max_digits=24),
        ),
    ]
