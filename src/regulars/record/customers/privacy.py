"""How a person's own data is exported and erased. What stays is bare: a profile, who it belongs to, when it came."""

import os
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from regulars.foundation.inbox.models import Item
from regulars.foundation.inbox.operations import forget_bodies, forget_words
from regulars.foundation.inbox.queries import items_about, read_unparsed_with
from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.subjects import exported
from regulars.record.customers.models import (
    AttributeValue,
    Buyer,
    ContactVersion,
    CustomerCard,
    CustomerProfile,
    Decision,
    DecisionProfile,
    Identity,
    IdentityKind,
    IdentityLink,
    Note,
    PossibleDuplicate,
    Profile,
    ProfileName,
    StoreCard,
    TagEntry,
)
from regulars.record.customers.operations.connected import SCOPE_OF_THE_ERASED
from regulars.record.customers.operations.links import drop_unused_identities
from regulars.record.customers.queries import customers_of


def _export_profiles(profile_ids: list[int]) -> list[dict[str, Any]]:
    return exported(Profile.objects.filter(pk__in=profile_ids).order_by("pk"), "pk")


def _erase_profiles(profile_ids: list[int], at: datetime) -> int:
    """Each gets a name that leads nowhere, so that the same person coming again is somebody new; unused identifiers
    go.
    """
    names = list(Profile.objects.filter(pk__in=profile_ids).values_list("pk", "named_by_id"))
    for profile, _ in names:
        nameless = Identity.objects.create(kind=IdentityKind.OTHER, scope=SCOPE_OF_THE_ERASED, token=os.urandom(16))
        Profile.objects.filter(pk=profile).update(named_by=nameless)
    return len(names) + _forget({identity for _, identity in names}, at)


def _forget(identity_ids: set[int], at: datetime) -> int:
    """Removes the identifiers that lead to nobody else; what came in before and names them is not read any more. How many."""
    tokens = {
        row: bytes(token) for row, token in Identity.objects.filter(pk__in=identity_ids).values_list("pk", "token")
    }
    count = drop_unused_identities(identity_ids)
    left = set(Identity.objects.filter(pk__in=identity_ids).values_list("pk", flat=True))
    forget_words([token for row, token in tokens.items() if row not in left], at)
    return count


def _erase_links(profile_ids: list[int], at: datetime) -> int:
    links = IdentityLink.objects.filter(profile__in=profile_ids)
    identities = set(links.values_list("identity_id", flat=True))
    count = links.delete()[0]
    _forget(identities, at)
    return count


def _export_links(profile_ids: list[int]) -> list[dict[str, Any]]:
    rows = IdentityLink.objects.filter(profile__in=profile_ids).select_related("identity").order_by("pk")
    kinds = {row.pk: row.identity.kind for row in rows}
    return [row | {"kind": kinds[row["id"]]} for row in exported(rows)]


def _erase_contacts(profile_ids: list[int], at: datetime) -> int:
    for card in (CustomerCard, StoreCard):
        card.objects.filter(contact__profile__in=profile_ids).update(contact=None)
    return ContactVersion.objects.filter(profile__in=profile_ids).delete()[0]


def _export_cards(card: Any) -> Any:
    return lambda ids: exported(card.objects.filter(customer__in=set(customers_of(ids).values())), "customer_id")


def _erase_cards(profile_ids: list[int], at: datetime) -> int:
    owners = set(customers_of(profile_ids).values())
    return CustomerCard.objects.filter(customer__in=owners).update(
        contact=None, country="", region="", postal_area="", language="", mail_domain="", tokens=[], tags=[]
    )


def _erase_store_cards(profile_ids: list[int], at: datetime) -> int:
    owners = set(customers_of(profile_ids).values())
    return StoreCard.objects.filter(customer__in=owners).update(contact=None, country="", tokens=[], tags=[])


