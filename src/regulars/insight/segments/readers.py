"""What segments do when they hear of other modules' events."""

from collections.abc import Sequence
from datetime import datetime

from regulars.foundation.doors import load_doors
from regulars.insight.segments.operations import follow_map
from regulars.insight.segments.operations.hearing import decide_after, kinds_that_decide
from regulars.insight.segments.operations.refreshing import READER
from regulars.record.customers.events import MERGED, SPLIT
from regulars.record.events.readers import Reader, Recorded


def hand_over_memberships(events: Sequence[Recorded], at: datetime) -> None:
    """After a merge or split memberships are those of the customer whom their profile belongs to now."""
    customers: set[int] = set()
    for event in events:
        customers |= {event.data["kept"], *event.data.get("gone", []), *event.data.get("new", [])}
    follow_map(at, customers)


MEMBERSHIPS = Reader("segments.memberships", frozenset({MERGED, SPLIT}), hand_over_memberships)
load_doors("events")
load_doors("facts")  # of all modules: which kinds of events decide stands there
CONDITIONS = Reader(READER, kinds_that_decide(), decide_after, parts=2)
