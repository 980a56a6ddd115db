"""Who asks for a declared property: modules above register how to find what names its field (segments, workflows)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regulars.foundation.registry import Registry


@dataclass(frozen=True)
class Use:
    """Something whose conditions ask for the property."""

    what: str  # 'Segment'
    name: str
    href: str


USES: Registry[Callable[[str], Sequence[Use]]] = Registry("use of declared properties")


def uses_of(field: str) -> list[Use]:
    """Everything that names this field."""
    return sorted((use for _, find in USES.items() for use in find(field)), key=lambda use: (use.what, use.name))
