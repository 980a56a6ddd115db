"""What stands behind each of two people, or behind each part that one would fall into: so that staff see what moves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from django.db.models import Max, Min, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order as Sort
from regulars.foundation.pages.sums import Sum, summed
from regulars.foundation.shop.models import Store
from regulars.foundation.vault.keys import key_ring
from regulars.insight.segments.models import Membership
from regulars.messages.models import Message
from regulars.record.carts.models import Cart
from regulars.record.consent.models import ConsentEntry
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.duplicates import decisions_visible, duplicates_visible, read_names
from regulars.record.customers.identifiers import address_token
from regulars.record.customers.models import (
    Customer,
    CustomerProfile,
    Decision,
    IdentityKind,
    PossibleDuplicate,
    Profile,
)
from regulars.record.customers.operations.contacts import newest_contacts
from regulars.record.customers.operations.identities import Home
from regulars.record.customers.queries import (
    KnownIdentity,
    customers_of,
    found_by,
    read_identities_of,
    visible_cards,
)
from regulars.record.interest.queries import count_interests
from regulars.record.orders.models import Order
from regulars.record.orders.queries import COUNTS
from regulars.workflows.models import Run

DUPLICATE_SORTS = {"since": Sort("since")}
DECISION_SORTS = {"decided": Sort("decided_at")}
_ADDRESSES = {IdentityKind.EMAIL.value, IdentityKind.PHONE.value}


@dataclass(frozen=True)
class Part:
    """One person with what hangs on their profiles. ``customer`` 0: whoever it is gets a number only when staff decide."""

    customer: int
    public_id: str
    name: str
    names: Sequence[str]
    card: ContactCard
    stores: Sequence[str]
    profiles: frozenset[int]
    identities: Sequence[KnownIdentity]
    orders: int
    ordered: Sum
    first_order_at: datetime | None
    last_order_at: datetime | None
    carts: int
    interests: int
    consents: int
    messages: int
    memberships: Sequence[str]
    runs: int


def duplicates_matching(query: ListQuery, viewer: Viewer) -> QuerySet[PossibleDuplicate]:
    """Filters ``reason`` and ``customer`` (its number), and what was typed to find one of the two."""
    rows = duplicates_visible(viewer)
    if reasons := query.choices.get("reason"):
        rows = rows.filter(reason__in=reasons)
    members = CustomerProfile.objects.filter(until_batch=None)
    if query.text:
        cards = visible_cards(viewer.store_ids).filter(found_by(query.text, viewer.store_ids))
        found = members.filter(customer__in=cards.values("pk")).values("profile")
        rows = rows.filter(low__in=found) | rows.filter(high__in=found)
    if query.one("customer"):
        found = members.filter(customer=query.row_id("customer")).values("profile")
        rows = rows.filter(low__in=found) | rows.filter(high__in=found)
    return rows


def decisions_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Decision]:
    """Filters ``state`` (in-force, withdrawn) and ``verdict``."""
    rows = decisions_visible(viewer)
    states = set(query.choices.get("state", ()))
    if len(states) == 1:
        rows = rows.filter(withdrawn_at__isnull=states == {"in-force"})
    if verdicts := query.choices.get("verdict"):
        rows = rows.filter(verdict__in=verdicts)
    return rows


def read_part(profiles: Collection[int], customer_id: int = 0) -> Part:
    """Of these profiles, all of them: only for who may see everything that is known of a person."""
    wanted = sorted(profiles)
    owners = set(customers_of(wanted).values())
    customer = Customer.objects.filter(pk=customer_id).first()
    orders = Order.objects.filter(COUNTS, profile__in=wanted)
    span = orders.aggregate(first=Min("placed_at"), last=Max("placed_at"))
    identities = _each_once(read_identities_of(wanted))
    card, names = _newest_card(wanted), read_names(wanted)
    public_id = to_public(Customer.PREFIX, customer.uid) if customer else ""
    return Part(
        customer=customer_id,
        public_id=public_id,
        name=card.full_name or card.email or next((i.value for i in identities), "") or public_id,
        names=names,
        card=card,
        stores=_stores(wanted),
        profiles=frozenset(wanted),
        identities=identities,
        orders=orders.count(),
        ordered=Sum(summed(orders, "total_minor")),
        first_order_at=span["first"],
        last_order_at=span["last"],
        carts=Cart.objects.filter(profile__in=wanted).count(),
        interests=count_interests(wanted),
        consents=_count_consents(identities),
        messages=Message.objects.filter(customer__in=owners, profile__in=wanted).count(),
        memberships=_memberships(owners, wanted),
        runs=Run.objects.filter(customer__in=owners, profile__in=wanted).exclude(state="ended").count(),
    )


def read_parts(homes: Sequence[Home]) -> list[Part]:
    """The oldest first."""
    ordered = sorted(homes, key=lambda home: min(home.profiles))
    return [read_part(home.profiles, home.customer or 0) for home in ordered]


def _each_once(identities: Sequence[KnownIdentity]) -> list[KnownIdentity]:
    """Two stores that know one address say it twice."""
    return list({(one.kind, one.scope, one.value): one for one in reversed(identities)}.values())[::-1]


def _newest_card(profiles: Collection[int]) -> ContactCard:
    """The newest of all; what a device said only where nobody else said anything."""
    found = newest_contacts(profiles)
    devices = set(
        Profile.objects.filter(pk__in=found, named_by__kind=IdentityKind.ANONYMOUS_ID).values_list("pk", flat=True)
    )
    known = [said for profile, said in found.items() if profile not in devices] or list(found.values())
    return max(known, key=itemgetter(1), default=(ContactCard(), None))[0]


def _stores(profiles: Collection[int]) -> list[str]:
    rows = Store.objects.filter(pk__in=Profile.objects.filter(pk__in=profiles).values("store"))
    return list(rows.order_by("name").values_list("name", flat=True))


def _count_consents(identities: Sequence[KnownIdentity]) -> int:
    """What was said about writing to these addresses; it belongs to the address, whoever has it."""
    tokens = {address_token(key_ring(), one.value) for one in identities if one.kind in _ADDRESSES}
    return ConsentEntry.objects.filter(address__in=tokens).count()


def _memberships(owners: Collection[int], profiles: Collection[int]) -> list[str]:
    rows = Membership.objects.filter(customer__in=owners, profile__in=profiles, left_at=None)
    return list(rows.order_by("segment__name").values_list("segment__name", flat=True))
