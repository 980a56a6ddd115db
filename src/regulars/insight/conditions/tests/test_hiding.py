"""Personal words of conditions as JSON: sealed before they are stored, opened again, forgotten."""

from typing import Any

import pytest

from regulars.insight.conditions.hiding import forget, has_words, hide, reveal
from regulars.insight.conditions.language import Word, leaves
from regulars.insight.conditions.reading import InvalidCondition, read_condition

Json = dict[str, Any]
ANNA: Json = {"of": "contacts", "where": [{"field": "first_name", "op": "is", "value": "Anna"}]}
CITY: Json = {"of": "contacts", "measure": {"last": "city"}, "op": "in", "value": ["Bremen", "Hamburg"]}
CLEAR: Json = {"of": "orders", "where": [{"field": "channel", "op": "is", "value": "web"}], "op": "ge", "value": 2}


def test_words_are_sealed_alike_wherever_they_stand_and_nothing_else_is() -> None:
    whole = {"all": [ANNA, {"not": CITY}, CLEAR, {"sequence": [CLEAR, ANNA], "within": {"days": 2}}]}
    hidden = hide(whole)
    text = str(hidden)
    assert not any(word in text for word in ("Anna", "Bremen", "Hamburg"))
    assert hidden["all"][2] == CLEAR
    assert hidden["all"][0] == hidden["all"][3]["sequence"][1] == hide(ANNA)
    assert (reveal(hidden), hide(hidden)) == (whole, hidden)
    assert has_words(hidden)
    assert not has_words(CLEAR)


@pytest.mark.parametrize(
    "broken",
    [
        {"of": "contacts", "where": {"field": "first_name", "op": "is", "value": "Anna"}},
        {"of": "contact", "where": [{"field": "first_name", "op": "is", "value": "Anna"}]},
        {"of": "contacts", "where": [{"field": "firstname", "op": "is", "value": "Anna"}]},
        {"of": "contacts", "measure": "first_name", "op": "is", "value": ["Anna"]},
        {"of": ["contacts"], "where": [{"field": {}, "value": "Anna"}]},
    ],
)
def test_what_cannot_be_read_yet_is_sealed_too(broken: Json) -> None:
    assert "Anna" not in str(hide(broken))
    assert reveal(hide(broken)) == broken


def test_a_sealed_word_means_the_same() -> None:
    assert read_condition(hide(ANNA)) == read_condition(ANNA)
    [word] = [one.test.value for leaf in leaves(read_condition(hide(ANNA))) for one in leaf.figure.rows.where]  # type: ignore[union-attr]
    assert isinstance(word, Word)
    assert word.plain == "Anna"
    assert "Anna" not in repr(word)


def test_a_forgotten_word_is_gone_and_the_others_stay() -> None:
    hidden = hide({"any": [ANNA, CITY]})
    bremen = hidden["any"][1]["value"][0]["sealed"]
    left = forget(hidden, {bremen})
    assert left["any"][1]["value"] == [{"sealed": ""}, hidden["any"][1]["value"][1]]
    assert reveal(left)["any"] == [ANNA, CITY | {"value": [{"sealed": ""}, "Hamburg"]}]
    assert read_condition(left) == read_condition(reveal(left))


@pytest.mark.parametrize(
    ("field", "op", "value", "sentence"),
    [
        ("city", "starts", "F", "give a begin of so many"),
        ("city", "starts", "Frankfurt", "give a begin of so many"),
        ("phone", "is", "0171 1234567", "a number is written with its country"),
        ("city", "is", "  ", "a word with a letter or a digit"),
        ("city", "is", {"sealed": "bm9uc2Vuc2U="}, "not of this installation"),
        ("city", "is", {"sealed": 5}, "not of this installation"),
        ("city", "is", {"seal": "x"}, "there is no 'seal' here"),
        ("city", "contains", "x", "token is not compared with 'contains'"),
    ],
)
def test_words_that_nobody_can_have_are_refused(field: str, op: str, value: Any, sentence: str) -> None:
    with pytest.raises(InvalidCondition, match=sentence):
        read_condition({"of": "contacts", "measure": {"last": field}, "op": op, "value": value})
