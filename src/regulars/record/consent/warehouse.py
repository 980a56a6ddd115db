"""Who may be written to, for the warehouse. Words are said of addresses: each is a row of every profile that confirms the address."""

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register

# One row of each word and link. Both numbers stay below 2 ^ 31 for longer than any shop lasts.
_KEY = "((r.id << 32) | l.id)"
_OF_ADDRESS = "JOIN customers_identity i ON i.id = l.identity_id"
_BOTH = "JOIN events_batch b ON b.id = greatest(r.batch_id, l.batch_id)"
_IN_SPAN = "b.last_position > %(after)s AND b.last_position <= %(upto)s"

_SAID = f"{_KEY}, l.profile_id, r.occurred_at AT TIME ZONE 'UTC', i.id, n.name, r.channel, r.topic, r.state, r.method, nullif(r.source, '')"
_WORDS = f"""
    customers_identitylink l {_OF_ADDRESS} JOIN consent_consententry r ON r.address = i.token AND r.state <> 'unknown'
    JOIN shop_brand n ON n.id = r.brand_id
"""
CONSENTS = register(
    WarehouseTable(
        name="consents",
        meaning="What was said to each brand about being written to; what proves nothing is left out",
        key="consent_id",
        columns=(
            Column("consent_id", ColumnType.BIGINT, "the word and by whom the address is confirmed"),
            Column("profile_id", ColumnType.BIGINT, "who confirms the address"),
            Column("at", ColumnType.TIMESTAMP, "when it was said, UTC"),
            Column("address_id", ColumnType.BIGINT, "number of the address"),
            Column("brand", ColumnType.TEXT, "brand that it was said to"),
            Column("channel", ColumnType.TEXT, "email, sms or push"),
            Column("topic", ColumnType.TEXT, "about what one may be written to"),
            Column("state", ColumnType.TEXT, "granted or denied"),
            Column("method", ColumnType.TEXT, "how it was said"),
            Column("source", ColumnType.TEXT, "connection that told it; null for our own pages, staff and files"),
        ),
        present=f"SELECT {_SAID} FROM {_WORDS} WHERE l.trust = 'confirmed'",
        versions=f"SELECT {_SAID}, b.last_position, NULL::bigint FROM {_WORDS} {_BOTH} WHERE l.trust = 'confirmed' AND {_IN_SPAN}",
        removed_by=("import.undone",),
    )
)

_STOP = "l.profile_id, r.occurred_at AT TIME ZONE 'UTC', r.channel, r.reason"
_NEXT = """
    JOIN LATERAL (
        SELECT n.occurred_at, n.batch_id FROM consent_suppressionentry n
        WHERE n.address = r.address AND n.channel = r.channel AND n.id > r.id ORDER BY n.id LIMIT 1
    ) n ON true
"""
_UNTIL = "CASE WHEN n.batch_id IS NOT NULL THEN greatest(n.occurred_at, r.occurred_at) AT TIME ZONE 'UTC' END"
_STOPPED = f"customers_identitylink l {_OF_ADDRESS} JOIN consent_suppressionentry r ON r.address = i.token"
_ON = "r.is_on AND l.trust = 'confirmed'"
_ALONE = "-r.id, r.profile_id, r.occurred_at AT TIME ZONE 'UTC', NULL, 'left alone'"
_NEXT_ALONE = """
    JOIN LATERAL (
        SELECT n.occurred_at, n.batch_id FROM consent_donotcontact n WHERE n.profile_id = r.profile_id AND n.id > r.id ORDER BY n.id LIMIT 1
    ) n ON true
"""


def _versions(key: str, row: str, rows: str, following: str, began: str, where: str) -> str:
    """Each entry until the next one about the same."""
    return f"""
        SELECT {key}{row}, NULL::timestamp, b.last_position, e.last_position
        FROM {rows} JOIN events_batch b ON b.id = {began} LEFT {following} LEFT JOIN events_batch e ON e.id = greatest(n.batch_id, {began})
            AND n.batch_id IS NOT NULL
        WHERE {where} AND {_IN_SPAN} AND b.last_position IS DISTINCT FROM e.last_position
        UNION ALL
        SELECT {key}{row}, {_UNTIL}, e.last_position, NULL::bigint
        FROM {rows} {following} JOIN events_batch e ON e.id = greatest(n.batch_id, {began})
        WHERE {where} AND e.last_position > %(after)s AND e.last_position <= %(upto)s
    """


SUPPRESSIONS = register(
    WarehouseTable(
        name="suppressions",
        meaning="Addresses and people that nothing may be sent to, from when until when",
        key="suppression_id",
        columns=(
            Column("suppression_id", ColumnType.BIGINT, "the entry; negative where staff leave a person alone"),
            Column("profile_id", ColumnType.BIGINT, "who confirms the address, or is left alone"),
            Column("at", ColumnType.TIMESTAMP, "since when, UTC"),
            Column("channel", ColumnType.TEXT, "email, sms or push; null for all"),
            Column("reason", ColumnType.TEXT, "why"),
            Column("until", ColumnType.TIMESTAMP, "until when; null while it holds"),
        ),
        present=f"""
            SELECT {_KEY}, {_STOP}, {_UNTIL} FROM {_STOPPED} LEFT {_NEXT} WHERE {_ON}
            UNION ALL SELECT {_ALONE}, {_UNTIL} FROM consent_donotcontact r LEFT {_NEXT_ALONE} WHERE r.is_on
        """,
        versions=_versions(f"{_KEY}, ", _STOP, _STOPPED, _NEXT, "greatest(r.batch_id, l.batch_id)", _ON)
        + " UNION ALL "
        + _versions("", _ALONE, "consent_donotcontact r", _NEXT_ALONE, "r.batch_id", "r.is_on"),
        removed_by=("import.undone",),
    )
)
