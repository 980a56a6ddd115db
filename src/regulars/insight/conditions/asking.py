"""Conditions asked: of a few people in PostgreSQL, of everybody in the warehouse."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import connection

from regulars.foundation.relations import ZONE_SOURCES, ZoneSource
from regulars.foundation.shop.settings import read_setting
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, WarehouseTable
from regulars.insight.conditions.binding import Bindable, take_apart
from regulars.insight.conditions.compiling import Asked, compiled, denying_leaves
from regulars.insight.conditions.engines import Engine, Given, given_rows
from regulars.insight.conditions.language import Condition, asks_for_zones
from regulars.insight.conditions.narrowing import all_texts_in, begin_of
from regulars.insight.conditions.people import CALENDAR, CUSTOMERS, ENTRIES, PEOPLE, ZONES
from regulars.insight.conditions.shapes import ENTERED_AT, Bound, Kind
from regulars.insight.conditions.windows import TICK, Clock, plus, within_years
from regulars.insight.warehouse import clickhouse, dialects
from regulars.insight.warehouse import engine as duckdb
from regulars.insight.warehouse.queries import Pinned

_TABLE = re.compile(r'"warehouse:(\w+)"')
_KIND = "kind"  # the column of what is an event
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_000_000  # microseconds: the end of the year 9999, which Python knows as the last


@dataclass(frozen=True)
class Decision:
    """``wakes_at``: time alone changes nothing before it; None: it never does."""

    is_in: bool
    wakes_at: datetime | None


@dataclass(frozen=True)
class Counted:
    """``missing``: for each leaf that denies, by its place among all leaves: how many of ``total`` have no value there."""

    count: int
    total: int
    first_ids: list[int]
    missing: dict[int, int]


@dataclass(frozen=True)
class Asking:
    """Who is asked of, and where rows come from: SQL of the relations by name, and what they bind."""

    engine: Engine
    relation: Callable[[str], str]
    values: Mapping[str, Any]
    run: Callable[[str, Mapping[str, Any]], pa.Table]

    def ask(
        self,
        condition: Condition,
        asked: Asked,
        clock: Clock,
        entries: Mapping[int, datetime] | None = None,
    ) -> pa.Table:
        """``entries``: when customers entered the workflow that asks."""
        zones = self.zones() if asks_for_zones(condition) else _NOBODYS
        sql, bound = _written(take_apart(condition), asked, self.engine, self.relation, clock, zones, entries or {})
        used = {name: value for name, value in bound.items() if _is_used(name, sql)}
        return self.run(sql, dict(self.values) | used)

    def zones(self) -> "_Zones":
        """Where those who are asked of are said to live."""
        said = " UNION ALL ".join(_said_by(source, self.relation) for _, source in ZONE_SOURCES.items())
        found = self.run(f"SELECT DISTINCT zone FROM ({said}) z", self.values)
        return _Zones(f"({said})", sorted(found["zone"].to_pylist()))


@dataclass(frozen=True)
class _Zones:
    """SQL of all that is said (profile_id, zone, rank, is_behind, said_at), and every zone in it by name."""

    sql: str
    names: Sequence[str]


_NOBODYS = _Zones("", ())
_LATEST_SAID = """
SELECT profile_id, zone, rank, is_behind, unnest(ARRAY[
    max(said_at) FILTER (WHERE said_at < %(after_now)s), min(said_at) FILTER (WHERE said_at >= %(after_now)s)
]) AS said_at FROM ({said}) s GROUP BY profile_id, zone, rank, is_behind
"""


def _said_of(customers: Collection[int], clock: Clock) -> tuple[_Zones, Given]:
    """Where these few are said to live, as far as it decides, read once for all that ask it: their zones, which stand in ``held_zones``."""
    rows: list[dict[str, Any]] = []
    if customers:
        asking = _of_record(customers)
        said = " UNION ALL ".join(_said_by(source, asking.relation) for _, source in ZONE_SOURCES.items())
        after_now = plus(clock.at, TICK).replace(tzinfo=None)
        found = asking.run(_LATEST_SAID.replace("{said}", said), dict(asking.values) | {"after_now": after_now})
        rows = [row for row in found.to_pylist() if row["said_at"]]
    columns = {name: (kind, [row[name] for row in rows]) for name, kind in _OF_SAID.items()}
    return _Zones("held_zones", sorted({row["zone"] for row in rows})), given_rows(Engine.POSTGRES, ZONES, columns)


_OF_SAID = {
    "profile_id": Kind.WHOLE,
    "zone": Kind.TEXT,
    "rank": Kind.WHOLE,
    "is_behind": Kind.FLAG,
    "said_at": Kind.INSTANT,
}


def _said_by(source: ZoneSource, relation: Callable[[str], str]) -> str:
    is_behind = f"coalesce(s.{source.behind}, false)" if source.behind else "false"
    return f"""
        SELECT s.profile_id AS profile_id, s.{source.column} AS zone, {source.rank} AS rank, {is_behind} AS is_behind, s.{source.at} AS said_at
        FROM {relation(source.table)} s WHERE s.profile_id IS NOT NULL AND s.{source.column} IS NOT NULL AND s.{source.at} IS NOT NULL
    """


def _written(
    taken: Bindable,
    asked: Asked,
    engine: Engine,
    relation: Callable[[str], str],
    clock: Clock,
    zones: _Zones,
    entries: Mapping[int, datetime],
) -> tuple[str, dict[str, Any]]:
    """The SQL of a question, and what it may bind."""
    given = _given(taken, engine, clock, zones, entries)
    question = compiled(taken.shape, asked, engine)
    chosen = _TABLE.sub(lambda found: relation(found[1]), question.people)
    extra = {name: one.sql for name, one in given.items()} | {ZONES: zones.sql, PEOPLE: chosen and f"({chosen})"}
    sql = _TABLE.sub(lambda found: extra.get(found[1]) or relation(found[1]), question.sql)
    return sql, taken.bound(clock) | {name: values for one in given.values() for name, values in one.values.items()}


def _is_used(name: str, sql: str) -> bool:
    """DuckDB refuses values that no parameter asks for."""
    return re.search(rf"(\$|%\(|\{{){name}\b", sql) is not None


def _given(
    taken: Bindable, engine: Engine, clock: Clock, zones: _Zones, entries: Mapping[int, datetime]
) -> dict[str, Given]:
    """The small relations that a condition needs."""
    given = {}
    if taken.by_zone:
        columns = taken.calendar(clock, sorted({*zones.names, clock.shop.key}))
        kinds = {"zone": Kind.TEXT} | {one.name: one.kind for one in taken.by_zone}
        given[CALENDAR] = given_rows(
            engine, CALENDAR, {name: (kinds[name], column) for name, column in columns.items()}
        )
    if taken.asks_for_entries:
        moments = [at.astimezone(UTC).replace(tzinfo=None) for at in entries.values()]
        columns_of: dict[str, tuple[Kind, Sequence[Bound]]] = {
            "entry_customer_id": (Kind.WHOLE, list(entries)),
            ENTERED_AT.name: (Kind.INSTANT, moments),
        }
        given[ENTRIES] = given_rows(engine, ENTRIES, columns_of)
    return given


def clock_at(at: datetime) -> Clock:
    """The shop's clock."""
    shop = ZoneInfo(str(read_setting("shop.time_zone")))
    return Clock(within_years(at), shop, shop)


