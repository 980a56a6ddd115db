"""Who is who, for the warehouse: merge and split rewrite nothing there, since every question joins this map."""

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register

CUSTOMER_PROFILES = register(
    WarehouseTable(
        name="customer_profiles",
        meaning="The map from profiles to customers",
        key="profile_id",
        columns=(
            Column("profile_id", ColumnType.BIGINT, "what orders and events point to"),
            Column("customer_id", ColumnType.BIGINT, "the person to whom the profile belongs"),
        ),
        versions="""
            SELECT m.profile_id, m.customer_id, b.last_position, e.last_position
            FROM customers_customerprofile m
            JOIN events_batch b ON b.id = m.from_batch_id
            LEFT JOIN events_batch e ON e.id = m.until_batch_id
            WHERE b.last_position > %(after)s AND b.last_position <= %(upto)s
              AND b.last_position IS DISTINCT FROM e.last_position
        """,
        removed_by=("customer.erased", "import.undone"),
    )
)
