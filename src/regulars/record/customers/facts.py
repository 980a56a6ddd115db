"""What conditions may ask of who people are: contact data, properties, tags, kinds of identifiers."""

from regulars.foundation.relations import Field, FieldType, Relation, register
from regulars.record.customers import events

CONTACTS = register(
    Relation(
        name="contacts",
        meaning="contact data",
        table="contacts",
        at="at",
        fields={
            "country": Field("country", FieldType.TEXT, "country", is_listed=True),
            "region": Field("region", FieldType.TEXT, "region", is_listed=True),
            "postal_area": Field("postal_area", FieldType.TEXT, "postal area"),
            "language": Field("language", FieldType.TEXT, "language", is_listed=True),
            "mail_domain": Field("mail_domain", FieldType.TEXT, "domain of the mail address", is_listed=True),
            "is_device": Field("is_device", FieldType.FLAG, "was filled in by a browser alone"),
        },
        rises_with=(events.CREATED, events.CONTACT_CHANGED),
        latest_by=("is_device",),  # what devices say never hides what others say
    )
)

ATTRIBUTES = register(
    Relation(
        name="attributes",
        meaning="properties",
        table="attributes",
        at="at",
        fields={
            "name": Field("name", FieldType.TEXT, "name of the property", is_listed=True),
            "is_set": Field("is_set", FieldType.FLAG, "has a value"),
            "text": Field("text", FieldType.TEXT, "value", is_listed=True),
            "number": Field("number", FieldType.NUMBER, "value as a number"),
            "day": Field("day", FieldType.DATE, "value as a day"),
            "moment": Field("moment", FieldType.MOMENT, "value as a day and a time"),
            "flag": Field("flag", FieldType.FLAG, "value as yes or no"),
            "list": Field("list", FieldType.LIST, "values"),
        },
        rises_with=(events.ATTRIBUTE_SET,),
        latest_by=("name",),
    )
)

TAGS = register(
    Relation(
        name="tags",
        meaning="tags",
        table="tags",
        at="at",
        until="until",
        fields={"tag": Field("tag", FieldType.TEXT, "tag", is_listed=True)},
        rises_with=(events.TAGGED, events.UNTAGGED),
    )
)

IDENTIFIERS = register(
    Relation(
        name="identifiers",
        meaning="known identifiers",
        table="identifiers",
        at="at",
        fields={
            "kind": Field("kind", FieldType.TEXT, "kind", is_listed=True),
            "is_confirmed": Field("is_confirmed", FieldType.FLAG, "is confirmed"),
        },
        rises_with=(events.CREATED, events.CONTACT_CHANGED),
    )
)
