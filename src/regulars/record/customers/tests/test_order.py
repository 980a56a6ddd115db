"""A customer's events keep their order for a reader, also across the moment of a merge or split."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from django.db import connections

from regulars.record.customers.families import families_of
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import decide_link, ensure_profiles
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import SHARDS, Entry, transaction
from regulars.record.events.models import Event, ParkedEvent
from regulars.record.events.readers import (
    PATIENCE,
    Reader,
    Recorded,
    catch_up,
    read_batch,
    replay_parked,
    waiting_shards,
)

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
KIND = "test.happened"


class Notebook:
    """Remembers the positions that it was given; fails at those of poisoned profiles."""

    def __init__(self, pause: Callable[[], float] = lambda: 0.0) -> None:
        self.seen: list[tuple[int, int]] = []
        self.poison: set[int] = set()
        self.pause = pause
        self.reader = Reader("notebook", frozenset({KIND}), self.handle)

    def handle(self, events: Sequence[Recorded], at: datetime) -> None:
        if self.poison & {e.profile_id for e in events}:
            raise ValueError("poison")
        time.sleep(self.pause())
        self.seen.extend((e.profile_id or 0, e.data["n"]) for e in events)


def people(count: int) -> list[int]:
    numbers = [IdentityInput(IdentityKind.STORE_CUSTOMER, str(n), "uk") for n in range(1, count + 1)]
    with transaction("import", "imp") as log:
        return ensure_profiles([PersonInput((number,), AT) for number in numbers], log)


def two_in_different_shards() -> tuple[int, int]:
    one, *others = people(SHARDS)
    other = next(p for p in others if customer_of(p) % SHARDS != customer_of(one) % SHARDS)
    return one, other


def happen(profile: int, n: int) -> None:
    with transaction("test") as log:
        log.append(Entry(KIND, AT, profile, customer_of(profile), data={"n": n}))


def shard_of(n: int) -> int:
    return Event.objects.get(kind=KIND, data__n=n).shard


@pytest.mark.django_db
def test_what_came_after_a_merge_waits_for_what_came_before_it_in_the_other_shard() -> None:
    one, other = two_in_different_shards()
    notebook = Notebook()
    happen(other, 1)
    decide_link(one, other, "must-link", staff_id=1, at=AT)
    happen(other, 2)
    happen(one, 3)
    old, new = shard_of(1), shard_of(2)
    assert (old != new, shard_of(3)) == (True, new)
    assert [read_batch(notebook.reader, new, AT) for _ in range(3)] == [False] * 3
    assert notebook.seen == []
    read_batch(notebook.reader, old, AT)
    read_batch(notebook.reader, new, AT)
    assert notebook.seen == [(other, 1), (other, 2), (one, 3)]


@pytest.mark.django_db
def test_others_of_the_waiting_shard_that_came_first_go_on() -> None:
    one, other = two_in_different_shards()
    notebook = Notebook()
    happen(one, 0)
    happen(other, 1)
    decide_link(one, other, "must-link", staff_id=1, at=AT)
    happen(one, 2)
    read_batch(notebook.reader, shard_of(2), AT)
    assert notebook.seen == [(one, 0)]
    catch_up([notebook.reader], AT)
    assert notebook.seen == [(one, 0), (other, 1), (one, 2)]


@pytest.mark.django_db
def test_after_a_split_too() -> None:
    one, other = two_in_different_shards()
    decide_link(one, other, "must-link", staff_id=1, at=AT)
    notebook = Notebook()
    happen(other, 1)
    decide_link(one, other, "cannot-link", staff_id=1, at=AT)
    happen(other, 2)
    read_batch(notebook.reader, shard_of(2), AT)
    assert notebook.seen == [] if shard_of(1) != shard_of(2) else [(other, 1), (other, 2)]
    catch_up([notebook.reader], AT)
    assert notebook.seen == [(other, 1), (other, 2)]


@pytest.mark.django_db
def test_what_is_parked_of_one_side_parks_the_joined_customers_later_events() -> None:
    one, other = two_in_different_shards()
    notebook = Notebook()
    notebook.poison = {other}
    happen(other, 1)
    for _ in range(PATIENCE):
        catch_up([notebook.reader], AT)
    decide_link(one, other, "must-link", staff_id=1, at=AT)
    happen(one, 2)
    catch_up([notebook.reader], AT)
    assert notebook.seen == []
    parked = ParkedEvent.objects.order_by("position")
    assert list(parked.values_list("profile_id", "attempts")) == [(other, PATIENCE), (one, 0)]
    notebook.poison = set()
    assert replay_parked(notebook.reader, one, AT) == 2
    assert notebook.seen == [(other, 1), (one, 2)]


@pytest.mark.django_db(transaction=True)
def test_readers_of_all_shards_at_once_while_customers_merge() -> None:
    """Four readers, and one writer that merges; each event finds everything earlier of its customer handled."""
    dice = random.Random(20261122)
    profiles = people(24)
    notebook = Notebook(lambda: random.random() / 200)
    over = threading.Event()
    kin: dict[int, frozenset[int]] = {}  # by event: the profiles of its customer when it was appended
    errors: list[BaseException] = []

    def read(seed: int) -> None:
        order = random.Random(seed)
        try:
            idle = 0
            while idle < 3:
                shards = waiting_shards(notebook.reader)
                idle = 0 if shards or not over.is_set() else idle + 1
                order.shuffle(shards)
                for shard in shards:
                    read_batch(notebook.reader, shard, AT, 3)
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for n in range(150):
        if n % 10 == 9:
            one, other = dice.sample(profiles, 2)
            decide_link(one, other, "must-link", staff_id=1, at=AT)
        profile = dice.choice(profiles)
        kin[n] = families_of([profile])[profile]
        happen(profile, n)
    over.set()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert sorted(n for _, n in notebook.seen) == list(range(150))
    place = {n: index for index, (_, n) in enumerate(notebook.seen)}
    wrong = [(n, k) for p, n in notebook.seen for k in range(n + 1, 150) if p in kin[k] and place[n] > place[k]]
    assert wrong == []
