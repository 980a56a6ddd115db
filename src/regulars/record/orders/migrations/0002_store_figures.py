import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_a_profile_for_each_store"),
        ("orders", "0001_initial"),
        ("shop", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoreFigures",
            fields=[
                ("currency", models.CharField(max_length=3)),
                ("order_count", models.IntegerField()),
                ("spent_minor", models.BigIntegerField()),
                ("refunded_minor", models.BigIntegerField()),
                ("first_order_at", models.DateTimeField(null=True)),
                ("last_order_at", models.DateTimeField(null=True)),
                ("unconverted_count", models.IntegerField(default=0)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id", "store_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="store_figures",
                        to="customers.customer",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="shop.store"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["store", "-last_order_at", "-customer"], name="store_figures_by_last_order"),
                    models.Index(fields=["store", "-spent_minor", "-customer"], name="store_figures_by_spent"),
                    models.Index(fields=["store", "-order_count", "-customer"], name="store_figures_by_orders"),
                ],
            },
        ),
    ]
