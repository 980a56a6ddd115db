"""Carts of before have the one name, and were touched when they were opened and changed last."""

from django.db import migrations

FILL = """
UPDATE carts_cart c SET filled_at = changed_at, touches = ARRAY[opened_at, changed_at], is_checkout = state = 'checkout',
    ordered_at = CASE WHEN state IN ('ordered', 'recovered') THEN changed_at END,
    is_told = state IN ('ordered', 'recovered')
"""
NAME = "INSERT INTO carts_cartkey (store_id, key, cart_id) SELECT store_id, key, id FROM carts_cart ON CONFLICT DO NOTHING"


class Migration(migrations.Migration):
    dependencies = [("carts", "0002_keys_and_silences")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop), migrations.RunSQL(NAME, migrations.RunSQL.noop)]