def decide(
    condition: Condition,
    customer_ids: Sequence[int],
    at: datetime,
    entries: Mapping[int, datetime] | None = None,
    *,
    published_by: datetime | None = None,
) -> dict[int, Decision]:
    """Each of these customers, by what the record holds now. PostgreSQL; one query.

    ``published_by``: of what is published for everybody at once (scores), what had been published then.
    """
    return decide_all([Question(condition, customer_ids)], at, entries, published_by=published_by)[0]


@dataclass(frozen=True)
class Question:
    """Whom of these customers a condition means."""

    condition: Condition
    customer_ids: Sequence[int]


def decide_all(
    questions: Sequence[Question],
    at: datetime,
    entries: Mapping[int, datetime] | None = None,
    *,
    published_by: datetime | None = None,
) -> list[dict[int, Decision]]:
    """As ``decide``, of several conditions, each of people of its own: rows of all of them are read once, in one query."""
    clock = clock_at(at)
    taken = [take_apart(one.condition) for one in questions]
    held = _Held(questions, taken, clock, published_by)
    zones, said = _said_of({c for one in questions if asks_for_zones(one.condition) for c in one.customer_ids}, clock)
    given = (clock, zones, entries or {})
    with connection.cursor() as cursor:
        asked = []
        for place, one in enumerate(questions):
            relation = partial(held.relation, one.customer_ids)
            sql, bound = _written(taken[place], Asked.VERDICTS, Engine.POSTGRES, relation, *given)
            asked.append(f"SELECT {place}, t.* FROM ({cursor.mogrify(sql, bound)}) t(customer_id, is_in, wakes_at)")
        every = " UNION ALL ".join(asked)
        tables = held.tables(every)
        tables = f"{_CANDIDATES}{tables}, held_zones AS MATERIALIZED {said.sql}"
        cursor.execute(f"{cursor.mogrify(tables, held.values | said.values)} {every}")
        decided: list[dict[int, Decision]] = [{} for _ in questions]
        for place, customer, is_in, wakes_at in cursor.fetchall():
            decided[place][customer] = Decision(is_in, moment_of(wakes_at))
    return decided


