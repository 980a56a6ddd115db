"""Who was on which list, for the warehouse."""

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register

_ROW = "m.id, m.profile_id, k.key, m.added_at AT TIME ZONE 'UTC'"
_ENDED = "m.removed_at AT TIME ZONE 'UTC'"
_LIST = "JOIN lists_customerlist k ON k.id = m.list_id"
_IN_SPAN = "last_position > %(after)s AND {0}.last_position <= %(upto)s"

MEMBERS = register(
    WarehouseTable(
        name="list_members",
        meaning="Who was on which list, from when until when",
        key="member_id",
        columns=(
            Column("member_id", ColumnType.BIGINT, "the row of the list's ledger"),
            Column("profile_id", ColumnType.BIGINT, "the profile that was put on"),
            Column("list", ColumnType.TEXT, "key of the list"),
            Column("added_at", ColumnType.TIMESTAMP, "since when, UTC"),
            Column("removed_at", ColumnType.TIMESTAMP, "until when, UTC; null while it lasts"),
        ),
        present=f"SELECT {_ROW}, {_ENDED} FROM lists_listmember m {_LIST}",
        versions=f"""
            SELECT {_ROW}, NULL::timestamp, b.last_position, e.last_position
            FROM events_batch b JOIN lists_listmember m ON m.batch_id = b.id {_LIST} LEFT JOIN events_batch e ON e.id = m.until_batch_id
            WHERE b.{_IN_SPAN.format("b")} AND b.last_position IS DISTINCT FROM e.last_position
            UNION ALL
            SELECT {_ROW}, {_ENDED}, e.last_position, NULL::bigint
            FROM events_batch e JOIN lists_listmember m ON m.until_batch_id = e.id {_LIST} WHERE e.{_IN_SPAN.format("e")}
        """,
        removed_by=("import.undone",),
    )
)
