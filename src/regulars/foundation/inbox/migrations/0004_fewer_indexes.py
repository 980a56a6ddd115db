"""A key that begins with the number finds items by it too; people are indexed once they are known, and not as nobody before.

What is sealed cannot be made smaller: PostgreSQL is told not to try.
"""

from django.db import migrations

FEWER = """
ALTER TABLE inbox_item DROP CONSTRAINT inbox_item_pkey;
DROP INDEX inbox_item_by_id;
ALTER TABLE inbox_item ADD PRIMARY KEY (id, received_at);
DROP INDEX inbox_item_people;
CREATE INDEX inbox_item_people ON inbox_item USING gin (people) WHERE people <> '{}';
ALTER TABLE inbox_item ALTER COLUMN headers SET STORAGE EXTERNAL, ALTER COLUMN body SET STORAGE EXTERNAL;
"""
MORE = """
ALTER TABLE inbox_item DROP CONSTRAINT inbox_item_pkey;
ALTER TABLE inbox_item ADD PRIMARY KEY (received_at, id);
CREATE INDEX inbox_item_by_id ON inbox_item (id);
DROP INDEX inbox_item_people;
CREATE INDEX inbox_item_people ON inbox_item USING gin (people);
ALTER TABLE inbox_item ALTER COLUMN headers SET STORAGE EXTENDED, ALTER COLUMN body SET STORAGE EXTENDED;
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0003_forgotten_words")]
    operations = [migrations.RunSQL(FEWER, MORE)]
