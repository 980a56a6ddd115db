"""What can be done to events that a reader put aside."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from regulars.record.events.models import ParkedEvent
from regulars.record.events.readers import EarlierIsParked, replay_one

logger = structlog.get_logger()


def replay(parked_ids: Sequence[int], at: datetime) -> int:
    """Handles these again, in the log's order; how many worked. What fails again stays, and so does what its customer has behind it."""
    waiting = ParkedEvent.objects.filter(pk__in=parked_ids, replayed_at=None).order_by("position")
    return sum(_works(one, at) for one in waiting)


def _works(one: ParkedEvent, at: datetime) -> bool:
    try:
        replay_one(one, at)
    except EarlierIsParked:
        return False
    except Exception:  # whatever a handler raises; its attempt and reason are kept with the event
        logger.exception("replay failed", reader=one.reader, position=one.position)
        return False
    return True
