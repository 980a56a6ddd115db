"""Orders by the codes that were used in them: the text holds one or several, with commas between."""

from django.db import migrations

CREATE = r"""
CREATE INDEX orders_by_coupon ON orders_order USING gin (regexp_split_to_array(lower(discount_codes), '\s*,\s*'))
WHERE discount_codes <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_what_platforms_say"), ("coupons", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP INDEX orders_by_coupon")]
