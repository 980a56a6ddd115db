"""Time zones that people are known to live in. Pure."""

from datetime import UTC, datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

_YEARS = range(2020, 2036)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - {"Factory", "localtime"})


def known_zone(said: object) -> str:
    """The IANA name where there is such a zone, else ''."""
    return said if isinstance(said, str) and said in _names() else ""


@lru_cache(512)
def zone_of_country(country: str) -> str:
    """The zone of a country (ISO 3166-1 alpha-2) all over which clocks show the same; '' for others.

    Which zones a country has is told by CLDR; those that agree in the years around today are one: Germany has Berlin and Büsingen.
    """
    names = sorted(_names().intersection(get_global("territory_zones").get(country, ())))
    return names[0] if names and len({_clock(name) for name in names}) == 1 else ""


@cache
def _clock(name: str) -> tuple[object, ...]:
    """What clocks are ahead of UTC by, in every month."""
    zone = ZoneInfo(name)
    noons = (datetime(year, month, 1, 12, tzinfo=UTC) for year in _YEARS for month in range(1, 13))
    return tuple(noon.astimezone(zone).utcoffset() for noon in noons)
