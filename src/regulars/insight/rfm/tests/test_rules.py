"""Scores and segments as pure functions."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.insight.rfm import rules
from regulars.insight.rfm.rules import (
    DEFAULT_POLICY,
    NUMBER,
    SCALES,
    SEGMENTS,
    InvalidPolicy,
    Range,
    RfmSegment,
    Rule,
    Scores,
)

values_strategy = st.lists(st.integers(-(10**12), 10**12) | st.integers(0, 4), min_size=1, max_size=200)


def array(values: list[int]) -> rules.Integers:
    return np.array(values, dtype=np.int64)


def test_quintiles_of_ten_values() -> None:
    values = array([10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    cuts = rules.cut_points(values, 5)
    assert cuts == (20, 40, 60, 80)
    assert rules.score_high(values, cuts).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert rules.score_low(values, cuts, 5).tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_few_distinct_values_keep_their_order_and_skip_scores() -> None:
    values = array([1] * 60 + [2] * 30 + [9] * 10)
    cuts = rules.cut_points(values, 5)
    assert cuts == (1, 1, 1, 2)
    assert rules.score_high(array([1, 2, 9]), cuts).tolist() == [1, 4, 5]


def test_one_value_for_all_is_the_lowest_score_or_the_most_recent() -> None:
    values = array([7] * 11)
    for n in SCALES:
        assert set(rules.score_high(values, rules.cut_points(values, n)).tolist()) == {1}
        assert set(rules.score_low(values, rules.cut_points(values, n), n).tolist()) == {n}


def test_nobody_has_no_cut_points() -> None:
    assert rules.cut_points(array([]), 5) == ()


@settings(deadline=None)
@given(values_strategy, st.sampled_from(SCALES))
def test_cut_points_are_the_nearest_ranks(values: list[int], n: int) -> None:
    ordered = sorted(values)
    smallest_with_share = [
        next(v for v in ordered if sum(w <= v for w in ordered) * n >= k * len(ordered)) for k in range(1, n)
    ]
    assert list(rules.cut_points(array(values), n)) == smallest_with_share


@settings(deadline=None)
@given(values_strategy, st.sampled_from(SCALES))
def test_ties_share_a_score_and_scores_follow_the_values(values: list[int], n: int) -> None:
    scores = rules.score_high(array(values), rules.cut_points(array(values), n)).tolist()
    pairs = sorted(zip(values, scores, strict=True))
    assert all(1 <= score <= n for score in scores)
    assert len(set(pairs)) == len(set(values))
    assert [score for _, score in pairs] == sorted(scores)


@settings(deadline=None)
@given(values_strategy, st.sampled_from(SCALES))
def test_no_score_is_given_to_more_than_its_share_but_for_ties(values: list[int], n: int) -> None:
    scores = rules.score_high(array(values), rules.cut_points(array(values), n)).tolist()
    most_common = max(Counter(values).values())
    share = -(-len(values) // n)
    assert max(Counter(scores).values()) < share + most_common


@settings(deadline=None)
@given(values_strategy, st.sampled_from(SCALES), st.integers(1, 3))
def test_a_person_more_or_less_does_not_reorder_the_others(values: list[int], n: int, more: int) -> None:
    cuts = rules.cut_points(array(values + values[:more]), n)
    assert list(cuts) == sorted(cuts)
    assert set(cuts) <= set(values)


@pytest.mark.parametrize("n", SCALES)
def test_every_cell_is_in_exactly_one_of_the_eleven_and_all_are_reached(n: int) -> None:
    chosen = [rules.segment_of(DEFAULT_POLICY.rules[n], *cell) for cell in rules.cells(n)]
    assert len(chosen) == n**3
    assert set(chosen) == set(SEGMENTS)
    assert rules.unreachable(DEFAULT_POLICY.rules[n], n) == []
    rules.check_rules(DEFAULT_POLICY.rules[n], n)


@pytest.mark.parametrize(
    ("cell", "segment"),
    [
        ((5, 5, 5), "champions"),
        ((3, 5, 5), "loyal"),
        ((5, 4, 1), "loyal"),
        ((5, 2, 3), "potential-loyalists"),
        ((5, 1, 1), "new"),
        ((4, 1, 5), "promising"),
        ((3, 2, 2), "needs-attention"),
        ((3, 1, 1), "about-to-sleep"),
        ((2, 3, 3), "at-risk"),
        ((1, 5, 5), "cant-lose"),
        ((2, 1, 1), "hibernating"),
        ((1, 1, 1), "lost"),
    ],
)
def test_the_published_default_on_five(cell: tuple[int, int, int], segment: str) -> None:
    assert rules.segment_of(DEFAULT_POLICY.rules[5], *cell) == segment


@st.composite
def edited_rules(draw: st.DrawFn) -> tuple[int, tuple[Rule, ...]]:
    """What staff may type: any rules at all, most of them sensible."""
    n = draw(st.sampled_from(SCALES))
    bound = st.integers(0, n + 1)
    ranges = st.builds(Range, bound, bound) | st.just(Range(1, n))
    rule = st.builds(Rule, st.sampled_from(SEGMENTS), ranges, ranges, ranges)
    edited = list(draw(st.just(list(DEFAULT_POLICY.rules[n])) | st.lists(rule, max_size=12)))
    for _ in range(draw(st.integers(0, 3))):
        if edited:
            edited[draw(st.integers(0, len(edited) - 1))] = draw(rule)
    if draw(st.booleans()):
        whole = Range(1, n)
        edited.append(Rule(draw(st.sampled_from(SEGMENTS)), whole, whole, whole))
    return n, tuple(edited)


@settings(deadline=None)
@given(edited_rules())
def test_after_any_accepted_edit_every_cell_is_in_exactly_one(edit: tuple[int, tuple[Rule, ...]]) -> None:
    n, edited = edit
    try:
        accepted = rules.parse_rules(rules.rules_as_json(edited), n)
    except InvalidPolicy:
        return
    assert accepted == edited
    found = rules.lookup(accepted, n)
    assert len(found) == n**3
    assert set(found.tolist()) <= set(NUMBER.values())
    cells = np.array(rules.cells(n), dtype=np.int64)
    everybody = Scores(cells[:, 0], cells[:, 1], cells[:, 2])
    assert rules.segments_of(accepted, everybody, n).tolist() == found.tolist()
    assert found.tolist() == [NUMBER[rules.segment_of(accepted, *cell)] for cell in rules.cells(n)]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("nonsense", "must be a list"),
        ([], "no rule at all"),
        ([{"segment": "champions"}], "Rule 1 is not readable"),
        ([{"segment": "kings", "r": [1, 5], "f": [1, 5], "m": [1, 5]}], "Rule 1 is not readable"),
        ([{"segment": "lost", "r": [1, 5], "f": [1, True], "m": [1, 5]}], "Rule 1 is not readable"),
        ([{"segment": "lost", "r": [1, 6], "f": [1, 5], "m": [1, 5]}], "not a range from 1 to 5"),
        ([{"segment": "lost", "r": [4, 3], "f": [1, 5], "m": [1, 5]}], "not a range from 1 to 5"),
        ([{"segment": "lost", "r": [1, 4], "f": [1, 5], "m": [1, 5]}], "last rule must take everybody"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(data: object, sentence: str) -> None:
    with pytest.raises(InvalidPolicy, match=sentence):
        rules.parse_rules(data, 5)


def test_rules_survive_json() -> None:
    for n in SCALES:
        assert rules.parse_rules(rules.rules_as_json(DEFAULT_POLICY.rules[n]), n) == DEFAULT_POLICY.rules[n]
    assert RfmSegment("cant-lose") is RfmSegment.CANT_LOSE
