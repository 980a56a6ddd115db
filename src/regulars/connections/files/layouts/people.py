"""Persons from the fields that every layout names alike."""

import re
from datetime import datetime

from regulars.connections.files.layouts.base import Built, Reading
from regulars.connections.files.layouts.countries import country_code
from regulars.connections.files.reading import Row
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import OWN_KIND, canonical_email, canonical_phone, identifies
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind

_PERSON = (
    "customer_number",
    "email",
    "phone",
    "name",
    "first_name",
    "last_name",
    "company",
    "street",
    "street_2",
    "city",
    "postal_code",
    "region",
    "country",
    "language",
)
_LONGEST = 300


def find_person(rows: list[Row], reading: Reading, at: datetime, built: Built) -> PersonInput | None:
    """The person of rows that belong together; None where nothing identifies one. A mail address or phone that is none is noted."""
    said = {name: reading.columns.first(rows, name)[:_LONGEST] for name in _PERSON}
    said["customer_number"] = said["customer_number"].removeprefix(
        "'"
    )  # Shopify's way to keep spreadsheets from rounding it
    country = country_code(said["country"])
    email, phone = canonical_email(said["email"]), canonical_phone(said["phone"], country)
    if said["email"] and not email:
        built.alter(rows[0], "the mail address is none that identifies a person, and was left out")
    elif said["phone"] and not phone:
        built.alter(rows[0], "the phone number is not a possible one, and was left out")
    identities = (
        [IdentityInput(IdentityKind.STORE_CUSTOMER, said["customer_number"][:120], reading.store_code)]
        if said["customer_number"]
        else []
    )
    identities += [IdentityInput(IdentityKind.EMAIL, email)] if email else []
    identities += [IdentityInput(IdentityKind.PHONE, phone)] if phone else []
    own = [name for name in reading.columns.places if name.startswith(OWN_KIND)]
    identities += [IdentityInput(IdentityKind.OTHER, v[:120], n) for n in own if (v := reading.columns.first(rows, n))]
    person = PersonInput(tuple(identities), at, reading.store_id, contact=_card(said, email, phone, country))
    return person if identifies(person) else None


_SPEAKS = re.compile(r"@|\d(?:[ ().\-/]?\d){6}")  # a mail address, or seven digits as of a phone or a card


def find_tags(text: str, row: Row, built: Built) -> tuple[str, ...]:
    """Tags by commas, with or without quotes. Their names stand in clear: one that holds an address or a long number is left out and noted."""
    named = [tag.strip().strip('"').strip() for tag in text.split(",")]
    tags = [tag for tag in named if tag and not _SPEAKS.search(tag)]
    if len(tags) < len(list(filter(None, named))):
        built.alter(row, "a tag that looks like a mail address or a phone number was left out")
    return tuple(dict.fromkeys(tag[:60] for tag in tags))


def _card(said: dict[str, str], email: str, phone: str, country: str) -> ContactCard | None:
    card = ContactCard(
        name=mask_card_numbers(said["name"]),
        first_name=mask_card_numbers(said["first_name"]),
        last_name=mask_card_numbers(said["last_name"]),
        email=email,
        phone=phone,
        company=mask_card_numbers(said["company"]),
        street=mask_card_numbers(", ".join(filter(None, (said["street"], said["street_2"])))),
        city=said["city"],
        postal_code=said["postal_code"].removeprefix("'"),
        region=said["region"],
        country=country,
        language=said["language"][:10],
    )
    return card if card != ContactCard() else None
