from django.db import migrations

# The latest word on each pair, unless it was taken back; one decision each.
DECISIONS = """
WITH latest AS (
    SELECT DISTINCT ON (low_id, high_id) gen_random_uuid() AS uid, * FROM customers_linkdecision ORDER BY low_id, high_id, id DESC
),
kept AS (SELECT * FROM latest WHERE verdict IN ('must-link', 'cannot-link')),
decided AS (
    INSERT INTO customers_decision (uid, verdict, staff_id, decided_at, batch_id)
    SELECT uid, CASE verdict WHEN 'must-link' THEN 'same' ELSE 'different' END, staff_id, occurred_at, batch_id FROM kept
    RETURNING id, uid
)
INSERT INTO customers_decisionprofile (decision_id, profile_id, side)
SELECT d.id, k.low_id, 0 FROM kept k JOIN decided d USING (uid)
UNION ALL
SELECT d.id, k.high_id, (k.verdict = 'cannot-link')::int FROM kept k JOIN decided d USING (uid)
"""
BUYERS = """
INSERT INTO customers_buyer (profile_id, batch_id)
SELECT profile_id, min(batch_id) FROM orders_order WHERE profile_id IS NOT NULL GROUP BY profile_id
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_who_is_who"), ("orders", "0001_initial")]

    operations = [migrations.RunSQL(DECISIONS), migrations.RunSQL(BUYERS)]
