"""The kinds of events that there are: each module registers its own in its ``events.py``; docs/events.md lists them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regulars.foundation.registry import Registry


@dataclass(frozen=True)
class EventKind:
    """One kind: what it means, and the clear fields of its ``data`` with what each holds (unit included)."""

    name: str
    meaning: str
    fields: dict[str, str] = field(default_factory=dict)
    subject: str = ""  # what ``subject_id`` points to: 'order', 'cart', 'message' ...


EVENT_KINDS: Registry[EventKind] = Registry("event kind")


def register(kind: str, meaning: str, subject: str = "", /, **fields: str) -> str:
    """Registers a kind and gives its name back, for a module constant."""
    EVENT_KINDS.register(kind, EventKind(kind, meaning, fields, subject))
    return kind


def meanings() -> Mapping[str, str]:
    """What kinds of people's events are called, by kind; those of segments and runs are decided here, and conditions cannot ask for them."""
    return {name: kind.meaning for name, kind in EVENT_KINDS.items() if not name.startswith(("segment.", "run."))}
