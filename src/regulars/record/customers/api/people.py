"""People as the API names them: by one or more of their identities."""

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import AfterValidator, Field

from regulars.foundation.api.fields import Code, Country, Short, Text
from regulars.foundation.api.paging import clean
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.models import Store
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import canonical
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations.kinds import own_identities

Identifier = Annotated[str, Field(max_length=254), AfterValidator(clean)]


class BadIdentity(InvalidInput):
    """Say who it is: a mail address, a phone number with its country code, the shop's own number, or your own id."""

    code = "bad-identity"
    status = 422


class Identities(Schema):
    """Who it is. The first that is given names the person: email, phone, store_customer_id, user_id, then ``identifiers`` of the shop's
    own kinds by their names, such as loyalty_card.
    """

    email: Identifier = ""
    phone: Identifier = ""
    store_customer_id: Identifier = ""
    user_id: Identifier = ""
    identifiers: Annotated[dict[Code, Identifier], Field(max_length=20)] = {}
    store: Annotated[str, Field(max_length=60), AfterValidator(clean)] = ""


class Contact(Identities):
    """Who it is, with contact data. What is left out, or empty, stays as it was."""

    first_name: Short = ""
    last_name: Short = ""
    name: Short = ""
    company: Short = ""
    street: Text = ""
    city: Short = ""
    postal_code: Annotated[str, Field(max_length=20), AfterValidator(clean)] = ""
    region: Annotated[str, Field(max_length=60), AfterValidator(clean)] = ""
    country: Country = ""
    language: Annotated[str, Field(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$", max_length=10)] = ""
    time_zone: Annotated[str, Field(max_length=60), AfterValidator(clean)] = ""

    def card(self) -> ContactCard:
        names = ContactCard.__dataclass_fields__
        return ContactCard(**{name: str(getattr(self, name) or "") for name in names})


def identities_of(given: Identities, store: Store | None) -> tuple[IdentityInput, ...]:
    """Raises BadIdentity for one that cannot identify anybody, and when there is none."""
    if given.store_customer_id and store is None:
        raise BadIdentity("A store_customer_id means something in its store only: send 'store' too.")
    scopes = {"email": "", "phone": "", "store_customer": store.code if store else "", "user_id": ""}
    values = (given.email, given.phone, given.store_customer_id, given.user_id)
    found = [IdentityInput(IdentityKind(k), v, s) for (k, s), v in zip(scopes.items(), values, strict=True) if v]
    found += own_identities(given.identifiers)
    for identity in found:
        if canonical(identity) is None:
            raise BadIdentity(f"The {identity.kind.value} given cannot identify anybody.")
    if not found:
        raise BadIdentity
    return tuple(found)


def person_of(given: Identities, at: datetime, store: Store | None, card: ContactCard | None = None) -> PersonInput:
    """One person as the record takes them: a server's key speaks, so the link is confirmed. Raises BadIdentity."""
    extras = {name: getattr(given, name) for name in ("attributes", "tags", "note") if hasattr(given, name)}
    return PersonInput(
        identities=identities_of(given, store),
        occurred_at=at,
        store_id=store.pk if store else None,
        evidence="api",
        contact=card,
        attributes=extras.get("attributes", {}),
        tags=tuple(extras.get("tags", ())),
        note=extras.get("note", ""),
    )
