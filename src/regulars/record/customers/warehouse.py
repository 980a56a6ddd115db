"""Who is who and what is known of them, for the warehouse: merge and split rewrite nothing there, since every question joins the map."""

from regulars.foundation.relations import LIST_MARK
from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register
from regulars.record.customers.contacts import ASKED

CUSTOMER_PROFILES = register(
    WarehouseTable(
        name="customer_profiles",
        meaning="The map from profiles to customers",
        key="profile_id",
        columns=(
            Column("profile_id", ColumnType.BIGINT, "what orders and events point to"),
            Column("customer_id", ColumnType.BIGINT, "the person to whom the profile belongs"),
        ),
        present="SELECT profile_id, customer_id FROM customers_customerprofile WHERE until_batch_id IS NULL",
        versions="""
            SELECT m.profile_id, m.customer_id, b.last_position, e.last_position
            FROM customers_customerprofile m
            JOIN events_batch b ON b.id = m.from_batch_id
            LEFT JOIN events_batch e ON e.id = m.until_batch_id
            WHERE b.last_position > %(after)s AND b.last_position <= %(upto)s
              AND b.last_position IS DISTINCT FROM e.last_position
        """,
        removed_by=("import.undone",),
    )
)

_MARK = f"chr({ord(LIST_MARK)})"
_UNDONE = ("import.undone",)


def _appended(columns: str, rows: str) -> str:
    """Versions of rows that are only ever added; ``rows`` begins with the table, as ``r``."""
    return f"""
        SELECT {columns}, b.last_position, NULL::bigint FROM events_batch b JOIN {rows} WHERE r.batch_id = b.id
          AND b.last_position > %(after)s AND b.last_position <= %(upto)s
    """


_CONTACT = f"""
    r.id, r.profile_id, r.occurred_at AT TIME ZONE 'UTC', nullif(r.country, ''), nullif(r.region, ''), nullif(r.postal_area, ''),
    nullif(r.language, ''), nullif(r.mail_domain, ''),
    i.kind = 'anonymous_id', nullif(r.time_zone, ''), {", ".join(f"nullif(r.words[{n}], '')" for n, _ in enumerate(ASKED, start=1))}
"""
_NAMED = "JOIN customers_profile p ON p.id = r.profile_id JOIN customers_identity i ON i.id = p.named_by_id"
CONTACTS = register(
    WarehouseTable(
        name="contacts",
        meaning="Where people live and what they speak, from each moment at which it became so",
        key="contact_id",
        columns=(
            Column("contact_id", ColumnType.BIGINT, "the version of the contact data"),
            Column("profile_id", ColumnType.BIGINT, "whose"),
            Column("at", ColumnType.TIMESTAMP, "from when it holds, UTC"),
            Column("country", ColumnType.TEXT, "ISO 3166 code"),
            Column("region", ColumnType.TEXT, "region, as it was written"),
            Column("postal_area", ColumnType.TEXT, "begin of the postal code"),
            Column("language", ColumnType.TEXT, "code of the language"),
            Column("mail_domain", ColumnType.TEXT, "what stands behind the @; null where no mail address is known"),
            Column("is_device", ColumnType.BOOLEAN, "a browser filled it in; what others say comes first"),
            Column("time_zone", ColumnType.TEXT, "IANA name: as it was said, or that of the whole country"),
            *(
                Column(f"{name}_tokens", ColumnType.TEXT, "list: keyed tokens of it and its begin (docs/privacy.md)")
                for name in ASKED
            ),
        ),
        present=f"SELECT {_CONTACT} FROM customers_contactversion r {_NAMED}",
        versions=_appended(_CONTACT, f"customers_contactversion r ON true {_NAMED}"),
        removed_by=_UNDONE,
    )
)

_TEXT = "(r.clear #>> '{}')"
_IS_TEXT = "jsonb_typeof(r.clear) = 'string'"
# A day that there is: a cast of another would fail, and PostgreSQL 15 cannot be asked before.
_DAY = (
    r"^([12]\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))"
    r"|[12]\d([02468][48]|[2468]0|[13579][26])-02-29|(1[26]|2[048])00-02-29)([T ]|$)"
)
_TIME = r"^.{10}[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-](0\d|1[0-4]):?[0-5]\d)?$"
_ATTRIBUTE = rf"""
    r.id, r.profile_id, r.occurred_at AT TIME ZONE 'UTC', r.name, r.clear IS NOT NULL OR r.sealed IS NOT NULL,
    CASE WHEN jsonb_typeof(r.clear) IN ('string', 'number', 'boolean') THEN {_TEXT} END,
    CASE WHEN jsonb_typeof(r.clear) IN ('string', 'number') AND {_TEXT} ~ '^\s*-?\d{{1,12}}(\.\d{{1,6}})?\s*$' THEN {_TEXT}::numeric END,
    CASE WHEN {_IS_TEXT} AND {_TEXT} ~ '{_DAY}' THEN left({_TEXT}, 10)::date - DATE '1970-01-01' END,
    CASE WHEN {_IS_TEXT} AND {_TEXT} ~ '{_DAY}' AND {_TEXT} ~ '{_TIME}' THEN {_TEXT}::timestamptz AT TIME ZONE 'UTC' END,
    CASE WHEN jsonb_typeof(r.clear) = 'boolean' THEN {_TEXT}::boolean END,
    CASE WHEN jsonb_typeof(r.clear) = 'array' AND r.clear <> '[]' THEN {_MARK} || (
        SELECT string_agg(item #>> '{{}}', {_MARK} ORDER BY place) FROM jsonb_array_elements(r.clear) WITH ORDINALITY AS e(item, place)
    ) || {_MARK} END
"""
ATTRIBUTES = register(
    WarehouseTable(
        name="attributes",
        meaning="Properties that the shop keeps of people; the values of those that staff classed as not personal",
        key="attribute_id",
        columns=(
            Column("attribute_id", ColumnType.BIGINT, "the entry"),
            Column("profile_id", ColumnType.BIGINT, "whose"),
            Column("at", ColumnType.TIMESTAMP, "from when it holds, UTC"),
            Column("name", ColumnType.TEXT, "name of the property"),
            Column(
                "is_set", ColumnType.BOOLEAN, "false where it was taken away; true also where the value is personal"
            ),
            Column("text", ColumnType.TEXT, "the value as text, unless it is a list"),
            Column("number", ColumnType.NUMBER, "the value where it is a number"),
            Column("day", ColumnType.BIGINT, "the value where it is a day: days since 1970-01-01"),
            Column("moment", ColumnType.TIMESTAMP, "the value where it is a day and a time, UTC"),
            Column("flag", ColumnType.BOOLEAN, "the value where it is yes or no"),
            Column("list", ColumnType.TEXT, "list: the value where it is one"),
        ),
        present=f"SELECT {_ATTRIBUTE} FROM customers_attributevalue r",
        versions=_appended(_ATTRIBUTE, "customers_attributevalue r ON true"),
        removed_by=_UNDONE,
    )
)

