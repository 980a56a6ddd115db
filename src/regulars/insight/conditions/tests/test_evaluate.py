"""Which rows speak of a person, what they measure, and who is in: each rule of docs/conditions.md with exact values."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from regulars.foundation.relations import LIST_MARK
from regulars.insight.conditions.shares import PRIME, limit, number
from regulars.insight.conditions.tests.asking import CLOCK, NEW_YORK, NOW, Json, is_in, someone, thing
from regulars.insight.conditions.tests.catalog import tokens
from regulars.insight.conditions.windows import TICK, Clock

DAY = timedelta(days=1)
EPOCH = date(1970, 1, 1)


def days(day: date) -> int:
    return (day - EPOCH).days


def count_is(of: str, count: int, **more: Any) -> Json:
    return {"of": of, "op": "is", "value": count} | more


def test_rows_count_from_their_moment_on_and_never_without_one() -> None:
    her = someone(things=[thing(NOW), thing(NOW + TICK), thing(None), thing(NOW - 9000 * DAY)])
    assert is_in(count_is("things", 2), her)


def test_rows_that_do_not_count_and_those_of_which_nobody_knows_are_left_out() -> None:
    her = someone(kept_things=[thing(counts=True), thing(counts=False), thing(counts=None)])
    assert is_in(count_is("kept_things", 1), her)


def test_rows_end_at_their_until() -> None:
    since = NOW - DAY
    ends = (None, NOW + TICK, NOW, NOW - TICK)
    her = someone(spans=[{"since": since, "until": until} for until in ends])
    assert is_in(count_is("spans", 2), her)


def test_only_the_latest_of_equal_rows_speaks_and_only_of_those_that_hold() -> None:
    her = someone(
        states=[
            {"since": NOW - 2 * DAY, "kind": "a", "score": Decimal(1), "is_good": True},
            {"since": NOW - DAY, "kind": "a", "score": Decimal(2), "is_good": True},
            {"since": NOW - DAY, "kind": "a", "score": Decimal(3), "is_good": False},
            {"since": NOW + DAY, "kind": "a", "score": Decimal(4), "is_good": True},
            {"since": NOW, "until": NOW, "kind": "a", "score": Decimal(5), "is_good": True},
            {"since": NOW - 3 * DAY, "kind": "a", "channel": "", "score": Decimal(10), "is_good": True},
        ]
    )
    assert is_in(count_is("states", 2), her)
    assert is_in({"of": "states", "measure": {"sum": "score"}, "op": "is", "value": 12}, her)


def test_of_rows_equal_at_one_moment_the_greatest_key_is_the_latest_and_null_equals_null() -> None:
    rows = [{"since": NOW, "score": Decimal(score), "is_good": True} for score in (1, 2)]
    assert is_in({"of": "states", "measure": {"sum": "score"}, "op": "is", "value": 2}, someone(states=rows))
    turned = [rows[0] | {"key": 2}, rows[1] | {"key": 1}]
    assert is_in({"of": "states", "measure": {"sum": "score"}, "op": "is", "value": 1}, someone(states=turned))


def test_the_latest_is_chosen_before_windows_and_filters() -> None:
    rows = [{"since": NOW - 9 * DAY, "kind": "a", "is_good": True}, {"since": NOW, "kind": "a", "is_good": True}]
    earlier = {"window": {"ago": [{"days": 30}, {"days": 5}]}}
    assert is_in(count_is("states", 0, **earlier), someone(states=rows))
    assert is_in(count_is("states", 1, **earlier), someone(states=rows[:1]))


MEASURED = [
    ("count", [], 0),
    ({"sum": "weight"}, [], 0),
    ({"distinct": "word"}, [], 0),
    ({"min": "weight"}, [], None),
    ({"max": "weight"}, [], None),
    ({"average": "weight"}, [], None),
    ({"first": "weight"}, [], None),
    ({"last": "weight"}, [], None),
    ("gap", [], None),
    ("count", [None, "1"], 2),
    ({"sum": "weight"}, [None], 0),
    ({"sum": "weight"}, ["0.1", "0.2", None], "0.3"),
    ({"distinct": "weight"}, ["1", "1.0", "2", None], 2),
    ({"min": "weight"}, ["3", "-1", None], -1),
    ({"max": "weight"}, ["3", "-1", None], 3),
    ({"max": "weight"}, [None], None),
    ({"average": "weight"}, ["1", None, "2"], "1.5"),
    ({"average": "weight"}, [None], None),
    ({"first": "weight"}, ["1", "2"], 1),
    ({"first": "weight"}, [None, "2"], None),
    ({"last": "weight"}, ["1", "2"], 2),
    ({"last": "weight"}, ["1", None], None),
    ("gap", ["1"], None),
    ("gap", ["1", "1", "1", "1"], 1),
]


@pytest.mark.parametrize(("measure", "weights", "figure"), MEASURED)
def test_measures(measure: Any, weights: list[str | None], figure: Any) -> None:
    """Rows a day apart; a figure of None is no value."""
    rows = [
        thing(NOW - (len(weights) - place) * DAY, weight=None if weight is None else Decimal(weight), word=weight)
        for place, weight in enumerate(weights)
    ]
    her = someone(things=rows)
    asked = {"of": "things", "measure": measure}
    assert is_in(asked | {"op": "not_set"}, her) == (figure is None)
    if figure is not None:
        assert is_in(asked | {"op": "is", "value": figure}, her)


def test_first_and_last_of_one_moment_are_by_key() -> None:
    her = someone(things=[thing(word="b") | {"key": 7}, thing(word="a") | {"key": 9}, thing(word="c") | {"key": 8}])
    for measure, word in (("first", "b"), ("last", "a")):
        assert is_in({"of": "things", "measure": {measure: "word"}, "op": "is", "value": word}, her)


def test_moments_come_before_keys() -> None:
    her = someone(
        things=[thing(NOW, word="late"), thing(NOW - DAY, word="early")],
        states=[
            {"since": NOW, "kind": "a", "score": Decimal(1), "is_good": True},
            {"since": NOW - DAY, "kind": "a", "score": Decimal(2), "is_good": True},
        ],
    )
    for measure, word in (("first", "early"), ("last", "late")):
        assert is_in({"of": "things", "measure": {measure: "word"}, "op": "is", "value": word}, her)
    assert is_in({"of": "things", "measure": "gap", "op": "is", "value": 1}, her)
    assert is_in({"of": "states", "measure": {"sum": "score"}, "op": "is", "value": 1}, her)


def test_averages_ratios_and_gaps_are_not_rounded() -> None:
    her = someone(things=[thing(NOW - DAY, weight=Decimal(1)), thing(weight=Decimal(0)), thing(weight=Decimal(0))])
    third = {"of": "things", "measure": {"average": "weight"}}
    assert is_in(third | {"op": "gt", "value": "0.333333"}, her)
    assert is_in(third | {"op": "lt", "value": "0.333334"}, her)
    assert not is_in(third | {"op": "is", "value": "0.333333"}, her)
    one_over_three = {"ratio": [{"of": "things", "measure": {"sum": "weight"}}, {"of": "things"}]}
    assert is_in(one_over_three | {"op": "between", "value": ["0.333333", "0.333334"]}, her)
    assert is_in({"of": "things", "measure": "gap", "op": "is", "value": "0.5"}, her)


def test_a_ratio_keeps_its_sign_and_has_no_value_over_zero() -> None:
    def ratio(weight: str | None, op: str, value: str) -> bool:
        rows = [thing(price=6, weight=None if weight is None else Decimal(weight))]
        figures = [
            {"of": "things", "measure": {"sum": "price"}},
            {"of": "things", "measure": {"max": "weight"}},
        ]
        return is_in({"ratio": figures, "op": op, "value": value}, someone(things=rows))

    assert ratio("-4", "is", "-1.5")
    assert ratio("-4", "lt", "-1.4")
    assert not ratio("-4", "gt", "-1.5")
    for weight in ("0", None):
        assert not ratio(weight, "le", "0")
        assert not ratio(weight, "gt", "0")


ABSENT = {"of": "things", "measure": {"last": "word"}}


@pytest.mark.parametrize("op", ["is_not", "not_in", "not_contains", "not_starts"])
@pytest.mark.parametrize("rows", [[], [thing(word=None)]])
def test_what_denies_says_what_it_makes_of_no_value(op: str, rows: list[dict[str, Any]]) -> None:
    value = ["web"] if op == "not_in" else "web"
    her = someone(things=rows)
    denied = ABSENT | {"op": op, "value": value}
    assert is_in(denied | {"missing": "in"}, her)
    assert not is_in(denied | {"missing": "out"}, her)
    assert is_in({"not": denied | {"missing": "out"}}, her)
    for word, holds in (("web", False), ("other", True), ("", True)):
        for missing in ("in", "out"):
            assert is_in(denied | {"missing": missing}, someone(things=[thing(word=word)])) == holds


def test_an_empty_text_and_an_empty_list_are_values() -> None:
    her = someone(things=[thing(word="", tags=LIST_MARK)])
    for field in ("word", "tags"):
        assert is_in({"of": "things", "measure": {"last": field}, "op": "set"}, her)
    assert not is_in({"of": "things", "measure": {"last": "name"}, "op": "set"}, her)


WORDS = [
    ("is", "web", "web", True),
    ("is", "Web", "web", False),
    ("in", ["app", "web"], "web", True),
    ("in", ["app"], "web", False),
    ("contains", "STRASSE", "Hauptstraße", False),
    ("contains", "STRAẞE", "Hauptstraße", True),
    ("contains", "ΟΔΟΣ", "οδος 5", True),
    ("contains", "οδοσ", "ΟΔΟΣ", True),
    ("contains", "istanbul", "İstanbul", True),
    ("contains", "é", "e\u0301", False),
    ("starts", "%", "100%", False),
    ("starts", "100%", "100% wool", True),
    ("starts", "ÉT", "été", True),
    ("starts", "t", "été", False),
    ("contains", "a_b", "axb", False),
    ("matches", "b.d", "abcde", True),
    ("matches", "^b.d", "abcde", False),
    ("matches", "a.b", "a\nb", False),
    ("matches", "B", "abc", False),
    ("matches", "c$", "abc\n", False),
]


@pytest.mark.parametrize(("op", "value", "word", "holds"), WORDS)
def test_texts(op: str, value: Any, word: str, holds: bool) -> None:
    assert is_in(ABSENT | {"op": op, "value": value}, someone(things=[thing(word=word)])) == holds


def test_lists_include_whole_items() -> None:
    marked = LIST_MARK.join(("", "red", "dark blue", ""))
    her = someone(things=[thing(tags=marked)])
    for value, holds in (("red", True), ("blue", False), ("dark blue", True), ("Red", False)):
        tags = {"of": "things", "measure": {"last": "tags"}, "value": value}
        assert is_in(tags | {"op": "includes"}, her) == holds
        assert is_in(tags | {"op": "not_includes", "missing": "out"}, her) != holds


NAME: Json = {"of": "things", "measure": {"last": "name"}}
OF_NAMES: list[tuple[Json, bool]] = [
    ({"op": "is", "value": "anna"}, True),
    ({"op": "is", "value": "ann"}, False),
    ({"op": "starts", "value": "ann"}, True),
    ({"op": "starts", "value": "anna"}, True),
    ({"op": "starts", "value": "nna"}, False),
    ({"op": "in", "value": ["bo", "anna"]}, True),
    ({"op": "in", "value": ["bo", {"sealed": ""}]}, False),
    ({"op": "is", "value": {"sealed": ""}}, False),
    ({"op": "is_not", "value": {"sealed": ""}, "missing": "out"}, True),
    ({"op": "not_in", "value": ["bo", "anna"], "missing": "in"}, False),
    ({"op": "not_starts", "value": "bo", "missing": "out"}, True),
]


@pytest.mark.parametrize(("test", "holds"), OF_NAMES)
def test_personal_words_are_compared_by_their_tokens(test: Json, holds: bool) -> None:
    her = someone(things=[thing(name_tokens=LIST_MARK.join(("", *tokens("anna"), "")))])
    assert is_in({**NAME, **test}, her) == holds
    assert is_in({**NAME, **test}, someone(things=[thing()])) == (test.get("missing") == "in")


@pytest.mark.parametrize(
    ("op", "given", "first", "last"),
    [
        ("within_last", {"days": 1}, NOW - DAY + TICK, NOW),
        ("older_than", {"days": 1}, None, NOW - DAY),
        ("within_next", {"days": 1}, NOW + TICK, NOW + DAY - TICK),
        ("within_last", {"days": 1, "in": "shop"}, datetime(2026, 11, 21, 23, tzinfo=UTC), NOW),
        ("older_than", {"days": 1, "in": "shop"}, None, datetime(2026, 11, 21, 23, tzinfo=UTC) - TICK),
        ("within_next", {"days": 2, "in": "shop"}, NOW + TICK, datetime(2026, 11, 23, 23, tzinfo=UTC) - TICK),
        ("before", "2026-11-22", None, datetime(2026, 11, 21, 23, tzinfo=UTC) - TICK),
        ("after", "2026-11-22", datetime(2026, 11, 21, 23, tzinfo=UTC), None),
        ("after", "2026-11-22T02:00:00+02:00", datetime(2026, 11, 22, tzinfo=UTC), None),
    ],
)
def test_moments(op: str, given: Any, first: datetime | None, last: datetime | None) -> None:
    """The first and last moments that pass; in Berlin it is winter."""
    zone = {"days": given.pop("in")} if isinstance(given, dict) and "in" in given else {}
    asked = {"of": "things", "measure": {"last": "promised"}, "op": op, "value": given} | zone

    def passes(moment: datetime) -> bool:
        return is_in(asked, someone(things=[thing(promised_at=moment)]))

    assert passes(first or last or NOW)
    assert passes(last or first or NOW)
    assert first is None or not passes(first - TICK)
    assert last is None or not passes(last + TICK)
    assert first is not None or passes(NOW - 9000 * DAY)
    assert last is not None or passes(NOW + 9000 * DAY)


LATE = Clock(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), CLOCK.shop, CLOCK.person)  # in Berlin the 23rd has begun


@pytest.mark.parametrize(
    ("op", "given", "zone", "first", "last"),
    [
        ("within_last", {"days": 1}, "shop", date(2026, 11, 23), date(2026, 11, 23)),
        ("within_last", {"days": 3}, "shop", date(2026, 11, 21), date(2026, 11, 23)),
        ("within_last", {"weeks": 1}, "shop", date(2026, 11, 17), date(2026, 11, 23)),
        ("older_than", {"days": 3}, "shop", None, date(2026, 11, 20)),
        ("within_next", {"days": 3}, "shop", date(2026, 11, 23), date(2026, 11, 25)),
        ("before", "2026-11-22", None, None, date(2026, 11, 21)),
        ("after", "2026-11-22", None, date(2026, 11, 22), None),
    ],
)
def test_dates(op: str, given: Any, zone: str | None, first: date | None, last: date | None) -> None:
    asked = {"of": "things", "measure": {"last": "birthday"}, "op": op, "value": given}
    asked |= {"days": zone} if zone else {}

    def passes(day: date) -> bool:
        return is_in(asked, someone(things=[thing(birthday=days(day))]), LATE)

    edges = [(first, -DAY), (last, DAY)]
    for edge, out in edges:
        assert edge is None or (passes(edge) and not passes(edge + out))


def test_today_is_the_shops_or_the_persons() -> None:
    her = someone(NEW_YORK, things=[thing(birthday=days(date(1990, 11, 22)))])
    asked = {"of": "things", "measure": {"last": "birthday"}, "op": "anniversary_within", "value": {"days": 1}}
    assert is_in(asked | {"days": "person"}, her, LATE)
    assert not is_in(asked | {"days": "shop"}, her, LATE)


@pytest.mark.parametrize(
    ("born", "today", "within", "holds"),
    [
        (date(1990, 11, 22), date(2026, 11, 22), 1, True),
        (date(1990, 11, 23), date(2026, 11, 22), 1, False),
        (date(1990, 11, 23), date(2026, 11, 22), 2, True),
        (date(1990, 1, 1), date(2026, 12, 31), 2, True),
        (date(1990, 11, 21), date(2026, 11, 22), 364, False),
        (date(1990, 11, 21), date(2026, 11, 22), 365, True),
        (date(2030, 11, 22), date(2026, 11, 22), 1, True),
        (date(1996, 2, 29), date(2026, 2, 28), 1, True),
        (date(1996, 2, 29), date(2028, 2, 28), 1, False),
        (date(1996, 2, 29), date(2028, 2, 29), 1, True),
        (date(1996, 2, 29), date(2026, 3, 1), 364, False),
        (date(1996, 2, 28), date(2028, 2, 29), 1, False),
        (date(1996, 3, 1), date(2028, 2, 29), 2, True),
    ],
)
def test_anniversaries(born: date, today: date, within: int, holds: bool) -> None:
    asked = {"of": "things", "measure": {"last": "birthday"}, "op": "anniversary_within", "value": {"days": within}}
    clock = Clock(datetime(today.year, today.month, today.day, 12, tzinfo=UTC), CLOCK.shop, CLOCK.person)
    assert is_in(asked, someone(things=[thing(clock.at, birthday=days(born))]), clock) == holds


def test_filters_are_of_rows_and_their_moment_is_a_field() -> None:
    her = someone(things=[thing(NOW - DAY, word="web", price=5), thing(NOW, word="app", price=7)])
    web = {"where": [{"field": "word", "op": "is", "value": "web"}]}
    assert is_in({"of": "things", "measure": {"sum": "price"}, "op": "is", "value": 5} | web, her)
    older = {"where": [{"field": "at", "op": "older_than", "value": {"hours": 1}}]}
    assert is_in({"of": "things", "measure": {"sum": "price"}, "op": "is", "value": 5} | older, her)


def test_groups_are_nested_and_an_empty_one_takes_everybody() -> None:
    some, none = {"of": "things"}, {"of": "spans"}
    her = someone(things=[thing()])
    assert is_in({"all": []}, her)
    assert is_in({"any": [none, {"all": [some, {"not": none}]}]}, her)
    assert not is_in({"any": [none, {"all": [some, none]}]}, her)


def test_a_share_is_known_and_even() -> None:
    assert [number(1, "spring"), number(2, "spring"), number(2**40, "x")] == [352_372_268, 767_571_768, 1_978_651_451]
    assert limit(Decimal("0.01")) == PRIME // 10_000
    assert number(1, "spring") < limit(Decimal(100)) == PRIME
    spring = {c for c in range(20_000) if number(c, "spring") < limit(Decimal(30))}
    autumn = {c for c in range(20_000) if number(c, "autumn") < limit(Decimal(30))}
    assert 5740 < len(spring) < 6260
    assert 1640 < len(spring & autumn) < 1960


def test_a_share_is_asked_by_the_customers_number() -> None:
    half = {"share": {"percent": 50, "salt": "spring"}}
    chosen = [is_in(half, someone(customer_id=c)) for c in range(1, 9)]
    assert chosen == [number(c, "spring") < PRIME // 2 for c in range(1, 9)]
    assert True in chosen
    assert False in chosen
