"""Mailchimp's export of an audience: three files, of subscribed, unsubscribed and cleaned contacts."""

from dataclasses import replace
from datetime import datetime

from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.layouts.people import find_person, find_tags
from regulars.connections.files.layouts.permissions import find_address
from regulars.connections.files.reading import Unit
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.record.consent.inputs import ConsentInput, SuppressionInput
from regulars.record.consent.models import ConsentState

_CONTACT = {
    "email": "Email Address",
    "first_name": "First Name",
    "last_name": "Last Name",
    "phone": "Phone Number",
    "opted_in_at": "OPTIN_TIME",
    "opted_in_from": "OPTIN_IP",
    "confirmed_at": "CONFIRM_TIME",
    "country": "CC",
    "changed_at": "LAST_CHANGED",
    "euid": "EUID",
    "note": "NOTES",
    "tags": "TAGS",
}
_SOURCE = "https://mailchimp.com/help/view-export-contacts/"


def _moment(unit: Unit, reading: Reading, *names: str) -> datetime:
    text = next((found for name in names if (found := reading.columns.first(unit.rows, name))), "")
    return reading.values.moment(text) if text else reading.at


def build_subscribed(unit: Unit, reading: Reading) -> Built:
    """A person who opted in: granted where a time proves it, else unknown."""
    built = Built()
    row = unit.rows[0]
    address, channel = find_address(row, reading)
    at = _moment(unit, reading, "confirmed_at", "opted_in_at")
    person = find_person(unit.rows, reading, at, built)
    cell = reading.columns.cell
    if person:
        note = mask_card_numbers(cell(row, "note")[:4000])
        built.people.append(replace(person, tags=find_tags(cell(row, "tags"), row, built), note=note))
    proof = {name: cell(row, name) for name in ("opted_in_at", "confirmed_at", "opted_in_from") if cell(row, name)}
    state = ConsentState.GRANTED if {"opted_in_at", "confirmed_at"} & proof.keys() else ConsentState.UNKNOWN
    text = "Mailchimp: " + ", ".join(f"{name} {value}" for name, value in proof.items()) if proof else ""
    built.consents.append(ConsentInput(address, state, at, "import", channel, proof=text))
    return built


def build_unsubscribed(unit: Unit, reading: Reading) -> Built:
    address, channel = find_address(unit.rows[0], reading)
    at = _moment(unit, reading, "unsubscribed_at", "changed_at")
    return Built(consents=[ConsentInput(address, ConsentState.DENIED, at, "import", channel)])


def build_cleaned(unit: Unit, reading: Reading) -> Built:
    address, channel = find_address(unit.rows[0], reading)
    at = _moment(unit, reading, "cleaned_at", "changed_at")
    return Built(suppressions=[SuppressionInput(address, "hard bounce", at, channel)])


SUBSCRIBED = register(
    Layout(
        "mailchimp-subscribed",
        Kind.CONSENT,
        "Mailchimp's subscribed contacts",
        _CONTACT,
        ("email", "opted_in_at", "euid"),
        build_subscribed,
        source=_SOURCE,
    )
)
UNSUBSCRIBED = register(
    Layout(
        "mailchimp-unsubscribed",
        Kind.CONSENT,
        "Mailchimp's unsubscribed contacts",
        {**_CONTACT, "unsubscribed_at": "UNSUB_TIME", "reason": "UNSUB_REASON"},
        ("email", "unsubscribed_at", "euid"),
        build_unsubscribed,
        source=_SOURCE,
    )
)
CLEANED = register(
    Layout(
        "mailchimp-cleaned",
        Kind.CONSENT,
        "Mailchimp's cleaned contacts",
        {**_CONTACT, "cleaned_at": "CLEAN_TIME"},
        ("email", "cleaned_at", "euid"),
        build_cleaned,
        source=_SOURCE,
    )
)
