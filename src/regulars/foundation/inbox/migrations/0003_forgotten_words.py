from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0002_first_days")]
    operations = [
        migrations.CreateModel(
            name="ForgottenWord",
            fields=[
                ("token", models.BinaryField(max_length=16, primary_key=True, serialize=False)),
                ("forgotten_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
