"""A registry is a dict of name to typed entry: checked when registered, duplicates refused, listed in the docs."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class DuplicateEntry(Exception):
    """Two modules register the same name."""


class Registry(Generic[T]):
    """Names to entries of one type, filled when the modules' doors are loaded."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> T:
        if name in self._entries:
            raise DuplicateEntry(f"{self.what} '{name}' is registered twice")
        self._entries[name] = entry
        return entry

    def replace(self, name: str, entry: T) -> None:
        """Puts another entry in the place of one that there is: of what is learnt while the process runs (``learning``)."""
        if name not in self._entries:
            raise KeyError(name)
        self._entries[name] = entry

    def __getitem__(self, name: str) -> T:
        return self._entries[name]

    def get(self, name: str) -> T | None:
        return self._entries.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def items(self) -> list[tuple[str, T]]:
        return sorted(self._entries.items())
