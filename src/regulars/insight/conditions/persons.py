"""One customer's rows, as the record holds them now, for whoever explains a condition."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection

from regulars.foundation.relations import RELATIONS
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.insight.conditions.language import Condition, relations_of
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.windows import Clock

_PEOPLE = """
WITH people AS MATERIALIZED (
    SELECT profile_id, customer_id FROM customers_customerprofile WHERE until_batch_id IS NULL AND customer_id = %s
)
"""


def read_person(condition: Condition, customer_id: int, clock: Clock) -> Person:
    """Everything that the condition asks of this customer; one statement for each table."""
    tables = {RELATIONS[name].table for name in relations_of(condition)}
    rows = {table: _rows(table, customer_id) for table in tables}
    held = {name: rows[RELATIONS[name].table] for name in relations_of(condition)}
    return Person(customer_id, clock.person, held)


def _rows(name: str, customer_id: int) -> list[dict[str, Any]]:
    table = WAREHOUSE_TABLES[name]
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE + table.of_people.replace("%", "%%"), [customer_id])
        columns = [column[0] for column in cursor.description]
        found = [dict(zip(columns, map(_in_utc, row), strict=True)) for row in cursor.fetchall()]
    return [row | {"key": row[table.key]} for row in found]


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
