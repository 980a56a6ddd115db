from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0007_figures_by_last_order")]
    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["id"],
                condition=models.Q(("status", "cancelled"), ("payment_status", "voided"), _connector="OR"),
                name="orders_that_do_not_count",
            ),
        ),
    ]
