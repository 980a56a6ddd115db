from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rfm", "0002_no_index_by_customer")]
    operations = [
        migrations.RemoveIndex(model_name="rfmscore", name="rfm_by_segment"),
        migrations.AddIndex(
            model_name="rfmscore",
            index=models.Index(
                fields=["snapshot", "segment", "customer"],
                include=["r", "f", "m", "monetary_minor"],
                name="rfm_by_score",
            ),
        ),
    ]
