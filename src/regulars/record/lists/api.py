"""Lists: make, rename, archive; who is on them; put people on and take them off."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Code, Short, Strict
from regulars.foundation.api.idempotency import idempotent
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.api.stores import find_store
from regulars.foundation.ids import to_public
from regulars.record.customers.api.people import Identities, person_of
from regulars.record.customers.inputs import PersonInput
from regulars.record.customers.models import Customer
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of, get_customer, profiles_of
from regulars.record.events import log as event_log
from regulars.record.lists import operations, queries
from regulars.record.lists.models import CustomerList

router = Router(tags=["lists"])
ROUTERS = {"/lists": router}


class ListOut(Schema):
    """A list; ``members`` counts the customers who are on it now."""

    id: str
    key: str
    name: str
    is_archived: bool
    members: int
    created_at: datetime


class ListIn(Strict):
    """``key`` is made of the name where it is left out, and never changes."""

    name: Short
    key: Annotated[str, Field(max_length=60, pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$")] = ""


class ListChange(Strict):
    """Another name; the key stays."""

    name: Short


class ListMemberOut(Schema):
    """One address or number of a customer that was put on the list: a customer with two of them comes twice."""

    customer: str
    added_at: datetime


class ListPerson(Identities):
    """Who is meant: by customer id, else by the first identity that somebody is known by."""

    customer: Code | None = None


People = Annotated[list[ListPerson], Field(min_length=1, max_length=1000)]


class PeopleOn(Strict):
    """``makes_new``: whoever is unknown becomes a profile with these identities. It says nothing of consent."""

    people: People
    makes_new: bool = False


class PeopleOff(Strict):
    """Whom to take off."""

    people: People


class Changed(Schema):
    """How many customers it changed, how many profiles it made, and the places (from 0) of those whom nobody is known by."""

    changed: int
    made: int = 0
    unknown: list[int]


class ListFilters(PageQuery):
    """``archived``: these too."""

    archived: bool = False


@router.get("", auth=needs("lists:read"), response={200: Page[ListOut], **ERRORS}, summary="List lists")
def list_lists(request: HttpRequest, query: Query[ListFilters]) -> Page[ListOut]:
    sizes = queries.sizes()
    found, following = take(queries.list_lists(with_archived=query.archived), query)
    return Page[ListOut](items=[_show(row, sizes) for row in found], next=following)


@router.get("/{list_id}", auth=needs("lists:read"), response={200: ListOut, **ERRORS}, summary="Get a list")
def one_list(request: HttpRequest, list_id: str) -> ListOut:
    return _show(queries.get_list(list_id), queries.sizes())


@router.get(
    "/{list_id}/members",
    auth=needs("lists:read"),
    response={200: Page[ListMemberOut], **ERRORS},
    summary="List who is on a list",
)
def list_members(request: HttpRequest, list_id: str, query: Query[PageQuery]) -> Page[ListMemberOut]:
    found, following = take(queries.members(queries.get_list(list_id)), query)
    owners = customers_of(row.profile_id for row in found)
    uids = dict(Customer.objects.filter(pk__in=set(owners.values())).values_list("pk", "uid"))
    items = [
        ListMemberOut(customer=to_public(Customer.PREFIX, uids[owners[row.profile_id]]), added_at=row.added_at)
        for row in found
    ]
    return Page[ListMemberOut](items=items, next=following)


@router.post("", auth=needs("lists:write"), response={201: ListOut, **ERRORS}, summary="Make a list")
@idempotent
def create(request: HttpRequest, payload: ListIn) -> tuple[int, ListOut]:
    row = operations.create_list(payload.name, caller(request), clock.now(), key=payload.key)
    return 201, _show(row, {})


@router.patch("/{list_id}", auth=needs("lists:write"), response={200: ListOut, **ERRORS}, summary="Rename a list")
@idempotent
def change(request: HttpRequest, list_id: str, payload: ListChange) -> tuple[int, ListOut]:
    row = queries.get_list(list_id)
    operations.rename_list(row, payload.name, caller(request), clock.now())
    return 200, _show(row, queries.sizes())


@router.delete("/{list_id}", auth=needs("lists:write"), response={204: None, **ERRORS}, summary="Archive a list")
def archive(request: HttpRequest, list_id: str) -> Status[None]:
    """Nobody is put on it or taken off any more; its past stays. Refused while a segment asks for it."""
    operations.archive_list(queries.get_list(list_id), caller(request), clock.now())
    return Status(204, None)


@router.post(
    "/{list_id}/members", auth=needs("lists:write"), response={200: Changed, **ERRORS}, summary="Put people on a list"
)
@idempotent
def put_on(request: HttpRequest, list_id: str, payload: PeopleOn) -> tuple[int, Changed]:
    """Up to 1,000 people. Whoever is on it already stays; unknown people are left out, or made."""
    row, viewer, at = queries.get_list(list_id), caller(request), clock.now()
    told = _told(payload.people, viewer, at)
    with event_log.transaction("api", viewer.actor) as log:
        found = _profiles(payload.people, told)
        unknown = [place for place, profile in enumerate(found) if profile is None]
        new = [one for place in unknown if (one := told[place])] if payload.makes_new else []
        for place, profile in zip(unknown, ensure_profiles(new, log), strict=False):
            found[place] = profile
        changed = operations.put_profiles_on(row, [p for p in found if p is not None], viewer, at)
    return 200, Changed(changed=changed, made=len(new), unknown=[] if new else unknown)


@router.post(
    "/{list_id}/members/remove",
    auth=needs("lists:write"),
    response={200: Changed, **ERRORS},
    summary="Take people off a list",
)
@idempotent
def take_off(request: HttpRequest, list_id: str, payload: PeopleOff) -> tuple[int, Changed]:
    """Up to 1,000 people. Whoever is not on it changes nothing."""
    row, viewer, at = queries.get_list(list_id), caller(request), clock.now()
    found = _profiles(payload.people, _told(payload.people, viewer, at))
    customers = set(customers_of(p for p in found if p is not None).values())
    changed = operations.take_customers_off(row, customers, viewer, at)
    return 200, Changed(changed=changed, unknown=[place for place, p in enumerate(found) if p is None])


def _told(people: Sequence[ListPerson], viewer: Viewer, at: datetime) -> list[PersonInput | None]:
    """What is said of each; nothing of those who are named by customer id. Raises BadIdentity, UnknownStore."""
    stores = {code: find_store(code, viewer) for code in {one.store for one in people}}
    return [None if one.customer else person_of(one, at, stores[one.store]) for one in people]


def _profiles(people: Sequence[ListPerson], told: Sequence[PersonInput | None]) -> list[int | None]:
    """The profile of each, None for nobody. Raises NotFound for an id that is none."""
    by_id = {one.customer: get_customer(one.customer).pk for one in people if one.customer}
    oldest = {customer: some[0] for customer, some in profiles_of(by_id.values()).items()}
    found = iter(queries.find_people([one for one in told if one]))
    return [
        next(found) if said else oldest.get(by_id[one.customer or ""]) for one, said in zip(people, told, strict=True)
    ]


def _show(row: CustomerList, sizes: dict[int, int]) -> ListOut:
    return ListOut(
        id=to_public(CustomerList.PREFIX, row.uid),
        key=row.key,
        name=row.name,
        is_archived=row.is_archived,
        members=sizes.get(row.pk, 0),
        created_at=row.created_at,
    )
