"""What can be asked of lists: which there are, who is on them, and who put them there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.errors import InvalidInput, NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.pages.days import within_days
from regulars.foundation.pages.lists import ListQuery
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import CustomerProfile
from regulars.record.customers.operations.known import with_identities
from regulars.record.customers.operations.links import find_identities
from regulars.record.customers.queries import profiles_of
from regulars.record.lists.models import CustomerList, ListMember

_SIZES = """
SELECT m.list_id, count(DISTINCT c.customer_id) FROM lists_listmember m
JOIN customers_customerprofile c ON c.profile_id = m.profile_id AND c.until_batch_id IS NULL
WHERE m.until_batch_id IS NULL GROUP BY m.list_id
"""
# OFFSET 0: one look at an index for each, whatever the planner believes of tables that have just grown (see customers' links).
_ON = """
SELECT DISTINCT c.customer_id FROM unnest(%s::bigint[]) AS w(id)
CROSS JOIN LATERAL (
    SELECT customer_id, profile_id FROM customers_customerprofile WHERE customer_id = w.id AND until_batch_id IS NULL OFFSET 0) c
CROSS JOIN LATERAL (
    SELECT FROM lists_listmember WHERE list_id = %s AND profile_id = c.profile_id AND until_batch_id IS NULL OFFSET 0) m
"""
# Of those who confirm an identity: the store's own profile first, then the one that it names, then the oldest.
_CONFIRMED = """
SELECT DISTINCT ON (w.id) w.id, l.profile_id FROM unnest(%s::bigint[]) AS w(id)
CROSS JOIN LATERAL (
    SELECT profile_id FROM customers_identitylink WHERE identity_id = w.id AND trust = 'confirmed' OFFSET 0) l
CROSS JOIN LATERAL (SELECT store_id, named_by_id FROM customers_profile WHERE id = l.profile_id OFFSET 0) p
CROSS JOIN LATERAL (
    SELECT FROM customers_customerprofile WHERE profile_id = l.profile_id AND until_batch_id IS NULL OFFSET 0) c
