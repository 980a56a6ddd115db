from datetime import UTC, datetime
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from regulars.foundation.work.leases import Held, LeaseLost, check_lease, extend_lease, release_lease, take_lease
from regulars.foundation.work.loops import Loop, Stop, drive, run_once
from regulars.foundation.work.models import Lease

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def expire(name: str) -> None:
    Lease.objects.filter(name=name).update(until=datetime(2020, 1, 1, tzinfo=UTC))


def test_one_holds_it_until_it_is_released() -> None:
    held = take_lease("mail", "a", 30)
    assert held == Held("mail", "a", 1)
    assert take_lease("mail", "b", 30) is None
    assert take_lease("mail", "a", 30) is None  # also not twice by the same
    release_lease(held)
    assert take_lease("mail", "b", 30) == Held("mail", "b", 2)


def test_whoever_slept_past_its_end_is_refused_after_a_take_over() -> None:
    slow = take_lease("mail", "a", 30)
    assert slow is not None
    expire("mail")
    check_lease(slow)  # expired, but nobody has taken over: its writes are still safe
    quick = take_lease("mail", "b", 30)
    assert quick == Held("mail", "b", 2, was_left=True)
    with pytest.raises(LeaseLost), transaction.atomic():
        check_lease(slow)
    assert extend_lease(slow, 30) is False
    release_lease(slow)
    assert take_lease("mail", "c", 30) is None  # the late release has taken nothing from the new owner
    assert extend_lease(quick, 30) is True


def test_run_once_gives_the_batch_the_time_that_it_is_told() -> None:
    assert run_once(Loop(lambda stop, at: at == AT, "test"), at=AT) is True


@pytest.mark.django_db(transaction=True)
def test_an_exclusive_loop_runs_in_one_worker_and_moves_to_the_next() -> None:
    runs: list[str] = []
    began = Event()

    def loop_of(owner: str) -> Loop:
        def batch(stop: Stop, at: datetime) -> bool:
            with transaction.atomic():
                stop.check_fence()
                runs.append(owner)
            began.set()
            return False

        return Loop(batch, "test", idle_seconds=0.05, is_exclusive=True)

    stops = {owner: Event() for owner in "ab"}
    first = Thread(target=drive, args=("exclusive", loop_of("a"), "a", stops["a"]))
    first.start()
    assert began.wait(10)
    second = Thread(target=drive, args=("exclusive", loop_of("b"), "b", stops["b"]))
    second.start()
    stops["b"].wait(0.5)
    assert set(runs) == {"a"}
    began.clear()
    stops["a"].set()
    first.join(10)
    runs.clear()
    assert began.wait(10)
    assert set(runs) == {"b"}
    stops["b"].set()
    second.join(10)
    assert Lease.objects.get(name="loop:exclusive").fence == 2


@pytest.mark.django_db(transaction=True)
def test_a_failing_batch_is_tried_again_and_a_lost_connection_made_anew() -> None:
    done = Event()
    tries: list[int] = []

    def batch(stop: Stop, at: datetime) -> bool:
        tries.append(1)
        with connection.cursor() as cursor:
            if len(tries) == 1:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            cursor.execute("SELECT 1")
        done.set()
        return False

    stopping = Event()
    thread = Thread(target=drive, args=("fragile", Loop(batch, "test"), "a", stopping))
    thread.start()
    assert done.wait(10)
    stopping.set()
    thread.join(10)
    assert len(tries) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_over", [False, True])
def test_whoever_wants_it_while_its_owner_is_writing_waits_for_nobody(is_over: bool) -> None:
    held = take_lease("mail", "a", 30)
    assert held is not None
    found: list[Held | None] = []

    def want() -> None:
        found.append(take_lease("mail", "b", 30))
        connection.close()

    if is_over:
        expire("mail")
    with transaction.atomic():
        check_lease(held)
        other = Thread(target=want)
        other.start()
        other.join(3)  # less than the time for which a lock is waited for
        assert found == [None]
    assert (take_lease("mail", "b", 30) is not None) == is_over
