"""Orders, their lines and refunds, for the warehouse (docs/warehouse.md).

``*_minor`` are amounts in the currency of the order; the others are in minor units of the reporting currency, at the rate of their day:
null where it has none. What the catalog says of a product is of now.
"""

from regulars.foundation.relations import LIST_MARK
from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register
from regulars.record.orders.conversion import rated, revalued, worth

_REMOVED_BY = ("import.undone",)
MARK = f"chr({ord(LIST_MARK)})"

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
        SELECT past.*, coalesce(s.since, b.last_position) AS known_from, s.until AS known_until
        FROM changed s JOIN {rows} r ON r.id = s.id JOIN events_batch b ON b.id = r.batch_id
        CROSS JOIN LATERAL jsonb_populate_record(r, s.before - 'digest') past
        UNION ALL
        SELECT r.*, b.last_position, NULL::bigint
        FROM {rows} r JOIN in_range b ON b.id = r.batch_id
        WHERE NOT EXISTS (SELECT 1 FROM changed s WHERE s.id = r.id)
        UNION ALL
        SELECT r.*, s.until, NULL::bigint
        FROM {rows} r JOIN (SELECT id, max(until) AS until FROM changed GROUP BY id) s ON s.id = r.id
    )
    SELECT {columns}, o.known_from, o.known_until FROM version o {joined}
    WHERE o.known_from > %(after)s AND o.known_from <= %(upto)s AND o.known_from IS DISTINCT FROM o.known_until
"""
COUNTS = "o.status <> 'cancelled' AND o.payment_status <> 'voided'"
COUPONS = rf"""CASE WHEN o.discount_codes <> ''
    THEN {MARK} || array_to_string(regexp_split_to_array(lower(trim(o.discount_codes)), '\s*,\s*'), {MARK}) || {MARK} END"""
_ORDER = f"""
    o.id, o.profile_id, o.store_id, o.placed_at AT TIME ZONE 'UTC', o.currency, o.total_minor, {COUNTS},
    {worth("o.total_minor")}, {worth("o.subtotal_minor")}, {worth("(o.subtotal_minor + d.minor)")},
    {worth("d.minor")}, {worth("o.shipping_minor")}, {worth("o.tax_minor")}, o.line_count, shop_store.code,
    nullif(o.channel, ''), o.status, o.payment_status, o.fulfilment_status, nullif(o.country, ''), {COUPONS}
"""
_ORDER_JOINED = f"""
    JOIN shop_store ON shop_store.id = o.store_id {rated("o.currency", "o.placed_at")}
    CROSS JOIN LATERAL (
        SELECT o.discount_minor + coalesce(sum(l.discount_minor), 0)::bigint AS minor FROM orders_orderline l
        WHERE l.order_id = o.id AND l.until_batch_id IS NULL
    ) d
"""
_REFUND = f"""
    o.id, o.order_id, o.profile_id, o.store_id, o.occurred_at AT TIME ZONE 'UTC', o.currency, o.amount_minor,
    {worth("o.amount_minor")}, shop_store.code, nullif(o.reason, ''),
    f.id IS NULL OR f.status <> 'cancelled' AND f.payment_status <> 'voided'
