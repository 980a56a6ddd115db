"""Who may be written to, for the warehouse. Words are said of addresses: each is a row of every profile that confirms the address."""

from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register

# One row of each word and link. Both numbers stay below 2 ^ 31 for longer than any shop lasts.
_KEY = "((r.id << 32) | l.id)"
_CONFIRMED = """
    {entries} r JOIN customers_identity i
        ON i.token = r.address AND i.scope = '' AND i.kind = CASE r.channel WHEN 'email' THEN 'email' ELSE 'phone' END
    JOIN customers_identitylink l ON l.identity_id = i.id AND l.trust = 'confirmed'
"""
# Addresses of which something was said, or that somebody was linked to.
_ADDRESSES = """
    in_range AS MATERIALIZED (
        SELECT id FROM events_batch WHERE last_position > %(after)s AND last_position <= %(upto)s
    ), told AS MATERIALIZED (
        SELECT r.address FROM in_range b JOIN {entries} r ON r.batch_id = b.id
        UNION SELECT i.token FROM in_range b JOIN customers_identitylink l ON l.batch_id = b.id
        JOIN customers_identity i ON i.id = l.identity_id
    )
"""
# Known is a word of somebody from the later of the two: positions tell, since a batch that began first may commit last.
_BOTH = "JOIN events_batch br ON br.id = r.batch_id JOIN events_batch bl ON bl.id = l.batch_id"
_SINCE = "greatest(br.last_position, bl.last_position)"
_IN_SPAN = "{0} > %(after)s AND {0} <= %(upto)s"

_SAID = f"{_KEY}, l.profile_id, r.occurred_at AT TIME ZONE 'UTC', i.id, n.name, r.channel, r.topic, r.state, r.method, nullif(r.source, '')"
_WORDS = f"{_CONFIRMED.format(entries='consent_consententry')} JOIN shop_brand n ON n.id = r.brand_id"
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
        present=f"SELECT {_SAID} FROM {_WORDS} WHERE r.state <> 'unknown'",
        versions=f"""
            WITH {_ADDRESSES.format(entries="consent_consententry")}
            SELECT {_SAID}, {_SINCE}, NULL::bigint FROM {_WORDS} JOIN told ON told.address = r.address {_BOTH}
            WHERE r.state <> 'unknown' AND {_IN_SPAN.format(_SINCE)}
        """,
        removed_by=("import.undone",),
    )
)

_STOP = f"{_KEY}, l.profile_id, r.occurred_at AT TIME ZONE 'UTC', r.channel, r.reason"
_STOPPED = _CONFIRMED.format(entries="consent_suppressionentry")
_NEXT = """
    JOIN LATERAL (
        SELECT n.occurred_at, n.batch_id FROM consent_suppressionentry n
        WHERE n.address = r.address AND n.channel = r.channel AND n.id > r.id ORDER BY n.id LIMIT 1
    ) n ON true
"""
_UNTIL = "CASE WHEN n.batch_id IS NOT NULL THEN greatest(n.occurred_at, r.occurred_at) AT TIME ZONE 'UTC' END"
_ALONE = "r.id, r.profile_id, r.occurred_at AT TIME ZONE 'UTC'"
_NEXT_ALONE = """
    JOIN LATERAL (
        SELECT n.occurred_at, n.batch_id FROM consent_donotcontact n WHERE n.profile_id = r.profile_id AND n.id > r.id ORDER BY n.id LIMIT 1
    ) n ON true
"""
_ALONE_ROWS = """
    consent_donotcontact r JOIN told ON told.profile_id = r.profile_id JOIN events_batch br ON br.id = r.batch_id
"""


def _versions(row: str, rows: str, following: str, since: str) -> str:
    """Each entry until the next one about the same."""
    return f"""
        SELECT {row}, NULL::timestamp, {since}, e.last_position
        FROM {rows} LEFT {following} LEFT JOIN events_batch e ON e.id = n.batch_id
        WHERE r.is_on AND {_IN_SPAN.format(since)} AND (n.batch_id IS NULL OR e.last_position > {since})
        UNION ALL
        SELECT {row}, {_UNTIL}, greatest(e.last_position, {since}), NULL::bigint
        FROM {rows} {following} JOIN events_batch e ON e.id = n.batch_id
        WHERE r.is_on AND {_IN_SPAN.format(f"greatest(e.last_position, {since})")}
    """


SUPPRESSIONS = register(
    WarehouseTable(
        name="suppressions",
        meaning="Addresses that nothing may be sent to, from when until when",
        key="suppression_id",
        columns=(
            Column("suppression_id", ColumnType.BIGINT, "the entry and by whom the address is confirmed"),
            Column("profile_id", ColumnType.BIGINT, "who confirms the address"),
            Column("at", ColumnType.TIMESTAMP, "since when, UTC"),
            Column("channel", ColumnType.TEXT, "email, sms or push"),
            Column("reason", ColumnType.TEXT, "why"),
            Column("until", ColumnType.TIMESTAMP, "until when; null while it holds"),
        ),
        present=f"SELECT {_STOP}, {_UNTIL} FROM {_STOPPED} LEFT {_NEXT} WHERE r.is_on",
        versions=f"""
            WITH {_ADDRESSES.format(entries="consent_suppressionentry")}
            {_versions(_STOP, f"{_STOPPED} JOIN told ON told.address = r.address {_BOTH}", _NEXT, _SINCE)}
        """,
        removed_by=("import.undone",),
    )
)

LEFT_ALONE = register(
    WarehouseTable(
        name="left_alone",
        meaning="People whom staff leave alone, from when until when",
        key="entry_id",
        columns=(
            Column("entry_id", ColumnType.BIGINT, "the entry"),
            Column("profile_id", ColumnType.BIGINT, "whom"),
            Column("at", ColumnType.TIMESTAMP, "since when, UTC"),
            Column("until", ColumnType.TIMESTAMP, "until when; null while it holds"),
        ),
        present=f"SELECT {_ALONE}, {_UNTIL} FROM consent_donotcontact r LEFT {_NEXT_ALONE} WHERE r.is_on",
        versions=f"""
            WITH told AS MATERIALIZED (
                SELECT DISTINCT r.profile_id FROM events_batch b JOIN consent_donotcontact r ON r.batch_id = b.id
                WHERE {_IN_SPAN.format("b.last_position")}
            )
            {_versions(_ALONE, _ALONE_ROWS, _NEXT_ALONE, "br.last_position")}
        """,
        removed_by=("import.undone",),
    )
)
