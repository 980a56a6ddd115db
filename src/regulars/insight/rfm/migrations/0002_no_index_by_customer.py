from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rfm", "0001_initial")]
    operations = [migrations.RemoveIndex(model_name="rfmscore", name="rfm_of_customer")]
