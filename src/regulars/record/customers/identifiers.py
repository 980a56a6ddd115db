"""Identifiers in their one canonical form, and their blind index."""

from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from regulars.foundation.sealing import KeyRing
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.rules import is_placeholder


@lru_cache(maxsize=100_000)
def canonical_email(text: str) -> str:
    """Lower case, domain in IDNA-decoded form; '' where this is no mail address or stands for nobody in particular."""
    try:
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True, allow_smtputf8=True)
    except EmailNotValidError:
        return ""
    return "" if is_placeholder(address.normalized) else address.normalized.lower()


@lru_cache(maxsize=100_000)
def canonical_phone(text: str, region: str = "") -> str:
    """E.164, '' where this is no possible number (a national number needs the ISO code of its country)."""
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_possible_number(number)
        else ""
    )


def canonical(identity: IdentityInput) -> IdentityInput | None:
    """The identity in canonical form; None where it cannot identify anybody."""
    value = identity.value.strip()
    if identity.kind == IdentityKind.EMAIL:
        value = canonical_email(value)
    elif identity.kind == IdentityKind.PHONE:
        value = canonical_phone(value)
    return IdentityInput(identity.kind, value, identity.scope) if value else None


def identity_token(ring: KeyRing, identity: IdentityInput) -> bytes:
    """Blind index of a canonical identity."""
    return ring.token(f"identity {identity.kind} {identity.scope}", identity.value)


def address_token(ring: KeyRing, address: str) -> bytes:
    """Blind index of a mail address or E.164 number, as consent and suppression know it; the same as its identity's."""
    kind = IdentityKind.EMAIL if "@" in address else IdentityKind.PHONE
    value = canonical_email(address) if kind == IdentityKind.EMAIL else canonical_phone(address)
    return ring.token(f"identity {kind} ", value or address.strip().lower())
