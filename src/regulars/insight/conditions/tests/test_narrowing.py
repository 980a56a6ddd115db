"""Rows that nobody asks for are not read: too old for every window on their table, or of other kinds."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from regulars.insight.conditions.binding import take_apart
from regulars.insight.conditions.narrowing import all_texts_in, begin_of
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.windows import Clock

Json = dict[str, Any]
BERLIN = ZoneInfo("Europe/Berlin")
CLOCK = Clock(datetime(2026, 5, 31, 12, tzinfo=UTC), BERLIN, BERLIN)
EVER: Json = {"of": "orders", "op": "ge", "value": 2}


def orders(days: int, by: str = "rolling") -> Json:
    return {"of": "orders", "window": {"last": {"days": days}, "days": by}}


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, tick: int = 0) -> datetime:
    """Without its zone, as it is bound."""
    return datetime(year, month, day, hour, minute, second, tick, tzinfo=UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("asked", "begin"),
    [
        ([orders(30)], utc(2026, 5, 1, 12, 0, 0, 1)),
        ([orders(30), orders(10), {"all": [orders(20), {"not": orders(40)}]}], utc(2026, 4, 21, 12, 0, 0, 1)),
        ([orders(1, "shop")], utc(2026, 5, 30, 22)),
        ([orders(1, "person")], utc(2026, 5, 26, 22)),  # whoever lives farthest east is not lost
        ([{"of": "orders", "window": {"ago": [{"days": 60}, {"days": 30}]}}], utc(2026, 4, 1, 12, 0, 0, 1)),
        ([orders(30), EVER], None),
        ([{"ratio": [{"of": "orders"}, orders(30)], "op": "gt", "value": "0.1"}], None),
        ([{"of": "consents", "window": {"last": {"days": 30}}}], None),
    ],
)
def test_rows_before_every_window_are_left_out(asked: list[Json], begin: datetime | None) -> None:
    taken = [take_apart(read_condition(one)) for one in asked]
    assert begin_of(taken, "orders", CLOCK) == (begin and ("placed_at", begin))


def test_of_what_only_its_latest_row_counts_any_may_be_that() -> None:
    said: Json = {"of": "consents", "window": {"last": {"days": 30}}}
    assert begin_of([take_apart(read_condition(said))], "consents", CLOCK) is None


def test_kinds_of_events_are_known_where_each_question_names_them() -> None:
    viewed: Json = {"of": "events", "where": [{"field": "kind", "op": "is", "value": "tracked.product_viewed"}]}
    either: Json = {"of": "events", "where": [{"field": "kind", "op": "in", "value": ["a", "b"]}]}
    anything: Json = {"of": "events", "where": [{"field": "category", "op": "is", "value": "tea"}]}
    conditions = [read_condition({"all": [viewed, either]}), read_condition(viewed)]
    assert all_texts_in(conditions, "events", "kind") == ["a", "b", "tracked.product_viewed"]
    assert all_texts_in([*conditions, read_condition(anything)], "events", "kind") == ()
