"""Rows of any list with the customers that they are about, and what these are called."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.lists import as_row_id
from regulars.record.customers.models import Customer
from regulars.record.customers.queries import customers_of, read_cards


@dataclass(frozen=True)
class Name:
    """``text`` falls back to the mail address, then to the public id."""

    public_id: str
    text: str

    @property
    def href(self) -> str:
        return f"/customers/{self.public_id}"


@dataclass(frozen=True)
class Named:
    """A row with whom it is about, nobody for a guest; ``words`` are what a list says of it beyond its fields."""

    row: Any
    customer: Name | None
    words: str = ""

    @property
    def id(self) -> int:
        return int(self.row.pk)

    @property
    def name(self) -> str:
        return self.customer.text if self.customer else ""


def names_of(customer_ids: Collection[int], viewer: Viewer) -> dict[int, Name]:
    """What customers are called, as the viewer may know it; two queries, however many they are."""
    uids = dict(Customer.objects.filter(pk__in=customer_ids).values_list("pk", "uid"))
    cards = read_cards(list(uids), viewer.store_ids) if viewer.may("customers.view") else {}
    known = {pk: card.full_name or card.email for pk, card in cards.items()}
    public = {pk: to_public(Customer.PREFIX, uid) for pk, uid in uids.items()}
    return {pk: Name(public_id, known.get(pk) or public_id) for pk, public_id in public.items()}


def describe_customer(value: str, viewer: Viewer) -> str:
    """The filter ``customer`` in words: a name only where the viewer may know it, since the number can be anybody's. Never the
    public id, which the number alone must not lead to.
    """
    found = names_of([as_row_id(value)], viewer).get(as_row_id(value))
    return found.text if found and found.text != found.public_id else value


def with_names(rows: Sequence[Any], viewer: Viewer) -> list[Named]:
    """Rows of models that point to a customer."""
    names = names_of({row.customer_id for row in rows}, viewer)
    return [Named(row, names.get(row.customer_id)) for row in rows]


def with_owners(rows: Sequence[Any], viewer: Viewer) -> list[Named]:
    """Rows of models that point to a profile, or to nobody."""
    owners = customers_of(row.profile_id for row in rows if row.profile_id)
    names = names_of(set(owners.values()), viewer)
    return [Named(row, names.get(owners.get(row.profile_id or 0, 0))) for row in rows]
