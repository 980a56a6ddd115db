"""A transaction that others made fail is begun again; one that fails for good says so with 503 and changes nothing."""

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, connections, transaction

from regulars.foundation import retrying
from regulars.foundation.retrying import RETRIES, Busy, Overtaken, retry
from regulars.foundation.shop.models import Brand

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two() -> tuple[int, int]:
    first, second = (Brand.objects.create(name=n, from_name="-", from_address="a@shop.example") for n in ("a", "b"))
    return first.pk, second.pk


def in_threads(*works: Callable[[], None]) -> list[BaseException]:
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  shown by the test
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


def crossing(two: tuple[int, int], attempts: list[str]) -> list[Callable[[], None]]:
    """Two pieces of work that take the same two rows in opposite order and meet in the middle at their first attempt."""
    middle = threading.Barrier(2)

    def write(word: str, first: int, second: int) -> None:
        is_first = word not in attempts
        attempts.append(word)
        with transaction.atomic():
            append(first, word)
            if is_first:
                middle.wait(10)
            append(second, word)

    one, other = two
    return [lambda: write("x", one, other), lambda: write("y", other, one)]


def append(brand: int, word: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_brand SET from_name = from_name || %s WHERE id = %s", [word, brand])


def names() -> list[set[str]]:
    return [set(name) for name in Brand.objects.order_by("pk").values_list("from_name", flat=True)]


def test_two_who_truly_deadlock_both_write_in_the_end(two: tuple[int, int]) -> None:
    attempts: list[str] = []
    first, second = crossing(two, attempts)
    assert in_threads(lambda: retry(first), lambda: retry(second)) == []
    assert names() == [{"-", "x", "y"}, {"-", "x", "y"}]
    assert sorted(attempts) in (["x", "x", "y"], ["x", "y", "y"])


def test_without_it_one_of_the_two_is_lost(two: tuple[int, int]) -> None:
    [error] = in_threads(*crossing(two, []))
    assert retrying.is_passing(error)


def test_it_gives_up_after_three_retries_with_a_sentence_and_a_time(two: tuple[int, int]) -> None:
    tried: list[int] = []

    def never() -> None:
        with transaction.atomic():
            append(two[0], "x")
            tried.append(1)
            raise Overtaken

    with pytest.raises(Busy, match="try again in a second") as caught:
        retry(never)
    assert (len(tried), caught.value.status, caught.value.details) == (RETRIES + 1, 503, {"retry_after": 1})
    assert names() == [{"-"}, {"-"}]


def test_what_fails_by_itself_fails_once(two: tuple[int, int]) -> None:
    tried: list[int] = []

    def wrong() -> None:
        tried.append(1)
        Brand.objects.create(pk=two[0], name="c", from_name="-", from_address="a@shop.example")

    with pytest.raises(IntegrityError):
        retry(wrong)
    assert len(tried) == 1


def test_inside_a_transaction_whoever_began_it_begins_again(two: tuple[int, int]) -> None:
    tried: list[int] = []

    def overtaken() -> None:
        tried.append(1)
        raise Overtaken

    with pytest.raises(Overtaken), transaction.atomic():
        retry(overtaken)
    assert len(tried) == 1
