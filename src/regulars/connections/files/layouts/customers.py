"""Customers from any table with one row each, and what all layouts of customers share."""

from dataclasses import replace

from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.layouts.people import find_person, find_tags
from regulars.connections.files.layouts.permissions import stated_consent
from regulars.connections.files.reading import Unit
from regulars.connections.files.values import Unreadable
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.record.consent.models import Channel


def build(unit: Unit, reading: Reading) -> Built:
    """One person, with tags, a note and what is said of consent; without proof that is 'unknown', a plain 'no' is a no."""
    built = Built()
    row = unit.rows[0]
    cell = reading.columns.cell
    since = cell(row, "seen_at")
    at = reading.values.moment(since) if since else reading.at
    person = find_person(unit.rows, reading, at, built)
    if person is None:
        raise Unreadable(
            "there is neither a customer number nor a mail address nor a phone number that identifies a person"
        )
    tags = find_tags(cell(row, "tags"), row, built)
    built.people.append(replace(person, tags=tags, note=mask_card_numbers(cell(row, "note")[:4000])))
    contact = person.contact
    if contact and contact.email:
        built.consents += stated_consent(row, reading, contact.email, Channel.EMAIL, "accepts_email")
    if contact and contact.phone:
        built.consents += stated_consent(row, reading, contact.phone, Channel.SMS, "accepts_sms")
    return built


LAYOUT = register(Layout("any-customers", Kind.CUSTOMERS, "Any table of customers", {}, (), build))
