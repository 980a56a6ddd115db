"""Whom a call speaks of, as the record names people. Pure.

A server key confirms: its identifiers lead to a customer. A browser key is public, so what it says is claimed: its visitor is who the
anonymous id says, and a claimed userId or mail address never leads into somebody else's profile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regulars.connections.tracking.protocol import Call
from regulars.connections.tracking.spec import to_text
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import canonical_email, canonical_phone
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind, Trust

CLAIMED_SCOPE = ":claimed"  # user ids that only a browser ever named
_LONGEST = 200
_OF_THE_CARD = frozenset(
    [
        "name",
        "firstName",
        "first_name",
        "firstname",
        "lastName",
        "last_name",
        "lastname",
        "email",
        "phone",
        "address",
        "company",
    ]
)
_MOST_ATTRIBUTES = 50
_LONGEST_NAME = 120
_LONGEST_VALUE = 1_000
_NOTHING = ContactCard()


@dataclass(frozen=True)
class Speaker:
    """The key that a call came under: its store, and whether it may confirm."""

    store_id: int
    store_code: str
    is_server: bool


Name = tuple[IdentityKind, str, str]  # kind, value and scope: as ``IdentityInput``, made for every call


def name_of(call: Call, speaker: Speaker) -> Name:
    """The identity that names the profile of this call."""
    if speaker.is_server and call.user_id:
        return IdentityKind.USER_ID, call.user_id, speaker.store_code
    if call.anonymous_id:
        return IdentityKind.ANONYMOUS_ID, call.anonymous_id, speaker.store_code
    return IdentityKind.OTHER, call.user_id, speaker.store_code + CLAIMED_SCOPE


def who(call: Call, speaker: Speaker) -> PersonInput:
    """The person by name only: enough to find or make the profile that everything of this call hangs on."""
    evidence = "server key" if speaker.is_server else "browser key"
    return PersonInput(
        (IdentityInput(*name_of(call, speaker)),), call.times.occurred_at, speaker.store_id, evidence=evidence
    )


def what_is_said(call: Call, speaker: Speaker) -> PersonInput | None:
    """What the call says of the person beyond who they are; None where it says nothing. Claimed unless a server key said it."""
    if not call.user_id and not call.traits:
        return None
    is_of_person = call.traits and call.kind != "group"  # the traits of a group are the group's
    first, card = IdentityInput(*name_of(call, speaker)), contact_of(call.traits) if is_of_person else _NOTHING
    code = speaker.store_code
    said = [(IdentityKind.USER_ID, call.user_id, code), (IdentityKind.ANONYMOUS_ID, call.anonymous_id, code)]
    if call.kind == "alias":
        said += [(kind, call.previous_id, code) for kind in (IdentityKind.ANONYMOUS_ID, IdentityKind.USER_ID)]
    said += [(IdentityKind.EMAIL, card.email, ""), (IdentityKind.PHONE, card.phone, "")]
    others = [one for one in (IdentityInput(*each) for each in said if each[1]) if one != first]
    attributes = attributes_of(call.traits) if is_of_person and speaker.is_server else {}
    if not others and card == _NOTHING and not attributes:
        return None
    return PersonInput(
        (first, *others),
        call.times.occurred_at,
        speaker.store_id,
        trust=Trust.CONFIRMED if speaker.is_server else Trust.CLAIMED,
        evidence="server key" if speaker.is_server else "browser key",
        contact=None if card == _NOTHING else card,
        attributes=attributes,
    )


def attributes_of(traits: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """What traits say beyond contact data: single values under names of ordinary length. Lists and objects stay in the event alone."""
    single = ((name.strip(), _value(value)) for name, value in traits.items() if name not in _OF_THE_CARD)
    kept = {name: value for name, value in single if name and len(name) <= _LONGEST_NAME and value is not None}
    return dict(list(kept.items())[:_MOST_ATTRIBUTES])


def _value(value: Any) -> str | int | float | bool | None:
    """The value as an attribute keeps it; None for what it cannot."""
    if isinstance(value, Decimal):
        return float(value) if Decimal(str(float(value))) == value else str(value)
    if isinstance(value, str):
        return mask_card_numbers(value) if 0 < len(value) <= _LONGEST_VALUE else None
    return value if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63) else None


def contact_of(traits: Mapping[str, Any]) -> ContactCard:
    """Contact data among the reserved traits of the protocol (both spellings); what is no mail address or number is left out."""
    address, company = _object(traits.get("address")), _object(traits.get("company"))
    country = _text(address, "country").upper()
    country = country if len(country) == 2 and country.isascii() and country.isalpha() else ""
    region = _words(address, "state", "region")[:60]
    return ContactCard(
        name=_words(traits, "name"),
        first_name=_words(traits, "firstName", "first_name", "firstname"),
        last_name=_words(traits, "lastName", "last_name", "lastname"),
        email=canonical_email(_text(traits, "email")),
        phone=canonical_phone(_text(traits, "phone"), country),
        company=_words(company, "name") or _words(traits, "company"),
        street=_words(address, "street"),
        city=_words(address, "city"),
        postal_code=_text(address, "postalCode", "postal_code", "zip")[:20],
        region="" if "@" in region else region,  # it stands in clear
        country=country,
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(holder: Mapping[str, Any], *names: str) -> str:
    found = (to_text(holder.get(name)) for name in names)
    return next((text[:_LONGEST] for text in found if text), "")


def _words(holder: Mapping[str, Any], *names: str) -> str:
    """As ``_text``, of what people type in: numbers of payment cards are masked."""
    return mask_card_numbers(_text(holder, *names))
