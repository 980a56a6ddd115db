from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_store_figures")]
    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    models.Q(("status", "cancelled"), _negated=True),
                    models.Q(("payment_status", "voided"), _negated=True),
                ),
                fields=["placed_at"],
                include=["profile", "store", "currency", "total_minor"],
                name="orders_that_count",
            ),
        ),
    ]
