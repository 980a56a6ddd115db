"""Segments: list and get, with their members."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.ids import to_public
from regulars.insight.conditions.hiding import reveal
from regulars.insight.segments.models import Segment
from regulars.insight.segments.queries import counts, get_segment, members
from regulars.record.customers.models import Customer

router = Router(tags=["segments"])


class SegmentOut(Schema):
    """A segment; ``members`` counts those who are in it now, of the stores that the token sees.

    In ``definition``, personal words stand as they are kept (``{"sealed": ...}``) unless the token may read customers.
    ``version`` is the newest definition, ``decided`` the one by which members are kept: while they differ, it is being computed.
    """

    id: str
    key: str
    name: str
    description: str
    kind: str
    definition: Any
    version: int
    decided: int
    problem: str
    is_archived: bool
    members: int
    created_at: datetime
    refreshed_at: datetime | None


class MemberOut(Schema):
    """One customer in a segment; ``is_initial`` marks those who were in it when it was first computed."""

    customer: str
    entered_at: datetime
    is_initial: bool
    reason: Any


@router.get("", auth=needs("segments:read"), response={200: Page[SegmentOut], **ERRORS}, summary="List segments")
def list_segments(request: HttpRequest, query: Query[PageQuery]) -> Page[SegmentOut]:
    viewer = caller(request)
    sizes = counts(store_ids=viewer.store_ids)
    found, following = take(Segment.objects.all(), query)
    return Page[SegmentOut](items=[show(segment, sizes, viewer) for segment in found], next=following)


@router.get("/{segment_id}", auth=needs("segments:read"), response={200: SegmentOut, **ERRORS}, summary="Get a segment")
def one_segment(request: HttpRequest, segment_id: str) -> SegmentOut:
    viewer = caller(request)
    return show(find(segment_id), counts(store_ids=viewer.store_ids), viewer)


@router.get(
    "/{segment_id}/members",
    auth=needs("segments:read"),
    response={200: Page[MemberOut], **ERRORS},
    summary="List a segment's members",
)
def list_members(request: HttpRequest, segment_id: str, query: Query[PageQuery]) -> Page[MemberOut]:
    rows = members(find(segment_id), store_ids=caller(request).store_ids).select_related("customer")
    found, following = take(rows, query)
    items = [
        MemberOut(
            customer=to_public(Customer.PREFIX, row.customer.uid),
            entered_at=row.entered_at,
            is_initial=row.is_initial,
            reason=row.reason,
        )
        for row in found
    ]
    return Page[MemberOut](items=items, next=following)


def find(segment_id: str) -> Segment:
    """By public id or key. Raises NotFound, also for text that the database could not hold."""
    return get_segment(segment_id.replace("\x00", " "))


def show(segment: Segment, sizes: dict[int, int], viewer: Viewer) -> SegmentOut:
    """As the API tells it; sizes by the segment's number. Personal words in clear to those only who may see customers."""
    return SegmentOut(
        id=to_public(Segment.PREFIX, segment.uid),
        key=segment.key,
        name=segment.name,
        description=segment.description,
        kind=segment.kind,
        definition=reveal(segment.definition) if viewer.may("customers.view") else segment.definition,
        version=segment.version,
        decided=segment.decided,
        problem=segment.problem,
        is_archived=segment.is_archived,
        members=sizes.get(segment.pk, 0),
        created_at=segment.created_at,
        refreshed_at=segment.refreshed_at,
    )
