"""Events that others recorded with us: what they carry, and how its personal part is opened."""

import json
from collections.abc import Iterable
from typing import Any

from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault import keys
from regulars.record.events.models import Event


def cell_of(profile_id: int) -> Cell:
    """An event's sealed part is bound to its profile: its position is drawn only after it was sealed."""
    return Cell("events_event", "sealed", profile_id)


def read_properties(events: Iterable[Event]) -> dict[int, dict[str, Any]]:
    """Sealed properties of these events by position; nothing for those whose key was destroyed."""
    sealed = [event for event in events if event.sealed is not None and event.profile_id is not None]
    plain = keys.find_keys(event.profile_id for event in sealed if event.profile_id)
    return {
        event.position: json.loads(
            unseal(plain[event.profile_id], bytes(event.sealed or b""), cell_of(event.profile_id))
        )
        for event in sealed
        if event.profile_id in plain
    }
