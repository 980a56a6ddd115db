"""The warehouse holds what the record held, at every position, whatever was appended, compacted, rebuilt or killed."""

import random
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.registries import FINDINGS
from regulars.foundation.shop.models import Store
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.insight.warehouse import compaction, engine, files, operations, queries, spilling
from regulars.insight.warehouse.models import WarehouseFile, WarehouseSnapshot
from regulars.insight.warehouse.queries import Pinned
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.models import CustomerProfile
from regulars.record.events import log as event_log
from regulars.record.events.models import Batch
from regulars.record.orders.models import Order, OrderChange

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


def held(pinned: Pinned, table: str, position: int | None = None) -> list[tuple[Any, ...]]:
    """Rows of a table as they were known at a position, by key; of each the first seven columns."""
    known = pinned.position if position is None else position
    answer = engine.run(
        f"SELECT * EXCLUDE (known_from, known_until) FROM {pinned.relation(table)} WHERE known_from <= {known} AND known_until > {known}"
    )
    return sorted(tuple(row.values())[:7] for row in answer.to_pylist())


def test_an_empty_record_gives_an_empty_warehouse() -> None:
    pinned = operations.sync(NOW)
    assert (pinned.position, held(pinned, "orders"), held(pinned, "refunds")) == (0, [], [])


def test_first_sync_holds_the_record() -> None:
    store = shop.make_store()
    ada, bob = shop.make_people(store, 2, NOW)
    one, two, guest = shop.add_orders(
        store, [("1", ada, NOW, 1999), ("2", bob, NOW + timedelta(microseconds=5), 500), ("3", None, NOW, 7)]
    )
    (refund,) = shop.add_refunds(store, [("r1", ada, NOW, 999)])
    pinned = operations.sync(NOW)
    naive = NOW.replace(tzinfo=None)
    assert held(pinned, "orders") == [
        (one.id, ada, store.id, naive, "GBP", 1999, True),
        (two.id, bob, store.id, naive + timedelta(microseconds=5), "GBP", 500, True),
        (guest.id, None, store.id, naive, "GBP", 7, True),
    ]
    assert held(pinned, "refunds") == [(refund.id, None, ada, store.id, naive, "GBP", 999)]
    assert pinned.position == queries.record_position()
    assert queries.lag().positions == 0


def test_sync_appends_only_what_is_new_and_nothing_twice() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, NOW, 100)])
    first = operations.sync(NOW)
    assert operations.sync(NOW) == first
    shop.add_orders(store, [("2", ada, NOW, 200)])
    assert queries.lag().positions > 0
    second = operations.sync(NOW)
    assert set(first.paths("orders")) < set(second.paths("orders"))
    assert [row[5] for row in held(second, "orders")] == [100, 200]
    assert [row[5] for row in held(second, "orders", first.position)] == [100]
    assert second.paths("refunds") == []


def change_order(order: Order, total_minor: int) -> int:
    """As the record changes an order: the state before is kept. The position from which the new one was known."""
    stored = Order.objects.get(id=order.id)
    with event_log.transaction("import") as log:
        before = {
            "profile_id": stored.profile_id,
            "placed_at": stored.placed_at.isoformat(),
            "currency": stored.currency,
            "total_minor": stored.total_minor,
            "status": stored.status,
            "payment_status": stored.payment_status,
        }
        OrderChange.objects.create(
            order=order, before=before, changed=["total_minor"], occurred_at=NOW, batch_id=log.batch_id
        )
        order.total_minor = total_minor
        order.save()
    return queries.record_position()


def everything(pinned: Pinned) -> dict[str, list[tuple[Any, ...]]]:
    """All versions of all tables."""
    return {
        table: sorted(
            tuple(str(value) for value in row.values())
            for row in engine.run(f"SELECT * FROM {pinned.relation(table)}").to_pylist()
        )
        for table in ("orders", "refunds", "customer_profiles")
    }


