"""Orders and refunds, for the warehouse. Amounts are integer minor units in the order's own currency."""

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register

_REMOVED_BY = ("customer.erased", "import.undone")

# A row carries the batch that made it, each change the batch of its own and the state before it. So a past version ends where its
# change was known, and the row itself is the last version. The parameters stand for both tables, which differ in their columns only.
_VERSIONS = """
    WITH in_range AS MATERIALIZED (
        SELECT id, last_position FROM events_batch WHERE last_position > %(after)s AND last_position <= %(upto)s
    ), touched AS MATERIALIZED (
        SELECT c.{row}_id AS id FROM {changes} c JOIN in_range b ON b.id = c.batch_id GROUP BY 1
    ), changed AS MATERIALIZED (
        SELECT c.{row}_id AS id, c.before, b.last_position AS until,
               lag(b.last_position) OVER (PARTITION BY c.{row}_id ORDER BY c.id) AS since
        FROM {changes} c JOIN events_batch b ON b.id = c.batch_id
        WHERE c.{row}_id IN (SELECT id FROM touched)
           OR c.{row}_id IN (SELECT r.id FROM {rows} r JOIN in_range b ON b.id = r.batch_id)
    ), version AS (
        SELECT r.id, {past}, coalesce(s.since, b.last_position) AS known_from, s.until AS known_until
        FROM changed s JOIN {rows} r ON r.id = s.id JOIN events_batch b ON b.id = r.batch_id
        UNION ALL
        SELECT r.id, {present}, b.last_position, NULL::bigint
        FROM {rows} r JOIN in_range b ON b.id = r.batch_id
        WHERE NOT EXISTS (SELECT 1 FROM changed s WHERE s.id = r.id)
        UNION ALL
        SELECT r.id, {present}, s.until, NULL::bigint
        FROM {rows} r JOIN (SELECT id, max(until) AS until FROM changed GROUP BY id) s ON s.id = r.id
    )
    SELECT * FROM version
    WHERE known_from > %(after)s AND known_from <= %(upto)s AND known_from IS DISTINCT FROM known_until
"""
_ORDER_VERSIONS = _VERSIONS.format(
    row="order",
    rows="orders_order",
    changes="orders_orderchange",
    past="""(s.before ->> 'profile_id')::bigint, r.store_id, (s.before ->> 'placed_at')::timestamptz AT TIME ZONE 'UTC',
            s.before ->> 'currency', (s.before ->> 'total_minor')::bigint,
            s.before ->> 'status' <> 'cancelled' AND s.before ->> 'payment_status' <> 'voided'""",
    present="""r.profile_id, r.store_id, r.placed_at AT TIME ZONE 'UTC', r.currency, r.total_minor,
            r.status <> 'cancelled' AND r.payment_status <> 'voided'""",
)
_REFUND_VERSIONS = _VERSIONS.format(
    row="refund",
    rows="orders_refund",
    changes="orders_refundchange",
    past="""(s.before ->> 'order_id')::bigint, (s.before ->> 'profile_id')::bigint, r.store_id,
            (s.before ->> 'occurred_at')::timestamptz AT TIME ZONE 'UTC', s.before ->> 'currency', (s.before ->> 'amount_minor')::bigint""",
    present="r.order_id, r.profile_id, r.store_id, r.occurred_at AT TIME ZONE 'UTC', r.currency, r.amount_minor",
)

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
            Column("counts", ColumnType.BOOLEAN, "false for a cancelled or voided order: neither an order nor revenue"),
        ),
        versions=_ORDER_VERSIONS,
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
            Column(
                "order_id",
                ColumnType.BIGINT,
                "of which order; null where nobody knows. Refunds of orders that do not count do not either",
            ),
            Column("profile_id", ColumnType.BIGINT, "to whom; null where nobody knows"),
            Column("store_id", ColumnType.BIGINT, "in which store"),
            Column("occurred_at", ColumnType.TIMESTAMP, "when, UTC"),
            Column("currency", ColumnType.TEXT, "ISO 4217 code"),
            Column("amount_minor", ColumnType.BIGINT, "amount in minor units of its currency, positive"),
        ),
        versions=_REFUND_VERSIONS,
        removed_by=_REMOVED_BY,
    )
)
