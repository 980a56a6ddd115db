"""Months are made ahead and dropped whole."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from regulars.foundation.deduplication import forget_old_keys
from regulars.foundation.partitions import DAY, Partitioned
from regulars.record.events.log import Entry, event_key, transaction
from regulars.record.events.models import Event, EventKey
from regulars.record.events.partitions import MONTHS

pytestmark = pytest.mark.django_db
AT = datetime(2031, 11, 30, 23, 59, tzinfo=UTC)


def test_months_are_made_once_and_over_the_turn_of_the_year() -> None:
    assert MONTHS.ensure(AT) == [f"events_event_{m}" for m in ("2031_11", "2031_12", "2032_01", "2032_02")]
    assert MONTHS.ensure(AT) == []


def test_new_events_lie_in_a_month_that_can_be_dropped() -> None:
    with transaction("test") as log:
        log.append(Entry("test.happened", AT))
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM events_event")
        assert cursor.fetchone()[0] == MONTHS.name_of(Event.objects.get().recorded_at)
    assert MONTHS.drop_before(AT)
    assert Event.objects.count() == 0


def test_keys_are_forgotten_after_400_days() -> None:
    with transaction("test") as log:
        log.claim([event_key("a", "1"), event_key("a", "2")])
    EventKey.objects.filter(key=event_key("a", "1")).update(recorded_at=datetime(2030, 10, 1, tzinfo=UTC))
    EventKey.objects.filter(key=event_key("a", "2")).update(recorded_at=datetime(2031, 10, 1, tzinfo=UTC))
    assert forget_old_keys("events_eventkey", AT) == 1
    assert bytes(EventKey.objects.get().key) == event_key("a", "2")


def test_days_have_names_that_sort_as_they_follow() -> None:
    days = Partitioned("inbox_item", "received_at", DAY, ahead=1)
    assert [days.name_of(at) for at in (AT, DAY.after(DAY.begin(AT)))] == [
        "inbox_item_2031_11_30",
        "inbox_item_2031_12_01",
    ]
    assert days.name_of(datetime(202, 3, 1, tzinfo=UTC)) == "inbox_item_0202_03_01"
