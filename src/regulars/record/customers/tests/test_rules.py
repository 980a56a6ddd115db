"""The same set of links and decisions makes the same people, in whatever order it arrives."""

import random

from hypothesis import given
from hypothesis import strategies as st

from regulars.record.customers.rules import MOST_PROFILES, Link, Pair, components

PROFILES = range(1, 9)
links = st.sets(st.builds(Link, st.integers(100, 105), st.sampled_from(PROFILES)))
pairs = st.sets(
    st.tuples(st.sampled_from(PROFILES), st.sampled_from(PROFILES))
    .filter(lambda p: p[0] < p[1])
    .map(lambda p: Pair(*p)),
    max_size=4,
)


@given(links, pairs, pairs, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(
    facts: set[Link], must: set[Pair], cannot: set[Pair], dice: random.Random
) -> None:
    shuffled = sorted(facts) * 2
    dice.shuffle(shuffled)
    profiles = list(PROFILES)
    dice.shuffle(profiles)
    expected = components(PROFILES, facts, must, cannot)
    assert components(profiles, shuffled, sorted(must, reverse=True), sorted(cannot, reverse=True)) == expected
    assert sorted(p for part in expected for p in part) == list(PROFILES)


@given(links, pairs)
def test_a_forbidden_pair_is_never_one_person(facts: set[Link], cannot: set[Pair]) -> None:
    for part in components(PROFILES, facts, set(), cannot):
        assert not any({pair.low, pair.high} <= part for pair in cannot)


def test_a_shared_identity_joins_nobody() -> None:
    crowd = range(MOST_PROFILES + 1)
    assert len(components(crowd, {Link(1, p) for p in crowd}, set(), set())) == len(crowd)
    assert len(components(crowd, {Link(1, p) for p in crowd[:-1]}, set(), set())) == 2
