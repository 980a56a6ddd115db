"""Walking through a list: nothing is left out, whatever goes away or hides meanwhile, and the walk comes to an end."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.connections.woocommerce.calls import Answer
from regulars.connections.woocommerce.pages import walk
from regulars.connections.woocommerce.tests.shop import account

SIZE = 20


class List:
    """A list of the shop: rows by number, of which it does not show the hidden ones."""

    def __init__(self, rows: list[int], hidden: set[int], knows_total: bool) -> None:
        self.rows, self.hidden, self.knows_total, self.asked = rows, hidden, knows_total, 0

    def get(self, account: object, path: str, query: Mapping[str, Any]) -> Answer:
        assert (query["orderby"], query["order"], query["per_page"]) == ("id", "asc", SIZE)
        self.asked += 1
        stretch = sorted(self.rows)[query.get("offset", 0) :][:SIZE]
        shown = [{"id": row} for row in stretch if row not in self.hidden]
        return Answer(b"", shown, len(self.rows) if self.knows_total else None)


def _walk_through(shop: List, monkeypatch: pytest.MonkeyPatch, between: Any) -> tuple[list[int], int]:
    """The numbers in the order in which they were new, and how many calls it took."""
    monkeypatch.setattr("regulars.connections.woocommerce.calls.get", shop.get)
    seen: list[int] = []
    cursor = ""
    for _ in range(1000):
        stretch = walk(account(), "orders", cursor, {}, SIZE)
        assert not stretch.fresh & set(seen)
        seen += sorted(stretch.fresh)
        cursor = stretch.cursor
        if not cursor:
            return seen, shop.asked
        between(seen)
    raise AssertionError("the walk does not end")


@given(
    count=st.integers(0, 150),
    hidden=st.floats(0, 1),
    gone=st.integers(0, 60),
    fresh=st.integers(0, 5),
    seed=st.integers(),
)
def test_nothing_that_stays_is_left_out(count: int, hidden: float, gone: int, fresh: int, seed: int) -> None:
    dice = Random(seed)
    rows = list(range(1, count + 1))
    shop = List(rows, {row for row in rows if dice.random() < hidden}, knows_total=True)

    def happens(seen: list[int]) -> None:
        for row in dice.sample(rows, min(gone, len(rows))) if dice.random() < 0.3 else ():
            rows.remove(row)
        if fresh and dice.random() < 0.3 and len(rows) < 200:
            rows.extend(range(max(rows, default=count) + 1, max(rows, default=count) + 1 + fresh))

    with pytest.MonkeyPatch.context() as patch:
        seen, _ = _walk_through(shop, patch, happens)
    stayed = {row for row in range(1, count + 1) if row in rows and row not in shop.hidden}
    assert stayed <= set(seen)
    assert seen == sorted(seen)


def test_a_quiet_list_takes_no_call_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, asked = _walk_through(List(list(range(1, 101)), set(), True), monkeypatch, lambda seen: None)
    assert seen == list(range(1, 101))
    assert asked == 9  # twenty, and ten more each time


def test_a_long_row_of_hidden_things_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = List(list(range(1, 201)), set(range(15, 100)), True)
    seen, _ = _walk_through(shop, monkeypatch, lambda seen: None)
    assert seen == [*range(1, 15), *range(100, 201)]


def test_without_a_total_a_short_page_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, asked = _walk_through(List(list(range(1, 26)), set(), False), monkeypatch, lambda seen: None)
    assert (seen, asked) == (list(range(1, 26)), 2)