def test_changed_orders_and_merges_are_told_as_they_were_known_and_rebuilding_gives_the_same() -> None:
    store = shop.make_store()
    ada, bob = shop.make_people(store, 2, NOW)
    (order,) = shop.add_orders(store, [("1", ada, NOW, 100)])
    first = operations.sync(NOW).position
    changed = change_order(order, 150)
    operations.sync(NOW)
    changed_again = change_order(order, 180)
    owners = dict(CustomerProfile.objects.values_list("profile_id", "customer_id"))
    shop.merge(owners[ada], owners[bob])
    appended = operations.sync(NOW)
    assert [[row[5] for row in held(appended, "orders", p)] for p in (first, changed, changed_again)] == [
        [100],
        [150],
        [180],
    ]
    assert held(appended, "customer_profiles", changed_again) == [(ada, owners[ada]), (bob, owners[bob])]
    assert held(appended, "customer_profiles") == [(ada, owners[ada]), (bob, owners[ada])]
    versions = everything(appended)
    assert everything(operations.compact(NOW)) == versions
    assert queries.pin().names["orders"].keys() == {"rows"}
    assert everything(operations.rebuild(NOW)) == versions


def test_removed_orders_end_where_their_removal_was_known() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, NOW, 100), ("2", ada, NOW, 200)])
    before = operations.sync(NOW)
    shop.remove_orders(["2"], NOW)
    after = operations.sync(NOW)
    assert [row[5] for row in held(after, "orders")] == [100]
    assert [row[5] for row in held(after, "orders", before.position)] == [100, 200]
    assert [row[5] for row in held(operations.rebuild(NOW), "orders")] == [100]


def test_restored_orders_are_seen_though_they_leave_no_change_behind() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    (order,) = shop.add_orders(store, [("1", ada, NOW, 100)])
    first = operations.sync(NOW)
    change_order(order, 900)
    second = operations.sync(NOW)
    OrderChange.objects.all().delete()
    Order.objects.update(total_minor=100)
    shop.add_orders(store, [("3", ada, NOW, 300)])
    shop.remove_orders([], NOW)
    third = operations.sync(NOW)
    known = [[row[5] for row in held(third, "orders", p.position)] for p in (first, second, third)]
    assert known == [[100], [900], [100, 300]]
    assert [row[5] for row in held(operations.sync(NOW), "orders")] == [100, 300]
    assert [row[5] for row in held(operations.compact(NOW), "orders", second.position)] == [900]


def test_a_reader_keeps_its_snapshot_until_the_grace_is_over() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, NOW, 100)])
    pinned = operations.sync(NOW)
    shop.add_orders(store, [("2", ada, NOW, 200)])
    operations.sync(NOW)
    operations.compact(NOW)
    assert operations.prune(NOW + timedelta(minutes=59)) == 0
    assert [row[5] for row in held(pinned, "orders")] == [100]
    assert operations.prune(NOW + timedelta(minutes=61)) > 0
    assert {p.name for p in files.folder().iterdir()} == set(WarehouseFile.objects.values_list("name", flat=True))
    assert WarehouseSnapshot.objects.count() == 1
    assert [row[5] for row in held(queries.pin(), "orders")] == [100, 200]


def test_what_a_killed_writer_left_is_never_read_and_pruned() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, NOW, 100)])
    (files.folder() / "orders-half.parquet.tmp").write_bytes(b"half a file")
    (files.folder() / "orders-unnamed.parquet").write_bytes(b"finished, but no snapshot names it")
    pinned = operations.sync(NOW)
    assert [row[5] for row in held(pinned, "orders")] == [100]
    operations.prune(datetime.now(UTC) + timedelta(hours=2))
    assert {p.name for p in files.folder().iterdir()} == set(WarehouseFile.objects.values_list("name", flat=True))


def test_a_failing_write_publishes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    before = operations.sync(NOW)
    shop.add_orders(store, [("1", ada, NOW, 100)])

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files, "_force_to_disk", full)
        with pytest.raises(OSError, match="No space left"):
            operations.sync(NOW)
    assert queries.pin() == before
    assert [row[5] for row in held(operations.sync(NOW), "orders")] == [100]


def test_many_small_files_become_one() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    for number in range(compaction.MOST_FILES + 1):
        shop.add_orders(store, [(str(number), ada, NOW, number)])
        pinned = operations.sync(NOW)
    assert len(pinned.paths("orders")) == 1
    assert [row[5] for row in held(pinned, "orders")] == list(range(compaction.MOST_FILES + 1))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_each_position_that_was_synced_is_told_as_it_was(seed: int) -> None:
    """Orders come, change, are cancelled and removed in any order, between syncs and compactions at any time."""
    chance = random.Random(seed)
    store = shop.make_store()
    people = shop.make_people(store, 3, NOW)
    told: dict[int, list[tuple[Any, ...]]] = {}
    for step in range(30):
        _happen(chance, store, people, step)
        if chance.random() < 0.7:
            pinned = operations.sync(NOW)
            told[pinned.position] = _as_recorded()
            if chance.random() < 0.2:
                pinned = operations.compact(NOW)
    pinned = queries.pin()
    for position, rows in told.items():
        assert held(pinned, "orders", position) == rows
    assert held(operations.rebuild(NOW), "orders") == _as_recorded()


