"""Events: list and get what happened, record what happened elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AfterValidator, Field

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Code, Moment, Short, Strict
from regulars.foundation.api.idempotency import idempotent
from regulars.foundation.api.paging import Page, PageQuery, clean, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.api.stores import find_store
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import to_public
from regulars.record.customers.api.customers import Scalar, refuse_hidden, visible_customer
from regulars.record.customers.api.people import Identities, person_of
from regulars.record.customers.models import Customer, Profile
from regulars.record.customers.operations.recording import HappeningInput, record_happening
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.events.models import Event
from regulars.record.events.recorded import read_properties

router = Router(tags=["events"])
PREFIX = "evt_"


class EventOut(Schema):
    """Something that happened. ``occurred_at`` is its time in the world, ``recorded_at`` when we learnt of it."""

    id: str
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    customer: str | None
    is_history: bool
    data: dict[str, Any]


class EventIn(Strict):
    """Something that happened elsewhere. With ``id`` (your own) the same event sent again changes nothing."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,79}$")]
    customer: Identities
    occurred_at: Moment | None = None
    id: Annotated[str, Field(max_length=200), AfterValidator(clean)] = ""
    properties: Annotated[dict[Code, Scalar], Field(max_length=100)] = {}
    is_history: bool = False


class EventFilters(PageQuery):
    """Events come in the order in which they were recorded: keep the last cursor and ask again for what is new."""

    kind: Short = ""
    customer: Short = ""
    occurred_after: Moment | None = None
    occurred_before: Moment | None = None


class Receipt(Schema):
    """``recorded`` is false when this event was there already."""

    recorded: bool
    customer: str


@router.get("", auth=needs("events:read"), response={200: Page[EventOut], **ERRORS}, summary="List events")
def list_events(request: HttpRequest, query: Query[EventFilters]) -> Page[EventOut]:
    viewer = caller(request)
    found, following = take(_filtered(_visible(viewer), query, viewer), query, "position")
    return Page[EventOut](items=_show(found), next=following)


@router.get("/{event_id}", auth=needs("events:read"), response={200: EventOut, **ERRORS}, summary="Get an event")
def one_event(request: HttpRequest, event_id: str) -> EventOut:
    number = event_id.removeprefix(PREFIX)
    is_number = number.isascii() and number.isdigit() and len(number) < 19 and event_id.startswith(PREFIX)
    found = _visible(caller(request)).filter(position=int(number)).first() if is_number else None
    if found is None:
        raise NotFound(f"There is no event {event_id[:60]}.")
    return _show([found])[0]


@router.post("", auth=needs("events:write"), response={200: Receipt, 201: Receipt, **ERRORS}, summary="Record an event")
@idempotent
def write_event(request: HttpRequest, payload: EventIn) -> tuple[int, Receipt]:
    """Text in ``properties`` is sealed as personal data; numbers and yes or no stay in clear."""
    viewer = caller(request)
    store = find_store(payload.customer.store, viewer)
    at = payload.occurred_at or clock.now()
    person = person_of(payload.customer, at, store)
    refuse_hidden(person, viewer)
    happening = HappeningInput(
        name=payload.name,
        person=person,
        occurred_at=at,
        properties=payload.properties,
        own_id=payload.id or request.headers.get("Idempotency-Key", ""),
        is_history=payload.is_history,
    )
    is_new, customer = record_happening(happening, viewer.actor)
    uid = Customer.objects.values_list("uid", flat=True).get(pk=customer)
    return (201 if is_new else 200), Receipt(recorded=is_new, customer=to_public(Customer.PREFIX, uid))


def _visible(viewer: Viewer) -> QuerySet[Event]:
    if viewer.store_ids is None:
        return Event.objects.all()
    theirs = Event.objects.filter(profile_id__in=Profile.objects.filter(store__in=viewer.store_ids).values("pk"))
    return theirs.exclude(kind__startswith="segment.")  # decided by what a person bought in all stores


def _filtered(rows: QuerySet[Event], query: EventFilters, viewer: Viewer) -> QuerySet[Event]:
    wanted = Q()
    if query.kind:
        wanted &= Q(kind=query.kind)
    if query.customer:
        customer = visible_customer(query.customer, viewer)
        wanted &= Q(profile_id__in=profiles_of([customer.pk]).get(customer.pk, []))
    if query.occurred_after:
        wanted &= Q(occurred_at__gte=query.occurred_after)
    if query.occurred_before:
        wanted &= Q(occurred_at__lt=query.occurred_before)
    return rows.filter(wanted)


def _show(events: Sequence[Event]) -> list[EventOut]:
    owners = customers_of(event.profile_id for event in events if event.profile_id)
    uids = dict(Customer.objects.filter(pk__in=owners.values()).values_list("id", "uid"))
    opened = read_properties(events)
    return [
        EventOut(
            id=f"{PREFIX}{event.position}",
            kind=event.kind,
            occurred_at=event.occurred_at,
            recorded_at=event.recorded_at,
            customer=to_public(Customer.PREFIX, uids[owners[event.profile_id]]) if event.profile_id in owners else None,
            is_history=event.is_history,
            data=event.data | opened.get(event.position, {}),
        )
        for event in events
    ]