"""
_REFUND_JOINED = f"""
    LEFT JOIN orders_order f ON f.id = o.order_id JOIN shop_store ON shop_store.id = o.store_id {rated("o.currency", "o.occurred_at")}
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
            Column("counts", ColumnType.BOOLEAN, "false for a cancelled or voided order: neither an order nor revenue"),
            Column("total", ColumnType.BIGINT, "what the shopper pays, reporting currency"),
            Column("subtotal", ColumnType.BIGINT, "its lines after discounts, reporting currency"),
            Column("gross", ColumnType.BIGINT, "its lines before every discount, reporting currency"),
            Column("discount", ColumnType.BIGINT, "given on the order and its lines, positive, reporting currency"),
            Column("shipping", ColumnType.BIGINT, "reporting currency"),
            Column("tax", ColumnType.BIGINT, "reporting currency"),
            Column("line_count", ColumnType.BIGINT, "number of lines"),
            Column("store", ColumnType.TEXT, "code of the store"),
            Column("channel", ColumnType.TEXT, "where it was placed, as the shop says"),
            Column("status", ColumnType.TEXT, "open, completed or cancelled"),
            Column("payment_status", ColumnType.TEXT, "Shopify's financial status"),
            Column("fulfilment_status", ColumnType.TEXT, "unfulfilled, partial or fulfilled"),
            Column("country", ColumnType.TEXT, "to which it goes, ISO 3166"),
            Column("coupons", ColumnType.TEXT, "list: codes used, lower case"),
        ),
        present=f"SELECT {_ORDER} FROM orders_order o {_ORDER_JOINED}",
        versions=_VERSIONS.format(
            row="order", rows="orders_order", changes="orders_orderchange", columns=_ORDER, joined=_ORDER_JOINED
        ),
        touched=revalued("orders_order"),
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
            Column("amount", ColumnType.BIGINT, "the same in the reporting currency"),
            Column("store", ColumnType.TEXT, "code of the store"),
            Column("reason", ColumnType.TEXT, "as the shop says it"),
            Column("counts", ColumnType.BOOLEAN, "false where it belongs to an order that does not count"),
        ),
        present=f"SELECT {_REFUND} FROM orders_refund o {_REFUND_JOINED}",
        versions=_VERSIONS.format(
            row="refund", rows="orders_refund", changes="orders_refundchange", columns=_REFUND, joined=_REFUND_JOINED
        ),
        touched=f"""
            {revalued("orders_refund")}
            UNION ALL
            SELECT r.id, b.last_position FROM orders_orderchange c JOIN events_batch b ON b.id = c.batch_id
            JOIN orders_refund r ON r.order_id = c.order_id
            WHERE b.last_position > %(after)s AND b.last_position <= %(upto)s
        """,
        removed_by=_REMOVED_BY,
    )
)

