"""Who a customer of the shop is, and what they said about being written to."""

from collections.abc import Iterator
from datetime import datetime

from regulars.connections.base.platforms import Account
from regulars.connections.shopify.mapping.values import Node, moment, number_of, text
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentState
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import canonical_email, canonical_phone
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind

EVIDENCE = "shopify"
# What Shopify's words mean; whoever never said anything ('NOT_SUBSCRIBED', 'NEVER_SUBSCRIBED', 'INVALID', 'REDACTED') says nothing.
_STATES = {
    "SUBSCRIBED": ConsentState.GRANTED,
    "UNSUBSCRIBED": ConsentState.DENIED,
    "PENDING": ConsentState.UNKNOWN,
}
_METHODS = {"SINGLE_OPT_IN": "single opt-in", "CONFIRMED_OPT_IN": "double opt-in"}


def customer_identity(account: Account, number: str) -> IdentityInput:
    return IdentityInput(IdentityKind.STORE_CUSTOMER, number, account.store_code)


def customer(account: Account, node: Node) -> PersonInput:
    """A customer as the shop knows them now."""
    return PersonInput(
        _identities(account, node),
        moment(node["updatedAt"]),
        account.store_id,
        evidence=EVIDENCE,
        contact=card(node, node.get("defaultAddress")),
        tags=tuple(dict.fromkeys(filter(None, (text(tag, 60) for tag in node.get("tags") or ())))),
        note=mask_card_numbers(text(node.get("note"), 2000)),
    )


def buyer(account: Account, node: Node, address: Node | None, at: datetime, language: str = "") -> PersonInput | None:
    """Whoever an order or a checkout is of. What a customer of the shop is called and where they live, the customer itself says; of
    somebody who is none, the address of the order does. None where nobody is named."""
    found = node.get("customer")
    if found and found.get("id"):
        known = ContactCard(language=language) if language else None
        return PersonInput(_identities(account, found), at, account.store_id, evidence=EVIDENCE, contact=known)
    guest = {"email": node.get("email"), "phone": node.get("phone")}
    identities = _identities(account, guest)
    if not identities:
        return None
    return PersonInput(identities, at, account.store_id, evidence=EVIDENCE, contact=card(guest, address, language))


def consents(account: Account, node: Node) -> Iterator[ConsentInput]:
    """What a customer said about mail and about text messages, with when and how."""
    since = node.get("createdAt")
    if email := node.get("defaultEmailAddress"):
        yield from consent(
            account,
            Channel.EMAIL,
            email.get("emailAddress"),
            email.get("marketingState"),
            email.get("marketingOptInLevel"),
            email.get("marketingUpdatedAt") or since,
        )
    phone = node.get("defaultPhoneNumber")
    if phone and (sms := phone.get("smsMarketingConsent")):
        collected = sms.get("collectedFrom")
        moment_of = sms.get("updatedAt") or since
        yield from consent(
            account,
            Channel.SMS,
            phone.get("phoneNumber"),
            sms.get("state"),
            sms.get("optInLevel"),
            moment_of,
            collected,
        )


def consent(
    account: Account,
    channel: Channel,
    address: object,
    state: object,
    level: object,
    at: object,
    collected: object = None,
) -> Iterator[ConsentInput]:
    """One word of a person; nothing where it is no word, or of no address. Raises ValueError without a moment."""
    meaning = _STATES.get(text(state).upper())
    where = canonical_email(text(address)) if channel == Channel.EMAIL else canonical_phone(text(address))
    if meaning is None or not where:
        return
    known = {"level": text(level).lower(), "collected from": text(collected).lower()}
    proof = ", ".join(f"{name}: {value}" for name, value in known.items() if value)
    method = _METHODS.get(text(level).upper(), "shop")
    yield ConsentInput(
        where,
        meaning,
        moment(at),
        method,
        channel,
        proof=f"Shopify; {proof}" if proof else "Shopify",
        source=account.public_id,
    )


def card(person: Node, address: Node | None, language: str = "") -> ContactCard | None:
    """Contact data of a customer with their address; None where nothing is said."""
    at, country = address or {}, text((address or {}).get("countryCodeV2"), 2)
    found = ContactCard(
        first_name=_name(person.get("firstName") or at.get("firstName")),
        last_name=_name(person.get("lastName") or at.get("lastName")),
        email=canonical_email(_email(person)),
        phone=canonical_phone(_phone(person), country) or canonical_phone(text(at.get("phone")), country),
        company=_name(at.get("company")),
        street=_name(", ".join(filter(None, (text(at.get("address1")), text(at.get("address2")))))),
        city=_name(at.get("city")),
        postal_code=text(at.get("zip"), 20),
        region=text(at.get("province"), 60),
        country=country,
        language=language,
    )
    return found if found != ContactCard() else None


def _identities(account: Account, node: Node) -> tuple[IdentityInput, ...]:
    number, email, phone = number_of(node.get("id")), canonical_email(_email(node)), canonical_phone(_phone(node))
    named = [customer_identity(account, number)] if number else []
    named += [IdentityInput(IdentityKind.EMAIL, email)] if email else []
    return (*named, *([IdentityInput(IdentityKind.PHONE, phone)] if phone else []))


def _email(node: Node) -> str:
    return text((node.get("defaultEmailAddress") or {}).get("emailAddress") or node.get("email"))


def _phone(node: Node) -> str:
    return text((node.get("defaultPhoneNumber") or {}).get("phoneNumber") or node.get("phone"), 40)


def _name(value: object) -> str:
    return mask_card_numbers(text(value))
