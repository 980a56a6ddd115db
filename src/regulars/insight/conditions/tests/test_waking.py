"""From when time alone can change a verdict: the moments themselves, and on random conditions that nothing changes before."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.measuring import holds
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.tests.asking import CLOCK, NEW_YORK, NOW, Json, someone, thing, wakes_at
from regulars.insight.conditions.tests.catalog import INVENTED, Catalog, registered
from regulars.insight.conditions.tests.strategies import conditions
from regulars.insight.conditions.tests.worlds import worlds
from regulars.insight.conditions.windows import TICK, Clock
from regulars.insight.conditions.writing import write_condition

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = {"days": 30}
PROMISE = {"of": "things", "measure": {"last": "promised"}}
LATELY = {"of": "things", "window": {"last": MONTH}}
SOON = [{"field": "promised", "op": "older_than", "value": {"days": 3}}]
BIRTHDAY = {"of": "things", "measure": {"last": "birthday"}}


def days(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc,arg-type]


TOMORROW = thing(birthday=days(date(1990, 11, 23)))
LEAVES = thing(NOW - 30 * DAY + HOUR)
WAKES: list[tuple[Json, list[dict[str, Any]], datetime | None]] = [
    ({"of": "things"}, [LEAVES], None),
    ({"share": {"percent": 50, "salt": "x"}}, [LEAVES], None),
    (LATELY, [LEAVES], NOW + HOUR),
    ({"of": "things", "window": {"last": MONTH}, "op": "ge", "value": 2}, [LEAVES], None),
    ({"of": "things", "window": {"last": MONTH}}, [LEAVES, thing(NOW - DAY)], NOW + 29 * DAY),
    ({"of": "things", "window": {"last": MONTH, "days": "shop"}}, [thing(NOW - 29 * DAY)], utc(2026, 11, 22, 23)),
    ({"of": "things", "window": {"last": MONTH, "days": "person"}}, [thing(NOW - 29 * DAY)], utc(2026, 11, 23, 5)),
    ({"of": "things", "window": {"ago": [{"days": 60}, MONTH]}}, [LEAVES], NOW + HOUR),
    ({"of": "things", "window": {"ago": [MONTH, {"days": 1}]}}, [LEAVES], NOW + HOUR),
    ({"of": "things", "window": {"after": "2026-01-01", "before": "2026-12-01"}}, [LEAVES], None),
    ({"of": "things"}, [thing(NOW + HOUR)], NOW + HOUR),
    ({"of": "things", "window": {"before": "2026-11-01"}}, [thing(NOW + HOUR)], None),
    ({"of": "things", "measure": {"last": "at"}, "op": "within_last", "value": MONTH}, [LEAVES], NOW + HOUR),
    (PROMISE | {"op": "within_next", "value": {"days": 1}}, [thing(promised_at=NOW + 2 * DAY)], NOW + DAY + TICK),
    (PROMISE | {"op": "within_next", "value": {"days": 3}}, [thing(promised_at=NOW + 2 * DAY)], NOW + 2 * DAY),
    (PROMISE | {"op": "within_next", "value": {"days": 3}, "days": "shop"}, [thing(promised_at=NOW + 5 * DAY)], utc(2026, 11, 24, 23)),
    ({"of": "things", "where": SOON}, [thing(promised_at=NOW - 2 * DAY)], NOW + DAY),
    (BIRTHDAY | {"op": "anniversary_within", "value": {"days": 1}}, [thing(birthday=days(date(1990, 11, 22)))], utc(2026, 11, 22, 23)),
    (BIRTHDAY | {"op": "anniversary_within", "value": {"days": 7}}, [thing(birthday=days(date(1990, 1, 5)))], utc(2026, 12, 29, 23)),
    (BIRTHDAY | {"op": "anniversary_within", "value": {"days": 1}, "days": "person"}, [TOMORROW], utc(2026, 11, 23, 5)),
    (BIRTHDAY | {"op": "older_than", "value": {"days": 10}}, [thing(birthday=days(date(2026, 11, 22)))], utc(2026, 12, 1, 23)),
    ({"sequence": [{"of": "things"}, {"of": "things", "absent": True}], "within": {"days": 2}}, [thing(NOW - DAY)], NOW + DAY),
    ({"sequence": [{"of": "things"}, {"of": "things"}], "within": {"days": 2}}, [thing(NOW - DAY)], None),
    ({"not": {"any": [LATELY, {"of": "things", "window": {"last": {"days": 31}}}]}}, [LEAVES], NOW + HOUR + DAY),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "rows", "at"), WAKES)
def test_a_verdict_wakes_at_the_moment_of_its_change(
    condition: Json, rows: list[dict[str, Any]], at: datetime | None
) -> None:
    assert wakes_at(condition, someone(NEW_YORK, things=rows)) == at


def test_a_row_ends_at_its_until_and_what_it_hid_is_seen_again() -> None:
    rows = [
        {"since": NOW - 2 * DAY, "kind": "a", "score": Decimal(1), "is_good": True},
        {"since": NOW - DAY, "kind": "a", "score": Decimal(2), "is_good": True, "until": NOW + HOUR},
    ]
    first = {"of": "states", "measure": {"sum": "score"}, "op": "is", "value": 1}
    assert wakes_at(first, someone(states=rows)) == NOW + HOUR


def test_a_far_anniversary_is_looked_for_again_within_the_year() -> None:
    with INVENTED.offered():
        condition = read_condition(BIRTHDAY | {"op": "anniversary_within", "value": {"days": 1}})
        her = someone(things=[thing(birthday=days(date(1990, 11, 21)))])
        assert evaluate(condition, her, CLOCK).wakes_at == NOW + timedelta(days=300)
        later = replace(CLOCK, at=NOW + timedelta(days=300))
        assert evaluate(condition, her, later).wakes_at == utc(2027, 11, 20, 23)


def test_of_many_moments_that_change_nothing_one_is_given() -> None:
    rows = [thing(NOW - 29 * DAY - place * HOUR) for place in range(23)]
    with INVENTED.offered():
        condition = read_condition({"of": "things", "window": {"last": MONTH}})
        wakes = evaluate(condition, someone(things=[*rows, *rows, thing(NOW)]), CLOCK).wakes_at
        assert wakes == NOW + 30 * DAY
        many = [thing(NOW - 29 * DAY - place * TICK) for place in range(30)]
        assert evaluate(condition, someone(things=[*many, thing(NOW)]), CLOCK).wakes_at == NOW + DAY - 5 * TICK


def test_a_day_that_a_country_left_out() -> None:
    """In Apia, 29 December 2011 was followed by the 31st."""
    clock = Clock(utc(2011, 12, 29, 20), CLOCK.shop, CLOCK.person)
    her = someone(ZoneInfo("Pacific/Apia"), things=[thing(utc(2011, 12, 29, 19))])
    asked = {"of": "things", "window": {"last": {"days": 1}, "days": "person"}}
    assert wakes_at(asked, her, clock) == utc(2011, 12, 30, 10)


@pytest.mark.parametrize(("catalog", "rows"), [(INVENTED, 10), (registered(), 3)], ids=["invented", "registered"])
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_nothing_changes_before(catalog: Catalog, rows: int, data: st.DataObject) -> None:
    world = data.draw(worlds(catalog, rows))
    with catalog.offered():
        condition = data.draw(conditions(world))
        assert read_condition(write_condition(condition)) == condition
        moments = data.draw(st.lists(st.floats(0, 1, exclude_max=True), max_size=5))
        for person in world.people():
            verdict = evaluate(condition, person, world.clock)
            span = (verdict.wakes_at or world.clock.at + 4000 * DAY) - world.clock.at
            assert span > timedelta()
            for later in [*(int(part * (span // TICK)) * TICK for part in moments), span - TICK]:
                clock = person.clock(replace(world.clock, at=world.clock.at + later))
                assert holds(condition, person, clock) == verdict.is_in
