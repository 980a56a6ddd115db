"""In whose days a person lives: the zone that is known of her at a moment, else the shop's. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from regulars.foundation.relations import ZoneSource


@dataclass(frozen=True)
class Said:
    """That a person lives in a zone (IANA name), from a moment on. ``rank`` is its source's."""

    at: datetime
    zone: str
    rank: int = 1
    is_behind: bool = False


def said_by(source: ZoneSource, row: Mapping[str, Any]) -> Said | None:
    """What a row of the source's table says, if anything."""
    if row[source.column] is None or row[source.at] is None:
        return None
    return Said(row[source.at], row[source.column], source.rank, bool(source.behind and row[source.behind]))


def zone_at(said: Iterable[Said], at: datetime, shop: ZoneInfo) -> ZoneInfo:
    """The least rank first, then what stands behind nothing, then the latest; of those the first in the alphabet."""
    known = [one for one in said if one.at <= at]
    if not known:
        return shop
    return zone_named(min(known, key=lambda one: (one.rank, one.is_behind, at - one.at, one.zone)).zone, shop)


def zone_named(name: str, shop: ZoneInfo) -> ZoneInfo:
    """The shop's where this machine knows no such zone."""
    return _zone(name) or shop


@lru_cache(1000)  # names come from browsers
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # as zoneinfo refuses names
        return None