def _happen(chance: random.Random, store: Store, people: list[int], step: int) -> None:
    orders = list(Order.objects.order_by("id"))
    what = chance.choice(["add", "add", "add", "change", "change", "cancel", "remove"])
    if what == "add" or not orders:
        count = chance.randint(1, 3)
        shop.add_orders(
            store, [(f"{step}-{n}", chance.choice([*people, None]), NOW, chance.randint(1, 999)) for n in range(count)]
        )
    elif what == "remove":
        shop.remove_orders([order.number for order in chance.sample(orders, min(2, len(orders)))], NOW)
    else:
        order = chance.choice(orders)
        order.status = "cancelled" if what == "cancel" else order.status
        change_order(order, order.total_minor + (what == "change"))


def _as_recorded() -> list[tuple[Any, ...]]:
    rows = Order.objects.order_by("id")
    return [
        (
            o.id,
            o.profile_id,
            o.store_id,
            o.placed_at.replace(tzinfo=None),
            o.currency,
            o.total_minor,
            o.status != "cancelled",
        )
        for o in rows
    ]


def test_what_waits_for_more_than_a_minute_is_an_alarm() -> None:
    shop.make_people(shop.make_store(), 1, NOW)
    recorded = Batch.objects.get().recorded_at
    assert recorded
    assert queries.behind(recorded + timedelta(seconds=61)) == timedelta(seconds=61)
    staff = Viewer(staff_id=1, permissions=frozenset({"segments.view"}))
    find = FINDINGS["warehouse.late"].find
    assert find(staff, recorded + timedelta(seconds=60)) == []
    [late] = find(staff, recorded + timedelta(minutes=7))
    assert (
        late.sentence
        == f"Segments and RFM are 7 minutes behind: {queries.lag().positions} changes wait to be taken over."
    )
    operations.sync(NOW)
    assert queries.behind(recorded + timedelta(days=1)) == timedelta()
    assert find(staff, recorded + timedelta(days=1)) == []


def test_versions_that_ended_long_ago_are_forgotten_where_a_table_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    (order,) = shop.add_orders(store, [("1", ada, NOW, 100)])
    operations.sync(NOW)
    change_order(order, 150)
    Batch.objects.update(recorded_at=NOW)
    between = operations.sync(NOW)
    change_order(order, 180)
    operations.sync(NOW + 2 * DAY)
    Batch.objects.filter(last_position__gt=between.position).update(recorded_at=NOW + 3 * DAY)
    assert not operations.forget(NOW + 70 * DAY)  # no table of this shop keeps ended versions for a time only
    table = replace(WAREHOUSE_TABLES["orders"], keeps_ended=5 * DAY)
    monkeypatch.setitem(WAREHOUSE_TABLES._entries, "orders", table)
    assert not operations.forget(NOW + 7 * DAY)
    assert operations.forget(NOW + 7 * DAY + timedelta(hours=1))
    after = queries.pin()
    versions = engine.run(f"SELECT total_minor FROM {after.relation('orders')}")["total_minor"].to_pylist()
    assert sorted(versions) == [150, 180]
    assert not operations.forget(NOW + 8 * DAY)


def test_what_does_not_fit_into_memory_spills_into_the_data_folder(tmp_path: Path) -> None:
    left = tmp_path / "spill" / f"{socket.gethostname()}-999999999"
    left.mkdir(parents=True)
    place = spilling.spill_folder(12345)
    assert (left.exists(), place.parent) == (False, tmp_path / "spill")
    with engine.connect(12345, memory_limit="40MB") as connection:
        said = connection.sql("SELECT count(*) FROM (SELECT * FROM range(4_000_000) t(n) ORDER BY hash(n), n % 7)")
        assert said.fetchall() == [(4_000_000,)]
