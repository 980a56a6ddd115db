"""The shop's own events for the warehouse, with a typed column for each property that staff declared.

The columns are the declarations: where one comes or goes, the table has another shape, and the next sync writes it anew.
"""

from collections.abc import Sequence

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register
from regulars.record.own_events.rules import OWN_KINDS, Declared, PropertyType

_STATIC = (
    Column("event_id", ColumnType.BIGINT, "its position on the log"),
    Column("profile_id", ColumnType.BIGINT, "to whom"),
    Column("at", ColumnType.TIMESTAMP, "when, UTC"),
    Column("name", ColumnType.TEXT, "name of the event, where it is plain"),
    Column("is_history", ColumnType.BOOLEAN, "told by imported history"),
    Column("trust", ColumnType.TEXT, "claimed (by a browser) or confirmed (by a server)"),
    Column("campaign", ColumnType.TEXT, "campaign that led there"),
    Column("source", ColumnType.TEXT, "source that led there"),
    Column("medium", ColumnType.TEXT, "medium that led there"),
    Column("device", ColumnType.TEXT, "kind of device: mobile, desktop or as the client says"),
)
_COLUMNS = """
    e.position, e.profile_id, e.occurred_at AT TIME ZONE 'UTC', e.data ->> 'name', e.is_history, e.data ->> 'trust',
    e.data #>> '{clear,campaign}', e.data #>> '{clear,source}', e.data #>> '{clear,medium}', e.data #>> '{clear,device}'
"""
_KINDS = ", ".join(f"'{kind}'" for kind in OWN_KINDS)
_TYPES = {
    PropertyType.TEXT: (ColumnType.TEXT, "{0}"),
    PropertyType.NUMBER: (ColumnType.NUMBER, "{0}::numeric(18, 6)"),
    PropertyType.FLAG: (ColumnType.BOOLEAN, "{0}::boolean"),
    PropertyType.DAY: (ColumnType.BIGINT, "({0}::date - DATE '1970-01-01')::bigint"),
    PropertyType.MOMENT: (ColumnType.TIMESTAMP, "{0}::timestamptz AT TIME ZONE 'UTC'"),
}


def table_of(declared: Sequence[Declared]) -> WarehouseTable:
    """Values stand in an event by the number of their declaration, written so that a cast cannot fail."""
    own = [Column(one.field, _TYPES[one.type][0], f"'{one.name}' of the event '{one.event}'") for one in declared]
    values = [_TYPES[one.type][1].format(f"(e.data #>> '{{declared,{one.id}}}')") for one in declared]
    columns = ", ".join((_COLUMNS, *values))
    return WarehouseTable(
        name="own_events",
        meaning="What happened to people by the shop's own word; besides these it has a column (p_…) for each property that staff declared",
        key="event_id",
        columns=(*_STATIC, *own),
        present=f"SELECT {columns} FROM events_event e WHERE e.profile_id IS NOT NULL AND e.kind IN ({_KINDS})",
        versions=f"""
            SELECT {columns}, b.last_position, NULL::bigint FROM events_event e JOIN events_batch b ON b.id = e.batch_id
            WHERE e.profile_id IS NOT NULL AND e.kind IN ({_KINDS}) AND e.position > %(after)s AND e.position <= %(upto)s
        """,
    )


TABLE = register(table_of(()))
