from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0006_lines_of_a_variant")]
    operations = [
        migrations.RemoveIndex(model_name="customerfigures", name="figures_by_last_order"),
        migrations.RemoveIndex(model_name="storefigures", name="store_figures_by_last_order"),
        migrations.AddIndex(
            model_name="customerfigures",
            index=models.Index(
                fields=["-last_order_at", "-customer"], include=("first_order_at",), name="figures_by_last_order"
            ),
        ),
        migrations.AddIndex(
            model_name="storefigures",
            index=models.Index(
                fields=["store", "-last_order_at", "-customer"],
                include=("first_order_at",),
                name="store_figures_by_last_order",
            ),
        ),
    ]
