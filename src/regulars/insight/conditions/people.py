"""Who is asked of, as relations that the asker gives: everybody, or a few people; with their zones where days are theirs."""

from typing import Any

import ibis
import ibis.expr.datatypes as dt

from regulars.insight.conditions.engines import TYPES, parameter
from regulars.insight.conditions.shapes import ENTERED_AT, SHOP_ZONE, Parameter
from regulars.insight.warehouse.questions import given_table

PEOPLE, CUSTOMERS, ZONES, CALENDAR, ENTRIES = "people", "customers", "zones", "calendar", "entries"


def people() -> Any:
    """Profiles and whose they are."""
    return given_table(PEOPLE, {"profile_id": dt.int64, "customer_id": dt.int64})


def customers() -> Any:
    """Each customer once."""
    return given_table(CUSTOMERS, {"customer_id": dt.int64})


def with_personal(rows: Any, personal: tuple[Parameter, ...]) -> Any:
    """Rows of customers with what is bound for each of them."""
    of_zone = tuple(one for one in personal if one != ENTERED_AT)
    if ENTERED_AT in personal:
        entries = given_table(ENTRIES, {"entry_customer_id": dt.int64, ENTERED_AT.name: dt.timestamp})
        rows = rows.left_join(entries, rows.customer_id == entries.entry_customer_id).drop("entry_customer_id")
    if not of_zone:
        return rows
    zones = given_table(ZONES, {"zone_customer_id": dt.int64, "zone_name": dt.string})
    calendar = given_table(CALENDAR, {"zone": dt.string} | {one.name: TYPES[one.kind] for one in of_zone})
    rows = rows.left_join(zones, rows.customer_id == zones.zone_customer_id).drop("zone_customer_id")
    rows = rows.mutate(zone_name=ibis.coalesce(rows.zone_name, parameter(SHOP_ZONE)))
    return rows.left_join(calendar, rows.zone_name == calendar.zone).drop("zone_name", "zone")
