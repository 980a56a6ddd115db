"""Who else speaks of a segment: modules above register how to find what would notice a change (workflows that begin with it)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regulars.foundation.registry import Registry


@dataclass(frozen=True)
class Use:
    """Something that names a segment. ``is_on``: it acts now. ``begins``: with entries into the segment, rather than only asking for it."""

    what: str  # 'Workflow'
    name: str
    href: str
    is_on: bool
    begins: bool = False


USES: Registry[Callable[[str], Sequence[Use]]] = Registry("use of segments")


def uses_of(key: str) -> list[Use]:
    """Everything that names the segment with this key, those that are on first."""
    return sorted((use for _, find in USES.items() for use in find(key)), key=lambda use: (not use.is_on, use.name))
