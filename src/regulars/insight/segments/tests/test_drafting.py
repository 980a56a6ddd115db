"""Moves in a definition that is being built: nothing gets lost, and nothing is there twice."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.insight.segments.drafting import (
    EVERYBODY,
    Node,
    Place,
    add,
    find,
    move,
    negate,
    parts,
    place_of,
    put,
    remove,
    text_of,
    toggle,
    unwrap,
    wrap,
)


def leaf(name: str) -> Node:
    return {"of": name}


A, B, C, D = (leaf(name) for name in "abcd")
TREE: Node = {"all": [A, {"any": [B, {"not": {"all": [C, D]}}]}]}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (find(TREE, (1, 1, 0)), C),
        (put(TREE, (1, 0), D), {"all": [A, {"any": [D, {"not": {"all": [C, D]}}]}]}),
        (add(TREE, (), D), {"all": [A, {"any": [B, {"not": {"all": [C, D]}}]}, D]}),
        (add(TREE, (1, 1), A, 0), {"all": [A, {"any": [B, {"not": {"all": [A, C, D]}}]}]}),
        (remove(TREE, (1, 0)), {"all": [A, {"any": [{"not": {"all": [C, D]}}]}]}),
        (remove({"all": [A, {"any": [B]}]}, (1, 0)), {"all": [A]}),
        (remove(TREE, ()), EVERYBODY),
        (move(TREE, (0,), (1, 1), 1), {"all": [{"any": [B, {"not": {"all": [C, A, D]}}]}]}),
        (move(TREE, (1, 1, 0), (), 0), {"all": [C, A, {"any": [B, {"not": {"all": [D]}}]}]}),
        (move({"all": [A, B, C]}, (0,), (), 2), {"all": [B, A, C]}),
        (move({"all": [A, B, C]}, (2,), (), 0), {"all": [C, A, B]}),
        (move(TREE, (1,), (1, 1), 0), TREE),
        (wrap(TREE, (0,), "any"), {"all": [{"any": [A]}, {"any": [B, {"not": {"all": [C, D]}}]}]}),
        (unwrap(TREE, (1,)), {"all": [A, B, {"not": {"all": [C, D]}}]}),
        (unwrap(TREE, (1, 1)), TREE),
        (toggle(TREE, (1, 1)), {"all": [A, {"any": [B, {"not": {"any": [C, D]}}]}]}),
        (toggle(TREE, ()), {"any": TREE["all"]}),
        (negate(TREE, (0,)), {"all": [{"not": A}, TREE["all"][1]]}),
        (negate(TREE, (1, 1)), {"all": [A, {"any": [B, {"all": [C, D]}]}]}),
        (negate(TREE, ()), {"all": [{"not": TREE}]}),
    ],
)  # fmt: skip
def test_each_move(made: Node, expected: Node) -> None:
    assert made == expected


def test_a_place_that_is_not_there() -> None:
    with pytest.raises(LookupError):
        find(TREE, (0, 0))
    with pytest.raises(ValueError, match="invalid"):
        place_of("x")
    assert place_of(text_of((1, 0, 2))) == (1, 0, 2)


def leaves(node: Node) -> list[str]:
    inner: Node = node.get("not", node)
    return (
        [name for part in parts(node) for name in leaves(part)]
        if parts(node)
        else [inner["of"]]
        if "of" in inner
        else []
    )


def places(node: Node, here: Place = ()) -> Iterator[Place]:
    yield here
    for number, part in enumerate(parts(node)):
        yield from places(part, (*here, number))


trees = st.recursive(
    st.sampled_from([A, B, C, {"not": D}]),
    lambda inner: st.tuples(
        st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3), st.booleans()
    ).map(lambda made: {"not": {made[0]: made[1]}} if made[2] else {made[0]: made[1]}),
    max_leaves=8,
).map(lambda node: {"all": [node]})


@given(trees, st.data())
def test_moving_keeps_every_condition_and_changes_no_other_tree(tree: Node, data: Any) -> None:
    before = repr(tree)
    source, target = (data.draw(st.sampled_from(sorted(places(tree)))) for _ in range(2))
    group = target if parts(find(tree, target)) else target[:-1]
    moved = move(tree, source, group, data.draw(st.integers(0, 4)))
    assert sorted(leaves(moved)) == sorted(leaves(tree))
    assert repr(tree) == before
    assert all(parts(find(moved, place)) or "of" in str(find(moved, place)) for place in places(moved))
