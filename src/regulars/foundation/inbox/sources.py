"""What the sources of the inbox are called: modules that take things in say it of theirs, from their ``panels.py``."""

from collections.abc import Callable, Mapping

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.registry import Registry

# By the name of a source ('tracking:5') what staff call it, of those that the viewer may know of.
SOURCES: Registry[Callable[[Viewer], Mapping[str, str]]] = Registry("sources of the inbox")


def names_of_sources(viewer: Viewer) -> dict[str, str]:
    """All that have a name, in its order."""
    named = [pair for _, ask in SOURCES.items() for pair in ask(viewer).items()]
    return dict(sorted(named, key=lambda pair: pair[1].casefold()))
