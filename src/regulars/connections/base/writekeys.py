"""Write keys for what platforms put into shops (plugins, pixels): made by whoever takes events in, who stands beside the platforms and
registers here.
"""

from collections.abc import Callable
from datetime import datetime

from regulars.connections.base.errors import NoSuchPlatform
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.registry import Registry

# Name, 'browser' or 'server', store, by whom and when; the key's text, which is shown once.
MakeKey = Callable[[str, str, int, Viewer, datetime], str]
WRITE_KEYS: Registry[MakeKey] = Registry("maker of write keys")


def make_write_key(name: str, kind: str, store_id: int, by: Viewer, at: datetime) -> str:
    """Raises NotAllowed, and NoSuchPlatform where nothing takes events in."""
    for _, make in WRITE_KEYS.items():
        return make(name, kind, store_id, by, at)
    raise NoSuchPlatform("Nothing here takes events in.")
