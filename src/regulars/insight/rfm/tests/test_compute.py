"""RFM from the record through the warehouse: exact values, at any date, as known at any position."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from regulars.foundation.facts import FACTS, Answer, Moment, Question
from regulars.foundation.shop.models import ExchangeRate
from regulars.foundation.shop.settings import write_setting
from regulars.insight.rfm import operations, queries, verify
from regulars.insight.rfm.models import RfmPolicy, RfmScore, RfmSnapshot
from regulars.insight.rfm.rules import DEFAULT_POLICY, InvalidPolicy, RfmSegment, parse_rules, rules_as_json
from regulars.insight.warehouse.queries import record_position
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.queries import customers_of
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


def figures(snapshot: RfmSnapshot) -> dict[int, tuple[int, int, int]]:
    rows = RfmScore.objects.filter(snapshot=snapshot)
    return {row.customer_id: (row.recency_days, row.frequency, row.monetary_minor) for row in rows}


def test_figures_of_a_small_shop() -> None:
    store = shop.make_store()
    ada, bob, cyd, dee = shop.make_people(store, 4, NOW)
    shop.add_orders(
        store,
        [
            ("1", ada, NOW - 40 * DAY, 5000),
            ("2", ada, NOW - 3 * DAY + timedelta(seconds=1), 2500),
            ("3", bob, NOW - 3 * DAY, 700),
            ("4", None, NOW - DAY, 999),
            ("5", cyd, NOW, 100),
            ("6", dee, NOW + timedelta(microseconds=1), 100),
        ],
    )
    shop.add_refunds(
        store,
        [("r1", bob, NOW - DAY, 900), ("r2", ada, NOW + DAY, 50), ("r3", None, NOW - DAY, 11), ("r4", dee, NOW, 5)],
    )
    snapshot = operations.compute(NOW, NOW)
    owners = customers_of([ada, bob, cyd, dee])
    assert figures(snapshot) == {owners[ada]: (2, 2, 7500), owners[bob]: (3, 1, -200), owners[cyd]: (0, 1, 100)}
    assert (snapshot.customers, snapshot.left_out_orders, snapshot.left_out_minor) == (3, 1, 999)
    assert snapshot.cut_points == {
        "recency": [0, 2, 2, 3],
        "frequency": [1, 1, 1, 2],
        "monetary": [-200, 100, 100, 7500],
    }
    scored = {row.customer_id: (row.r, row.f, row.m) for row in RfmScore.objects.filter(snapshot=snapshot)}
    assert scored == {owners[ada]: (4, 4, 4), owners[bob]: (2, 1, 1), owners[cyd]: (5, 1, 2)}
    named = {c: s.segment for c, s in queries.scores_at(owners.values(), NOW).items()}
    assert named == {
        owners[ada]: RfmSegment.CHAMPIONS,
        owners[bob]: RfmSegment.HIBERNATING,
        owners[cyd]: RfmSegment.NEW,
    }
    counted = {s: (t.customers, t.monetary_minor) for s, t in queries.tallies(snapshot).items() if t.customers}
    assert counted == {RfmSegment.CHAMPIONS: (1, 7500), RfmSegment.HIBERNATING: (1, -200), RfmSegment.NEW: (1, 100)}
    assert queries.tallies(snapshot) == queries.tallies(snapshot, frozenset()) | queries.tallies(snapshot)


def test_the_same_question_gives_the_snapshot_that_stands() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, NOW - DAY, 100)])
    first = operations.compute(NOW, NOW)
    assert operations.compute(NOW, NOW + DAY).id == first.id
    shop.add_orders(store, [("2", ada, NOW - DAY, 50)])
    second = operations.compute(NOW, NOW + DAY)
    assert second.id != first.id
    assert list(figures(first).values()) == [(1, 1, 100)]
    assert list(figures(second).values()) == [(1, 2, 150)]


def test_as_it_was_known_then() -> None:
    store = shop.make_store()
    ada, bob = shop.make_people(store, 2, NOW)
    shop.add_orders(store, [("1", ada, NOW - DAY, 100), ("2", bob, NOW - 2 * DAY, 300)])
    then = record_position()
    owners = customers_of([ada, bob])
    shop.add_orders(store, [("3", ada, NOW - 5 * DAY, 70)])
    shop.merge(owners[ada], owners[bob])
    assert figures(operations.compute(NOW, NOW)) == {owners[ada]: (1, 3, 470)}
    assert figures(operations.compute(NOW, NOW, position=then)) == {owners[ada]: (1, 1, 100), owners[bob]: (2, 1, 300)}


def test_an_empty_shop_has_an_empty_snapshot() -> None:
    snapshot = operations.compute(NOW, NOW)
    assert (snapshot.customers, snapshot.cut_points) == (0, {"recency": [], "frequency": [], "monetary": []})
    assert operations.compute_months(NOW) == []


def test_other_currencies_count_at_the_rate_of_their_day_rounded_half_even() -> None:
    store = shop.make_store()
    ada, bob, cyd = shop.make_people(store, 3, NOW)
    for on, rate in ((NOW - 10 * DAY, "0.5"), (NOW - 2 * DAY, "0.75")):
        ExchangeRate.objects.create(currency="EUR", reporting_currency="GBP", on=on.date(), rate=Decimal(rate))
    ExchangeRate.objects.create(
        currency="JPY", reporting_currency="GBP", on=(NOW - 9 * DAY).date(), rate=Decimal("0.005")
    )
    shop.add_orders(store, [("1", ada, NOW - DAY, 1000)])
    shop.add_orders(
        store, [("2", ada, NOW - 3 * DAY, 25), ("3", ada, NOW - 2 * DAY, 100), ("4", bob, NOW - 20 * DAY, 100)], "EUR"
    )
    shop.add_orders(store, [("5", cyd, NOW - DAY, 333)], "JPY")
    shop.add_refunds(store, [("r1", ada, NOW - 4 * DAY, 5)], "EUR")
    snapshot = operations.compute(NOW, NOW)
    owners = customers_of([ada, bob, cyd])
    # 25 * 0.5 = 12.5 -> 12, 100 * 0.75 = 75, back 5 * 0.5 = 2.5 -> 2; 333 yen * 0.005 = 1.665 -> 166 (166.5, half to even)
    assert figures(snapshot) == {
        owners[ada]: (1, 3, 1000 + 12 + 75 - 2),
        owners[bob]: (20, 1, 0),
        owners[cyd]: (1, 1, 166),
    }
    assert snapshot.unrated_orders == 1


@pytest.mark.parametrize("change", [{"status": "cancelled"}, {"payment_status": "voided"}])
def test_cancelled_and_voided_orders_do_not_count_nor_do_their_refunds(change: dict[str, str]) -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    kept, off = shop.add_orders(store, [("1", ada, NOW - 9 * DAY, 100), ("2", ada, NOW - DAY, 900)])
    Order.objects.filter(id=off.id).update(**change)
    shop.add_refunds(store, [("r1", ada, NOW, 900)], order=off)
    shop.add_refunds(store, [("r2", ada, NOW, 10)], order=kept)
    assert list(figures(operations.compute(NOW, NOW)).values()) == [(9, 1, 90)]


def test_months_are_published_once_and_again_only_where_their_past_changed() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, datetime(2026, 1, 15, tzinfo=UTC), 100)])
    first = operations.compute_months(NOW)
    assert [s.as_of for s in first] == [datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4, 5)]
    assert operations.compute_months(NOW) == []
    shop.add_orders(store, [("2", ada, datetime(2026, 3, 20, tzinfo=UTC), 100)])
    assert [s.as_of.month for s in operations.compute_months(NOW)] == [4, 5]
    assert [(s.as_of.month, s.frequency) for s in queries.scores_over_time(customers_of([ada])[ada])] == [
        (2, 1),
        (3, 1),
        (4, 2),
        (5, 2),
    ]


def test_a_snapshot_of_a_month_that_stood_already_is_kept_for_good() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, datetime(2026, 1, 15, tzinfo=UTC), 100)])
    asked = operations.compute(datetime(2026, 2, 1, tzinfo=UTC), NOW)
    months = operations.compute_months(NOW)
    assert (asked.kind, [s.kind for s in months], months[0].id) == ("manual", ["monthly"] * 4, asked.id)
    assert operations.thin_out(NOW) == 0
    assert RfmScore.objects.filter(snapshot=asked).count() == 1


def test_scores_over_time_and_movement_keep_to_the_scale_that_is_in_use() -> None:
    store = shop.make_store()
    people = shop.make_people(store, 5, NOW)
    shop.add_orders(store, [(str(n), p, datetime(2026, 3, 2 + n, tzinfo=UTC), 100 + n) for n, p in enumerate(people)])
    best = customers_of(people)[people[-1]]
    for days, scale in ((0, 5), (1, 3), (2, 5)):
        write_setting("rfm.scale", scale, NOW)
        operations.compute_months(NOW)
        newest = operations.compute(NOW + days * DAY, NOW + days * DAY)
        before = queries.month_before(newest)
        assert before is not None
        assert (before.as_of, before.scale) == (datetime(2026, 4, 1, tzinfo=UTC), scale)
        assert [(s.as_of.month, s.scale, s.m) for s in queries.scores_over_time(best)] == [
            (4, scale, scale),
            *([(5, scale, scale)] if days else []),
            (5, scale, scale),
        ]


def test_months_begin_in_the_zone_of_the_shop() -> None:
    write_setting("shop.time_zone", "Asia/Tokyo", NOW)
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, datetime(2026, 3, 31, 16, tzinfo=UTC), 100)])
    assert [s.as_of for s in operations.compute_months(NOW)] == [datetime(2026, 4, 30, 15, tzinfo=UTC)]


def test_movement_since_a_month_ago() -> None:
    store = shop.make_store()
    ada, bob, cyd = shop.make_people(store, 3, NOW)
    shop.add_orders(store, [("1", ada, NOW - 40 * DAY, 500), ("2", bob, NOW - 60 * DAY, 300)])
    before = operations.compute(NOW - 31 * DAY, NOW)
    shop.add_orders(store, [("3", bob, NOW - DAY, 300), ("4", cyd, NOW - 2 * DAY, 10)])
    after = operations.compute(NOW, NOW)
    assert queries.month_before(after) == before
    assert queries.month_before(before) is None
    moves = queries.movement(before, after)
    assert sum(m.customers for m in moves) == 3
    assert [m.customers for m in moves if m.before is None] == [1]
    assert after.counts["movement"] == {"before": before.id, "moves": queries.count_moves(before, after)}
    assert verify.differences() == []
    RfmScore.objects.filter(snapshot=after, customer=customers_of([cyd])[cyd]).update(segment=0)
    assert len(verify.differences()) >= 2
    assert queries.movement(before, after, frozenset({store.id})) == []  # nobody's card names the store in this test


def test_saved_thresholds_are_a_new_version_and_old_snapshots_keep_theirs() -> None:
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, NOW - DAY, 100)])
    before = operations.compute(NOW, NOW)
    changed = rules_as_json(DEFAULT_POLICY.rules[5])
    changed[-1]["segment"] = "promising"
    changed = [*changed[:7], changed[-1]]
    assert operations.preview_policy(before, parse_rules(changed, 5), 5) == {(3, 4): 1}
    assert operations.preview_policy(before, DEFAULT_POLICY.rules[3], 3) == {(3, 4): 1}
    policy = operations.save_policy({"5": changed}, 7, NOW)
    after = operations.compute(NOW, NOW)
    assert (policy.version, after.policy_version, before.policy_version) == (
        RfmPolicy.objects.get().id,
        policy.version,
        0,
    )
    assert policy.rules[3] == DEFAULT_POLICY.rules[3]
    assert [queries.scores_at(customers_of([ada]).values(), NOW)[c].segment for c in customers_of([ada]).values()] == [
        "promising"
    ]
    assert queries.tallies(before)[RfmSegment.NEW].customers == 1


def test_refused_thresholds_change_nothing() -> None:
    with pytest.raises(InvalidPolicy):
        operations.save_policy({"5": rules_as_json(DEFAULT_POLICY.rules[5]), "4": []}, 7, NOW)
    with pytest.raises(InvalidPolicy, match="no scale 6"):
        operations.save_policy({"6": [{"segment": "lost", "r": [1, 6], "f": [1, 6], "m": [1, 6]}]}, 7, NOW)
    assert RfmPolicy.objects.count() == 0
    assert queries.current_policy() is DEFAULT_POLICY


@pytest.mark.parametrize("scale", [3, 4])
def test_three_or_four_scores_by_setting(scale: int) -> None:
    write_setting("rfm.scale", scale, NOW)
    store = shop.make_store()
    people = shop.make_people(store, 12, NOW)
    shop.add_orders(store, [(str(n), p, NOW - (n + 1) * DAY, 100 * n) for n, p in enumerate(people)])
    snapshot = operations.compute(NOW, NOW)
    rows = list(RfmScore.objects.filter(snapshot=snapshot).order_by("recency_days"))
    each = 12 // scale
    assert [row.r for row in rows] == [score for score in range(scale, 0, -1) for _ in range(each)]
    assert [row.m for row in rows] == [score for score in range(1, scale + 1) for _ in range(each)]
    assert {row.f for row in rows} == {1}


def test_facts_say_which_snapshot_they_come_from() -> None:
    store = shop.make_store()
    ada, bob = shop.make_people(store, 2, NOW)
    shop.add_orders(store, [("1", ada, NOW - DAY, 100)])
    early = operations.compute(NOW - DAY, NOW)
    late = operations.compute(NOW + DAY, NOW + DAY)
    customer, other = (customers_of([ada, bob])[p] for p in (ada, bob))
    fact = FACTS["rfm.recency_days"]

    def read(moment: Moment) -> Any:
        return fact.read([customer, other], Question.of("rfm.recency_days"), moment)

    assert read(Moment(NOW)) == {customer: Answer(0, f"RFM snapshot {early.id}", early.as_of)}
    assert read(Moment(NOW + 2 * DAY)) == {customer: Answer(2, f"RFM snapshot {late.id}", late.as_of)}
    assert read(Moment(NOW - 2 * DAY)) == {}
    assert read(Moment(NOW, known_at=early.position - 1)) == {}


def test_a_moment_that_is_to_come_is_refused() -> None:
    with pytest.raises(operations.NotYet):
        operations.compute(NOW + timedelta(microseconds=1), NOW)
    with pytest.raises(CommandError, match="still to come"):
        call_command("rfm", "compute", "--as-of", "2999-01-01")
    assert not RfmSnapshot.objects.exists()


def test_a_date_without_zone_is_read_in_the_zone_of_the_shop() -> None:
    write_setting("shop.time_zone", "Asia/Tokyo", NOW)
    for given in ("2026-05-01", "2026-05-01T02:00+02:00"):
        call_command("rfm", "compute", "--as-of", given, stdout=StringIO())
    moments = list(RfmSnapshot.objects.order_by("as_of").values_list("as_of", flat=True))
    assert moments == [NOW - timedelta(hours=9), NOW]
