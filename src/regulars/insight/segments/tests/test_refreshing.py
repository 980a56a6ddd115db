"""Full refreshes of segments of conditions: what explains a difference, and what is reported as a defect."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from regulars.foundation.bulk import execute
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.settings import write_setting
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments import operations
from regulars.insight.segments.models import Deviation, Membership, Postponed, Segment, Wake
from regulars.insight.segments.operations import refreshing, saving, waking
from regulars.insight.segments.operations.changing import Moved, hold
from regulars.insight.segments.tests.keeping import (
    DAY,
    NOW,
    TWICE,
    hear,
    members,
    numbers,
    order,
    own_folder,
    refresh,
    segment,
    store,
    told,
)
from regulars.insight.warehouse.tests import shop
from regulars.record.catalog.inputs import ProductInput
from regulars.record.catalog.models import Product
from regulars.record.catalog.operations import apply_products
from regulars.record.events.log import transaction

pytestmark = pytest.mark.django_db
__all__ = ["own_folder", "store"]  # fixtures


def test_what_lies_beyond_the_horizon_is_found_by_the_nightly_refresh(store: Store) -> None:
    for _ in range(2):
        order(store, "ann", NOW - 20 * DAY)
    one = segment()
    assert not Wake.objects.exists()
    assert refresh(one, NOW + 9 * DAY) == refreshing.Refreshed(Moved())
    assert Wake.objects.get().at == NOW + 10 * DAY


def test_a_full_refresh_mends_what_no_rule_explains_and_reports_it(store: Store) -> None:
    for who in ("ann", "bob"):
        for _ in range(2):
            order(store, who, NOW - DAY)
    hear(NOW)
    one = segment()
    execute(
        "UPDATE segments_membership SET left_at = %s, until_batch_id = batch_id WHERE id = (SELECT min(id) FROM segments_membership)",
        [NOW],
    )
    hear(NOW)
    done = refresh(one, NOW + DAY)
    assert (len(done.moved.entered), done.deviations) == (1, 1)
    position = Segment.objects.get().position
    assert [(d.was_in, d.found_at, d.position) for d in Deviation.objects.all()] == [(False, NOW + DAY, position)]
    hear(NOW + DAY)
    assert refresh(one, NOW + DAY).deviations == 0


def test_what_happened_since_is_no_deviation(store: Store) -> None:
    """The warehouse is asked at one position; who differs by later events is decided on the record, and stays."""
    order(store, "ann", NOW - DAY)
    hear(NOW)
    one = segment()
    order(store, "ann", NOW)
    with pytest.raises(refreshing.ReaderBehind):
        refresh(one, NOW)
    hear(NOW)
    assert refresh(one, NOW) == refreshing.Refreshed(Moved())


def test_a_kill_between_chunks_leaves_what_the_next_refresh_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in "abcde":
        for _ in range(2):
            order(store, who, NOW - DAY)
    hear(NOW)
    made = saving.create_segment("Twice", read_condition(TWICE), None, NOW)
    monkeypatch.setattr(refreshing, "CHUNK", 2)

    def die(point: str) -> None:
        raise KeyboardInterrupt(point)

    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "crash_point", die)
        with pytest.raises(KeyboardInterrupt):
            refresh(made, NOW)
    assert (members(made), Segment.objects.get().decided) == (2, 0)
    refresh(made, NOW)
    assert (members(made), Segment.objects.get().decided) == (5, 1)
    assert told(made) == [("entered", "first", True)] * 5


def test_what_changes_many_peoples_rows_at_once_makes_a_segment_due_and_is_no_deviation(store: Store) -> None:
    order(store, "ann", NOW - DAY)
    hear(NOW)
    acme = segment({"of": "order_lines", "where": [{"field": "brand", "op": "is", "value": "Acme"}]}, "Acme")
    orders = segment({"of": "orders", "op": "ge", "value": 2}, "Orders")
    key = Product.objects.get().key
    with transaction("test", "t") as log:
        apply_products([ProductInput(key, "", NOW, (), brand_name="Acme")], log, store_id=store.pk, at=NOW)
    hear(NOW)
    assert refreshing.due(NOW + timedelta(minutes=5)) == []
    assert refreshing.due(NOW + timedelta(minutes=11)) == [acme]
    assert refresh(acme, NOW + timedelta(minutes=11)).deviations == 0
    assert told(acme) == [("entered", "record", True)]
    assert refreshing.due(NOW + timedelta(minutes=30)) == []
    assert members(orders) == 0


def test_each_night_and_each_change_makes_a_segment_due(store: Store) -> None:
    one = segment()
    assert refreshing.due(NOW) == []
    assert refreshing.due(NOW + DAY) == [one]
    saving.change_segment(one, read_condition({"of": "orders"}), None, NOW, version=1)
    assert refreshing.due(NOW) == [one]


def test_scores_that_were_published_make_their_segments_due_and_move_no_more_than_the_cap(store: Store) -> None:
    made = shop.make_people(store, 4, NOW - 400 * DAY)
    shop.add_orders(store, [(f"x{n}", person, NOW - DAY, 100 * n + 100) for n, person in enumerate(made)])
    one = segment({"of": "rfm"}, "Scored")
    assert (members(one), refreshing.due(NOW)) == (0, [])
    write_setting("segments.daily_cap", 3, NOW)
    operations.refresh(NOW + timedelta(minutes=1))
    assert refreshing.due(NOW + timedelta(minutes=2)) == [one]
    done = refresh(one, NOW + timedelta(minutes=2))
    assert (len(done.moved.entered), done.postponed, done.deviations) == (3, 1, 0)
    assert told(one) == [("entered", "snapshot", False)] * 3
    done = refresh(one, NOW + DAY)
    assert (len(done.moved.entered), members(one)) == (1, 4)


def test_what_scores_do_not_explain_is_a_deviation_and_what_they_do_is_none(store: Store) -> None:
    one = scored(store, 4)
    operations.refresh(NOW + timedelta(minutes=1))
    assert refresh(one, NOW + timedelta(minutes=2)).deviations == 0
    gone = Membership.objects.filter(segment=one).earliest("id")
    Membership.objects.filter(pk=gone.pk).update(left_at=NOW + timedelta(minutes=3), until_batch=gone.batch_id)
    operations.refresh(NOW + DAY)
    buy(store, 1, NOW + DAY)
    operations.refresh(NOW + 2 * DAY)
    done = refresh(one, NOW + 2 * DAY)
    assert (sorted(done.moved.entered), done.deviations, done.postponed) == (
        [gone.customer_id, gone.customer_id + 4],
        1,
        0,
    )
    assert [(d.customer_id, d.was_in) for d in Deviation.objects.all()] == [(gone.customer_id, False)]
    assert told(one)[4:] == [("entered", "snapshot", False), ("entered", "refresh", False)]


def test_without_newer_scores_every_difference_is_a_deviation(store: Store) -> None:
    one = scored(store, 2)
    operations.refresh(NOW + timedelta(minutes=1))
    refresh(one, NOW + timedelta(minutes=2))
    gone = Membership.objects.filter(segment=one).earliest("id")
    Membership.objects.filter(pk=gone.pk).update(left_at=NOW + timedelta(minutes=3), until_batch=gone.batch_id)
    done = refresh(one, NOW + timedelta(minutes=3))
    assert (len(done.moved.entered), done.deviations) == (1, 1)
    assert told(one)[-1] == ("entered", "refresh", False)


def test_who_was_postponed_is_no_deviation_a_day_later(store: Store) -> None:
    one = scored(store, 3)
    write_setting("segments.daily_cap", 1, NOW)
    operations.refresh(NOW + timedelta(minutes=1))
    assert refresh(one, NOW + timedelta(minutes=2)).postponed == 2
    assert Postponed.objects.count() == 2
    done = refresh(one, NOW + timedelta(minutes=3))
    assert (done.moved.entered, done.deviations, done.postponed) == (frozenset(), 0, 2)
    write_setting("segments.daily_cap", 10, NOW)
    done = refresh(one, NOW + DAY)
    assert (len(done.moved.entered), done.deviations, Postponed.objects.count()) == (2, 0, 0)
    assert told(one) == [("entered", "snapshot", False)] * 3


def test_who_is_postponed_enters_neither_by_an_event_nor_by_time(store: Store) -> None:
    buy(store, 3, NOW - 29 * DAY)
    lately = {"any": [{"of": "orders", "window": {"last": {"days": 30}}}, {"of": "orders"}]}
    one = segment({"all": [{"of": "rfm"}, lately]}, "Scored")
    write_setting("segments.daily_cap", 1, NOW)
    operations.refresh(NOW + timedelta(minutes=1))
    assert refresh(one, NOW + timedelta(minutes=2)).postponed == 2
    waking.wake_due(NOW + timedelta(days=1.2))
    hear(NOW + timedelta(days=1.2))
    assert members(one) == 1
    refresh(one, NOW + timedelta(days=1.3))
    assert (members(one), told(one)) == (2, [("entered", "snapshot", False)] * 2)


def scored(store: Store, people: int) -> Segment:
    buy(store, people, NOW - DAY)
    return segment({"of": "rfm"}, "Scored")


def buy(store: Store, people: int, at: datetime) -> None:
    made = shop.make_people(store, people, NOW - 400 * DAY)
    shop.add_orders(store, [(f"x{next(numbers)}", person, at, 100 * n + 100) for n, person in enumerate(made)])


def test_a_refresh_of_an_older_definition_stops(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        order(store, "ann", NOW - DAY)
    made = saving.create_segment("Twice", read_condition(TWICE), None, NOW)
    real = hold

    def change_first(customers: Any) -> None:
        saving.change_segment(made, read_condition({"of": "tags"}), None, NOW, version=1)
        real(customers)

    monkeypatch.setattr(refreshing, "hold", change_first)
    with pytest.raises(refreshing.Overtaken):
        refresh(made, NOW)
    assert (members(made), Segment.objects.get(pk=made.pk).computed_at) == (0, None)
