"""What conditions may ask of the shop's own events: when, which, and the properties that staff declared."""

from collections.abc import Sequence

from regulars.foundation.learning import LESSONS, Lesson
from regulars.foundation.relations import RELATIONS, Field, FieldType, Relation, register
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.record.own_events.queries import offered
from regulars.record.own_events.rules import OWN_KINDS, Declared, PropertyType
from regulars.record.own_events.warehouse import TABLE, table_of

_FIELDS = {
    "name": Field("name", FieldType.TEXT, "name of the event", is_listed=True),
    "is_history": Field("is_history", FieldType.FLAG, "told by imported history"),
    "trust": Field("trust", FieldType.TEXT, "claimed (by a browser) or confirmed (by a server)", is_listed=True),
    "campaign": Field("campaign", FieldType.TEXT, "campaign that led there", is_listed=True),
    "source": Field("source", FieldType.TEXT, "source that led there", is_listed=True),
    "medium": Field("medium", FieldType.TEXT, "medium that led there", is_listed=True),
    "device": Field("device", FieldType.TEXT, "kind of device", is_listed=True),
}
_TYPES = {
    PropertyType.TEXT: FieldType.TEXT,
    PropertyType.NUMBER: FieldType.NUMBER,
    PropertyType.FLAG: FieldType.FLAG,
    PropertyType.DAY: FieldType.DATE,
    PropertyType.MOMENT: FieldType.MOMENT,
}


def relation_of(declared: Sequence[Declared]) -> Relation:
    own = {
        one.field: Field(
            one.field, _TYPES[one.type], f"{one.name} ({one.event})", is_listed=one.type is PropertyType.TEXT
        )
        for one in declared
    }
    return Relation("own_events", "own events", TABLE.name, "at", _FIELDS | own, OWN_KINDS)


register(relation_of(()))


def know(declared: Sequence[Declared]) -> None:
    """From here on this process offers these."""
    table = table_of(declared)
    if table != WAREHOUSE_TABLES.get(TABLE.name):
        WAREHOUSE_TABLES.replace(TABLE.name, table)
        RELATIONS.replace("own_events", relation_of(declared))


LESSONS.register("own events", Lesson(lambda: know(offered()), lambda: know(())))
