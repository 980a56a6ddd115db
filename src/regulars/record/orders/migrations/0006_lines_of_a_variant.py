import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_orders_by_currency")]
    operations = [
        migrations.AddIndex(
            model_name="orderline",
            index=models.Index(
                fields=["variant", "order"],
                condition=models.Q(("until_batch__isnull", True)),
                name="orders_lines_of_variant",
            ),
        ),
        migrations.AlterField(
            model_name="orderline",
            name="variant",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to="catalog.variant"
            ),
        ),
    ]
