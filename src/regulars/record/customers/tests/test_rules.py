"""The same set of links and decisions makes the same people, in whatever order it arrives."""

import random
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.record.customers.rules import MOST_PROFILES, Link, Pair, components, guess_look

PROFILES = range(1, 9)
DEVICES, VISITORS = frozenset({100, 101, 102}), frozenset({1, 2, 5})
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
    expected = components(PROFILES, facts, must, cannot, DEVICES, VISITORS)
    assert (
        components(profiles, shuffled, sorted(must, reverse=True), sorted(cannot, reverse=True), DEVICES, VISITORS)
        == expected
    )
    assert sorted(p for part in expected for p in part) == list(PROFILES)


@given(links, pairs)
def test_a_forbidden_pair_is_never_one_person(facts: set[Link], cannot: set[Pair]) -> None:
    for part in components(PROFILES, facts, set(), cannot, DEVICES, VISITORS):
        assert not any({pair.low, pair.high} <= part for pair in cannot)


def test_a_shared_identity_joins_nobody() -> None:
    crowd = range(MOST_PROFILES + 1)
    assert len(components(crowd, {Link(1, p) for p in crowd}, set(), set())) == len(crowd)
    assert len(components(crowd, {Link(1, p) for p in crowd[:-1]}, set(), set())) == 2


@pytest.mark.parametrize(
    ("name", "value", "look"),
    [
        ("newsletter", True, "yes or no"),
        ("visits", 3, "number"),
        ("second_mail", "a@b.example", "mail address"),
        ("mobile", "+44 20 7946 0000", "phone number"),
        ("birthday", "1980-02-29", "birthday"),
        ("since", "2020-01-01", "date"),
        ("shirt_size", "extra large", "code"),
        ("remark", "likes tea", "free text"),
    ],
)
def test_what_a_property_seems_to_hold(name: str, value: object, look: str) -> None:
    assert guess_look(name, value) == look


def test_a_device_joins_who_used_it_alone_and_nobody_once_two_did() -> None:
    ann, bob, visitor, device, other = 1, 2, 3, 50, 51
    alone = {Link(device, ann), Link(device, visitor), Link(7, ann), Link(8, bob)}

    def people(links: set[Link], must: Collection[Pair] = ()) -> list[set[int]]:
        found = components([ann, bob, visitor], links, must, set(), {device, other}, {visitor})
        return [set(part) for part in found]

    assert people(alone) == [{ann, visitor}, {bob}]
    assert people(alone | {Link(device, bob)}) == [{ann}, {bob}, {visitor}]
    # a mail address that both confirmed, or staff, say that they are one: then it was one person's device after all
    assert people(alone | {Link(device, bob), Link(9, ann), Link(9, bob)}) == [{ann, bob, visitor}]
    assert people(alone | {Link(device, bob)}, {Pair(ann, bob)}) == [{ann, bob, visitor}]
    # a device of several visitors whom nobody knows is one visitor
    assert people({Link(device, visitor), Link(other, visitor), Link(other, bob)}) == [{ann}, {bob, visitor}]
