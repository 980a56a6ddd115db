from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_orders_that_count")]
    operations = [
        migrations.AddIndex(
            model_name="order", index=models.Index(fields=["-total_minor", "-id"], name="orders_by_total")
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("fulfilment_status__in", ["unfulfilled", "partial"])),
                fields=["-placed_at", "-id"],
                name="orders_not_sent",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("status", "cancelled")), fields=["-placed_at", "-id"], name="orders_cancelled"
            ),
        ),
    ]
