"""Whatever moments, spans and numbers a condition is written with, it can be asked: at the ends of the calendar too."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.insight.conditions.binding import take_apart
from regulars.insight.conditions.compiling import Asked
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.tests.asking import someone, thing
from regulars.insight.conditions.tests.catalog import INVENTED
from regulars.insight.conditions.tests.engines import with_tables, world_in
from regulars.insight.conditions.tests.worlds import make_world
from regulars.insight.conditions.why import why
from regulars.insight.conditions.windows import Clock, within_years

_EAST, _WEST = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_BOUNDS = [
    "0001-01-01",
    "0001-01-02",
    "9999-12-31",
    "9999-12-30",
    "0001-01-01T00:00:00+00:00",
    "0001-01-01T14:00:00+14:00",
    "9999-12-31T23:59:59.999999+00:00",
    "9999-12-31T09:59:59-14:00",
]
_SPANS: list[dict[str, int]] = [{"weeks": 100_000}, {"days": 100_000}, {"hours": 100_000}, {"days": 1}]


def _conditions() -> list[dict[str, Any]]:
    """Every place where a condition holds a moment or a span, with every one of them."""
    made: list[dict[str, Any]] = []
    for bound in _BOUNDS:
        made += [{"of": "things", "window": {side: bound}} for side in ("after", "before")]
        for field in ("at", "promised", "birthday"):
            said = bound[:10] if field == "birthday" else bound
            made += [_measured(field, {"op": op, "value": said}) for op in ("before", "after")]
    for span in _SPANS:
        ways = ["rolling"] if "hours" in span else ["rolling", "shop", "person"]
        made += [{"of": "things", "window": {"last": span, "days": days}} for days in ways]
        made += [{"of": "things", "window": {"ago": [{"weeks": 100_000}, {"days": 2}], "days": days}} for days in ways]
        made.append({"sequence": [{"of": "things"}, {"of": "things"}], "within": span})
        made.append({"sequence": [{"of": "things"}, {"of": "things", "absent": True}], "within": span})
        for field in ("at", "birthday"):
            ops = ["within_last", "older_than", "within_next", *(["anniversary_within"] if field == "birthday" else [])]
            allowed = [days for days in ways if days != "rolling" or field == "at"]
            made += [_measured(field, {"op": op, "value": span, "days": days}) for op in ops for days in allowed]
    return made


def _measured(field: str, test: dict[str, Any]) -> dict[str, Any]:
    return {"of": "things", "measure": {"min": field}} | test


_moments = st.sampled_from([_FIRST, _LAST, datetime(1970, 1, 1, tzinfo=UTC)]) | st.datetimes(
    timezones=st.just(UTC), allow_imaginary=False
)
_days = st.integers(-719_162, 2_932_896) | st.sampled_from([-(10**9), 10**9, -719_162, 2_932_896])
_rows = st.lists(st.tuples(_moments, _moments, _days), max_size=3)


@settings(max_examples=10, derandomize=True, deadline=None)
@given(at=_moments, zones=st.permutations([_EAST, _WEST]), rows=_rows)
def test_nothing_that_is_read_fails_when_it_is_asked(at: datetime, zones: list[ZoneInfo], rows: list[Any]) -> None:
    clock = Clock(within_years(at), zones[0], zones[0])
    things = [thing(then, promised_at=other, birthday=day) for then, other, day in rows]
    person = someone(zones[1], things=things)
    with INVENTED.offered():
        for said in _conditions():
            condition = read_condition(said)
            evaluate(condition, person, clock)
            taken = take_apart(condition)
            taken.bound(clock)
            taken.calendar(clock, [_EAST.key, _WEST.key])


def test_why_can_be_asked_at_the_ends_too() -> None:
    for at in (_FIRST, _LAST):
        person = someone(_EAST, things=[thing(at, promised_at=at, birthday=-719_162)])
        with INVENTED.offered():
            for said in _conditions():
                why(read_condition(said), person, Clock(within_years(at), _WEST, _WEST))


_FAR: list[dict[str, Any]] = [
    {"of": "things", "window": {"after": "0001-01-01", "before": "9999-12-31"}},
    {"of": "things", "window": {"after": "0001-01-01T14:00:00+14:00"}},
    {"of": "things", "window": {"ago": [{"weeks": 100_000}, {"days": 2}], "days": "person"}},
    _measured("birthday", {"op": "anniversary_within", "value": {"weeks": 100_000}, "days": "person"}),
    _measured("promised", {"op": "within_next", "value": {"weeks": 100_000}, "days": "shop"}),
    *(
        {"ratio": [{"of": "things"} | top, {"of": "things"} | bottom], "op": "lt", "value": "999999999.999999"}
        for top, bottom in (
            ({"measure": "gap"}, {"measure": "gap"}),
            ({"measure": {"sum": "weight"}}, {"measure": "gap"}),
            ({"measure": "gap"}, {"measure": {"sum": "weight"}}),
            ({"measure": {"sum": "price"}}, {"measure": {"sum": "weight"}}),
        )
    ),
    {"of": "things", "measure": "gap", "op": "lt", "value": "999999999999.999999"},
    {"of": "things", "measure": {"average": "weight"}, "op": "lt", "value": "999999999999.999999"},
]


@pytest.mark.django_db
@pytest.mark.parametrize("engine", Engine)
def test_engines_are_asked_with_the_farthest_bounds(engine: Engine) -> None:
    world = make_world(INVENTED, 7, 3, 5, (10, 10))
    world.tables["things"][0]["at"] = datetime(2006, 1, 1, tzinfo=UTC)  # a gap of twenty years
    with with_tables(INVENTED):
        for condition in map(read_condition, _FAR):
            found = world_in(engine, world).ask(condition, Asked.MEMBERS, world.clock)["customer_id"].to_pylist()
            assert sorted(found) == _members(condition, world.people(), world.clock)


def _members(condition: Any, people: list[Person], clock: Clock) -> list[int]:
    return sorted(one.customer_id for one in people if evaluate(condition, one, clock).is_in)


def test_moments_that_no_calendar_tells_in_utc_are_the_first_and_last() -> None:
    east, west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
    assert within_years(datetime(1, 1, 1, tzinfo=east)) == datetime(1, 1, 3, tzinfo=UTC)
    assert within_years(datetime(9999, 12, 31, 23, tzinfo=west)) == datetime(9999, 12, 29, tzinfo=UTC)
    assert within_years(datetime(2026, 3, 1, 12, tzinfo=east)) == datetime(2026, 2, 28, 22, tzinfo=UTC)
