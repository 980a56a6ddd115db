"""Who names a list: modules above register how to find what asks for it (segments)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regulars.foundation.registry import Registry


@dataclass(frozen=True)
class Use:
    """Something that asks for a list."""

    what: str  # 'Segment'
    name: str
    href: str


USES: Registry[Callable[[str], Sequence[Use]]] = Registry("use of lists")


def uses_of(key: str) -> list[Use]:
    """Everything that names the list with this key."""
    return sorted((use for _, find in USES.items() for use in find(key)), key=lambda use: (use.what, use.name))
