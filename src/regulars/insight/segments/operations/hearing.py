"""What happens decides anew who is in which segment: of the people it happened to, in the segments that it can change."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

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
    told = _by_news(heard, owners)
    found = [
        (segment, moved | _merged(told, frozenset(filter(partial(_concerns, segment), told)))) for segment in segments
    ]
    turns = [_turn(segment, people) for segment, people in found if people]
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


_News = tuple[str, str]  # kind of an event, and of other segments' news the segment


def _by_news(heard: Sequence[Recorded], owners: Mapping[int, int]) -> dict[_News, dict[int, _Heard]]:
    """Customers whom these events happened to, with what was heard of them."""
    told: dict[_News, dict[int, _Heard]] = {}
    for event in heard:
        if owner := owners.get(event.profile_id or 0):
            news = event.kind, event.data["segment"] if event.kind in (ENTERED, LEFT) else ""
            _hear(told.setdefault(news, {}), owner, _Heard(event.position, event.is_history))
    return told


def _merged(told: Mapping[_News, Mapping[int, _Heard]], concerning: Collection[_News]) -> dict[int, _Heard]:
    found: dict[int, _Heard] = {}
    for news in concerning:
        for customer, heard in told[news].items():
            _hear(found, customer, heard)
    return found


def _hear(found: dict[int, _Heard], customer: int, heard: _Heard) -> None:
    known = found.get(customer, heard)
    found[customer] = _Heard(max(known.position, heard.position), known.is_history and heard.is_history)


def _concerns(segment: Segment, news: _News) -> bool:
    """Of other segments' news only those count that its conditions name."""
    kind, key = news
    if kind in (ENTERED, LEFT):
        return key in segment.segment_keys
    return kind in segment.event_kinds or EVERY_KIND in segment.event_kinds


def _turn(segment: Segment, people: dict[int, _Heard]) -> Turn:
    """Entries start nothing that are by history."""
    starts_nothing = is_quiet(segment)
    quiet = {customer for customer, told in people.items() if told.is_history or starts_nothing}
    return Turn(segment, sorted(people), quiet, {customer: told.position for customer, told in people.items()})
