"""Identifiers in their one canonical form, and their blind index."""

from functools import lru_cache

import phonenumbers
from babel.core import get_global
from email_validator import EmailNotValidError, validate_email

from regulars.foundation.sealing import KeyRing
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.rules import is_placeholder, is_placeholder_id, is_placeholder_number

OWN_KIND = "own:"  # begins the scope of identities of a kind that the shop named
_COMPANYS_NUMBERS = frozenset(
    {
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.UAN,
        phonenumbers.PhoneNumberType.VOICEMAIL,
    }
)


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
    """E.164, '' where this is no possible number or a placeholder (a national number needs the ISO code of its country)."""
    number = _parse_phone(text, region)
    if number is None or not phonenumbers.is_possible_number(number):
        return ""
    if is_placeholder_number(phonenumbers.national_significant_number(number)):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parse_phone(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region.upper() or None)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=100_000)
def identifying_phone(text: str, region: str = "") -> str:
    """As ``canonical_phone``; '' also where nobody can have the number, or a company has it: a wrong number must join nobody."""
    value = canonical_phone(text, region)
    number = _parse_phone(value, "") if value else None
    if number is None or not phonenumbers.is_valid_number(number):
        return ""
    return "" if phonenumbers.number_type(number) in _COMPANYS_NUMBERS else value


def region_of_zone(time_zone: str) -> str:
    """ISO code of the country that a time zone belongs to, '' where it is not known: what a store's shoppers leave out of a number."""
    return str(get_global("zone_territories").get(time_zone, ""))


def canonical(identity: IdentityInput, region: str = "") -> IdentityInput | None:
    """The identity in canonical form; None where it cannot identify anybody. ``region``: country of a number without one."""
    value = identity.value.strip()
    if identity.kind == IdentityKind.EMAIL:
        value = canonical_email(value)
    elif identity.kind == IdentityKind.PHONE:
        value = identifying_phone(value, region)
    elif is_placeholder_id(value):
        return None
    if value == identity.value:
        return identity if value else None
    return IdentityInput(identity.kind, value, identity.scope) if value else None


def identifies(person: PersonInput) -> bool:
    """Whether anything of what is said tells who it is; of nobody else can a profile be made."""
    return any(canonical(identity) for identity in person.identities)


def identity_token(ring: KeyRing, identity: IdentityInput) -> bytes:
    """Blind index of a canonical identity."""
    return ring.token(f"identity {identity.kind} {identity.scope}", identity.value)


def address_token(ring: KeyRing, address: str) -> bytes:
    """Blind index of a mail address or E.164 number, as consent and suppression know it; the same as its identity's."""
    kind = IdentityKind.EMAIL if "@" in address else IdentityKind.PHONE
    value = canonical_email(address) if kind == IdentityKind.EMAIL else canonical_phone(address)
    return ring.token(f"identity {kind} ", value or address.strip().lower())
