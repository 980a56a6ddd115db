from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0003_first_months")]

    operations = [
        migrations.AddField(model_name="parkedevent", name="attempts", field=models.SmallIntegerField(default=0)),
    ]
