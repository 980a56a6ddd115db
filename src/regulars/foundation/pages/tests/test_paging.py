"""Pages of a list, forwards and backwards, with ties and with rows that have no value."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from regulars.foundation.pages.paging import BrokenCursor, Cursor, Order, Rows, page_of
from regulars.foundation.work.models import Task

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
NEWEST = Order("created_at")
ENDED = Order("ended_at", descending=False, nullable=True)


@pytest.fixture
def tasks(db: None) -> QuerySet[Task]:
    """23 tasks; two begin at each moment, and every third has not ended."""
    for n in range(23):
        ended_at = None if n % 3 == 0 else BEGAN + timedelta(hours=n // 4)
        Task.objects.create(kind="test", title=str(n), created_at=BEGAN + timedelta(minutes=n // 2), ended_at=ended_at)
    return Task.objects.all()


def walk(rows: QuerySet[Task], order: Order, cursor: str = "", backward: bool = False) -> list[Rows]:
    pages = [page_of(rows, order, cursor, rows.count(), size=5)]
    while following := pages[-1].previous if backward else pages[-1].next:
        pages.append(page_of(rows, order, following, rows.count(), size=5))
    return pages


@pytest.mark.parametrize(
    "order",
    [
        NEWEST,
        ENDED,
        Order("id", descending=False),
        Order("ended_at", nullable=True),
        Order("ended_at", nullable=True, few=23),
    ],
)
def test_walking_there_and_back_meets_every_row_once(tasks: QuerySet[Task], order: Order) -> None:
    there = walk(tasks, order)
    ids = [row.pk for page in there for row in page.items]
    assert sorted(ids) == sorted(tasks.values_list("pk", flat=True))
    assert [(page.first, page.last) for page in there] == [(1, 5), (6, 10), (11, 15), (16, 20), (21, 23)]
    back = walk(tasks, order, there[-1].previous, backward=True)
    assert [row.pk for page in reversed(back) for row in page.items] == ids[:20]
    assert [page.first for page in back] == [16, 11, 6, 1]


def test_rows_without_a_value_come_last_in_either_direction(tasks: QuerySet[Task]) -> None:
    for order in (ENDED, Order("ended_at", nullable=True)):
        ended = [row.ended_at is not None for page in walk(tasks, order) for row in page.items]
        assert ended == [True] * 15 + [False] * 8


def test_a_row_that_arrives_meanwhile_moves_nothing(tasks: QuerySet[Task]) -> None:
    first = page_of(tasks, NEWEST, "", 23, size=5)
    Task.objects.create(kind="test", title="new", created_at=BEGAN + timedelta(days=1))
    second = page_of(tasks, NEWEST, first.next, 24, size=5)
    assert [row.title for row in second.items] == ["17", "16", "15", "14", "13"]


@pytest.mark.parametrize(
    "token", ["x", "W10", "bnVsbA", Cursor(1, 1, 0).encode()[:-3], "WzEsMiwzLDRd", "W1sidCIsMV0sMSwxLDBd", "é"]
)
def test_a_damaged_cursor_is_refused_with_a_sentence(token: str) -> None:
    with pytest.raises(BrokenCursor, match="damaged"):
        Cursor.decode(token)


def test_a_cursor_of_another_list_is_refused(tasks: QuerySet[Task]) -> None:
    with pytest.raises(BrokenCursor):
        page_of(tasks, NEWEST, Cursor("not a moment", 1, 5).encode(), 23)


def test_only_few_rows_are_sorted_past_the_index(tasks: QuerySet[Task], django_assert_num_queries: Any) -> None:
    for few, is_gathered in ((23, True), (22, False)):
        with django_assert_num_queries(1) as asked:
            page_of(tasks, Order("created_at", few=few), "", 23)
        assert ("GREATEST" in asked[0]["sql"]) is is_gathered