class _Held:
    """Tables of which several conditions ask, each read once of those people of whom it is asked; and the few people of each condition."""

    def __init__(
        self, questions: Sequence[Question], taken: Sequence[Bindable], clock: Clock, published_by: datetime | None
    ) -> None:
        self._conditions = [one.condition for one in questions]
        self._taken, self._clock, self._published_by = taken, clock, published_by
        self._few: dict[tuple[int, ...], int] = {}
        self._asked_of: dict[str, set[int]] = {}  # customers, by table
        customers = sorted({customer for one in questions for customer in one.customer_ids})
        self.values: dict[str, Any] = {"customers": customers, "published_by": published_by}

    def few(self, customer_ids: Iterable[int]) -> int:
        """Number of some of the people."""
        few = self._few.setdefault(tuple(sorted(customer_ids)), len(self._few))
        self.values[f"customers_{few}"] = list(customer_ids)
        return few

    def relation(self, asked_of: Sequence[int], name: str) -> str:
        if name in (PEOPLE, CUSTOMERS):
            return f"{'people' if name == PEOPLE else 'candidates'}_{self.few(asked_of)}"
        self._asked_of.setdefault(name, set()).update(asked_of)
        return f"held_{name}"

    def tables(self, questions: str) -> str:
        """SQL that stands behind other relations of WITH."""
        tables = "".join(self._table(WAREHOUSE_TABLES[name], questions) for name in sorted(self._asked_of))
        return "".join(_FEW.format(number) for number in self._few.values()) + tables

    def _table(self, table: WarehouseTable, questions: str) -> str:
        """The columns that a question names; of events, the kinds that any asks for; nothing that is too old for all of them."""
        few = self.few(self._asked_of[table.name])
        names = ", ".join(f'"{c.name}"' for c in table.columns if f'"{c.name}"' in questions)
        chosen = " AND ".join(self._chosen(table)) or "true"
        rows = _of_few(table, self._published_by)
        people = f"WITH people AS MATERIALIZED (SELECT * FROM people_{few})"
        return f", held_{table.name} AS MATERIALIZED ({people} SELECT {names} FROM ({rows}) h WHERE {chosen})"

    def _chosen(self, table: WarehouseTable) -> Iterator[str]:
        has_kinds = _KIND in {c.name for c in table.columns}
        if has_kinds and (kinds := all_texts_in(self._conditions, table.name, _KIND)):
            self.values[f"kinds_of_{table.name}"] = list(kinds)
            yield f"{_KIND} = ANY(%(kinds_of_{table.name})s)"
        if begin := begin_of(self._taken, table.name, self._clock):
            column, self.values[f"begin_of_{table.name}"] = begin
            yield f'"{column}" >= %(begin_of_{table.name})s'


_FEW = """
, candidates_{0} AS MATERIALIZED (SELECT DISTINCT unnest(%(customers_{0})s::bigint[]) AS customer_id),
people_{0} AS MATERIALIZED (SELECT * FROM people WHERE customer_id = ANY(%(customers_{0})s::bigint[]))
"""


def _of_few(table: WarehouseTable, published_by: datetime | None = None) -> str:
    return table.published_of_people if published_by else table.of_people.replace("%", "%%")


def moment_of(microseconds: int | None) -> datetime | None:
    """None also for what lies after the last year."""
    if microseconds is None or microseconds > _LAST:
        return None
    return _EPOCH + timedelta(microseconds=microseconds)


