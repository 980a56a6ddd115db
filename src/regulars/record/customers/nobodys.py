"""Addresses and numbers of the house itself: whoever writes them down for a customer says nothing of who that is."""

from regulars.foundation.access.models import StaffMember
from regulars.foundation.shop.models import Brand
from regulars.foundation.shop.settings import read_setting
from regulars.foundation.vault import keys
from regulars.record.customers.identifiers import address_token, canonical_phone


def nobodys_addresses() -> set[str]:
    """Mail addresses of staff and of the shop's senders, and what staff listed (setting ``customers.no_identifiers``)."""
    listed = {str(one).strip() for one in read_setting("customers.no_identifiers")}
    return {
        *StaffMember.objects.values_list("email", flat=True),
        *Brand.objects.values_list("from_address", flat=True),
        *(one if "@" in one else canonical_phone(one) for one in listed),
    } - {""}


def nobodys_tokens() -> set[bytes]:
    """The same as blind indexes: identities with these join nobody, whenever they came."""
    ring = keys.key_ring()
    return {address_token(ring, address) for address in nobodys_addresses()}
