"""A few customers' rows, as the record holds them now, for whoever explains a condition."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from regulars.foundation.relations import RELATIONS, ZONE_SOURCES
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.insight.conditions.language import Condition, asks_for_zones, relations_of
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.zones import Said, said_by

_PEOPLE = """
WITH people AS MATERIALIZED (
    SELECT profile_id, customer_id FROM customers_customerprofile WHERE until_batch_id IS NULL AND customer_id = ANY(%s)
)
"""


def read_person(condition: Condition, customer_id: int) -> Person:
    """Everything that the condition asks of this customer; one statement for each table."""
    return read_people(condition, [customer_id])[customer_id]


def read_people(condition: Condition, customer_ids: Collection[int]) -> dict[int, Person]:
    """As above, of several, who are read at once."""
    tables = {RELATIONS[name].table for name in relations_of(condition)}
    rows = {table: _rows(table, customer_ids) for table in tables}
    held = {name: rows[RELATIONS[name].table] for name in relations_of(condition)}
    zones = _zones(customer_ids) if asks_for_zones(condition) else {}
    return {
        customer: Person(
            customer, {name: some.get(customer, []) for name, some in held.items()}, zones.get(customer, ())
        )
        for customer in customer_ids
    }


def _zones(customer_ids: Collection[int]) -> dict[int, list[Said]]:
    found: dict[int, list[Said]] = {}
    for _, source in ZONE_SOURCES.items():
        for customer, rows in _rows(source.table, customer_ids).items():
            found.setdefault(customer, []).extend(said for row in rows if (said := said_by(source, row)))
    return found


def _rows(name: str, customer_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """By customer."""
    table = WAREHOUSE_TABLES[name]
    with connection.cursor() as cursor:
        people = cursor.mogrify(_PEOPLE, [sorted(customer_ids)])
        cursor.execute(
            f"{people} SELECT p.customer_id, t.* FROM ({table.of_people}) t JOIN people p USING (profile_id)"
        )
        columns = [column[0] for column in cursor.description][1:]
        rows = cursor.fetchall()
    found: dict[int, list[dict[str, Any]]] = {}
    for customer, *values in rows:
        row = dict(zip(columns, map(_in_utc, values), strict=True))
        found.setdefault(customer, []).append(row | {"key": row[table.key]})
    return found


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
