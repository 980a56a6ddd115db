"""RFM scores as published, for the warehouse: those of each month's first snapshot, and of the newest."""

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register
from regulars.insight.rfm.rules import KEPT_DAYS, SEGMENTS

_NAMES = "ARRAY[" + ", ".join(f"'{one.value}'" for one in SEGMENTS) + "]"
_SNAPSHOTS = """
    (SELECT p.id, p.as_of, lead(p.as_of) OVER (ORDER BY p.as_of, p.position, p.id) AS until FROM rfm_rfmsnapshot p
     WHERE p.thinned_at IS NULL{p} AND (p.kind = 'monthly' OR p.id = (
         SELECT n.id FROM rfm_rfmsnapshot n WHERE n.thinned_at IS NULL{n} ORDER BY n.as_of DESC, n.position DESC, n.id DESC LIMIT 1)))
"""
_PUBLISHED = _SNAPSHOTS.replace("{p}", "").replace("{n}", "")
_BY = " AND {}.computed_at <= %(published_by)s"
_PUBLISHED_BY = _SNAPSHOTS.replace("{p}", _BY.replace("{}", "p")).replace("{n}", _BY.replace("{}", "n"))
# A snapshot's customers stand for everybody at once; each is told by the oldest of their present profiles.
_OLDEST = """
    a.until_batch_id IS NULL AND NOT EXISTS (
        SELECT 1 FROM customers_customerprofile o
        WHERE o.customer_id = a.customer_id AND o.until_batch_id IS NULL AND o.profile_id < a.profile_id)
"""
_KEY = "((s.snapshot_id << 32) | s.customer_id)"
_PRESENT = f"""
            SELECT {_KEY}, a.profile_id, p.as_of AT TIME ZONE 'UTC', p.until AT TIME ZONE 'UTC', ({_NAMES})[s.segment + 1], s.r, s.f, s.m,
                s.recency_days, s.frequency, s.monetary_minor
            FROM {{published}} p CROSS JOIN customers_customerprofile a
            JOIN rfm_rfmscore s ON s.snapshot_id = p.id AND s.customer_id = a.customer_id WHERE {_OLDEST}
        """

RFM = register(
    WarehouseTable(
        name="rfm",
        meaning="RFM scores, from one published snapshot until the next",
        key="score_id",
        columns=(
            Column("score_id", ColumnType.BIGINT, "the snapshot's number and the customer's"),
            Column("profile_id", ColumnType.BIGINT, "the customer's oldest profile"),
            Column("at", ColumnType.TIMESTAMP, "as of when the snapshot is, UTC"),
            Column("until", ColumnType.TIMESTAMP, "as of when the next one is, UTC; null for the newest"),
            Column("segment", ColumnType.TEXT, "one of the eleven segments"),
            Column("r", ColumnType.BIGINT, "recency score, from 1 to the scale"),
            Column("f", ColumnType.BIGINT, "frequency score, from 1 to the scale"),
            Column("m", ColumnType.BIGINT, "monetary score, from 1 to the scale"),
            Column("recency_days", ColumnType.BIGINT, "whole days since the last order"),
            Column("frequency", ColumnType.BIGINT, "orders that count"),
            Column("monetary", ColumnType.BIGINT, "orders less refunds, in minor units of the snapshot's currency"),
        ),
        present=_PRESENT.replace("{published}", _PUBLISHED),
        published=_PRESENT.replace("{published}", _PUBLISHED_BY),
        # Whatever is published takes the place of what was published before it. An array is made once; a join would be planned by what is
        # known of a table that was filled a moment ago, which is nothing.
        touched=f"""
            SELECT {_KEY}, %(upto)s FROM rfm_rfmscore s WHERE s.snapshot_id = ANY (ARRAY(
                SELECT near.id FROM (SELECT DISTINCT key FROM warehouse_touched WHERE "table" = 'rfm_rfmsnapshot') t
                JOIN rfm_rfmsnapshot new ON new.id = t.key CROSS JOIN LATERAL (
                    SELECT new.id UNION ALL (
                        SELECT b.id FROM rfm_rfmsnapshot b
                        WHERE b.thinned_at IS NULL AND (b.as_of, b.position, b.id) < (new.as_of, new.position, new.id)
                        ORDER BY b.as_of DESC, b.position DESC, b.id DESC LIMIT 3
                    ) UNION ALL (
                        SELECT b.id FROM rfm_rfmsnapshot b
                        WHERE b.kind = 'monthly' AND (b.as_of, b.position, b.id) < (new.as_of, new.position, new.id)
                        ORDER BY b.as_of DESC, b.position DESC, b.id DESC LIMIT 1
                    )
                ) near
            ))
            UNION ALL
            SELECT {_KEY}, e.position FROM events_event e
            CROSS JOIN LATERAL (
                SELECT (e.data ->> 'kept')::bigint AS id
                UNION SELECT jsonb_array_elements_text(coalesce(e.data -> 'gone', e.data -> 'new'))::bigint
            ) c JOIN {_PUBLISHED} p ON true JOIN rfm_rfmscore s ON s.snapshot_id = p.id AND s.customer_id = c.id
            WHERE e.kind IN ('customer.merged', 'customer.split') AND e.position > %(after)s AND e.position <= %(upto)s
        """,
        removed_by=("import.undone",),
        keeps_ended=KEPT_DAYS,
    )
)
