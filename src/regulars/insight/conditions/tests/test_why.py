"""Why somebody is in: the value seen, the rows it came from, what would change it, and all of it in words."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from regulars.insight.conditions.language import Leaf, Sequence, Share
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.tests.asking import CLOCK, NOW, Json, someone, thing
from regulars.insight.conditions.tests.catalog import INVENTED
from regulars.insight.conditions.tests.test_sequences import START, sequence
from regulars.insight.conditions.tests.test_sequences import rows as happened
from regulars.insight.conditions.why import ByMore, ByStep, ByTime, Group, Joined, Reason, Seen, reasons, why
from regulars.insight.conditions.words import Words

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEB = [{"field": "word", "op": "is", "value": "web"}]
DEAR = {"field": "price", "op": "ge", "value": 5000}
WORDS = Words("EUR")


def reason_of(condition: Json, person: Person) -> Reason:
    with INVENTED.offered():
        [one] = reasons(why(read_condition(condition), person, CLOCK))
        return one


def test_each_leaf_is_explained_in_the_shape_of_the_condition() -> None:
    her = someone(things=[thing()])
    some, none = {"of": "things"}, {"of": "spans"}
    with INVENTED.offered():
        found = why(read_condition({"all": [some, {"not": none}, {"any": [none]}]}), her, CLOCK)
        assert isinstance(found, Group)
        first, second, third = found.parts
        assert (found.joined, found.holds) == (Joined.ALL, False)
        assert isinstance(first, Reason)
        assert isinstance(second, Group)
        assert isinstance(third, Group)
        assert (second.joined, second.holds, second.parts[0].holds) == (Joined.NOT, True, False)
        assert (third.joined, third.holds) == (Joined.ANY, False)
        assert [one.holds for one in reasons(found)] == [True, False, False]


def test_a_count_too_low_says_how_many_are_missing_and_until_when() -> None:
    rows = [thing(NOW - 29 * DAY, word="web"), thing(NOW - 9 * DAY, word="web"), thing(NOW, word="app")]
    seen = reason_of(
        {"of": "things", "where": WEB, "window": {"last": {"days": 30}}, "op": "ge", "value": 4}, someone(things=rows)
    )
    assert (seen.holds, seen.value, seen.row_count) == (False, 2, 2)
    assert seen.rows == (Seen("things", 2, NOW - 9 * DAY), Seen("things", 1, NOW - 29 * DAY))
    assert seen.changes == (ByMore(Fraction(2), NOW + DAY),)


def test_what_holds_says_when_it_ends() -> None:
    lately = {"of": "things", "window": {"last": {"days": 30}}}
    seen = reason_of(lately, someone(things=[thing(NOW - 29 * DAY)]))
    assert (seen.holds, seen.value, seen.wakes_at) == (True, 1, NOW + DAY)
    assert seen.changes == (ByTime(NOW + DAY, False),)
    none = reason_of(lately | {"op": "is", "value": 0}, someone(things=[thing(NOW - 29 * DAY)]))
    assert none.changes == (ByTime(NOW + DAY, True),)


@pytest.mark.parametrize(
    ("measure", "op", "value", "more"),
    [
        ({"sum": "price"}, "ge", 1000, 750),
        ({"sum": "price"}, "gt", 1000, 751),
        ({"sum": "price"}, "between", [1000, 2000], 750),
        ({"sum": "price"}, "lt", 100, None),
        ({"sum": "weight"}, "gt", "2.5", Fraction(1_500_001, 1_000_000)),
        ({"distinct": "word"}, "ge", 3, 2),
        ("count", "gt", "1.5", 1),
        ("count", "is", 0, None),
        ({"last": "price"}, "ge", 1000, None),
    ],
)
def test_how_much_is_missing(measure: Any, op: str, value: Any, more: Fraction | int | None) -> None:
    her = someone(things=[thing(price=250, weight=Decimal(1), word="a")])
    seen = reason_of({"of": "things", "measure": measure, "op": op, "value": value}, her)
    assert not seen.holds
    assert seen.changes == (() if more is None else (ByMore(Fraction(more), None),))


def test_values_come_from_the_rows_that_decide() -> None:
    rows = [thing(NOW - 2 * DAY, price=5), thing(NOW - DAY, price=9), thing(NOW, price=7)]
    for measure, key in (("first", 1), ("max", 2), ("last", 3)):
        seen = reason_of({"of": "things", "measure": {measure: "price"}, "op": "ge", "value": 1}, someone(things=rows))
        assert [row.key for row in seen.rows] == [key]
    ratio = {"ratio": [{"of": "things", "measure": {"max": "price"}}, {"of": "things"}], "op": "ge", "value": 1}
    seen = reason_of(ratio, someone(things=rows))
    assert (seen.value, [row.key for row in seen.rows]) == (3, [3, 2, 1])


def test_at_most_ten_rows_are_named() -> None:
    seen = reason_of({"of": "things"}, someone(things=[thing(NOW - place * DAY) for place in range(12)]))
    assert seen.row_count == 12
    assert [row.key for row in seen.rows] == list(range(1, 11))


@pytest.mark.parametrize(
    ("steps", "said", "keys", "changes"),
    [
        ("a b", "a0 b1", [2, 1], []),
        ("a b", "a0", [1], []),
        ("a b", "b0", [], []),
        ("a b c", "a0 b1 a230", [2, 1], [(1, 230, 330)]),
        ("a !b c", "a230 b231 a235", [3], [(2, 235, 335)]),
        ("a !b c", "a230 b231", [1], []),
        ("a !b", "a230", [1], []),
    ],
)
def test_a_sequence_says_how_far_it_came(
    steps: str, said: str, keys: list[int], changes: list[tuple[int, int, int]]
) -> None:
    """Ten days ago is hour 0, so now is hour 240; within 100 hours."""
    seen = reason_of(sequence(steps, 100), someone(things=happened(said)))
    steps_missing = [one for one in seen.changes if isinstance(one, ByStep)]
    assert [row.key for row in seen.rows] == keys
    assert steps_missing == [
        ByStep(place, START + after * HOUR, START + before * HOUR) for place, after, before in changes
    ]


SENTENCES = [
    ({"of": "things"}, "has things"),
    ({"of": "things", "op": "is", "value": 0}, "has no things"),
    ({"of": "things", "op": "gt", "value": 1}, "has at least 2 things"),
    ({"of": "things", "op": "lt", "value": 1}, "has no things"),
    ({"of": "things", "op": "is", "value": 1}, "the number of things is 1"),
    (
        {"of": "things", "op": "ge", "value": 2, "window": {"last": {"days": 30}}, "where": [*WEB, DEAR]},
        "has at least 2 things in the last 30 days, where word is “web” and price is at least €50.00",
    ),
    (
        {"of": "things", "window": {"last": {"weeks": 1}, "days": "shop"}},
        "has things in the last 1 week by the shop's days",
    ),
    ({"of": "things", "window": {"ago": [{"days": 60}, {"days": 30}]}}, "has things between 60 days and 30 days ago"),
    (
        {"of": "things", "window": {"after": "2026-01-01", "before": "2026-02-01"}},
        "has things from 1 Jan 2026 until before 1 Feb 2026",
    ),
    ({"of": "things", "window": "since_entry"}, "has things since entering the workflow"),
    (
        {"of": "things", "measure": {"sum": "price"}, "op": "between", "value": [100, 250]},
        "the sum of price over things is from €1.00 to €2.50",
    ),
    (
        {"of": "things", "measure": {"last": "at"}, "op": "older_than", "value": {"days": 1}},
        "the last moment over things is more than 1 day ago",
    ),
    (
        {"of": "things", "measure": {"last": "word"}, "op": "not_in", "value": ["a", "b"], "missing": "in"},
        "the last word over things is none of “a”, “b” or has no value",
    ),
    (
        {"of": "things", "measure": {"last": "name"}, "op": "is", "value": "t-an"},
        "the last name over things is a word that is kept sealed",
    ),
    (
        {"of": "things", "measure": {"last": "birthday"}, "op": "anniversary_within", "value": {"days": 7}},
        "the last birthday over things comes round within 7 days by the shop's days",
    ),
    (
        {"of": "things", "measure": "gap", "op": "lt", "value": "30.5"},
        "the average days between two of things is below 30.5",
    ),
    (
        {"ratio": [{"of": "things", "where": [{"field": "loved", "op": "is", "value": False}]}, {"of": "things"}], "op": "gt", "value": "0.5"},
        "the number of things (where not: loved), divided by the number of things, is above 0.5",
    ),
    (sequence("a !b", 6), "first things (where word is “a”), then no things (where word is “b”), all within 6 hours"),
    ({"share": {"percent": "12.5", "salt": "x"}}, "is in a share of 12.5 percent by chance"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "sentence"), SENTENCES)
def test_sentences(condition: Json, sentence: str) -> None:
    with INVENTED.offered():
        leaf = read_condition(condition)
        assert isinstance(leaf, Leaf | Sequence | Share)
        assert WORDS.leaf(leaf) == sentence


def test_a_personal_word_is_read_by_whom_it_may_be_and_not_once_it_was_forgotten() -> None:
    with INVENTED.offered():
        both = read_condition(
            {"of": "things", "measure": {"last": "name"}, "op": "in", "value": ["anna", {"sealed": ""}]}
        )
        assert isinstance(both, Leaf)
        shown = replace(WORDS, shows_words=True).leaf(both)
    assert shown == "the last name over things is one of “anna”, a word that was forgotten with its person"


def test_what_would_change_it_in_words() -> None:
    her = someone(things=[*happened("a230"), thing(NOW - 29 * DAY, word="x", price=250)])
    few = reason_of({"of": "things", "window": {"last": {"days": 30}}, "op": "ge", "value": 3}, her)
    little = reason_of({"of": "things", "measure": {"sum": "price"}, "op": "ge", "value": 1000}, her)
    begun = reason_of(sequence("a b", 100), her)
    old = reason_of({"of": "things", "window": {"last": {"days": 30}}, "op": "ge", "value": 2}, her)
    with INVENTED.offered():
        said = [WORDS.change(change, one.leaf) for one in (few, little, begun, old) for change in one.changes]
    assert said == [
        "1 more of: things before 23 November 2026, 12:00:00 UTC",
        "€7.50 more by price of things",
        "then things (where word is “b”) before 26 November 2026, 06:00:00 UTC",
        "turns false on 23 November 2026, 12:00:00 UTC by itself",
    ]


def test_every_kind_of_value_is_written() -> None:
    values: dict[str, Any] = {
        "weight": Decimal("10.5"),
        "price": 250,
        "promised_at": NOW,
        "birthday": 20_000,
        "is_loved": False,
        "tags": "\x1fred\x1fblue\x1f",
        "name_tokens": "\x1ft-an\x1f",
        "word": None,
    }
    fields = {field.column: (name, field.type) for name, field in INVENTED.relations["things"].fields.items()}
    said = []
    for column, value in values.items():
        name, type_ = fields[column]
        asked = {"of": "things", "measure": {"last": name}, "op": "set"}
        said.append(WORDS.value(reason_of(asked, someone(things=[thing() | {column: value}])).value, type_))
    assert said == [
        "10.5",
        "€2.50",
        "22 November 2026, 12:00:00 UTC",
        "4 Oct 2024",
        "no",
        "red, blue",
        "(personal)",
        "no value",
    ]
