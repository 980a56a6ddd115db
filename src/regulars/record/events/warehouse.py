"""What the log tells of people, for the warehouse: one row for each event, with the fields that conditions ask as typed columns.

Entries into segments and steps of workflows are left out: they are what the house decides, and conditions that asked for them would
answer themselves. Segments are asked by a relation of their own.

Only what stands in clear in an event's ``data`` is here. Of a tracker's call that is what the e-commerce spec types and finds plain.
"""

from regulars.foundation.money import CURRENCIES, exponent
from regulars.foundation.relations import LIST_MARK
from regulars.foundation.warehouse_tables import Column, ColumnType, WarehouseTable, register

_MARK = f"chr({ord(LIST_MARK)})"
_NUMBER = r"^\s*-?\d{1,12}(\.\d{1,6})?\s*$"
_TEXTS = {
    "product_id": "product, as its tracker names it",
    "sku": "stock code",
    "category": "category of the product",
    "brand": "brand of the product",
    "variant": "variant of the product",
    "coupon": "coupon code",
    "coupon_id": "coupon code, of events about coupons",
    "order_id": "order, as its tracker names it",
    "cart_id": "cart, as its tracker names it",
    "checkout_id": "checkout, as its tracker names it",
    "step": "step of the checkout",
    "payment_method": "how it is paid",
    "shipping_method": "how it is sent",
    "affiliation": "shop from which it was ordered",
    "list_id": "list of products",
    "promotion_id": "promotion",
    "creative": "creative of the promotion",
    "wishlist_id": "wishlist",
    "share_via": "by what it was shared",
}
_NUMBERS = {
    "price": "price of one piece",
    "quantity": "pieces",
    "position": "place in a list",
    "revenue": "revenue without shipping and tax",
    "subtotal": "goods after discounts",
    "total": "total",
    "shipping": "shipping",
    "tax": "tax",
    "discount": "discount",
    "rating": "rating of a review",
}
# Of the record's own events, by the names of their fields.
_OWN = {
    "template": "template of the message",
    "channel": "channel of the message or consent",
    "topic": "topic of the consent",
    "state": "what was said",
    "method": "how it was said",
    "reason": "code of the reason",
    "tag": "tag that was put on or taken off",
    "trust": "claimed (by a browser) or confirmed (by a server)",
}
# Of a tracker's call, by its context.
_ORIGIN = {
    "campaign": "campaign that led there",
    "source": "source that led there",
    "medium": "medium that led there",
    "device": "kind of device: mobile, desktop or as the client says",
    "time_zone": "time zone of the device, as an IANA name",
}


def _number(value: str) -> str:
    return f"CASE WHEN {value} ~ '{_NUMBER}' THEN {value}::numeric(18, 6) END"


def _scale(currency: str) -> str:
    others = {places: sorted(one for one in CURRENCIES if exponent(one) == places) for places in (0, 1, 3, 4)}
    cases = " ".join(
        f"WHEN {currency} = ANY('{{{','.join(some)}}}') THEN {places}" for places, some in others.items() if some
    )
    return f"10::numeric ^ (CASE {cases} ELSE 2 END)"


_OF_PEOPLE = "e.profile_id IS NOT NULL AND e.kind !~ '^(segment|run)[.]'"
_MINOR = "coalesce(e.data ->> 'value_minor', e.data ->> 'total_minor', e.data ->> 'amount_minor')"
_BY_PATH = "(e.data #>> '{{properties,{0}}}')"
_OPENED = 'o."{0}"'
# Taken apart once, for all events; of a few people's, what is not asked for is not looked for.
_OPEN = f"""
    LEFT JOIN LATERAL jsonb_to_record(CASE WHEN jsonb_typeof(e.data -> 'properties') = 'object' THEN e.data -> 'properties' END)
        AS o({", ".join(f'"{name}" text' for name in (*_TEXTS, *_NUMBERS, "value", "currency"))}) ON true
"""


def _columns(of: str) -> str:
    """``of`` is SQL of a property, with its name as ``{0}``."""
    product = of.format("product_id")
    return rf"""
    e.position, e.profile_id, e.occurred_at AT TIME ZONE 'UTC', e.kind, e.data ->> 'name', e.subject_id, e.is_history,
    CASE WHEN {_MINOR} ~ '^-?\d{{1,12}}$' THEN ({_MINOR}::numeric / {_scale("(e.data ->> 'currency')")})::numeric(18, 6)
         ELSE {_number(of.format("value"))} END,
    coalesce(e.data ->> 'currency', {of.format("currency")}),
    CASE WHEN jsonb_typeof(e.data #> '{{properties,products}}') = 'array' THEN {_MARK} || (
        SELECT string_agg(DISTINCT p ->> 'product_id', {_MARK}) FROM jsonb_array_elements(e.data #> '{{properties,products}}') p
    ) || {_MARK} ELSE {_MARK} || {product} || {_MARK} END,
    {", ".join(of.format(name) for name in _TEXTS)},
    {", ".join(_number(of.format(name)) for name in _NUMBERS)},
    {", ".join(f"e.data ->> '{name}'" for name in _OWN)},
    {", ".join(f"e.data #>> '{{clear,{name}}}'" for name in _ORIGIN)}
    """


EVENTS = register(
    WarehouseTable(
        name="events",
        meaning="What happened to people: every event of the log that is about somebody, but segments and runs of workflows",
        key="event_id",
        columns=(
            Column("event_id", ColumnType.BIGINT, "its position on the log"),
            Column("profile_id", ColumnType.BIGINT, "to whom"),
            Column("at", ColumnType.TIMESTAMP, "when, UTC"),
            Column("kind", ColumnType.TEXT, "kind of event: docs/events.md lists them"),
            Column("name", ColumnType.TEXT, "name: of the shop's own events and of pages, where it is plain"),
            Column("subject_id", ColumnType.BIGINT, "row of the record that it is about"),
            Column("is_history", ColumnType.BOOLEAN, "told by imported history"),
            Column("value", ColumnType.NUMBER, "what it is worth, in whole units of its currency"),
            Column("currency", ColumnType.TEXT, "ISO 4217 code"),
            Column(
                "products", ColumnType.TEXT, "list: ids of the products that it is about, as their tracker names them"
            ),
            *(Column(name, ColumnType.TEXT, meaning) for name, meaning in _TEXTS.items()),
            *(Column(name, ColumnType.NUMBER, meaning) for name, meaning in _NUMBERS.items()),
            *(Column(name, ColumnType.TEXT, meaning) for name, meaning in (_OWN | _ORIGIN).items()),
        ),
        present=f"SELECT {_columns(_BY_PATH)} FROM events_event e WHERE {_OF_PEOPLE}",
        versions=f"""
            SELECT {_columns(_OPENED)}, b.last_position, NULL::bigint FROM events_event e JOIN events_batch b ON b.id = e.batch_id {_OPEN}
            WHERE {_OF_PEOPLE} AND e.position > %(after)s AND e.position <= %(upto)s
        """,
    )
)
