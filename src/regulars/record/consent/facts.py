"""What conditions may ask of consent: what was said, and what stops every message."""

from regulars.foundation.relations import Field, FieldType, Relation, register
from regulars.record.consent import events
from regulars.record.customers.events import CREATED

CONSENTS = register(
    Relation(
        name="consents",
        meaning="words about being written to, the latest of each brand, channel and topic",
        table="consents",
        at="at",
        fields={
            "state": Field("state", FieldType.TEXT, "what was said", is_listed=True),
            "brand": Field("brand", FieldType.TEXT, "brand", is_listed=True),
            "channel": Field("channel", FieldType.TEXT, "channel", is_listed=True),
            "topic": Field("topic", FieldType.TEXT, "topic", is_listed=True),
            "method": Field("method", FieldType.TEXT, "how it was said", is_listed=True),
            "source": Field("source", FieldType.TEXT, "connection that told it", is_listed=True),
        },
        rises_with=(events.CHANGED, CREATED),
        latest_by=("address_id", "brand", "channel", "topic"),
    )
)

SUPPRESSIONS = register(
    Relation(
        name="suppressions",
        meaning="suppressions of the person's addresses",
        table="suppressions",
        at="at",
        until="until",
        fields={
            "channel": Field("channel", FieldType.TEXT, "channel", is_listed=True),
            "reason": Field("reason", FieldType.TEXT, "reason", is_listed=True),
        },
        rises_with=(events.SUPPRESSED, events.UNSUPPRESSED, CREATED),
    )
)

LEFT_ALONE = register(
    Relation(
        name="left_alone",
        meaning="times that staff left the person alone",
        table="left_alone",
        at="at",
        until="until",
        fields={},
        rises_with=(events.LEFT_ALONE, events.NOT_LEFT_ALONE),
    )
)
