from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carts", "0003_carts_of_before")]
    operations = [
        migrations.AddField("cart", "is_claimed", models.BooleanField(default=False, db_default=False)),
    ]
