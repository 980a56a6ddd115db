"""Memberships: decided by difference, kept as a ledger, told as events, right after a kill at any moment."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.access.viewer import everything
from regulars.foundation.facts import FACTS, Moment, Question
from regulars.foundation.retrying import Overtaken
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.work.models import Task
from regulars.insight.rfm import operations as rfm
from regulars.insight.rfm.models import RfmScore, RfmSnapshot
from regulars.insight.rfm.rules import SEGMENTS
from regulars.insight.segments import operations, queries, verify
from regulars.insight.segments.models import Membership, Segment
from regulars.insight.segments.readers import MEMBERSHIPS
from regulars.insight.segments.rules import InvalidDefinition, parse_definition
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.events import merged
from regulars.record.customers.models import CustomerProfile
from regulars.record.customers.queries import customers_of
from regulars.record.events import log as event_log
from regulars.record.events.log import Entry
from regulars.record.events.models import Event
from regulars.record.events.readers import catch_up
from regulars.record.orders.operations import money
from regulars.record.orders.rates import parse_rate

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def store() -> Store:
    return shop.make_store()


def make_shop(store: Store, count: int = 30) -> list[int]:
    """Customers from best to worst; their customer ids."""
    people = shop.make_people(store, count, NOW - 400 * DAY)
    orders = [
        (f"{n}-{k}", person, NOW - (10 * n + 5 + k) * DAY, 1000 * (count - n))
        for n, person in enumerate(people)
        for k in range(1 + (count - n) // 3)
    ]
    shop.add_orders(store, orders)
    owners = customers_of(people)
    return [owners[p] for p in people]


def truth(snapshot_id: int) -> set[tuple[int, str]]:
    rows = RfmScore.objects.filter(snapshot=snapshot_id).values_list("customer_id", "segment")
    return {(customer, SEGMENTS[number].value) for customer, number in rows}


def present() -> set[tuple[int, str]]:
    return set(Membership.objects.filter(left_at=None).values_list("customer_id", "segment__key"))


def told(kind: str) -> list[tuple[int | None, str, bool]]:
    rows = Event.objects.filter(kind=kind).order_by("position")
    return [(e.profile_id, e.data["segment"], e.is_history) for e in rows]


def test_the_first_computation_is_history(store: Store) -> None:
    customers = make_shop(store)
    done = operations.refresh(NOW)
    assert present() == truth(done.snapshot.id)
    assert {customer for customer, _ in present()} == set(customers)
    assert (done.entered, done.left, sum(done.initial.values())) == ({}, {}, 30)
    assert Membership.objects.filter(is_initial=True, entered_at=NOW).count() == 30
    assert len(told("segment.entered")) == 30
    assert all(is_history for _, _, is_history in told("segment.entered"))
    assert [s.key for s in queries.list_segments()] == [s.value for s in SEGMENTS]
    assert verify.differences() == []
    Membership.objects.filter(customer=customers[0]).delete()
    assert verify.differences() == [f"segment champions: 1 customers of RFM snapshot {done.snapshot.id} are no members"]


def test_the_same_again_changes_nothing(store: Store) -> None:
    make_shop(store)
    first = operations.refresh(NOW)
    rows, events = list(Membership.objects.order_by("id").values()), Event.objects.count()
    again = operations.refresh(NOW)
    later = operations.apply_snapshot(first.snapshot, NOW + DAY)
    assert (again.entered, again.left, again.initial) == (later.entered, later.left, later.initial) == ({}, {}, {})
    assert list(Membership.objects.order_by("id").values()) == rows
    assert Event.objects.count() == events


def test_entering_and_leaving_are_told_with_the_values_seen(store: Store) -> None:
    customers = make_shop(store)
    operations.refresh(NOW)
    worst = customers[-1]
    before = Membership.objects.get(customer=worst)
    shop.add_orders(store, [(f"new-{k}", before.profile_id, NOW + timedelta(hours=k), 90_000) for k in range(1, 12)])
    done = operations.refresh(NOW + DAY)
    assert present() == truth(done.snapshot.id)
    entry = Membership.objects.get(customer=worst, left_at=None)
    gone = Membership.objects.get(id=before.id)
    assert (before.segment.key, entry.segment.key) == ("lost", "champions")
    assert (gone.left_at, entry.entered_at, entry.is_initial) == (NOW + DAY, NOW + DAY, False)
    assert entry.reason["snapshot"] == done.snapshot.id == (gone.left_reason or {})["snapshot"]
    assert (entry.reason["frequency"], entry.reason["recency_days"], entry.reason["r"]) == (12, 0, 5)
    assert entry.reason == gone.left_reason
    assert (entry.profile_id, "champions", False) in told("segment.entered")
    assert (entry.profile_id, "lost", False) in told("segment.left")
    assert sum(done.entered.values()) == sum(done.left.values()) == len(told("segment.left"))
    segment = queries.get_segment("champions")
    moved = queries.count_changes(segment, NOW, NOW + DAY)
    assert (moved.entered, moved.left) == (done.entered.get("champions", 0), done.left.get("champions", 0))
    assert queries.counts(NOW)[segment.id] == Membership.objects.filter(segment=segment, is_initial=True).count()
    assert queries.counts()[segment.id] == queries.members(segment).count()


def test_entries_that_imported_history_causes_start_nothing(store: Store) -> None:
    customers = make_shop(store)
    operations.refresh(NOW)
    profiles = dict(Membership.objects.values_list("customer_id", "profile_id"))
    live, imported = customers[-1], customers[-2]
    for customer, is_history in ((live, False), (imported, True)):
        shop.add_orders(
            store,
            [(f"{customer}-{k}", profiles[customer], NOW + timedelta(hours=k), 90_000) for k in range(1, 12)],
            is_history=is_history,
        )
    operations.refresh(NOW + DAY)
    found = {
        m.customer_id: m.is_initial for m in Membership.objects.filter(customer__in=[live, imported], left_at=None)
    }
    assert found == {live: False, imported: True}
    assert {(profiles[live], "champions", False), (profiles[imported], "champions", True)} <= set(
        told("segment.entered")
    )


def test_a_refresh_is_due_each_night_of_the_shop_and_after_an_import(store: Store) -> None:
    write_setting("shop.time_zone", "Europe/London", NOW)
    make_shop(store)
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    midnight = datetime(2026, 4, 30, 23, tzinfo=UTC)
    done = operations.refresh_if_due(noon)
    assert done is not None
    assert (done.snapshot.as_of, done.snapshot.kind) == (midnight, "monthly")
    assert operations.refresh_if_due(noon) is None
    with event_log.transaction("import") as log:
        log.append(Entry("import.done", noon))
    again = operations.refresh_if_due(noon)
    assert again is not None
    assert (again.snapshot.as_of, again.snapshot.kind) == (noon, "manual")
    assert operations.refresh_if_due(noon + 11 * timedelta(hours=1) - timedelta(seconds=1)) is None
    night = operations.refresh_if_due(noon + 11 * timedelta(hours=1))
    assert night is not None
    assert (night.snapshot.as_of, night.snapshot.kind) == (datetime(2026, 5, 1, 23, tzinfo=UTC), "nightly")


class Killed(BaseException):
    """Stands for a process that ends at once."""


@pytest.mark.parametrize("point", [operations.BETWEEN_CHUNKS, operations.BEFORE_COMPUTED])
@pytest.mark.parametrize("passed", [1, 2, 4])
def test_a_kill_at_any_moment_leaves_right_memberships_after_the_next_run(
    store: Store, monkeypatch: pytest.MonkeyPatch, point: str, passed: int
) -> None:
    make_shop(store)
    monkeypatch.setattr(operations.rfm, "CHUNK", 7)
    count = 0

    def crash_point(name: str) -> None:
        nonlocal count
        count += name == point
        if name == point and count == passed:
            raise Killed

    monkeypatch.setattr(operations.rfm, "crash_point", crash_point)
    is_killed = not (point == operations.BEFORE_COMPUTED and passed > 1)
    if is_killed:
        with pytest.raises(Killed):
            operations.refresh(NOW)
        partial = Membership.objects.count()
        assert partial == min(7 * passed, 30) if point == operations.BETWEEN_CHUNKS else partial == 30
    done = operations.refresh(NOW)
    assert present() == truth(done.snapshot.id)
    assert Membership.objects.filter(is_initial=True).count() == Membership.objects.count() == 30
    assert len(told("segment.entered")) == 30
    assert all(is_history for _, _, is_history in told("segment.entered"))


def test_a_kill_between_chunks_of_a_later_refresh_tells_each_change_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shop(store)
    operations.refresh(NOW)
    monkeypatch.setattr(operations.rfm, "CHUNK", 3)

    def die(name: str) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(operations.rfm, "crash_point", die)
        with pytest.raises(Killed):
            operations.refresh(NOW + 200 * DAY)
    done = operations.refresh(NOW + 200 * DAY)
    assert present() == truth(done.snapshot.id)
    changes = Membership.objects.filter(is_initial=False).count()
    assert len(told("segment.entered")) == 30 + changes
    assert len(told("segment.left")) == Membership.objects.exclude(left_at=None).count() == changes


def test_an_older_snapshot_is_refused(store: Store) -> None:
    make_shop(store)
    older = rfm.compute(NOW - 60 * DAY, NOW)
    operations.refresh(NOW)
    rows = list(Membership.objects.order_by("id").values())
    with pytest.raises(operations.OlderSnapshot):
        operations.apply_snapshot(older, NOW)
    assert list(Membership.objects.order_by("id").values()) == rows


def test_after_a_merge_memberships_follow_the_map(store: Store) -> None:
    customers = make_shop(store)
    operations.refresh(NOW)
    same = list(Membership.objects.filter(segment__key="lost").order_by("id")[:2])
    alone = Membership.objects.get(customer=customers[0])
    other = Membership.objects.get(customer=customers[12])
    shop.merge(same[0].customer_id, same[1].customer_id)
    shop.merge(customers[12], customers[0])
    told_before = len(told("segment.left"))
    assert operations.follow_map(NOW + DAY) == 3
    assert operations.follow_map(NOW + DAY) == 0
    ended = Membership.objects.get(id=same[1].id)
    assert (ended.left_at, ended.left_reason) == (NOW + DAY, {"merged_into": same[0].customer_id})
    assert Membership.objects.get(id=alone.id).customer_id == customers[12]
    assert {m.id for m in Membership.objects.filter(customer=customers[12], left_at=None)} == {alone.id, other.id}
    assert len(told("segment.left")) == told_before
    done = operations.refresh(NOW + DAY)
    assert present() == truth(done.snapshot.id)
    assert {c for c, _ in present()} == set(customers) - {same[1].customer_id, customers[0]}


def test_after_a_split_the_next_refresh_gives_back_the_membership_that_the_merge_ended(store: Store) -> None:
    customers = make_shop(store)
    operations.refresh(NOW)
    before = present()
    kept, gone = Membership.objects.filter(segment__key="lost").order_by("id")[:2]
    shop.merge(kept.customer_id, gone.customer_id)
    operations.follow_map(NOW)
    operations.refresh(NOW + timedelta(hours=1))
    assert {c for c, _ in present()} == set(customers) - {gone.customer_id}
    with event_log.transaction("staff") as log:
        theirs = CustomerProfile.objects.filter(profile=gone.profile_id)
        theirs.filter(until_batch=None).update(until_batch_id=log.batch_id)
        CustomerProfile.objects.create(
            profile_id=gone.profile_id, customer_id=gone.customer_id, from_batch_id=log.batch_id
        )
    operations.refresh(NOW + timedelta(hours=2))
    assert present() == before
    assert {c for c, _ in present()} == set(customers)
    [again] = Membership.objects.filter(customer=gone.customer_id, left_at=None)
    assert (again.segment_id, again.profile_id) == (gone.segment_id, gone.profile_id)
    gone.refresh_from_db()
    assert gone.left_reason == {"merged_into": kept.customer_id}


@pytest.mark.django_db(transaction=True)
def test_a_refresh_that_is_begun_again_counts_everybody_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make_shop(store)
    real = operations.rfm._tell
    failed: list[str] = []

    def tell(log: object, kind: str, *rest: Any) -> None:
        real(log, kind, *rest)  # type: ignore[arg-type]
        if kind == "segment.entered" and not failed:
            failed.append(kind)
            raise Overtaken

    monkeypatch.setattr(operations.rfm, "_tell", tell)
    done = operations.refresh(NOW)
    assert failed
    assert sum(done.initial.values()) == Membership.objects.filter(left_at=None).count() == len(present())


def test_a_merge_hands_memberships_over_at_once(store: Store) -> None:
    customers = make_shop(store)
    operations.refresh(NOW)
    moved = Membership.objects.get(customer=customers[0])
    shop.merge(customers[12], customers[0])
    with event_log.transaction("staff") as log:
        log.append(merged(moved.profile_id, customers[12], [customers[0]], NOW))
    catch_up([MEMBERSHIPS], NOW)
    moved.refresh_from_db()
    assert (moved.customer_id, moved.left_at) == (customers[12], None)
    assert operations.follow_map(NOW) == 0


def test_membership_is_a_fact_at_any_moment(store: Store) -> None:
    customers = make_shop(store)
    operations.refresh(NOW)
    champion, loser = customers[0], customers[-1]
    fact = FACTS["segment.member"]
    question = Question.of("segment.member", segment="champions")
    found = fact.read([champion, loser], question, Moment(NOW))
    entry = Membership.objects.get(customer=champion)
    assert (found[champion].value, found[champion].source) == (True, f"membership {entry.id}")
    assert (found[loser].value, found[loser].source) == (False, "no membership")
    assert fact.read([champion], question, Moment(NOW - DAY))[champion].value is False
    assert fact.read([champion], question, Moment(NOW, known_at=0))[champion].value is False
    assert fact.check(Question.of("segment.member")) != ""


@pytest.mark.parametrize("data", [{}, {"rfm": {}}, {"rfm": {"segment": "kings"}}, {"rfm": 1}, {"and": []}, []])
def test_definitions_that_mean_nothing_are_refused(data: Any) -> None:
    with pytest.raises(InvalidDefinition):
        parse_definition(data)


def test_segments_are_found_by_id_and_key(store: Store) -> None:
    operations.ensure_rfm_segments(NOW)
    operations.ensure_rfm_segments(NOW + DAY)
    assert Segment.objects.count() == 11
    assert queries.get_segment("at-risk").name == "At Risk"


def test_other_rates_sort_everybody_anew_and_start_nothing(store: Store) -> None:
    """Who moves because a currency is worth something else did nothing themselves; months that were published are asked again."""
    customers = make_shop(store)
    [worst] = [
        profile
        for profile, owner in customers_of(CustomerProfile.objects.values_list("profile_id", flat=True)).items()
        if owner == customers[-1]
    ]
    shop.add_orders(store, [("yen", worst, NOW - 400 * DAY, 10**9)], "EUR")
    months = rfm.compute_months(NOW)
    operations.refresh(NOW)
    assert operations.find_due(NOW) is None
    before = present()
    money.set_rates([parse_rate("EUR", "GBP", "2024-01-01", "0.9")], everything(), NOW)
    assert operations.find_due(NOW) is None
    money.refold(Task.objects.get().pk, lambda: NOW)
    assert operations.find_due(NOW + DAY / 48) == (NOW + DAY / 48, "manual")
    done = operations.refresh_if_due(NOW + DAY / 48)
    assert done is not None
    assert done.entered == {}
    assert sum(done.initial.values()) == len(present() - before) > 0
    assert done.snapshot.unrated_orders == 0
    newest = RfmSnapshot.objects.filter(kind="monthly").order_by("as_of", "-position").distinct("as_of")
    assert {m.as_of for m in newest} == {m.as_of for m in months}
    assert {m.unrated_orders for m in newest} == {0}
