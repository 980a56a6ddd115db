"""What conditions may ask of who people are: contact data, properties, tags, kinds of identifiers."""

from functools import partial

from regulars.foundation.relations import EVERY_KIND, Field, FieldType, Relation, ZoneSource, register, register_zones
from regulars.foundation.vault import keys
from regulars.record.customers import events
from regulars.record.customers.contacts import word_token

_PERSONAL = {
    "full_name": "name",
    "first_name": "first name",
    "last_name": "last name",
    "email": "mail address",
    "phone": "phone number",
    "company": "company",
    "street": "street",
    "city": "city",
}


def _token(field: str, word: str, is_begin: bool) -> str:
    return word_token(field, word, is_begin, keys.key_ring())


CONTACTS = register(
    Relation(
        name="contacts",
        meaning="contact data",
        table="contacts",
        at="at",
        fields={
            "country": Field("country", FieldType.TEXT, "country", is_listed=True),
            "region": Field("region", FieldType.TEXT, "region", is_listed=True),
            "postal_area": Field("postal_area", FieldType.TEXT, "postal area", is_listed=True),
            "language": Field("language", FieldType.TEXT, "language", is_listed=True),
            "mail_domain": Field("mail_domain", FieldType.TEXT, "domain of the mail address", is_listed=True),
            "is_device": Field("is_device", FieldType.FLAG, "was filled in by a browser alone"),
            "time_zone": Field("time_zone", FieldType.TEXT, "time zone", is_listed=True),
            **{
                name: Field(f"{name}_tokens", FieldType.TOKEN, meaning, token=partial(_token, name))
                for name, meaning in _PERSONAL.items()
            },
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

# Where people's days begin: as their device said last; else by what is known of where they live.
register_zones(ZoneSource("devices", 1, "events", "time_zone", "at", rises_with=(EVERY_KIND,)))
register_zones(
    ZoneSource("contacts", 2, "contacts", "time_zone", "at", rises_with=CONTACTS.rises_with, behind="is_device")
)
