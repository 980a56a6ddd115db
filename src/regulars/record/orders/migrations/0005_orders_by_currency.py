from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_lists_of_orders")]
    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    models.Q(("status", "cancelled"), _negated=True),
                    models.Q(("payment_status", "voided"), _negated=True),
                ),
                fields=["currency", "placed_at"],
                name="orders_by_currency",
            ),
        ),
    ]