_CANDIDATES = """
WITH candidates AS MATERIALIZED (SELECT DISTINCT unnest(%(customers)s::bigint[]) AS customer_id),
people AS MATERIALIZED (
    SELECT m.profile_id, m.customer_id FROM customers_customerprofile m
    WHERE m.until_batch_id IS NULL AND m.customer_id = ANY(%(customers)s::bigint[])
)
"""


_WITH = re.compile(r"\AWITH\s")  # where the question begins with relations of its own


def _of_record(customer_ids: Collection[int]) -> Asking:
    def relation(name: str) -> str:
        if name in (PEOPLE, CUSTOMERS):
            return "people" if name == PEOPLE else "candidates"
        return f"({_of_few(WAREHOUSE_TABLES[name])})"

    return Asking(Engine.POSTGRES, relation, {"customers": list(customer_ids)}, _run_on_postgres)


def _run_on_postgres(sql: str, values: Mapping[str, Any]) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES + _WITH.sub(", ", sql), values)
        return table_of(cursor)


def table_of(cursor: Any) -> pa.Table:
    """What a cursor still gives."""
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})


def members(
    condition: Condition,
    pinned: Pinned,
    at: datetime,
    position: int | None = None,
    *,
    wants_wake: bool = False,
) -> pa.Table:
    """``customer_id`` of everybody who is in at that moment, as known at a position (the snapshot's own where not given).

    With ``wants_wake``: customer_id, is_in and wakes_at (microseconds since 1970, null: never) of everybody who is in or may be by time.
    """
    asked = Asked.VERDICTS if wants_wake else Asked.MEMBERS
    return _of_warehouse(pinned, position).ask(condition, asked, clock_at(at))


def count(
    condition: Condition,
    pinned: Pinned,
    at: datetime,
    position: int | None = None,
    *,
    engine: Engine = Engine.DUCKDB,
) -> Counted:
    """How many are in. On PostgreSQL by what the record holds now, whatever the position."""
    asking = _of_record(_everybody()) if engine is Engine.POSTGRES else _of_warehouse(pinned, position, engine)
    [row] = asking.ask(condition, Asked.COUNT, clock_at(at)).to_pylist()
    total = len(asking.values["customers"]) if engine is Engine.POSTGRES else total_of(pinned, position)
    missing = {place: int(row[f"missing_{place}"]) for place in denying_leaves(take_apart(condition).shape)}
    return Counted(int(row["count"]), total, list(row["first_ids"] or []), missing)


def _everybody() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT customer_id FROM customers_customerprofile WHERE until_batch_id IS NULL")
        return [row[0] for row in cursor.fetchall()]


def total_of(pinned: Pinned, position: int | None = None) -> int:
    """All customers."""
    known_at = pinned.position if position is None else position
    return _total(_known(pinned, "customer_profiles", known_at), known_at)


@lru_cache(32)
def _total(people: str, position: int) -> int:
    """``people`` names the files, which never change: the answer can be kept."""
    answer = duckdb.run(f"SELECT count(DISTINCT customer_id) AS total FROM {people}", {"position": position})
    return int(answer["total"][0].as_py())


def _known(pinned: Pinned, name: str, position: int, engine: Engine = Engine.DUCKDB) -> str:
    """A table as it was known."""
    relation = pinned.relation(name, position, _DIALECTS[engine])
    bound = _POSITIONS[engine]
    return f"(SELECT * FROM {relation} WHERE known_from <= {bound} AND known_until > {bound})"


_DIALECTS = {Engine.DUCKDB: dialects.duckdb, Engine.CLICKHOUSE: dialects.clickhouse}
_POSITIONS = {Engine.DUCKDB: "$position", Engine.CLICKHOUSE: "{position:Int64}"}
_RUN = {Engine.DUCKDB: duckdb.run, Engine.CLICKHOUSE: clickhouse.run}


def _of_warehouse(pinned: Pinned, position: int | None, engine: Engine = Engine.DUCKDB) -> Asking:
    known_at = pinned.position if position is None else position

    def relation(name: str) -> str:
        people = _known(pinned, "customer_profiles", known_at, engine)
        if name == CUSTOMERS:
            return f"(SELECT DISTINCT customer_id FROM {people})"
        return people if name == PEOPLE else _known(pinned, name, known_at, engine)

    return Asking(engine, relation, {"position": known_at}, lambda sql, values: _RUN[engine](sql, dict(values)))
