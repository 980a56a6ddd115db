"""What happens decides anew who is in which segment: of the people it happened to, in the segments that it can change."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from regulars.foundation.relations import EVERY_KIND, RELATIONS
from regulars.insight.segments.events import ENTERED, LEFT
from regulars.insight.segments.models import Segment, SegmentKind
from regulars.insight.segments.operations.changing import Cause, Turn, hold, hold_definitions, is_quiet, settle_each
from regulars.insight.segments.operations.rfm import follow_map
from regulars.record.customers.events import MERGED, SPLIT
from regulars.record.customers.models import CustomerProfile
from regulars.record.customers.queries import customers_of
from regulars.record.events import log as event_log
from regulars.record.events.kinds import EVENT_KINDS
from regulars.record.events.readers import Recorded


def kinds_that_decide() -> frozenset[str]:
    """All kinds of events that can change any segment of conditions: all that there are, as soon as events are asked for themselves."""
    kinds = {kind for _, relation in RELATIONS.items() for kind in relation.rises_with} | {MERGED, SPLIT}
    return frozenset(kinds - {EVERY_KIND} | set(EVENT_KINDS)) if EVERY_KIND in kinds else frozenset(kinds)


def decide_after(heard: Sequence[Recorded], at: datetime) -> None:
    """Brings the memberships of these events' people up to date. What imported history changes starts no workflow.

    After a merge or split, memberships follow their profiles first, and all segments are decided anew for whom it concerns. Who enters by
    a split did so before the merge: it starts nothing a second time.
    """
    hold_definitions()
    rearranged = {customer for event in heard for customer in _rearranged(event)}
    if rearranged:
        follow_map(at, rearranged)
    segments = Segment.objects.filter(kind=SegmentKind.CONDITIONS, is_archived=False, problem="").order_by("id")
    if not rearranged:
        segments = segments.filter(event_kinds__overlap=[EVERY_KIND, *sorted({event.kind for event in heard})])
    if not segments:
        return
    owners = customers_of({event.profile_id for event in heard if event.profile_id})
    parted = {customer for event in heard if event.kind == SPLIT for customer in _rearranged(event)}
    moved = {
        customer: _Heard(max(event.position for event in heard), is_history=customer in parted)
        for customer in _still_there(rearranged)
    }
    turns = [_turn(segment, moved | _people(segment, heard, owners)) for segment in segments]
    turns = [turn for turn in turns if turn.customers]
    if not turns:
        return
    with event_log.transaction("system", "segments") as log:
        hold({customer for turn in turns for customer in turn.customers})
        settle_each(turns, log, at, Cause.EVENT)


@dataclass(frozen=True)
class _Heard:
    """What was heard of somebody: the newest event's position, and whether all of it is history."""

    position: int
    is_history: bool


def _rearranged(event: Recorded) -> set[int]:
    """Customers whose profiles a merge or split moved."""
    if event.kind not in (MERGED, SPLIT):
        return set()
    return {event.data["kept"], *event.data.get("gone", []), *event.data.get("new", [])}


def _still_there(customers: Collection[int]) -> list[int]:
    """Those who have profiles: the others are somebody else now."""
    rows = CustomerProfile.objects.filter(customer__in=customers, until_batch=None)
    return sorted(set(rows.values_list("customer_id", flat=True)))


def _people(segment: Segment, heard: Sequence[Recorded], owners: dict[int, int]) -> dict[int, _Heard]:
    """Customers whom these events can move in this segment, with what was heard of them."""
    found: dict[int, _Heard] = {}
    for event in heard:
        if event.profile_id in owners and _concerns(segment, event):
            customer = owners[event.profile_id]
            is_history = event.is_history and (customer not in found or found[customer].is_history)
            found[customer] = _Heard(event.position, is_history)
    return found


def _concerns(segment: Segment, event: Recorded) -> bool:
    """Of other segments' news only those count that its conditions name."""
    if event.kind in (ENTERED, LEFT):
        return event.data["segment"] in segment.segment_keys
    return event.kind in segment.event_kinds or EVERY_KIND in segment.event_kinds


def _turn(segment: Segment, people: dict[int, _Heard]) -> Turn:
    """Entries start nothing that are by history."""
    starts_nothing = is_quiet(segment)
    quiet = {customer for customer, told in people.items() if told.is_history or starts_nothing}
    return Turn(segment, sorted(people), quiet, {customer: told.position for customer, told in people.items()})
