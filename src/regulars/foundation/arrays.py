"""Lists as statements hold them. psycopg writes a list item by item, each through a pattern that looks for what must be quoted: a
third of what it cost to say who a thousand people are. Lists of one plain type are written as a whole here; psycopg does the rest.
"""

from collections.abc import Callable
from datetime import datetime
from types import NoneType
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.array import ListDumper


def _numbers(items: list[int]) -> str:
    return ",".join(map(str, items))


def _words(items: list[str]) -> str:
    """NUL cannot stand in PostgreSQL's text, so it can part the words while all of them are escaped at once."""
    whole = "\0".join(items)
    if whole.count("\0") >= len(items):
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return '"' + whole.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","') + '"'


def _bytes(items: list[bytes]) -> str:
    return ",".join([f'"\\\\x{item.hex()}"' for item in items])


def _moments(items: list[datetime]) -> str:
    return '"' + '","'.join(map(str, items)) + '"'


_WHOLE: dict[type, Callable[[list[Any]], str]] = {int: _numbers, str: _words, bytes: _bytes, datetime: _moments}


class WholeLists(ListDumper):
    """psycopg's own dumper, which lists of one plain type go past."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        types = set(map(type, obj))
        has_gaps = NoneType in types
        types.discard(NoneType)
        write = _WHOLE.get(types.pop()) if len(types) == 1 else None
        if write is None:
            return super().dump(obj)
        text = ",".join(["NULL" if item is None else write([item]) for item in obj]) if has_gaps else write(obj)
        return f"{{{text}}}".encode()


def register() -> None:
    """For every connection that is opened from now on."""
    psycopg.adapters.register_dumper(list, WholeLists)
