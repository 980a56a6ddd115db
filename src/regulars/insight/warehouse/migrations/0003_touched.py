"""Which rows were changed that the record keeps no earlier state of: the warehouse compares them, and them alone, with what it holds.

A statement notes its rows once; whoever follows deletes what it saw, so that a transaction that commits later is seen the next time.
"""

from django.db import migrations

NOTES = """
CREATE TABLE warehouse_touched ("table" text NOT NULL, key bigint NOT NULL);
CREATE FUNCTION warehouse_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO warehouse_touched SELECT DISTINCT TG_TABLE_NAME, id FROM fresh;
    ELSE
        INSERT INTO warehouse_touched SELECT DISTINCT TG_TABLE_NAME, id FROM gone;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER warehouse_inserted AFTER INSERT ON carts_cart REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION warehouse_touch();
CREATE TRIGGER warehouse_updated AFTER UPDATE ON carts_cart REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION warehouse_touch();
CREATE TRIGGER warehouse_deleted AFTER DELETE ON carts_cart REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION warehouse_touch();
CREATE TRIGGER warehouse_inserted AFTER INSERT ON rfm_rfmsnapshot REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION warehouse_touch();
CREATE TRIGGER warehouse_updated AFTER UPDATE ON rfm_rfmsnapshot REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION warehouse_touch();
"""
GONE = """
DROP TRIGGER warehouse_inserted ON carts_cart;
DROP TRIGGER warehouse_updated ON carts_cart;
DROP TRIGGER warehouse_deleted ON carts_cart;
DROP TRIGGER warehouse_inserted ON rfm_rfmsnapshot;
DROP TRIGGER warehouse_updated ON rfm_rfmsnapshot;
DROP FUNCTION warehouse_touch();
DROP TABLE warehouse_touched;
"""


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0002_shapes"), ("carts", "0004_claimed"), ("rfm", "0003_scores_from_the_index")]

    operations = [migrations.RunSQL(NOTES, GONE)]
