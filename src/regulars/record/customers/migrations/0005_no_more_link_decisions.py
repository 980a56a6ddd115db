from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_decisions_of_before")]

    operations = [migrations.DeleteModel(name="LinkDecision")]
