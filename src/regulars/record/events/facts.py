"""What conditions may ask of everything that happened to people."""

from regulars.foundation.relations import EVERY_KIND, Field, FieldType, Relation, register
from regulars.foundation.warehouse_tables import ColumnType
from regulars.record.events.kinds import meanings
from regulars.record.events.warehouse import EVENTS as TABLE

_TYPES = {
    ColumnType.BIGINT: FieldType.NUMBER,
    ColumnType.BOOLEAN: FieldType.FLAG,
    ColumnType.NUMBER: FieldType.NUMBER,
    ColumnType.TEXT: FieldType.TEXT,
}
_LISTED = {
    "campaign", "source", "medium", "device", "time_zone",
    "kind", "name", "category", "brand", "coupon", "coupon_id", "payment_method", "shipping_method", "template", "channel", "topic", "state",
    "method", "reason", "tag", "trust", "currency",
}  # fmt: skip
_NOT_ASKED = {"event_id", "profile_id", "at", "subject_id"}

EVENTS = register(
    Relation(
        name="events",
        meaning="events",
        table=TABLE.name,
        at="at",
        fields={
            column.name: Field(
                column.name,
                FieldType.LIST if column.name == "products" else _TYPES[column.type],
                column.meaning.partition(":")[0] if column.name != "products" else "ids of the products",
                is_listed=column.name in _LISTED,
                names=meanings if column.name == "kind" else None,
            )
            for column in TABLE.columns
            if column.name not in _NOT_ASKED
        },
        rises_with=(EVERY_KIND,),
    )
)