# Lines are found by their orders, which tell of every change: the batches of lines have no index.
# Shelves stand within shelves: a line is on all of them. They never move, and one that a product is taken off is told by the product.
_ABOVE = """
    WITH RECURSIVE shelf AS (
        SELECT {of} c.id, c.name, c.parent_id FROM catalog_product_categories p JOIN catalog_category c ON c.id = p.category_id {where}
        UNION
        SELECT {above} c.id, c.name, c.parent_id FROM shelf JOIN catalog_category c ON c.id = shelf.parent_id
    )
"""
_AGGREGATED = f"{MARK} || string_agg(DISTINCT shelf.name, {MARK} ORDER BY shelf.name) || {MARK}"
_SHELVES_OF_ONE = (
    f"({_ABOVE.format(of='', above='', where='WHERE p.product_id = p2.id')} SELECT {_AGGREGATED} FROM shelf)"
)
_LINE = f"""
    l.id, l.order_id, o.profile_id, o.store_id, o.placed_at AT TIME ZONE 'UTC', shop_store.code, p2.key,
    coalesce(nullif(l.sku, ''), nullif(v.sku, '')), nullif(v.title, ''), nullif(p2.brand_name, ''), {{shelves}}, p2.is_service,
    l.quantity, {worth("l.total_minor")}, {COUNTS}
"""
_LINE_JOINED = f"""
    JOIN orders_order o ON o.id = l.order_id JOIN shop_store ON shop_store.id = o.store_id
    LEFT JOIN catalog_variant v ON v.id = l.variant_id LEFT JOIN catalog_product p2 ON p2.id = v.product_id
    {rated("o.currency", "o.placed_at")}
"""
ORDER_LINES = register(
    WarehouseTable(
        name="order_lines",
        meaning="What was bought: lines of orders, with what the catalog says of their products now",
        key="line_id",
        columns=(
            Column("line_id", ColumnType.BIGINT, "the line"),
            Column("order_id", ColumnType.BIGINT, "its order"),
            Column("profile_id", ColumnType.BIGINT, "who ordered; null for a guest"),
            Column("store_id", ColumnType.BIGINT, "in which store"),
            Column("placed_at", ColumnType.TIMESTAMP, "when it was ordered, UTC"),
            Column("store", ColumnType.TEXT, "code of the store"),
            Column("product", ColumnType.TEXT, "the shop's own key of the product; null where it is not known"),
            Column("sku", ColumnType.TEXT, "stock code"),
            Column("variant", ColumnType.TEXT, "title of the variant"),
            Column("brand", ColumnType.TEXT, "brand of the product"),
            Column("categories", ColumnType.TEXT, "list: names of its categories and of those above them"),
            Column("is_service", ColumnType.BOOLEAN, "postage, fees, vouchers"),
            Column("quantity", ColumnType.BIGINT, "pieces"),
            Column("total", ColumnType.BIGINT, "what the line came to, reporting currency"),
            Column("counts", ColumnType.BOOLEAN, "false where its order does not count"),
        ),
        present=f"SELECT {_LINE.format(shelves=_SHELVES_OF_ONE)} FROM orders_orderline l {_LINE_JOINED} WHERE l.until_batch_id IS NULL",
        versions=f"""
            WITH in_range AS MATERIALIZED (
                SELECT id FROM events_batch WHERE last_position > %(after)s AND last_position <= %(upto)s
            ), stated AS MATERIALIZED (
                SELECT o.id FROM in_range b JOIN orders_order o ON o.batch_id = b.id
                UNION SELECT c.order_id FROM in_range b JOIN orders_orderchange c ON c.batch_id = b.id
            ), shelves AS MATERIALIZED (
                {_ABOVE.format(of="p.product_id,", above="shelf.product_id,", where="")}
                SELECT product_id, {_AGGREGATED} AS names FROM shelf GROUP BY product_id
            )
            SELECT {_LINE.format(shelves="shelves.names")}, b.last_position, e.last_position
            FROM stated JOIN orders_orderline l ON l.order_id = stated.id JOIN events_batch b ON b.id = l.batch_id
            LEFT JOIN events_batch e ON e.id = l.until_batch_id
            {_LINE_JOINED}
            LEFT JOIN shelves ON shelves.product_id = p2.id
            WHERE b.last_position > %(after)s AND b.last_position <= %(upto)s AND b.last_position IS DISTINCT FROM e.last_position
        """,
        ended="""
            SELECT l.id, e.last_position FROM events_batch e JOIN orders_orderchange c ON c.batch_id = e.id
            JOIN orders_orderline l ON l.order_id = c.order_id AND l.until_batch_id = e.id
            WHERE e.last_position > %(after)s AND e.last_position <= %(upto)s
        """,
        touched="""
            SELECT l.id, b.last_position FROM events_batch b JOIN orders_orderchange c ON c.batch_id = b.id
            JOIN orders_orderline l ON l.order_id = c.order_id
            WHERE b.last_position > %(after)s AND b.last_position <= %(upto)s AND l.until_batch_id IS NULL
            UNION ALL
            SELECT l.id, e.position FROM events_event e JOIN catalog_variant v ON v.product_id = e.subject_id
            JOIN orders_orderline l ON l.variant_id = v.id
            WHERE e.kind = 'product.updated' AND e.position > %(after)s AND e.position <= %(upto)s AND l.until_batch_id IS NULL
            UNION ALL
            SELECT l.id, o.position FROM orders_orderline l JOIN ("""
        + revalued("orders_order")
        + """) o ON o.id = l.order_id WHERE l.until_batch_id IS NULL
        """,
        removed_by=_REMOVED_BY,
    )
)
