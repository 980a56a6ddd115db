"""Segments of conditions: computed once as history, then kept right by events, by time, and by a full refresh that finds what is wrong."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db import transaction as database

from regulars.foundation.bulk import execute
from regulars.foundation.errors import Conflict
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.settings import write_setting
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments import operations, rules
from regulars.insight.segments.models import Deviation, Membership, Postponed, Segment, Wake
from regulars.insight.segments.operations import changing, hearing, refreshing, saving, waking
from regulars.insight.segments.operations.changing import Moved
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.segments.rules import condition_of
from regulars.insight.warehouse.tests import shop
from regulars.record.catalog.inputs import ProductInput
from regulars.record.catalog.models import Product
from regulars.record.catalog.operations import apply_products
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import decide_link
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import transaction
from regulars.record.events.models import Event, ParkedEvent
from regulars.record.events.readers import catch_up, waiting_shards
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.operations import apply_orders

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TWICE = {"of": "orders", "window": {"last": {"days": 30}}, "op": "ge", "value": 2}


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def store() -> Store:
    return shop.make_store()


numbers: Iterator[int] = iter(range(10**6))


def order(store: Store, who: str, at: datetime, total: int = 10, *, is_history: bool = False) -> None:
    person = PersonInput((IdentityInput(IdentityKind.EMAIL, f"{who}@shop.example"),), at, store.pk)
    line = LineInput("MUG", "Mug", 1, Decimal(total), "mug")
    with transaction("test", "t") as log:
        told = OrderInput(str(next(numbers)), at, "GBP", (line,), person)
        apply_orders([told], log, store_id=store.pk, at=at, is_history=is_history)


def segment(condition: dict[str, Any] = TWICE, name: str = "Twice", at: datetime = NOW) -> Segment:
    made = saving.create_segment(name, read_condition(condition), None, at)
    refresh(made, at)
    return Segment.objects.get(pk=made.pk)


def refresh(one: Segment, at: datetime) -> refreshing.Refreshed:
    return refreshing.refresh(Segment.objects.get(pk=one.pk), lambda: at)


def hear(at: datetime) -> None:
    """Also what the reader itself tells."""
    while waiting_shards(CONDITIONS):
        catch_up([CONDITIONS], at)


def members(one: Segment) -> int:
    return Membership.objects.filter(segment=one, left_at=None).count()


def told(one: Segment) -> list[tuple[str, str, bool]]:
    rows = Event.objects.filter(kind__startswith="segment.", subject_id=one.pk).order_by("position")
    return [(e.kind.removeprefix("segment."), e.data["cause"], e.is_history) for e in rows]


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


def test_what_lies_beyond_the_horizon_is_found_by_the_nightly_refresh(store: Store) -> None:
    for _ in range(2):
        order(store, "ann", NOW - 20 * DAY)
    one = segment()
    assert not Wake.objects.exists()
    assert refresh(one, NOW + 9 * DAY) == refreshing.Refreshed(Moved())
    assert Wake.objects.get().at == NOW + 10 * DAY


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
    plain = changing.asking.decide_all

    def decide_all(conditions: Any, customers: Any, at: datetime) -> Any:
        if condition_of(bad.definition) in conditions:
            raise OverflowError
        return plain(conditions, customers, at)

    monkeypatch.setattr(changing.asking, "decide_all", decide_all)
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


def scored(store: Store, people: int) -> Segment:
    buy(store, people, NOW - DAY)
    return segment({"of": "rfm"}, "Scored")


def buy(store: Store, people: int, at: datetime) -> None:
    made = shop.make_people(store, people, NOW - 400 * DAY)
    shop.add_orders(store, [(f"x{next(numbers)}", person, at, 100 * n + 100) for n, person in enumerate(made)])


def test_a_definition_that_changes_before_its_people_are_held_is_what_they_are_decided_by(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = segment()
    real = hearing.hold_definitions

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


def test_a_refresh_of_an_older_definition_stops(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        order(store, "ann", NOW - DAY)
    made = saving.create_segment("Twice", read_condition(TWICE), None, NOW)
    real = refreshing.hold

    def change_first(customers: Any) -> None:
        saving.change_segment(made, read_condition({"of": "tags"}), None, NOW, version=1)
        real(customers)

    monkeypatch.setattr(refreshing, "hold", change_first)
    with pytest.raises(refreshing.Overtaken):
        refresh(made, NOW)
    assert (members(made), Segment.objects.get(pk=made.pk).computed_at) == (0, None)
