"""What happens to memberships, as events."""

from datetime import datetime
from typing import Any

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

_FIELDS = {
    "segment": "key of the segment",
    "membership": "id of the membership",
    "snapshot": "RFM snapshot that decided, of an RFM segment",
    "version": "of the conditions that decided, of a segment of conditions",
    "cause": "why it was decided then: first, definition, event, time, snapshot, refresh",
    "position": "of the event by which it was decided, where it was one",
}
ENTERED = register("segment.entered", "A customer came into a segment", "segment", **_FIELDS)
LEFT = register("segment.left", "A customer is no longer in a segment", "segment", **_FIELDS)


def changed(
    kind: str,
    segment_id: int,
    profile_id: int,
    customer_id: int,
    occurred_at: datetime,
    data: dict[str, Any],
    is_history: bool = False,
) -> Entry:
    """Either of the two; ``data`` has the fields that their kinds name."""
    return Entry(kind, occurred_at, profile_id, customer_id, segment_id, data, is_history=is_history)