_TAG = "r.id, r.profile_id, r.occurred_at AT TIME ZONE 'UTC', t.name"
_TAGGED = """
    customers_tagentry r {of} JOIN customers_tag t ON t.id = r.tag_id {how} JOIN LATERAL (
        SELECT n.occurred_at, n.batch_id FROM customers_tagentry n
        WHERE n.profile_id = r.profile_id AND n.tag_id = r.tag_id AND n.id > r.id ORDER BY n.id LIMIT 1
    ) n ON true
"""
_PUT = "ON r.profile_id = put.profile_id AND r.tag_id = put.tag_id"
_OFF = "CASE WHEN n.batch_id IS NOT NULL THEN greatest(n.occurred_at, r.occurred_at) AT TIME ZONE 'UTC' END"
TAGS = register(
    WarehouseTable(
        name="tags",
        meaning="Tags on people, from when until when",
        key="tag_entry_id",
        columns=(
            Column("tag_entry_id", ColumnType.BIGINT, "the entry that put it on"),
            Column("profile_id", ColumnType.BIGINT, "whose"),
            Column("at", ColumnType.TIMESTAMP, "when it was put on, UTC"),
            Column("tag", ColumnType.TEXT, "its name"),
            Column("until", ColumnType.TIMESTAMP, "when it was taken off; null while it is there"),
        ),
        present=f"SELECT {_TAG}, {_OFF} FROM {_TAGGED.format(of='', how='LEFT')} WHERE r.is_on",
        versions=f"""
            WITH put AS MATERIALIZED (
                SELECT DISTINCT e.profile_id, e.tag_id FROM events_batch b JOIN customers_tagentry e ON e.batch_id = b.id
                WHERE b.last_position > %(after)s AND b.last_position <= %(upto)s
            )
            SELECT {_TAG}, NULL::timestamp, b.last_position, e.last_position
            FROM put JOIN {_TAGGED.format(of=_PUT, how="LEFT")}
            JOIN events_batch b ON b.id = r.batch_id LEFT JOIN events_batch e ON e.id = n.batch_id
            WHERE r.is_on AND b.last_position > %(after)s AND b.last_position <= %(upto)s AND b.last_position IS DISTINCT FROM e.last_position
            UNION ALL
            SELECT {_TAG}, {_OFF}, e.last_position, NULL::bigint
            FROM put JOIN {_TAGGED.format(of=_PUT, how="")}
            JOIN events_batch e ON e.id = n.batch_id
            WHERE r.is_on AND e.last_position > %(after)s AND e.last_position <= %(upto)s
        """,
        removed_by=_UNDONE,
    )
)

_IDENTIFIER = "r.id, r.profile_id, r.occurred_at AT TIME ZONE 'UTC', i.kind, i.scope, r.trust = 'confirmed'"
_IDENTITY = "JOIN customers_identity i ON i.id = r.identity_id"
IDENTIFIERS = register(
    WarehouseTable(
        name="identifiers",
        meaning="Of which kinds identifiers of people are known; never the identifiers",
        key="link_id",
        columns=(
            Column("link_id", ColumnType.BIGINT, "the link of profile and identifier"),
            Column("profile_id", ColumnType.BIGINT, "whose"),
            Column("at", ColumnType.TIMESTAMP, "since when it is known, UTC"),
            Column("kind", ColumnType.TEXT, "email, phone, store_customer, user_id, anonymous_id or other"),
            Column("scope", ColumnType.TEXT, "where it means something; empty for everywhere"),
            Column("is_confirmed", ColumnType.BOOLEAN, "false where only a browser says so"),
        ),
        present=f"SELECT {_IDENTIFIER} FROM customers_identitylink r {_IDENTITY}",
        versions=_appended(_IDENTIFIER, f"customers_identitylink r ON true {_IDENTITY}"),
        removed_by=_UNDONE,
    )
)
