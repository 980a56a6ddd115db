"""Segments of conditions: computed once as history, then kept right by events, by time, and by changes of their definitions."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db import transaction as database

from regulars.foundation.errors import Conflict
from regulars.foundation.shop.models import Store
from regulars.insight.conditions import asking
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments import rules
from regulars.insight.segments.models import Deviation, Membership, Segment, Wake
from regulars.insight.segments.operations import changing, hearing, refreshing, saving, waking
from regulars.insight.segments.rules import condition_of
from regulars.insight.segments.tests.keeping import (
    DAY,
    NOW,
    TWICE,
    hear,
    members,
    order,
    own_folder,
    refresh,
    segment,
    store,
    told,
)
from regulars.record.customers.operations import decide_link
from regulars.record.customers.queries import customers_of
from regulars.record.events.models import Event, ParkedEvent

pytestmark = pytest.mark.django_db
__all__ = ["own_folder", "store"]  # fixtures


def test_the_first_computation_is_history_and_an_event_is_news(store: Store) -> None:
    for _ in range(2):
        order(store, "ann", NOW - DAY)
    order(store, "bob", NOW - DAY)
    hear(NOW)
    one = segment()
    assert told(one) == [("entered", "first", True)]
    assert (one.decided, one.version, one.computed_at) == (1, 1, NOW)
    order(store, "bob", NOW + DAY)
    hear(NOW + DAY)
    assert told(one) == [("entered", "first", True), ("entered", "event", False)]
    assert members(one) == 2
    hear(NOW + DAY)
    assert len(told(one)) == 2


def test_what_imported_history_changes_is_initial(store: Store) -> None:
    one = segment()
    for _ in range(2):
        order(store, "ann", NOW - DAY, is_history=True)
    hear(NOW)
    assert told(one) == [("entered", "event", True)]


def test_time_alone_moves_people_when_their_moment_has_come(store: Store) -> None:
    for days in (10, 28.5):
        order(store, "ann", NOW - days * DAY)
    one = segment()
    assert Wake.objects.get().at == NOW + 1.5 * DAY
    assert waking.wake_due(NOW + 1.5 * DAY - timedelta(microseconds=1)) == 0
    assert members(one) == 1
    assert waking.wake_due(NOW + 1.5 * DAY) == 1
    assert told(one) == [("entered", "first", True), ("left", "time", False)]
    assert not Wake.objects.exists()  # the next edge is beyond the horizon


def test_the_plan_is_what_the_change_does_and_starts_workflows_only_if_asked(store: Store) -> None:
    for who, count in (("ann", 1), ("bob", 2), ("cat", 3)):
        for _ in range(count):
            order(store, who, NOW - DAY)
    one = segment()
    wanted = read_condition(
        {"any": [{"of": "orders", "op": "is", "value": 1}, {"of": "orders", "op": "is", "value": 3}]}
    )
    plan = saving.plan(wanted, NOW, one)
    assert (plan.members, plan.entering, plan.leaving) == (2, 1, 1)
    assert [len(some) for some in (plan.examples_entering, plan.examples_leaving)] == [1, 1]
    changed = saving.change_segment(one, wanted, None, NOW, version=1)
    assert (changed.version, changed.decided) == (2, 1)
    done = refresh(one, NOW)
    assert (done.moved.entered, done.moved.left) == (
        frozenset(plan.examples_entering),
        frozenset(plan.examples_leaving),
    )
    assert sorted(told(one)[2:]) == [("entered", "definition", True), ("left", "definition", False)]
    back = saving.change_segment(changed, read_condition(TWICE), None, NOW, version=2, starts_workflows=True)
    refresh(back, NOW)
    assert sorted(told(one)[4:]) == [("entered", "definition", False), ("left", "definition", False)]


def test_a_change_made_from_an_older_version_is_refused(store: Store) -> None:
    one = segment()
    saving.change_segment(one, read_condition({"of": "orders"}), None, NOW, version=1)
    with pytest.raises(Conflict):
        saving.change_segment(one, read_condition(TWICE), None, NOW, version=1)
    assert Segment.objects.get().version == 2


def test_a_segment_that_names_another_follows_it(store: Store) -> None:
    one = segment()
    other = segment(
        {"not": {"of": "memberships", "where": [{"field": "segment", "op": "is", "value": "twice"}]}}, "Others"
    )
    order(store, "ann", NOW)
    hear(NOW)
    assert (members(one), members(other)) == (0, 1)
    order(store, "ann", NOW)
    hear(NOW)
    assert (members(one), members(other)) == (1, 0)


def test_a_segment_of_those_to_whom_nothing_happened_does_not_hear_of_itself(store: Store) -> None:
    order(store, "ann", NOW - DAY)
    hear(NOW)
    quiet = segment({"of": "events", "window": {"last": {"hours": 1}}, "op": "is", "value": 0}, "Quiet")
    assert members(quiet) == 1
    for minutes in (5, 90, 180):
        waking.wake_due(NOW + timedelta(minutes=minutes))
        hear(NOW + timedelta(minutes=minutes))
    assert (members(quiet), told(quiet)) == (1, [("entered", "first", True)])


def test_a_segment_that_cannot_be_decided_keeps_no_other_from_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = segment(), segment({"of": "orders", "op": "ge", "value": 3}, "Broken")
    plain = asking.decide_all

    def decide_all(questions: Any, at: datetime) -> Any:
        if condition_of(bad.definition) in [one.condition for one in questions]:
            raise OverflowError
        return plain(questions, at)

    monkeypatch.setattr(asking, "decide_all", decide_all)
    for _ in range(3):
        order(store, "ann", NOW)
        hear(NOW)
    bad.refresh_from_db()
    assert (members(good), members(bad), bad.problem) == (1, 0, "It cannot be decided (OverflowError).")
    assert not ParkedEvent.objects.exists()
    Wake.objects.create(segment=bad, customer_id=Membership.objects.get().customer_id, at=NOW)
    waking.wake_due(NOW)
    assert not Wake.objects.filter(segment=bad).exists()
    monkeypatch.undo()
    refresh(bad, NOW + DAY)
    bad.refresh_from_db()
    assert (members(bad), bad.problem, Deviation.objects.count()) == (1, "", 0)


def test_circles_and_unknown_segments_are_refused(store: Store) -> None:
    one = segment()
    named = {"of": "memberships", "where": [{"field": "segment", "op": "is", "value": "others"}]}
    with pytest.raises(rules.InvalidDefinition, match="There is no segment 'others'"):
        saving.change_segment(one, read_condition(named), None, NOW, version=1)
    segment({"of": "memberships", "where": [{"field": "segment", "op": "in", "value": ["twice"]}]}, "Others")
    with pytest.raises(rules.InvalidDefinition, match="twice → others → twice"):
        saving.change_segment(one, read_condition(named), None, NOW, version=1)
    with pytest.raises(rules.InvalidDefinition, match="Say which segment"):
        saving.change_segment(one, read_condition({"of": "segment_entries"}), None, NOW, version=1)
    with pytest.raises(saving.SegmentInUse, match="'Others' needs"):
        saving.archive_segment(one)
    others = Segment.objects.get(key="others")
    saving.archive_segment(others)
    saving.archive_segment(one)
    with pytest.raises(rules.InvalidDefinition, match="There is no segment 'twice'"):
        saving.restore_segment(others)
    with pytest.raises(Conflict, match="in the archive"):
        saving.change_segment(one, read_condition({"of": "orders"}), None, NOW, version=1)
    assert list(Segment.objects.values_list("is_archived", "version")) == [(True, 1)] * 2
    with pytest.raises(saving.SegmentExists):
        segment(name="Twice!")
    assert Segment.objects.get(pk=one.pk).definition == one.definition


def test_an_archived_segment_stands_still(store: Store) -> None:
    one = segment()
    saving.archive_segment(one)
    for _ in range(2):
        order(store, "ann", NOW)
    hear(NOW)
    assert (members(one), refreshing.due(NOW + DAY)) == (0, [])
    saving.restore_segment(one)
    assert refreshing.due(NOW) == [one]
    refresh(one, NOW)
    assert told(one) == [("entered", "first", True)]


def test_after_a_merge_what_two_did_together_counts(store: Store) -> None:
    one = segment()
    for who in ("ann", "bob"):
        order(store, who, NOW - DAY)
    hear(NOW)
    assert members(one) == 0
    profiles = sorted(e.profile_id or 0 for e in Event.objects.filter(kind="order.placed"))
    decide_link(profiles[0], profiles[1], "must-link", 1, NOW)
    hear(NOW)
    assert list(Membership.objects.values_list("customer_id", flat=True)) == [customers_of(profiles)[profiles[0]]]
    decide_link(profiles[0], profiles[1], "cannot-link", 1, NOW)
    hear(NOW)
    assert members(one) == 0


def test_a_merge_is_no_exit_and_whom_a_split_parts_enters_as_before(store: Store) -> None:
    once = segment({"of": "orders"}, "Once")
    named = [{"field": "segment", "op": "is", "value": "once"}]
    left = segment({"of": "segment_exits", "where": named}, "Left once")
    for who in ("ann", "bob"):
        order(store, who, NOW)
    hear(NOW)
    profiles = sorted(e.profile_id or 0 for e in Event.objects.filter(kind="order.placed"))
    decide_link(profiles[0], profiles[1], "must-link", 1, NOW + DAY)
    hear(NOW + DAY)
    assert (members(once), members(left)) == (1, 0)
    decide_link(profiles[0], profiles[1], "cannot-link", 1, NOW + 2 * DAY)
    hear(NOW + 2 * DAY)
    assert (members(once), members(left)) == (2, 0)
    assert told(once) == [("entered", "event", False)] * 2 + [("entered", "event", True)]
    assert refresh(left, NOW + 3 * DAY).deviations == 0


def test_a_restored_segment_starts_nothing_and_a_changed_one_what_it_was_to_start_also_by_events(store: Store) -> None:
    one = segment()
    saving.archive_segment(one)
    for who in ("ann", "bob"):
        order(store, who, NOW)
    hear(NOW)
    saving.restore_segment(one)
    order(store, "ann", NOW)
    hear(NOW)
    assert told(one) == [("entered", "event", True)]
    refresh(one, NOW)
    one.refresh_from_db()
    saving.change_segment(one, read_condition({"of": "orders"}), None, NOW, version=1, starts_workflows=True)
    order(store, "bob", NOW)
    hear(NOW)
    assert told(one)[1:] == [("entered", "event", False)]


def test_a_definition_that_changes_before_its_people_are_held_is_what_they_are_decided_by(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = segment()
    real = changing.hold_definitions

    def change_first() -> None:
        if Segment.objects.get(pk=one.pk).version == 1:
            saving.change_segment(one, read_condition({"of": "orders"}), None, NOW, version=1)
        real()

    monkeypatch.setattr(hearing, "hold_definitions", change_first)
    order(store, "ann", NOW)
    hear(NOW)
    assert told(one) == [("entered", "event", True)]
    assert Event.objects.filter(kind="segment.entered").latest("position").data["version"] == 2


@pytest.mark.django_db(transaction=True)
def test_a_definition_is_changed_only_when_nobody_is_deciding_by_the_older_one() -> None:
    made = saving.create_segment("Twice", read_condition(TWICE), None, NOW)
    begun, changed = threading.Event(), threading.Event()

    def change() -> None:
        begun.set()
        try:
            saving.change_segment(made, read_condition({"of": "orders"}), None, NOW, version=1)
        finally:
            connection.close()
        changed.set()

    with database.atomic():
        changing.hold([1])
        thread = threading.Thread(target=change)
        thread.start()
        assert begun.wait(10)
        assert not changed.wait(0.3)
        assert Segment.objects.get(pk=made.pk).version == 1
    thread.join(10)
    assert changed.is_set()
    assert Segment.objects.get(pk=made.pk).version == 2
