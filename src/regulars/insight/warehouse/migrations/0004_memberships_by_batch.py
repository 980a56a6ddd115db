"""Memberships that began or ended since the warehouse was written last are found without reading the others."""

from django.db import migrations

INDEXES = """
CREATE INDEX memberships_by_batch ON segments_membership USING brin (batch_id);
CREATE INDEX memberships_by_end ON segments_membership (until_batch_id) WHERE until_batch_id IS NOT NULL;
"""
GONE = "DROP INDEX memberships_by_batch; DROP INDEX memberships_by_end;"


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0003_touched"), ("segments", "0001_initial")]

    operations = [migrations.RunSQL(INDEXES, GONE)]
