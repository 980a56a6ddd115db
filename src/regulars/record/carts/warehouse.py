"""Carts, for the warehouse. The record changes a cart in place and keeps no state before: as it was known then is what the warehouse saw
then, from the moment at which it began to follow.
"""

from regulars.foundation.warehouse_tables import TOUCHED, Column, ColumnType, WarehouseTable, register
from regulars.record.orders.conversion import rated, revalued, worth

CARTS = register(
    WarehouseTable(
        name="carts",
        meaning="Carts and how they ended",
        key="cart_id",
        columns=(
            Column("cart_id", ColumnType.BIGINT, "the cart"),
            Column("profile_id", ColumnType.BIGINT, "whose; null while nobody is known"),
            Column("opened_at", ColumnType.TIMESTAMP, "when the first thing was put in, UTC"),
            Column(
                "ended_at", ColumnType.TIMESTAMP, "when it was ordered, closed or joined with another, UTC; null before"
            ),
            Column("changed_at", ColumnType.TIMESTAMP, "when it was touched last, UTC"),
            Column("ordered_at", ColumnType.TIMESTAMP, "when it was ordered, UTC"),
            Column("state", ColumnType.TEXT, "open, checkout, abandoned, ordered, recovered, closed or merged"),
            Column("is_checkout", ColumnType.BOOLEAN, "the shopper was at the checkout"),
            Column("value", ColumnType.BIGINT, "what lies in it, reporting currency"),
            Column("pieces", ColumnType.BIGINT, "how many things lie in it"),
            Column("currency", ColumnType.TEXT, "ISO 4217 code"),
            Column("store", ColumnType.TEXT, "code of the store"),
            Column("is_filled", ColumnType.BOOLEAN, "something lies in it"),
        ),
        present=f"""
            SELECT c.id, c.profile_id, c.opened_at AT TIME ZONE 'UTC',
                CASE WHEN c.state IN ('ordered', 'recovered') THEN coalesce(c.ordered_at, c.changed_at)
                     WHEN c.state IN ('closed', 'merged') THEN c.changed_at END AT TIME ZONE 'UTC',
                c.changed_at AT TIME ZONE 'UTC', c.ordered_at AT TIME ZONE 'UTC', c.state, c.is_checkout, {worth("c.value_minor")},
                (SELECT coalesce(sum(l.quantity), 0) FROM carts_cartline l WHERE l.cart_id = c.id), c.currency, s.code, c.value_minor > 0
            FROM carts_cart c JOIN shop_store s ON s.id = c.store_id {rated("c.currency", "c.changed_at")}
        """,
        touched=f"{TOUCHED.format(table='carts_cart')} UNION ALL {revalued('carts_cart')}",
    )
)
