"""Who is in which segment, for the warehouse: conditions may ask for segments and for coming into them or leaving."""

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register

_ROW = "m.id, m.profile_id, s.key, m.entered_at AT TIME ZONE 'UTC', {left}, m.is_initial, {exit}"
_LEFT = _ROW.format(left="m.left_at AT TIME ZONE 'UTC'", exit="NOT coalesce(m.left_reason, '{}') ? 'merged_into'")
_OPEN = _ROW.format(left="NULL::timestamp", exit="true")
_SEGMENT = "JOIN segments_segment s ON s.id = m.segment_id"
# Rows stand in the order of their batches, so that an index of blocks leads to the first that may be new; with ``+ 0`` it is not asked
# again for each batch, which would read the same blocks as often.
_FIRST = "(SELECT coalesce(min(id), 0) FROM events_batch WHERE last_position > %(after)s AND last_position <= %(upto)s)"

MEMBERSHIPS = register(
    WarehouseTable(
        name="memberships",
        meaning="Who was in which segment, from when until when",
        key="membership_id",
        columns=(
            Column("membership_id", ColumnType.BIGINT, "the membership"),
            Column("profile_id", ColumnType.BIGINT, "the oldest profile of whom it is"),
            Column("segment", ColumnType.TEXT, "key of the segment"),
            Column("entered_at", ColumnType.TIMESTAMP, "since when, UTC"),
            Column("left_at", ColumnType.TIMESTAMP, "until when, UTC; null while it lasts"),
            Column("is_initial", ColumnType.BOOLEAN, "there when the segment was computed first"),
            Column(
                "is_exit",
                ColumnType.BOOLEAN,
                "its end is one: it did not go into another of the same customer by a merge",
            ),
        ),
        # By the customer, as the table's index is.
        present=f"""
            SELECT {_LEFT} FROM customers_customerprofile c
            JOIN segments_membership m ON m.customer_id = c.customer_id AND m.profile_id = c.profile_id {_SEGMENT}
            WHERE c.until_batch_id IS NULL
        """,
        versions=f"""
            SELECT {_OPEN}, b.last_position, e.last_position
            FROM segments_membership m {_SEGMENT} JOIN events_batch b ON b.id = m.batch_id + 0
            LEFT JOIN events_batch e ON e.id = m.until_batch_id
            WHERE m.batch_id >= {_FIRST} AND b.last_position > %(after)s AND b.last_position <= %(upto)s
              AND b.last_position IS DISTINCT FROM e.last_position
            UNION ALL
            SELECT {_LEFT}, e.last_position, NULL::bigint
            FROM segments_membership m {_SEGMENT} JOIN events_batch e ON e.id = m.until_batch_id
            WHERE e.last_position > %(after)s AND e.last_position <= %(upto)s
        """,
    )
)
