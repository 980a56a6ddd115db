"""Who names lists: modules above register how to find what asks for them (segments)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from regulars.foundation.registry import Registry


@dataclass(frozen=True)
class Use:
    """Something that asks for the list with this key."""

    key: str
    what: str  # 'Segment'
    name: str
    href: str


USES: Registry[Callable[[], Iterable[Use]]] = Registry("use of lists")


def all_uses() -> dict[str, list[Use]]:
    """Everything that names a list, by the list's key."""
    found: dict[str, list[Use]] = {}
    for use in sorted((use for _, find in USES.items() for use in find()), key=lambda use: (use.what, use.name)):
        found.setdefault(use.key, []).append(use)
    return found


def uses_of(key: str) -> list[Use]:
    """Everything that names the list with this key."""
    return all_uses().get(key, [])
