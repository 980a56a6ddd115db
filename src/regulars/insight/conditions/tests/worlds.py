"""Random worlds: a few customers with several profiles and rows in every table, near the moments at which answers change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from regulars.foundation.relations import LIST_MARK, FieldType
from regulars.insight.conditions.language import Span, Unit
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.tests.catalog import Catalog, Shape
from regulars.insight.conditions.windows import TICK, Clock, length, midnight

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
# Letters that every engine folds alike: those of Unicode 14 and before, without what no text may hold.
_LETTERS = st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cn", "Co"), exclude_characters=LIST_MARK)
_NUMBERS = tuple(
    Decimal(text) for text in ("0", "1", "-1", "0.000001", "0.333333", "10.5", "-0.5", "1234567.891011", "3")
)
_AMOUNTS = (0, 1, -1, 99, 100, 250, 5000, 123_456_789)
_ITEMS = ("red", "Red", "blue", "re", "straße")


@dataclass(frozen=True)
class World:
    """``tables``: rows by table, with all their columns. ``pools``: values by type that conditions do well to compare with."""

    catalog: Catalog
    clock: Clock
    zones: Mapping[int, ZoneInfo]  # of customers
    profiles: Mapping[int, int]  # profile to customer
    tables: Mapping[str, Sequence[Row]]
    pools: Mapping[FieldType, Sequence[Any]]

    def people(self) -> list[Person]:
        return [Person(customer, zone, self._rows_of(customer)) for customer, zone in self.zones.items()]

    def _rows_of(self, customer: int) -> dict[str, list[Row]]:
        return {
            name: [
                row | {"key": row[self.catalog.shapes[relation.table].key]}
                for row in self.tables[relation.table]
                if self.profiles[row["profile_id"]] == customer
            ]
            for name, relation in self.catalog.relations.items()
        }


@st.composite
def worlds(draw: DrawFn, catalog: Catalog, most_rows: int = 12) -> World:
    """At most three customers with up to five profiles, some of whom may have none, and up to ``most_rows`` rows in each table."""
    clock = draw(clocks())
    customers = draw(st.lists(st.integers(1, 2**40) | st.integers(1, 9), min_size=1, max_size=3, unique=True))
    zones = {customer: draw(st.sampled_from(ZONES)) for customer in customers}
    owners = draw(st.lists(st.sampled_from(customers), min_size=1, max_size=5))
    profiles = dict(enumerate(owners, start=1))
    pools = draw(_pools(clock, sorted(set(zones.values()), key=str)))
    tables = {name: draw(_tables(shape, sorted(profiles), pools, most_rows)) for name, shape in catalog.shapes.items()}
    return World(catalog, clock, zones, profiles, tables, pools)


@st.composite
def clocks(draw: DrawFn) -> Clock:
    """Now near changes of the clock or anywhere; the person's zone is each customer's own."""
    at = draw(st.sampled_from(_NOWS)) + draw(st.sampled_from((-TICK, timedelta(), TICK, timedelta(hours=7))))
    if draw(st.integers(0, 3)) == 0:
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(microseconds=1) * draw(st.integers(0, 10**14))
    shop = draw(st.sampled_from(ZONES))
    entered = draw(st.none() | moments_near(at, (shop,)))
    return Clock(at, shop, shop, entered if entered and entered <= at else None)


def moments_near(at: datetime, zones: Sequence[ZoneInfo]) -> SearchStrategy[datetime]:
    """Where windows of ``SPANS`` begin and end, to the microsecond, before and after now; and anywhere near."""
    ticks = st.sampled_from((-TICK, timedelta(), TICK))
    signs = st.sampled_from((-1, 1))
    spans = st.sampled_from(SPANS)
    edges = st.builds(lambda span, sign, tick: at + sign * length(span) + tick, spans, signs, ticks)
    starts = st.builds(
        lambda zone, days, tick: midnight((at + timedelta(days=days)).astimezone(zone).date(), zone) + tick,
        st.sampled_from(tuple(zones)),
        st.sampled_from((-366, -30, -29, -7, -6, -2, -1, 0, 1, 2, 7)),
        ticks,
    )
    near = st.builds(lambda minutes: at + timedelta(minutes=minutes), st.integers(-4000, 1500))
    return st.one_of(st.just(at), ticks.map(lambda tick: at + tick), edges, starts, near)


@st.composite
def _pools(draw: DrawFn, clock: Clock, zones: Sequence[ZoneInfo]) -> Mapping[FieldType, Sequence[Any]]:
    moments = moments_near(clock.at, (*zones, clock.shop))
    words = st.sampled_from(TEXTS) | st.text(_LETTERS, max_size=5)
    numbers = st.sampled_from(_NUMBERS) | st.decimals(-1000, 1000, places=6)
    few: dict[FieldType, SearchStrategy[Any]] = {
        FieldType.TEXT: words,
        FieldType.NUMBER: numbers,
        FieldType.MONEY: st.sampled_from(_AMOUNTS) | st.integers(-10_000, 10_000),
        FieldType.MOMENT: moments,
        FieldType.DATE: _days(clock),
        FieldType.LIST: _lists(_ITEMS),
        FieldType.TOKEN: _lists(("t-anna", "t-an", "t-bo")),
    }
    drawn: dict[FieldType, Sequence[Any]] = {
        type_: draw(st.lists(values, min_size=2, max_size=5)) for type_, values in few.items()
    }
    return drawn | {FieldType.FLAG: [True, False]}


def _days(clock: Clock) -> SearchStrategy[int]:
    """Days since 1970: around today, on a day of other years, and leap days."""
    today = (clock.at.date() - EPOCH).days
    near = st.sampled_from((-366, -30, -29, -2, -1, 0, 1, 2, 29, 30, 365, 366)).map(lambda days: today + days)
    leap = st.sampled_from((date(1996, 2, 29), date(2024, 2, 29), date(2000, 2, 28), date(2001, 3, 1)))
    years = st.builds(lambda day, year: day - 366 * year, near, st.integers(1, 60))
    return st.one_of(near, leap.map(lambda day: (day - EPOCH).days), years)


def _lists(items: Sequence[str]) -> SearchStrategy[str]:
    """Several items between marks; without items only the mark."""
    some = st.lists(st.sampled_from(items), max_size=3, unique=True)
    return some.map(lambda chosen: LIST_MARK + "".join(item + LIST_MARK for item in chosen))


@st.composite
def _tables(
    draw: DrawFn, shape: Shape, profiles: Sequence[int], pools: Mapping[FieldType, Sequence[Any]], most: int
) -> list[Row]:
    """Rows with keys in no order, about a quarter of their values null. One drawn byte chooses each value: many draws are slow."""
    count = draw(st.integers(0, most))
    width = len(shape.columns) + 1
    chosen = draw(st.binary(min_size=count * width, max_size=count * width))
    keys = draw(st.permutations(range(1, count + 1)))
    return [
        dict(_row(key, shape, profiles, pools, chosen[place * width : (place + 1) * width]))
        for place, key in enumerate(keys)
    ]


def _row(
    key: int, shape: Shape, profiles: Sequence[int], pools: Mapping[FieldType, Sequence[Any]], chosen: bytes
) -> Iterator[tuple[str, Any]]:
    yield shape.key, key
    yield "profile_id", profiles[chosen[0] % len(profiles)]
    for (column, type_), byte in zip(shape.columns.items(), chosen[1:], strict=True):
        values = (*pools[type_], *pools[type_], *pools[type_], None)
        yield column, values[byte % len(values)]
