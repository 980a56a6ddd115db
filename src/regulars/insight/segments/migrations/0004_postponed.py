import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('segments', '0003_drafts')]

    operations = [
        migrations.CreateModel(
            name='Postponed',
            fields=[
                ('pk', models.CompositePrimaryKey('segment_id', 'customer_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='customers.customer')),
                ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='segments.segment')),
            ],
        ),
    ]
