"""A reader handles each event once, in order, and a poisoned one stops only its own customer."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from regulars.foundation.audit.models import AuditEntry
from regulars.record.events.log import Entry, head, transaction
from regulars.record.events.models import Event, ParkedEvent, ReaderPosition
from regulars.record.events.queries import list_parked
from regulars.record.events.readers import (
    PATIENCE,
    READERS,
    EarlierIsParked,
    Reader,
    Recorded,
    catch_up,
    lag,
    read_on,
    replay_one,
    replay_parked,
    waiting_shards,
)

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Notebook:
    """Remembers what it was given; fails at the profiles that it is told to."""

    def __init__(self, *poison: int) -> None:
        self.seen: list[tuple[int, int]] = []
        self.poison = set(poison)
        self.reader = Reader("notebook", frozenset({"test.happened"}), self.handle)

    def handle(self, events: Sequence[Recorded], at: datetime) -> None:
        for event in events:
            if event.profile_id in self.poison:
                raise ValueError("poison")
        self.seen.extend((e.profile_id or 0, e.data["n"]) for e in events)


def happen(profile: int, n: int, kind: str = "test.happened") -> None:
    with transaction("test") as log:
        log.append(Entry(kind, AT, profile_id=profile, data={"n": n}))


def run(notebook: Notebook, rounds: int = 1) -> None:
    for _ in range(rounds):
        catch_up([notebook.reader], AT)


def test_each_event_once_and_only_wanted_kinds() -> None:
    notebook = Notebook()
    happen(1, 1)
    happen(1, 2, kind="test.other")
    happen(2, 3)
    run(notebook, 3)
    assert sorted(notebook.seen) == [(1, 1), (2, 3)]
    assert lag() == {"notebook": 0}


def test_a_reader_that_begins_looks_only_where_something_is_for_it() -> None:
    notebook = Notebook()
    happen(1, 1)
    happen(2, 2, kind="test.other")
    assert waiting_shards(notebook.reader) == [1]
    assert list(ReaderPosition.objects.filter(position=0).values_list("shard", flat=True)) == [1]


@pytest.mark.django_db(transaction=True)
def test_whoever_began_first_and_commits_last_is_read_last_and_not_missed() -> None:
    """Bar 25: two writers whose commits come in reversed order; both speak of one customer, whose events keep the order of the log."""
    notebook, has_begun, may_end = Notebook(), threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction("test") as log:
            log.append(Entry("test.happened", AT, profile_id=1, data={"n": 1}))
            has_begun.set()
            may_end.wait(5)
        connection.close()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert has_begun.wait(5)
    happen(1, 2)
    happen(2, 3)
    run(notebook, 2)
    assert sorted(notebook.seen) == [(1, 2), (2, 3)]
    may_end.set()
    slow.join()
    happen(1, 4)
    run(notebook, 2)
    assert [n for profile, n in notebook.seen if profile == 1] == [2, 1, 4]
    in_log = Event.objects.filter(profile_id=1).order_by("position").values_list("data__n", flat=True)
    assert list(in_log) == [2, 1, 4]
    assert lag() == {"notebook": 0}


def test_a_poisoned_event_is_parked_with_its_customers_later_ones_and_nobody_elses() -> None:
    notebook = Notebook(1)
    for n in range(4):
        happen(1, n)
        happen(17, n)  # the same shard as 1
        happen(2, n)
    run(notebook, PATIENCE + 1)
    assert sorted(notebook.seen) == [(2, 0), (2, 1), (2, 2), (2, 3), (17, 0), (17, 1), (17, 2), (17, 3)]
    assert ParkedEvent.objects.filter(profile_id=1).count() == 4
    notebook.poison.clear()
    assert replay_parked(notebook.reader, 1, AT) == 4
    assert notebook.seen[-4:] == [(1, 0), (1, 1), (1, 2), (1, 3)]
    happen(1, 9)
    run(notebook)
    assert notebook.seen[-1] == (1, 9)


def test_the_position_is_committed_with_the_effects() -> None:
    notebook = Notebook(1)
    happen(1, 0)
    run(notebook)
    place = ReaderPosition.objects.get(shard=1)
    assert (place.failures, place.position) == (1, 0)
    notebook.poison.clear()
    run(notebook)
    place.refresh_from_db()
    assert (place.failures, place.position) == (0, head())


def test_parked_events_are_listed_and_replayed_by_command(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = Notebook(1)
    monkeypatch.setitem(READERS._entries, "notebook", notebook.reader)
    happen(1, 0)
    happen(1, 1)
    run(notebook, PATIENCE + 1)
    said = StringIO()
    call_command("events", "parked", "--reader", "notebook", stdout=said)
    assert "notebook: 2 of profile 1: ValueError: failed 3 times" in said.getvalue()
    with pytest.raises(CommandError, match="profile 1 stays parked: ValueError"):
        call_command("events", "replay", "--reader", "notebook", stdout=said)
    assert ParkedEvent.objects.filter(replayed_at=None).count() == 2
    notebook.poison.clear()
    call_command("events", "replay", "--reader", "notebook", stdout=said)
    assert notebook.seen == [(1, 0), (1, 1)]
    assert list_parked() == []
    written = AuditEntry.objects.order_by("sequence").values_list("action", "details")
    assert list(written) == [("parked.replay", {"customers": 1, "failed": n}) for n in (1, 0)]


def test_a_replay_stops_at_what_fails_again_and_counts_the_attempt() -> None:
    notebook = Notebook(1)
    for n in range(3):
        happen(1, n)
    run(notebook, PATIENCE + 1)
    attempts = ParkedEvent.objects.order_by("position").values_list("attempts", flat=True)
    assert list(attempts) == [PATIENCE, 0, 0]
    with pytest.raises(ValueError, match="poison"):
        replay_parked(notebook.reader, 1, AT)
    assert list(attempts.all()) == [PATIENCE + 1, 0, 0]
    assert ParkedEvent.objects.filter(replayed_at=None).count() == 3


def test_one_is_replayed_alone_only_when_nothing_earlier_of_its_customer_is_parked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notebook = Notebook(1)
    monkeypatch.setitem(READERS._entries, "notebook", notebook.reader)
    happen(1, 0)
    happen(1, 1)
    run(notebook, PATIENCE + 1)
    notebook.poison.clear()
    first, second = ParkedEvent.objects.order_by("position")
    with pytest.raises(EarlierIsParked):
        replay_one(second, AT)
    assert notebook.seen == []
    replay_one(first, AT)
    replay_one(second, AT)
    assert notebook.seen == [(1, 0), (1, 1)]


def test_shards_that_are_read_together_come_in_the_order_of_the_log() -> None:
    given: list[list[int]] = []
    reader = Reader(
        "together", frozenset({"test.happened"}), lambda events, at: given.append([e.data["n"] for e in events]), 1
    )
    for n, profile in enumerate((3, 1, 2, 1, 3)):
        happen(profile, n)
    assert read_on(reader, AT, 3)
    assert not read_on(reader, AT, 3)
    assert given == [[0, 1, 2], [3, 4]]
    assert lag() == {"together": 0}


def test_one_poisoned_event_among_shards_read_together_is_parked_alone() -> None:
    notebook = Notebook(2)
    notebook.reader = replace(notebook.reader, parts=1)
    for n, profile in enumerate((1, 2, 3)):
        happen(profile, n)
    run(notebook, PATIENCE)
    assert sorted(notebook.seen) == [(1, 0), (3, 2)]
    assert [(p.profile_id, p.attempts) for p in ParkedEvent.objects.all()] == [(2, PATIENCE)]
