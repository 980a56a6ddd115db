"""Who is asked of, as relations that the asker gives: everybody, or a few people; with their zones where days are theirs."""

from typing import Any

import ibis
import ibis.expr.datatypes as dt

from regulars.insight.conditions.engines import TYPES, parameter
from regulars.insight.conditions.shapes import AFTER_NOW, ENTERED_AT, SHOP_ZONE, Parameter
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
    calendar = given_table(CALENDAR, {"zone": dt.string} | {one.name: TYPES[one.kind] for one in of_zone})
    known = zones().select("zone_customer_id", "zone_name")
    rows = rows.left_join(known, rows.customer_id == known.zone_customer_id).drop("zone_customer_id")
    rows = rows.mutate(zone_name=ibis.coalesce(rows.zone_name, parameter(SHOP_ZONE)))
    return rows.left_join(calendar, rows.zone_name == calendar.zone).drop("zone_name", "zone")


def zones() -> Any:
    """Of customers of whom any is said (as ``zones.zone_at``): zone_customer_id, zone_name (null: of later moments only), and
    zone_turns_at, the next moment from which another may hold.

    Of a million people's events few say another zone than those before: they are grouped before they are put in order.
    """
    said = given_table(
        ZONES,
        {"profile_id": dt.int64, "zone": dt.string, "rank": dt.int64, "is_behind": dt.boolean, "said_at": dt.timestamp},
    )
    is_later = said.said_at >= parameter(AFTER_NOW)
    grouped = said.group_by("profile_id", "zone", "rank", "is_behind").agg(
        since=said.said_at.max(where=~is_later), later=said.said_at.min(where=is_later)
    )
    rows = grouped.inner_join(people(), "profile_id")
    order = [rows.since.isnull(), rows["rank"], rows.is_behind, ibis.desc(rows.since), rows.zone]
    rows = rows.mutate(
        zone_place=ibis.row_number().over(ibis.window(group_by="customer_id", order_by=order)),
        zone_turns_at=rows.later.min().over(ibis.window(group_by="customer_id")),
        zone_name=ibis.ifelse(rows.since.notnull(), rows.zone, ibis.null()),
    )
    return rows.filter(rows.zone_place == 0).select("zone_name", "zone_turns_at", zone_customer_id="customer_id")
