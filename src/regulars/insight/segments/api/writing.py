"""Segments made, changed and asked by programs."""

from collections.abc import Sequence
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Schema, Status
from pydantic import Field

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Code, Moment, Short, Strict, Text
from regulars.foundation.api.idempotency import idempotent
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.ids import to_public
from regulars.insight.conditions import asking
from regulars.insight.conditions.reading import read_definition
from regulars.insight.conditions.schema import schema
from regulars.insight.segments.api.reading import SegmentOut, find, router, show
from regulars.insight.segments.operations import saving
from regulars.insight.segments.queries import counts
from regulars.insight.warehouse.queries import pin
from regulars.record.customers.models import Customer

Definition = Annotated[
    dict[str, Any], Field(description="version and where; its schema is under /segments/conditions/schema")
]


class SegmentIn(Strict):
    """A segment of conditions. ``key`` is made of the name where it is left out, and never changes."""

    name: Short
    key: Annotated[str, Field(max_length=60, pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$")] = ""
    description: Text = ""
    definition: Definition


class SegmentChange(Strict):
    """``version`` is the one that the change was made from. ``starts_workflows``: those who enter by it are new to workflows too."""

    name: Short | None = None
    description: Text | None = None
    definition: Definition | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    starts_workflows: bool = False


class PlanIn(Strict):
    """A definition, and the segment (key or id) that it would change."""

    definition: Definition
    segment: Code | None = None


class PlanOut(Schema):
    """What it would do: numbers of customers, and some of each."""

    members: int
    entering: int
    leaving: int
    examples_entering: list[str]
    examples_leaving: list[str]
    uses: list[str]


class CountIn(Strict):
    """``as_of``: the moment to ask of; now where it is left out."""

    definition: Definition
    as_of: Moment | None = None


class CountOut(Schema):
    """How many customers, of how many, and the first of them by id."""

    count: int
    total: int
    first: list[str]


@router.get(
    "/conditions/schema",
    auth=needs("segments:read"),
    response={200: dict[str, Any], **ERRORS},
    summary="Schema of conditions",
)
def condition_schema(request: HttpRequest) -> dict[str, Any]:
    """JSON Schema of a definition, with all that the modules of this house offer."""
    return schema()


@router.post(
    "/conditions/count", auth=needs("segments:read"), response={200: CountOut, **ERRORS}, summary="Count a condition"
)
def count(request: HttpRequest, payload: CountIn) -> CountOut:
    """Of any condition, saved or not. Changes nothing."""
    found = asking.count(read_definition(payload.definition), pin(), payload.as_of or clock.now())
    return CountOut(count=found.count, total=found.total, first=_public(found.first_ids, caller(request)))


@router.post(
    "/conditions/plan", auth=needs("segments:read"), response={200: PlanOut, **ERRORS}, summary="Plan a change"
)
def plan(request: HttpRequest, payload: PlanIn) -> PlanOut:
    """What a definition would do to a segment, or as a new one. Changes nothing."""
    segment = find(payload.segment) if payload.segment else None
    condition = read_definition(payload.definition)
    saving.check(condition, segment)
    found = saving.plan(condition, clock.now(), segment)
    return PlanOut(
        members=found.members,
        entering=found.entering,
        leaving=found.leaving,
        examples_entering=_public(found.examples_entering, caller(request)),
        examples_leaving=_public(found.examples_leaving, caller(request)),
        uses=[f"{use.what}: {use.name}" for use in found.uses],
    )


@router.post("", auth=needs("segments:write"), response={201: SegmentOut, **ERRORS}, summary="Make a segment")
@idempotent
def create(request: HttpRequest, payload: SegmentIn) -> tuple[int, SegmentOut]:
    """It is computed in the background; who is in it then starts no workflow."""
    condition, viewer = read_definition(payload.definition), caller(request)
    segment = saving.create_segment(
        payload.name,
        condition,
        viewer.staff_id,
        clock.now(),
        key=payload.key,
        description=payload.description,
    )
    return 201, show(segment, {}, viewer)


@router.patch(
    "/{segment_id}", auth=needs("segments:write"), response={200: SegmentOut, **ERRORS}, summary="Change a segment"
)
@idempotent
def change(request: HttpRequest, segment_id: str, payload: SegmentChange) -> tuple[int, SegmentOut]:
    """Only what is named. The same definition again changes nothing."""
    segment, viewer = find(segment_id), caller(request)
    with transaction.atomic():
        if payload.definition is not None:
            segment = saving.change_segment(
                segment,
                read_definition(payload.definition),
                viewer.staff_id,
                clock.now(),
                version=payload.version or segment.version,
                starts_workflows=payload.starts_workflows,
            )
        if payload.name is not None or payload.description is not None:
            name = segment.name if payload.name is None else payload.name
            description = segment.description if payload.description is None else payload.description
            saving.rename_segment(segment, name, description)
    return 200, show(find(segment_id), counts(store_ids=viewer.store_ids), viewer)


@router.delete(
    "/{segment_id}", auth=needs("segments:write"), response={204: None, **ERRORS}, summary="Archive a segment"
)
def archive(request: HttpRequest, segment_id: str) -> Status[None]:
    """Nobody enters or leaves any more; its ledger stays."""
    saving.archive_segment(find(segment_id))
    return Status(204, None)


def _public(ids: Sequence[int], viewer: Viewer) -> list[str]:
    """Of those whom the token may see."""
    rows = Customer.objects.filter(pk__in=ids)
    if viewer.store_ids is not None:
        rows = rows.filter(customercard__stores__overlap=sorted(viewer.store_ids))
    uids = dict(rows.values_list("pk", "uid"))
    return [to_public(Customer.PREFIX, uids[one]) for one in ids if one in uids]