def _export_decisions(profile_ids: list[int]) -> list[dict[str, Any]]:
    """The other profiles may be somebody else's: their numbers are not told, nor who of the staff decided."""
    rows = Decision.objects.filter(profiles__profile__in=profile_ids).distinct().order_by("pk")
    return [dict(row) for row in rows.values("id", "verdict", "decided_at", "withdrawn_at")]


def _export_duplicates(profile_ids: list[int]) -> list[dict[str, Any]]:
    """The other one is somebody else, as far as is known."""
    return [dict(row) for row in _duplicates(profile_ids).order_by("pk").values("id", "reason", "since")]


def _duplicates(profile_ids: list[int]) -> QuerySet[PossibleDuplicate]:
    return PossibleDuplicate.objects.filter(Q(low__in=profile_ids) | Q(high__in=profile_ids))


def _inbox_items(profile_ids: list[int]) -> list[Item]:
    """What came in from outside about this person: what was read as such, and what nobody understood and names them."""
    words = {str(row["value"]) for row in _export_links(profile_ids) if row["value"]}
    return [*items_about(profile_ids), *read_unparsed_with(words)]


def _export_inbox(profile_ids: list[int]) -> list[dict[str, Any]]:
    """That it came, from where and when. What it said is in the record; as it came it may speak of others too."""
    return [
        {"id": item.pk, "source": item.source, "received_at": item.received_at.isoformat(), "state": item.state}
        for item in _inbox_items(profile_ids)
    ]


register(
    SubjectData("customers_profile", _export_profiles, _erase_profiles, "a number, to which orders and events point")
)
register(
    SubjectData(
        "customers_customerprofile",
        lambda ids: exported(CustomerProfile.objects.filter(profile__in=ids).order_by("pk")),
        keep,
        "which numbers belonged together, so that totals stay right",
    )
)
register(SubjectData("customers_identitylink", _export_links, _erase_links))
register(
    SubjectData(
        "customers_decision",
        _export_decisions,
        keep,
        "that staff joined or parted two numbers",
    )
)
register(
    SubjectData(
        "customers_decisionprofile",
        lambda ids: exported(DecisionProfile.objects.filter(profile__in=ids).order_by("pk")),
        keep,
        "that staff joined or parted two numbers",
    )
)
register(
    SubjectData(
        "customers_possibleduplicate",
        _export_duplicates,
        lambda ids, at: _duplicates(ids).delete()[0],
    )
)
register(
    SubjectData(
        "customers_profilename",
        lambda ids: exported(ProfileName.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: ProfileName.objects.filter(profile__in=ids).delete()[0],
    )
)
register(
    SubjectData(
        "customers_buyer",
        lambda ids: exported(Buyer.objects.filter(profile__in=ids).order_by("pk"), "profile_id"),
        keep,
        "that a number has an order",
    )
)
register(
    SubjectData(
        "customers_contactversion",
        lambda ids: exported(ContactVersion.objects.filter(profile__in=ids).order_by("pk")),
        _erase_contacts,
    )
)
register(
    SubjectData(
        "customers_attributevalue",
        lambda ids: exported(AttributeValue.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: AttributeValue.objects.filter(profile__in=ids).delete()[0],
    )
)
register(
    SubjectData(
        "customers_tagentry",
        lambda ids: exported(TagEntry.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: TagEntry.objects.filter(profile__in=ids).delete()[0],
    )
)
register(
    SubjectData(
        "customers_note",
        lambda ids: exported(Note.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: Note.objects.filter(profile__in=ids).delete()[0],
    )
)
register(
    SubjectData(
        "customers_customercard",
        _export_cards(CustomerCard),
        _erase_cards,
        "an empty card, so that the number can be opened",
    )
)
register(
    SubjectData(
        "customers_storecard",
        _export_cards(StoreCard),
        _erase_store_cards,
        "empty cards, so that each store counts right",
    )
)
register(
    SubjectData(
        "inbox_item",
        _export_inbox,
        lambda ids, at: forget_bodies([item.pk for item in _inbox_items(ids)]),
        "that something came in, from where and how much; what still waits to be read is read all the same",
    )
)  # the last to register is erased first: while the person's identifiers still tell what to look for
