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
    sealed = [(e.position, e.profile_id, e.sealed) for e in events if e.sealed is not None and e.profile_id is not None]
    plain = keys.find_keys(profile for _, profile, _ in sealed)
    return {
        position: json.loads(unseal(plain[profile], bytes(value), cell_of(profile)))
        for position, profile, value in sealed
        if profile in plain
    }