ORDER BY w.id, p.store_id IS NOT DISTINCT FROM %s::bigint DESC, p.named_by_id = w.id DESC, l.profile_id
"""
# An upload stands as one line, however many batches it took.
_HISTORY = """
WITH moved AS (
    SELECT batch_id AS batch, 1 AS came, 0 AS went FROM lists_listmember WHERE list_id = %(list)s
    UNION ALL SELECT until_batch_id, 0, 1 FROM lists_listmember WHERE list_id = %(list)s AND until_batch_id IS NOT NULL
)
SELECT b.source, b.reference, min(b.recorded_at), sum(m.came), sum(m.went)
FROM moved m JOIN events_batch b ON b.id = m.batch
GROUP BY b.source, b.reference, CASE WHEN b.source IN ('import', 'undo') THEN 0 ELSE b.id END
ORDER BY min(b.recorded_at) DESC, max(b.id) DESC LIMIT %(limit)s
"""


class UnknownList(InvalidInput):
    """There is no list of this name."""

    code = "unknown-list"


@dataclass(frozen=True)
class Move:
    """One change of a list: who made it (``source`` and ``reference`` of its batches), and how many rows it wrote and ended."""

    source: str
    reference: str
    at: datetime
    came: int
    went: int


def list_lists(*, with_archived: bool = False) -> QuerySet[CustomerList]:
    rows = CustomerList.objects.order_by("name", "id")
    return rows if with_archived else rows.filter(is_archived=False)


def get_list(name: str) -> CustomerList:
    """By public id (``lst_…``) or key. Raises NotFound."""
    name = name.replace("\x00", " ")  # the database holds no such character
    by_id = name.startswith(f"{CustomerList.PREFIX}_")
    which = Q(uid=from_public(CustomerList.PREFIX, name)) if by_id else Q(key=name)
    found = CustomerList.objects.filter(which).first()
    if found is None:
        raise NotFound(f"There is no list {name[:60]}")
    return found


def find_list(text: str) -> CustomerList:
    """The live list that somebody means by its name, whatever its case, or by its key. Raises UnknownList."""
    text = " ".join(text.split()).replace("\x00", "")
    rows = list_lists().filter(Q(name__iexact=text) | Q(key=text))
    if (found := rows.first()) is None:
        raise UnknownList(f"There is no list '{text[:60]}': make it first, under Lists.")
    return found


def names_of_lists() -> Mapping[str, str]:
    """What lists are called, by key; archived ones too, since something of the past may name them."""
    return dict(CustomerList.objects.order_by("is_archived", "name", "id").values_list("key", "name"))


def sizes() -> dict[int, int]:
    """How many customers are on each list (by number) now; lists without anybody are left out."""
    return dict(fetch(_SIZES, []))


def who_is_on(row: CustomerList, customer_ids: Iterable[int]) -> set[int]:
    """Those of these customers who are on the list now."""
    return {customer for (customer,) in fetch(_ON, [list(customer_ids), row.pk])}


def on_lists(keys: Collection[str]) -> QuerySet[CustomerProfile, int]:
    """Customers who are on one of these lists now."""
    profiles = ListMember.objects.filter(list__key__in=keys, until_batch=None).values("profile_id")
    return CustomerProfile.objects.filter(profile__in=profiles, until_batch=None).values_list("customer_id", flat=True)


def members(row: CustomerList) -> QuerySet[ListMember]:
    """The rows of the ledger that hold now: one of each profile that is on the list."""
    return ListMember.objects.filter(list=row, until_batch=None)


def stays(row: CustomerList, query: ListQuery, viewer: Viewer) -> QuerySet[ListMember]:
    """The ledger, by the filters ``state``, ``added`` and ``removed``."""
    rows = ListMember.objects.filter(list=row).select_related("batch", "until_batch")
    if state := query.one("state"):
        rows = rows.filter(until_batch__isnull=state == "now")
    return rows.filter(within_days("added_at", query.dates, "added"), within_days("removed_at", query.dates, "removed"))


def lists_of(customer_id: int) -> list[ListMember]:
    """The lists that a customer is on, by name: the oldest row of each."""
    profiles = profiles_of([customer_id]).get(customer_id, [])
    rows = ListMember.objects.filter(profile__in=profiles, until_batch=None, list__is_archived=False)
    first = rows.order_by("list_id", "added_at", "id").distinct("list_id").select_related("list")
    return sorted(first, key=lambda row: row.list.name.casefold())


def stays_of(customer_id: int, before: datetime | None) -> QuerySet[ListMember]:
    """All rows of a customer's profiles, with their lists; of before a moment those that began or ended then."""
    profiles = profiles_of([customer_id]).get(customer_id, [])
    rows = ListMember.objects.filter(profile__in=profiles).select_related("list", "batch", "until_batch")
    return rows.filter(Q(added_at__lt=before) | Q(removed_at__lt=before)) if before else rows


def history(row: CustomerList, limit: int) -> list[Move]:
    """Who changed the list, the newest first."""
    return [Move(*found) for found in fetch(_HISTORY, {"list": row.pk, "limit": limit})]


def find_confirmed(identities: Collection[IdentityInput], store_id: int | None = None) -> dict[IdentityInput, int]:
    """A profile of each canonical identity that somebody is known by for certain; of several, preferably this store's."""
    rows = find_identities(identities)
    found = dict(fetch(_CONFIRMED, [sorted(set(rows.values())), store_id]))
    return {identity: found[number] for identity, number in rows.items() if number in found}


def find_people(told: Sequence[PersonInput], store_id: int | None = None) -> list[int | None]:
    """For each person the profile that the first known one of their identities leads to; None for nobody. Two statements."""
    people = with_identities(told)
    known = find_confirmed({identity for one in people for identity in one.identities}, store_id)
    return [next((known[i] for i in one.identities if i in known), None) for one in people]
