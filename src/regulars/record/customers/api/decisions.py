"""Who is one person and who is not: what waits for a decision, deciding, and taking it back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Short, Strict
from regulars.foundation.api.idempotency import idempotent
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.ids import to_public
from regulars.record.customers.api.customers import visible_customer
from regulars.record.customers.duplicates import (
    decisions_visible,
    duplicates_visible,
    get_decision,
    read_cases,
    read_decisions,
)
from regulars.record.customers.models import Customer, Decision
from regulars.record.customers.operations import decisions as deciding
from regulars.record.customers.operations.decisions import Sides, different_people, parted, same_person
from regulars.record.customers.operations.identities import Home

router = Router(tags=["who is who"])
waiting = Router(tags=["who is who"])
merging = Router(tags=["who is who"])


class MergeIn(Strict):
    """``preview``: say what would be, and change nothing."""

    others: Annotated[list[Short], Field(alias="with", min_length=1, max_length=20)]
    preview: bool = False


class SplitIn(Strict):
    """Numbers of the profiles that are somebody else's, as a preview or a customer's identities name them."""

    profiles: Annotated[list[int], Field(min_length=1, max_length=1000)]
    preview: bool = False


class ApartIn(Strict):
    """The customer who is somebody else."""

    other: Annotated[Short, Field(alias="from")]
    preview: bool = False


class PersonOut(Schema):
    """One person of those whom the decision touches: ``id`` is null where they would get a new one."""

    id: str | None
    profiles: list[int]


class OutcomeOut(Schema):
    """The decision, null for a preview, and who is whom with it."""

    decision: str | None
    customers: list[PersonOut]


class DuplicateOut(Schema):
    """Two customers who share an identity; ``reason`` is why they wait: names, size, either."""

    one: str
    other: str
    kind: str
    reason: str
    since: datetime


class DecisionOut(Schema):
    """Staff's or a program's word: same, different; in force until it is withdrawn."""

    id: str
    verdict: str
    decided_at: datetime
    withdrawn_at: datetime | None
    customers: list[str]


@merging.post(
    "/{customer_id}/merge",
    auth=needs("customers:merge"),
    response={200: OutcomeOut, **ERRORS},
    summary="Merge customers",
)
@idempotent
def merge(request: HttpRequest, customer_id: str, payload: MergeIn) -> tuple[int, OutcomeOut]:
    """Says that these customers are one person. Withdrawing the decision parts them again."""
    viewer = caller(request)
    ids = [visible_customer(one, viewer).pk for one in (customer_id, *payload.others)]
    return 200, _outcome(same_person(ids), payload.preview, viewer)


@merging.post(
    "/{customer_id}/split",
    auth=needs("customers:merge"),
    response={200: OutcomeOut, **ERRORS},
    summary="Split a customer",
)
@idempotent
def split(request: HttpRequest, customer_id: str, payload: SplitIn) -> tuple[int, OutcomeOut]:
    """Says that these profiles are somebody else's."""
    viewer = caller(request)
    sides = parted(visible_customer(customer_id, viewer).pk, payload.profiles)
    return 200, _outcome(sides, payload.preview, viewer)


@merging.post(
    "/{customer_id}/keep-apart",
    auth=needs("customers:merge"),
    response={200: OutcomeOut, **ERRORS},
    summary="Keep two customers apart",
)
@idempotent
def keep_apart(request: HttpRequest, customer_id: str, payload: ApartIn) -> tuple[int, OutcomeOut]:
    """Says that they are two people, whatever they share."""
    viewer = caller(request)
    one, other = visible_customer(customer_id, viewer), visible_customer(payload.other, viewer)
    return 200, _outcome(different_people(one.pk, other.pk), payload.preview, viewer)


@waiting.get(
    "",
    auth=needs("customers:merge"),
    response={200: Page[DuplicateOut], **ERRORS},
    summary="List customers who may be one person",
)
def list_duplicates(request: HttpRequest, query: Query[PageQuery]) -> Page[DuplicateOut]:
    viewer = caller(request)
    found, following = take(duplicates_visible(viewer), query)
    items = [
        DuplicateOut(
            one=case.one.public_id,
            other=case.other.public_id,
            kind=case.kind,
            reason=case.row.reason,
            since=case.row.since,
        )
        for case in read_cases(found, viewer)
    ]
    return Page[DuplicateOut](items=items, next=following)


@router.get(
    "",
    auth=needs("customers:merge"),
    response={200: Page[DecisionOut], **ERRORS},
    summary="List decisions about customers",
)
def list_decisions(request: HttpRequest, query: Query[PageQuery]) -> Page[DecisionOut]:
    viewer = caller(request)
    found, following = take(decisions_visible(viewer), query)
    return Page[DecisionOut](items=_shown(found, viewer), next=following)


@router.post(
    "/{decision_id}/withdraw",
    auth=needs("customers:merge"),
    response={200: DecisionOut, **ERRORS},
    summary="Withdraw a decision about customers",
)
@idempotent
def withdraw(request: HttpRequest, decision_id: str) -> tuple[int, DecisionOut]:
    """Everybody is who they would be without it."""
    viewer = caller(request)
    deciding.withdraw(get_decision(decision_id, viewer), viewer, clock.now())
    [shown] = _shown([get_decision(decision_id, viewer)], viewer)
    return 200, shown


def _shown(rows: Sequence[Decision], viewer: Viewer) -> list[DecisionOut]:
    return [
        DecisionOut(
            id=one.public_id,
            verdict=one.row.verdict,
            decided_at=one.row.decided_at,
            withdrawn_at=one.row.withdrawn_at,
            customers=[person.public_id for person in one.people],
        )
        for one in read_decisions(rows, viewer)
    ]


def _outcome(sides: Sides, is_preview: bool, viewer: Viewer) -> OutcomeOut:
    deciding.may_decide(sides.profiles, viewer)
    at = clock.now()
    would = deciding.preview(sides, at)
    if is_preview:
        return OutcomeOut(decision=None, customers=_people(would))
    row = deciding.decide(sides, viewer, at)
    return OutcomeOut(decision=to_public(Decision.PREFIX, row.uid), customers=_people(deciding.present(sides)))


def _people(found: Sequence[Home]) -> list[PersonOut]:
    uids = dict(Customer.objects.filter(pk__in=[h.customer for h in found if h.customer]).values_list("pk", "uid"))
    public = {None: None} | {pk: to_public(Customer.PREFIX, uid) for pk, uid in uids.items()}
    return [PersonOut(id=public[home.customer], profiles=sorted(home.profiles)) for home in found]
