"""Random worlds: a few customers with several profiles and rows in every table, near the moments at which answers change."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from regulars.foundation.relations import LIST_MARK, FieldType
from regulars.insight.conditions.language import Span, Unit
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.tests.catalog import Catalog, Shape, tokens
from regulars.insight.conditions.windows import TICK, Clock, length, midnight
from regulars.insight.conditions.zones import Said, said_by

Row = dict[str, Any]
EPOCH = date(1970, 1, 1)
ZONES = tuple(
    ZoneInfo(name)
    for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe", "UTC")
)
SPANS = (
    Span(1, Unit.HOURS),
    Span(25, Unit.HOURS),
    Span(1, Unit.DAYS),
    Span(2, Unit.DAYS),
    Span(30, Unit.DAYS),
    Span(1, Unit.WEEKS),
    Span(366, Unit.DAYS),
)
# Near changes of the clock (Berlin, New York, Apia, which also left out 30 December 2011, Lord Howe by half an hour) and leap days.
_NOWS = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(2011, 12, 31, 12, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2024, 2, 29, 5, tzinfo=UTC),
    datetime(2026, 2, 28, 18, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
TEXTS = (
    "",
    "web",
    "WEB",
    "Web shop",
    "straße",
    "STRASSE",
    "ΟΔΟΣ",
    "οδος",
    "İstanbul",
    "istanbul",
    "ıI",
    "é",
    "e\u0301",
    "DŽ",
    "\u212a",  # the sign of Kelvin
    "100%",
    "a_b",
    "it's",
    '"q"',
    "back\\slash",
    "a\nb",
    "$1 {x} :p %(y)s ?",
    "😀 fine",
    " a ",
)
# Letters that every engine folds alike (docs/conditions.md), of several scripts, and signs that languages of engines know.
_LETTERS = "aAbBzéÉßẞçÇøñÅåæÆœŁłŽžıİIiΑαΣσςЖжЯяԱաآबक漢字あ😀 _%-'\"\\.,$"
NAMES = ("anna", "annabel", "an", "bo", "änne", "t'pau")
_NUMBERS = tuple(
    Decimal(text) for text in ("0", "1", "-1", "0.000001", "0.333333", "10.5", "-0.5", "1234567.891011", "3")
)
_AMOUNTS = (0, 1, -1, 99, 100, 250, 5000, 123_456_789)


@dataclass(frozen=True)
class World:
    """``tables``: rows by table, with all their columns. ``pools``: values by type that conditions do well to compare with."""

    catalog: Catalog
    clock: Clock
    customers: Sequence[int]
    profiles: Mapping[int, int]  # profile to customer
    tables: Mapping[str, Sequence[Row]]
    pools: Mapping[FieldType, Sequence[Any]]

    def people(self) -> list[Person]:
        return [Person(one, self._rows_of(one), self._zones_of(one)) for one in self.customers]

    def _zones_of(self, customer: int) -> list[Said]:
        found = [
            said_by(source, row)
            for source in self.catalog.zones.values()
            for row in self.tables[source.table]
            if self.profiles[row["profile_id"]] == customer
        ]
        return [one for one in found if one]

    def _rows_of(self, customer: int) -> dict[str, list[Row]]:
        return {
            name: [
                row | {"key": row[self.catalog.shapes[relation.table].key]}
                for row in self.tables[relation.table]
                if self.profiles[row["profile_id"]] == customer
            ]
            for name, relation in self.catalog.relations.items()
        }


def worlds(catalog: Catalog, most_rows: int = 10) -> SearchStrategy[World]:
    """Up to three customers with up to five profiles, and up to ``most_rows`` rows in each table.

    What is in them comes from a seed: drawn one by one, values would take most of a test's time. Counts are drawn beside it, so that
    a failing example shrinks to few rows.
    """
    seeds = st.integers(0, 2**32 - 1)
    counts = [st.sampled_from((0, 1, 2, 3, most_rows // 2, most_rows, most_rows, most_rows)) for _ in catalog.shapes]
    return st.builds(make_world, st.just(catalog), seeds, st.integers(1, 3), st.integers(1, 5), st.tuples(*counts))


def make_world(catalog: Catalog, seed: int, customers: int, profiles: int, rows: Sequence[int]) -> World:
    """The same for the same numbers. Each customer has a profile."""
    chance = Random(seed)
    clock = _clock(chance)
    ids = chance.sample([*range(1, 10), *(chance.randrange(2**40) for _ in range(4))], customers)
    zones = chance.sample(ZONES, 2)
    owners = {profile: ids[(profile - 1) % customers] for profile in range(1, max(customers, profiles) + 1)}
    near = _Near(clock.at, (*zones, clock.shop))
    pools = {type_: [draw(chance, near) for _ in range(chance.randint(2, 6))] for type_, draw in _DRAWN.items()}
    said = [None, None, *(zone.key for zone in zones), "Mars/Base"]
    tables = {
        name: _rows(Random(f"{seed} {name}"), shape, owners, pools | {_ZONE: said}, count, _zone_columns(catalog, name))
        for (name, shape), count in zip(catalog.shapes.items(), rows, strict=True)
    }
    return World(catalog, clock, ids, owners, tables, pools)


_ZONE = "zone"


def _zone_columns(catalog: Catalog, table: str) -> set[str]:
    return {source.column for source in catalog.zones.values() if source.table == table}


def _clock(chance: Random) -> Clock:
    """Now near changes of the clock or anywhere; the person's zone is each customer's own."""
    at = chance.choice(_NOWS) + chance.choice((-TICK, timedelta(), TICK, timedelta(hours=7)))
    if chance.random() < 0.25:
        at = datetime(2024, 1, 1, tzinfo=UTC) + chance.randrange(10**14) * TICK
    shop = chance.choice(ZONES)
    entered = at - length(chance.choice(SPANS))
    return Clock(at, shop, shop, chance.choice((None, entered, at, entered + TICK)))


@dataclass(frozen=True)
class _Near:
    """What values lie near: now, and where days begin."""

    at: datetime
    zones: Sequence[ZoneInfo]


def _moment(chance: Random, near: _Near) -> datetime:
    """Where windows of ``SPANS`` begin and end, to the microsecond, mostly before now; and anywhere near."""
    tick = chance.choice((-1, 0, 1)) * TICK
    sign = chance.choice((-1, -1, -1, 1))
    match chance.randrange(6):
        case 0:
            return near.at + tick
        case 1 | 2:
            return near.at + sign * length(chance.choice(SPANS)) + tick
        case 3 | 4:
            zone = chance.choice(near.zones)
            days = sign * chance.choice((366, 365, 30, 29, 7, 6, 2, 1, 0))
            return midnight((near.at + timedelta(days=days)).astimezone(zone).date(), zone) + tick
        case _:
            return near.at + sign * timedelta(minutes=chance.randint(0, 3000))


def _day(chance: Random, near: _Near) -> int:
    """Days since 1970: around today, on a day of other years, and leap days."""
    today = (near.at.date() - EPOCH).days
    day = today + chance.choice((-1, 1)) * chance.choice((366, 365, 30, 29, 7, 2, 1, 0))
    leap = chance.choice((date(1996, 2, 29), date(2024, 2, 29), date(2000, 2, 28), date(2001, 3, 1)))
    return chance.choice((day, day, day - round(365.25 * chance.randint(1, 60)), (leap - EPOCH).days))


def _text(chance: Random, near: _Near) -> str:
    made = "".join(chance.choice(_LETTERS) for _ in range(chance.randint(1, 5)))
    return chance.choice((chance.choice(TEXTS), chance.choice(TEXTS), made))


def _number(chance: Random, near: _Near) -> Decimal:
    made = Decimal(chance.randint(-(10**9), 10**9)).scaleb(-6)
    return chance.choice((chance.choice(_NUMBERS), chance.choice(_NUMBERS), made))


def _amount(chance: Random, near: _Near) -> int:
    return chance.choice((chance.choice(_AMOUNTS), chance.randint(-10_000, 10_000)))


def _list_of(items: Sequence[str]) -> Callable[[Random, _Near], str]:
    """Several items between marks; without items only the mark."""

    def draw(chance: Random, near: _Near) -> str:
        return _marked(chance.sample(items, chance.randint(0, 3)))

    return draw


def _marked(items: Sequence[str]) -> str:
    return LIST_MARK + "".join(item + LIST_MARK for item in items)


_DRAWN: Mapping[FieldType, Callable[[Random, _Near], Any]] = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.MONEY: _amount,
    FieldType.MOMENT: _moment,
    FieldType.DATE: _day,
    FieldType.FLAG: lambda chance, near: chance.random() < 0.7,
    FieldType.LIST: _list_of(("red", "Red", "blue", "re", "straße")),
    FieldType.TOKEN: lambda chance, near: _marked(tokens(chance.choice(NAMES))),
}


def _rows(
    chance: Random,
    shape: Shape,
    owners: Mapping[int, int],
    pools: Mapping[str, Sequence[Any]],
    count: int,
    zones: Collection[str],
) -> list[Row]:
    """Rows with keys in no order; one value in eight is null. ``zones``: columns that hold names of zones."""
    keys = chance.sample(range(1, 100), 99)[:count]
    return [
        {shape.key: key, "profile_id": chance.choice(list(owners))}
        | {
            column: None if chance.random() < 0.125 else chance.choice(pools[_ZONE if column in zones else type_])
            for column, type_ in shape.columns.items()
        }
        for key in keys
    ]
