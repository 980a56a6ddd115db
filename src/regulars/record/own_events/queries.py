"""Which properties are declared."""

from collections.abc import Collection, Iterable

from regulars.foundation.bulk import fetch
from regulars.record.own_events.models import DeclaredProperty
from regulars.record.own_events.rules import ByEvent, Declared, PropertyType

_DECLARED = """
SELECT id, event, name, type, field FROM own_events_declaredproperty WHERE withdrawn_at IS NULL AND event = ANY(%s) ORDER BY id
"""
_OFFERED = """
SELECT id, event, name, type, field FROM own_events_declaredproperty WHERE withdrawn_at IS NULL AND ready_at IS NOT NULL ORDER BY id
"""


def declared_of(events: Iterable[str]) -> ByEvent:
    """By event, of these events. To be asked in the transaction that records them (see ``filling``); nothing is asked for no events."""
    names = sorted(set(events))
    found: dict[str, list[Declared]] = {}
    for one in _read(fetch(_DECLARED, [names])) if names else ():
        found.setdefault(one.event, []).append(one)
    return found


def offered() -> tuple[Declared, ...]:
    """Those that conditions may use: all that was recorded has been worked through."""
    return _read(fetch(_OFFERED, []))


def _read(rows: Collection[tuple[int, str, str, str, str]]) -> tuple[Declared, ...]:
    return tuple(Declared(pk, event, name, PropertyType(type_), field) for pk, event, name, type_, field in rows)


def standing() -> list[DeclaredProperty]:
    """Those that are not withdrawn, by event and name."""
    return list(DeclaredProperty.objects.filter(withdrawn_at=None).order_by("event", "name"))
