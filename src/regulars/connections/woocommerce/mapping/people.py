"""Persons: accounts of the shop, and those who order, with an account or as guests."""

from datetime import datetime

from regulars.connections.base.platforms import Account
from regulars.connections.woocommerce.mapping.values import Json, changed_at, key, moment, part, text, words
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import canonical_email, canonical_phone
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind

# Who runs the shop is no customer, unless they bought something.
_STAFF = frozenset({"administrator", "shop_manager", "editor", "author", "contributor"})


def customer_of(said: Json, account: Account) -> PersonInput | None:
    """An account of the shop; None for its staff."""
    if text(said.get("role")) in _STAFF and not said.get("is_paying_customer"):
        return None
    billing = part(said.get("billing"))
    name = {field: words(said.get(field)) for field in ("first_name", "last_name")}
    at = changed_at(said)
    return _person(key(said["id"]), text(said.get("email")), billing, name, at, account, "shop account")


def buyer_of(order: Json, account: Account) -> PersonInput | None:
    """Who ordered, as said then; None for a guest who left neither mail address nor phone number."""
    billing = part(order.get("billing"))
    number = key(order.get("customer_id"))
    at = moment(order, "date_created")
    return _person(number, text(billing.get("email")), billing, {}, at, account, "shop order")


def account_identity(number: str, account: Account) -> IdentityInput:
    return IdentityInput(IdentityKind.STORE_CUSTOMER, number, account.store_code)


def country_of(address: Json) -> str:
    """ISO 3166-1 alpha-2; '' where it is none."""
    code = text(address.get("country")).upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""


def _person(
    number: str, mail: str, billing: Json, name: dict[str, str], at: datetime, account: Account, evidence: str
) -> PersonInput | None:
    email, country = canonical_email(mail), country_of(billing)
    phone = canonical_phone(text(billing.get("phone")), country)
    identities = [account_identity(number, account)] if number else []
    identities += [IdentityInput(IdentityKind.EMAIL, email)] if email else []
    identities += [IdentityInput(IdentityKind.PHONE, phone)] if phone else []
    if not identities:
        return None
    card = ContactCard(
        first_name=name.get("first_name") or words(billing.get("first_name")),
        last_name=name.get("last_name") or words(billing.get("last_name")),
        email=email,
        phone=phone,
        company=words(billing.get("company")),
        street=", ".join(filter(None, (words(billing.get("address_1")), words(billing.get("address_2"))))),
        city=words(billing.get("city")),
        postal_code=text(billing.get("postcode")),
        region=text(billing.get("state")),
        country=country,
    )
    contact = card if card != ContactCard() else None
    return PersonInput(tuple(identities), at, account.store_id, evidence=evidence, contact=contact)
