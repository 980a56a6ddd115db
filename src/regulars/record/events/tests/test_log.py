"""Positions rise in commit order, whatever the order in which transactions begin, write and commit."""

import random
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, connections
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.foundation.bulk import fetch
from regulars.foundation.shop.models import Store
from regulars.record.events.log import Entry, event_key, head, transaction
from regulars.record.events.models import Batch, Event, EventKey

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def entry(kind: str = "test.happened", **more: object) -> Entry:
    return Entry(kind, AT, **more)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_batch_knows_the_positions_of_its_events() -> None:
    with transaction("import", "imp_1") as log:
        log.append(entry(profile_id=1), entry(profile_id=2))
        with transaction("staff") as inner:
            inner.append(entry(profile_id=3))
    batch = Batch.objects.get()
    positions = list(Event.objects.order_by("position").values_list("position", flat=True))
    assert (batch.source, batch.reference) == ("import", "imp_1")
    assert positions == list(range(batch.first_position or 0, (batch.last_position or 0) + 1))
    assert head() == positions[-1]


@pytest.mark.django_db
def test_every_field_is_read_back_as_it_was_appended() -> None:
    early = datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    full = {
        "data": {"word": "Grüße ✓", "number": 1.5, "list": [None, True]},
        "sealed": b"\x00\xff",
        "is_history": True,
    }
    with transaction("import") as log:
        log.append(Entry("test.bare", AT))
        log.append(*(entry("test.é", profile_id=7, customer_id=16 + n, subject_id=-9, **full) for n in range(1_200)))
        log.append(Entry("test.early", early, subject_id=2**62))
    rows = list(Event.objects.order_by("position"))
    columns = ("kind", "occurred_at", "profile_id", "shard", "subject_id", "is_history", "data", "sealed")
    bare, *filled, last = [tuple(getattr(row, name) for name in columns) for row in rows]
    assert bare == ("test.bare", AT, None, 0, None, False, {}, None)
    assert [(*row[:-1], bytes(row[-1])) for row in filled] == [
        ("test.é", AT, 7, n % 16, -9, True, full["data"], b"\x00\xff") for n in range(1_200)
    ]
    assert last == ("test.early", early, None, 2**62 % 16, 2**62, False, {}, None)
    assert {(row.batch_id, row.recorded_at) for row in rows} == {
        (Batch.objects.get().pk, Batch.objects.get().recorded_at)
    }


@pytest.mark.django_db
def test_values_that_json_does_not_know_are_told_as_text() -> None:
    said = {
        "price": Decimal("9.50"),
        "at": AT,
        "safe": SafeString("a <b>"),
        "lazy": gettext_lazy("Orders"),
        "kinds": ["a"],
    }
    with transaction("staff") as log:
        log.append(entry(data=said))
    told = {"price": "9.50", "at": "2026-11-01T12:00:00Z", "safe": "a <b>", "lazy": "Orders", "kinds": ["a"]}
    assert Event.objects.get().data == told


@pytest.mark.django_db
def test_what_the_commit_would_refuse_is_refused_before_anybody_waits() -> None:
    """No position is drawn, so the lock was never held."""
    drawn = "SELECT last_value FROM events_position"
    before = fetch(drawn, [])
    with pytest.raises(IntegrityError), transaction("staff") as log:
        Store.objects.create(code="uk", name="UK", brand_id=2**31, currency="GBP")
        log.append(entry())
    assert fetch(drawn, []) == before
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_what_fails_leaves_nothing() -> None:
    def fail() -> None:
        with transaction("import") as log:
            log.claim([event_key("s", "1")])
            log.append(entry())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (Batch.objects.count(), Event.objects.count(), EventKey.objects.count()) == (0, 0, 0)


@pytest.mark.django_db
def test_a_key_is_claimed_once_within_its_source() -> None:
    keys = [event_key("a", "1"), event_key("a", "2"), event_key("b", "1")]
    with transaction("api") as log:
        assert log.claim(keys[:2]) == set(keys[:2])
    with transaction("api") as log:
        assert log.claim(keys) == {keys[2]}


@settings(max_examples=50)
@given(st.text(), st.text(), st.text(), st.text())
def test_keys_of_different_events_differ(s1: str, i1: str, s2: str, i2: str) -> None:
    if "\x1f" not in s1 + s2:
        assert (event_key(s1, i1) == event_key(s2, i2)) == ((s1, i1) == (s2, i2))


@pytest.mark.django_db(transaction=True)
def test_a_reader_by_position_never_misses_a_late_commit() -> None:
    """Six writers whose transactions last 0 to 20 ms; a reader that always goes on from the highest position it saw."""
    writers, each = 6, 15
    seed = 20261121
    done = threading.Event()
    seen: list[int] = []

    def write(number: int) -> None:
        dice = random.Random(seed + number)
        for _ in range(each):
            with transaction("test", str(number)) as log:
                log.append(*[entry(profile_id=number) for _ in range(dice.randrange(1, 4))])
                time.sleep(dice.random() / 50)
        connections.close_all()

    def read() -> None:
        last = 0
        while True:
            finished = done.is_set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT position FROM events_event WHERE position > %s ORDER BY position", [last])
                fresh = [row[0] for row in cursor.fetchall()]
            seen.extend(fresh)
            last = fresh[-1] if fresh else last
            if finished and not fresh:
                break
        connections.close_all()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    reader = threading.Thread(target=read)
    for thread in [reader, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert seen == list(Event.objects.order_by("position").values_list("position", flat=True))
    assert Batch.objects.count() == writers * each
    order = Batch.objects.order_by("first_position").values_list("first_position", "last_position", "recorded_at")
    for (_, last, at), (first, _, later) in zip(order, list(order)[1:], strict=False):
        assert (last or 0) < (first or 0)
        assert str(at) <= str(later)


@pytest.mark.django_db(transaction=True)
def test_a_long_transaction_elsewhere_stalls_nobody() -> None:
    started, release = threading.Event(), threading.Event()

    def linger() -> None:
        with transaction("slow") as log:
            log.append(entry(profile_id=99))
            started.set()
            release.wait(10)
        connections.close_all()

    slow = threading.Thread(target=linger)
    slow.start()
    try:
        started.wait(10)
        with transaction("quick") as log:
            log.append(entry(profile_id=1))
        seen_meanwhile = list(Event.objects.values_list("profile_id", flat=True))
    finally:
        release.set()
        slow.join()
    assert seen_meanwhile == [1]
    assert list(Event.objects.order_by("position").values_list("profile_id", flat=True)) == [1, 99]
