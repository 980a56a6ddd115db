"""Group commit: who is stored with whom, and that nobody fails through another."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from regulars.foundation.inbox.grouping import Grouped

PATIENCE = 20.0


class _Store:
    """Notes every group that it is given; holds the first one until it is told to go on."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[str]) -> None:
        self.groups.append(sorted(items))
        self.has_begun.set()
        assert self.may_go_on.wait(PATIENCE)
        if "bad" in items:
            raise ValueError("bad")


def _given_together(store: _Store, first: str, then: Sequence[str]) -> dict[str, Future[None]]:
    """``then`` come while ``first`` is written."""
    grouped: Grouped[str] = Grouped(store)
    with ThreadPoolExecutor(max_workers=len(then) + 1) as pool:
        answers = {first: pool.submit(grouped.add, first)}
        assert store.has_begun.wait(PATIENCE)
        answers |= {one: pool.submit(grouped.add, one) for one in then}
        pause = threading.Event()
        while len(grouped._waiting) < len(then):
            pause.wait(0.001)
        assert not any(answer.done() for answer in answers.values())  # nobody is thanked before the commit
        store.may_go_on.set()
    assert grouped._waiting == []
    assert not grouped._is_busy
    return answers


def test_what_comes_meanwhile_is_one_group() -> None:
    store = _Store()
    answers = _given_together(store, "a", ["b", "c", "d"])
    assert store.groups == [["a"], ["b", "c", "d"]]
    assert [answer.exception() for answer in answers.values()] == [None] * 4


def test_whoever_fails_fails_alone() -> None:
    store = _Store()
    answers = _given_together(store, "a", ["b", "bad", "c"])
    assert store.groups[:2] == [["a"], ["b", "bad", "c"]]
    assert sorted(store.groups[2:]) == [["b"], ["bad"], ["c"]]
    assert isinstance(answers.pop("bad").exception(), ValueError)
    assert [answer.exception() for answer in answers.values()] == [None] * 3


def test_a_failure_leaves_the_door_open() -> None:
    store = _Store()
    store.may_go_on.set()
    grouped: Grouped[str] = Grouped(store)
    with pytest.raises(ValueError, match="bad"):
        grouped.add("bad")
    grouped.add("good")
    assert store.groups == [["bad"], ["good"]]
