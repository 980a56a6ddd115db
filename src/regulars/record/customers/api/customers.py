"""Customers: list, get, create or update by their identities."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Code, Country, Long, Moment, Strict, Text
from regulars.foundation.api.idempotency import idempotent
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.api.stores import codes_of_stores, find_store
from regulars.foundation.errors import NotAllowed, NotFound
from regulars.foundation.ids import to_public
from regulars.record.customers import events
from regulars.record.customers.api.people import Contact, person_of
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, CustomerCard, IdentityKind, Tag
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import (
    cards_seen,
    customer_of,
    find_by_identity,
    get_customer,
    read_attributes,
    read_cards,
    read_identities,
    tags_of_all,
)
from regulars.record.events import log as event_log

router = Router(tags=["customers"])
Scalar = (
    bool | Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | Annotated[float, Field(allow_inf_nan=False)] | Text | None
)


class CustomerOut(Schema):
    """A customer as lists show them. Empty text is 'not known'."""

    id: str
    created_at: datetime
    name: str
    first_name: str
    last_name: str
    email: str
    phone: str
    company: str
    street: str
    city: str
    postal_code: str
    region: str
    country: str
    language: str
    time_zone: str
    tags: list[str]
    stores: list[str]


class IdentityOut(Schema):
    """One identifier of a customer, how much it is trusted (claimed or confirmed), who says so, and the number of the profile that
    it belongs to.
    """

    kind: str
    scope: str
    value: str
    trust: str
    evidence: str
    since: datetime
    profile: int


class CustomerDetail(CustomerOut):
    """A customer with everything that one page of lists cannot hold."""

    attributes: dict[str, Any]
    identities: list[IdentityOut]


class CustomerIn(Strict, Contact):
    """What you know of one person; at least one of email, phone, store_customer_id and user_id. What is left out stays
    as it was.
    """

    attributes: Annotated[dict[Code, Scalar], Field(max_length=50)] = {}
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], Field(max_length=50)] = []
    note: Long = ""
    occurred_at: Moment | None = None


class CustomerFilters(PageQuery):
    """``email``, ``phone`` and ``store_customer_id`` find exactly; the others narrow the list."""

    email: Annotated[str, Field(max_length=254)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    store_customer_id: Annotated[str, Field(max_length=120)] = ""
    store: Annotated[str, Field(max_length=60)] = ""
    tag: Annotated[str, Field(max_length=60)] = ""
    country: Country = ""
    created_after: Moment | None = None
    created_before: Moment | None = None


@router.get("", auth=needs("customers:read"), response={200: Page[CustomerOut], **ERRORS}, summary="List customers")
def list_customers(request: HttpRequest, query: Query[CustomerFilters]) -> Page[CustomerOut]:
    viewer = caller(request)
    found, following = take(_filtered(visible_customers(viewer), query, viewer), query)
    return Page[CustomerOut](items=show(found, viewer), next=following)


@router.get(
    "/{customer_id}", auth=needs("customers:read"), response={200: CustomerDetail, **ERRORS}, summary="Get a customer"
)
def one_customer(request: HttpRequest, customer_id: str) -> CustomerDetail:
    customer = visible_customer(customer_id, caller(request))
    return _detail(customer, caller(request))


@router.post(
    "",
    auth=needs("customers:write"),
    response={200: CustomerDetail, 201: CustomerDetail, **ERRORS},
    summary="Create or update a customer",
)
@idempotent
def write_customer(request: HttpRequest, payload: CustomerIn) -> tuple[int, CustomerDetail]:
    """Finds the customer by the first identity given, or makes one; sent twice it changes nothing the second time."""
    viewer = caller(request)
    store = find_store(payload.store, viewer)
    person = person_of(payload, payload.occurred_at or clock.now(), store, payload.card())
    refuse_hidden(person, viewer)
    with event_log.transaction("api", viewer.actor) as log:
        [profile] = ensure_profiles([person], log)
        is_new = any(entry.kind == events.CREATED for entry in log.entries)
    customer = Customer.objects.get(pk=customer_of(profile))
    return (201 if is_new else 200), _detail(customer, viewer)


def visible_customers(viewer: Viewer) -> QuerySet[Customer]:
    """Customers who have a profile, and who share a store with the viewer."""
    rows = Customer.objects.filter(customercard__isnull=False)
    if viewer.store_ids is None:
        return rows
    return rows.filter(pk__in=cards_seen(viewer.store_ids).values("customer_id"))


def visible_customer(customer_id: str, viewer: Viewer) -> Customer:
    """Raises NotFound, also for one whom the viewer does not see."""
    customer = get_customer(customer_id)
    if not visible_customers(viewer).filter(pk=customer.pk).exists():
        raise NotFound(f"There is no customer {customer_id[:60]}.")
    return customer


def refuse_hidden(person: PersonInput, viewer: Viewer) -> None:
    """A token of one store neither changes nor is shown a customer of whom that store knows nothing. Raises
    NotAllowed.
    """
    if viewer.store_ids is None:
        return
    known = {customer for identity in person.identities for customer in find_by_identity(identity)}
    if known - set(visible_customers(viewer).filter(pk__in=known).values_list("pk", flat=True)):
        raise NotAllowed("This person is a customer of another store: use a token that is not limited to a store.")


def _filtered(rows: QuerySet[Customer], query: CustomerFilters, viewer: Viewer) -> QuerySet[Customer]:
    store = find_store(query.store, viewer) if query.store else None
    for kind, value in (("email", query.email), ("phone", query.phone), ("store_customer", query.store_customer_id)):
        if value:
            scope = store.code if store and kind == "store_customer" else ""
            known = find_by_identity(IdentityInput(IdentityKind(kind), value, scope), viewer.store_ids)
            rows = rows.filter(pk__in=known)
    if store:
        rows = rows.filter(customercard__stores__contains=[store.pk])
    if query.tag:
        tag = Tag.objects.filter(name=query.tag).first()
        rows = _with_card(rows, viewer, Q(tags__contains=[tag.pk if tag else 0]))
    if query.country:
        rows = _with_card(rows, viewer, Q(country=query.country))
    if query.created_after:
        rows = rows.filter(created_at__gte=query.created_after)
    return rows.filter(created_at__lt=query.created_before) if query.created_before else rows


def _with_card(rows: QuerySet[Customer], viewer: Viewer, asked: Q) -> QuerySet[Customer]:
    return rows.filter(pk__in=cards_seen(viewer.store_ids).filter(asked).values("customer_id"))


def show(customers: Sequence[Customer], viewer: Viewer) -> list[CustomerOut]:
    """Set-wise: the number of queries does not depend on how many there are. Of what other stores know the viewer sees nothing."""
    ids = [customer.pk for customer in customers]
    contacts = read_cards(ids, viewer.store_ids)
    codes = {store: code for store, code in codes_of_stores().items() if viewer.sees_store(store)}
    cards = CustomerCard.objects.in_bulk(ids)
    tags = tags_of_all(ids, viewer.store_ids)
    return [
        CustomerOut(
            id=to_public(Customer.PREFIX, customer.uid),
            created_at=customer.created_at,
            **asdict(contacts[customer.pk]) | {"name": contacts[customer.pk].full_name},
            tags=tags.get(customer.pk, []),
            stores=sorted(codes[store] for store in cards[customer.pk].stores if store in codes)
            if customer.pk in cards
            else [],
        )
        for customer in customers
    ]


def _detail(customer: Customer, viewer: Viewer) -> CustomerDetail:
    [shown] = show([customer], viewer)
    known = read_identities(customer.pk, viewer.store_ids)
    identities = [
        IdentityOut(
            kind=i.kind,
            scope=i.scope,
            value=i.value,
            trust=i.trust,
            evidence=i.evidence,
            since=i.occurred_at,
            profile=i.profile_id,
        )
        for i in known
    ]
    return CustomerDetail(
        **shown.dict(), attributes=read_attributes(customer.pk, viewer.store_ids), identities=identities
    )
