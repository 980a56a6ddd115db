"""Orders and refunds, for the warehouse. Amounts are integer minor units in the order's own currency."""

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register

_REMOVED_BY = ("customer.erased", "import.undone")

# Every change keeps the state before it, so that a past version ends where its change was known; the row itself is the last version.
_ORDER_VERSIONS = """
    WITH in_range AS MATERIALIZED (
        SELECT id, last_position FROM events_batch WHERE last_position > %(after)s AND last_position <= %(upto)s
    ), touched AS MATERIALIZED (
        SELECT c.order_id AS id FROM orders_orderchange c JOIN in_range b ON b.id = c.batch_id GROUP BY 1
    ), state AS (
        SELECT c.order_id, c.id AS change_id, c.before, b.last_position AS until,
               lag(b.last_position) OVER (PARTITION BY c.order_id ORDER BY c.id) AS since
        FROM orders_orderchange c JOIN events_batch b ON b.id = c.batch_id
        WHERE c.order_id IN (SELECT id FROM touched) OR c.order_id IN (SELECT o.id FROM orders_order o JOIN in_range r ON r.id = o.batch_id)
    ), version AS (
        SELECT o.id, (s.before ->> 'profile_id')::bigint AS profile_id, o.store_id,
               (s.before ->> 'placed_at')::timestamptz AS placed_at, s.before ->> 'currency' AS currency,
               (s.before ->> 'total_minor')::bigint AS total_minor, s.before ->> 'status' AS status,
               coalesce(s.since, b.last_position) AS known_from, s.until AS known_until
        FROM state s JOIN orders_order o ON o.id = s.order_id
        JOIN events_batch b ON b.id = coalesce((s.before ->> 'batch_id')::bigint, o.batch_id)
        UNION ALL
        SELECT o.id, o.profile_id, o.store_id, o.placed_at, o.currency, o.total_minor, o.status, b.last_position, NULL::bigint
        FROM orders_order o JOIN in_range b ON b.id = o.batch_id
        WHERE NOT EXISTS (SELECT 1 FROM state s WHERE s.order_id = o.id)
        UNION ALL
        SELECT o.id, o.profile_id, o.store_id, o.placed_at, o.currency, o.total_minor, o.status, s.until, NULL::bigint
        FROM orders_order o JOIN (SELECT order_id, max(until) AS until FROM state GROUP BY order_id) s ON s.order_id = o.id
    )
    SELECT id, profile_id, store_id, placed_at AT TIME ZONE 'UTC', currency, total_minor, status <> 'cancelled', known_from, known_until
    FROM version
    WHERE known_from > %(after)s AND known_from <= %(upto)s AND known_from IS DISTINCT FROM known_until
"""

ORDERS = register(
    WarehouseTable(
        name="orders",
        meaning="Orders, one row for each state that was known",
        key="order_id",
        columns=(
            Column("order_id", ColumnType.BIGINT, "the order"),
            Column("profile_id", ColumnType.BIGINT, "who ordered; null for a guest without any identity"),
            Column("store_id", ColumnType.BIGINT, "in which store"),
            Column("placed_at", ColumnType.TIMESTAMP, "when, UTC"),
            Column("currency", ColumnType.TEXT, "ISO 4217 code"),
            Column("total_minor", ColumnType.BIGINT, "total in minor units of its currency"),
            Column("counts", ColumnType.BOOLEAN, "false for a cancelled order: neither an order nor revenue"),
        ),
        versions=_ORDER_VERSIONS,
        keys="SELECT id FROM orders_order",
        removed_by=_REMOVED_BY,
    )
)

REFUNDS = register(
    WarehouseTable(
        name="refunds",
        meaning="Money given back, on its own day",
        key="refund_id",
        columns=(
            Column("refund_id", ColumnType.BIGINT, "the refund"),
            Column("profile_id", ColumnType.BIGINT, "to whom; null where nobody knows"),
            Column("store_id", ColumnType.BIGINT, "in which store"),
            Column("occurred_at", ColumnType.TIMESTAMP, "when, UTC"),
            Column("currency", ColumnType.TEXT, "ISO 4217 code"),
            Column("amount_minor", ColumnType.BIGINT, "amount in minor units of its currency, positive"),
        ),
        versions="""
            SELECT f.id, coalesce(f.profile_id, o.profile_id), f.store_id, f.occurred_at AT TIME ZONE 'UTC', f.currency, f.amount_minor,
                   b.last_position, NULL::bigint
            FROM orders_refund f JOIN events_batch b ON b.id = f.batch_id LEFT JOIN orders_order o ON o.id = f.order_id
            WHERE b.last_position > %(after)s AND b.last_position <= %(upto)s
        """,
        keys="SELECT id FROM orders_refund",
        removed_by=_REMOVED_BY,
    )
)
