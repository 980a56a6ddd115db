"""What platforms say of orders: late, often, in any order, beside a tracker, and of what they deleted."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault import keys
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.orders import rules
from regulars.record.orders.inputs import (
    FulfilmentInput,
    LineInput,
    OrderInput,
    OrderRemoval,
    PaymentInput,
    RefundInput,
)
from regulars.record.orders.models import (
    CustomerFigures,
    Fulfilment,
    FulfilmentStatus,
    Order,
    OrderChange,
    OrderStatus,
    Payment,
    PaymentStatus,
)
from regulars.record.orders.operations import Applied, apply_orders, remove_orders

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
Word = OrderInput | OrderRemoval | RefundInput


@pytest.fixture
def store(db: None) -> Store:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@shop.example")
    return Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP")


def person(mail: str = "ann@buyers.net") -> PersonInput:
    return PersonInput((IdentityInput(IdentityKind.EMAIL, mail),), AT)


def order(external_id: str = "501", number: str = "#1001", price: str = "10.00", **more: Any) -> OrderInput:
    said = OrderInput(
        number,
        AT,
        "GBP",
        (LineInput("A1", "Abacus", 1, Decimal(price), "p1"),),
        person(),
        external_id=external_id,
        status=OrderStatus.OPEN,
        payment_status=PaymentStatus.PENDING,
        fulfilment_status=FulfilmentStatus.UNFULFILLED,
        stated_at=AT,
    )
    return replace(said, **more)


def claimed(number: str, price: str = "10.00", **more: Any) -> OrderInput:
    """As a tracker says it: paid and done, without the platform's own id."""
    said = order("", number, price, stated_at=None, is_claimed=True, status=OrderStatus.COMPLETED)
    return replace(said, **more)


def refund(number: str = "r1", amount: int = 400, **more: object) -> RefundInput:
    return replace(RefundInput(number, AT + timedelta(hours=1), "GBP", amount), **more)  # type: ignore[arg-type]


def tell(store: Store, *said: Word, at: datetime = AT) -> Applied:
    """Each in a transaction of its own, as webhooks come."""
    done = Applied()
    for one in said:
        with transaction("shop") as log:
            if isinstance(one, OrderRemoval):
                remove_orders([one], log, store_id=store.pk, at=at)
            elif isinstance(one, RefundInput):
                done += apply_orders([], log, store_id=store.pk, at=at, refunds=[one])
            else:
                done += apply_orders([one], log, store_id=store.pk, at=at)
    return done


def facts(store: Store) -> list[tuple[object, ...]]:
    rows = Order.objects.filter(store=store).order_by("number").prefetch_related("refunds")
    said = [
        (o.number, o.external_id, o.status, o.payment_status, o.total_minor, o.cancel_reason, o.is_claimed)
        for o in rows
    ]
    refunds = [sorted((r.number, r.amount_minor) for r in o.refunds.all()) for o in rows]
    return [(*one, *back) for one, back in zip(said, refunds, strict=True)]


def states() -> list[OrderInput]:
    """One order's life, a state a second but for the last two, which share one."""
    second = timedelta(seconds=1)
    paid = order(payment_status=PaymentStatus.PAID, stated_at=AT + second)
    edited = order(price="12.00", payment_status=PaymentStatus.PAID, stated_at=AT + 2 * second)
    sent = replace(edited, fulfilment_status=FulfilmentStatus.FULFILLED, stated_at=AT + 3 * second)
    done = replace(sent, status=OrderStatus.COMPLETED)
    return [order(), paid, edited, sent, done]


@pytest.mark.parametrize("which", list(itertools.permutations(range(5)))[::10])
def test_the_newest_state_stands_whatever_the_order_of_arrival(store: Store, which: tuple[int, ...]) -> None:
    said = states()
    tell(store, *(said[place] for place in which), *(said[place] for place in reversed(which)))
    assert facts(store) == [("#1001", "501", "completed", "paid", 1200, "", False)]
    assert Event.objects.filter(kind="order.placed").count() == 1
    assert CustomerFigures.objects.get().spent_minor == 1200


def test_many_states_in_one_batch_end_as_the_newest(store: Store) -> None:
    with transaction("shop") as log:
        apply_orders([*states()[::-1], *states()], log, store_id=store.pk, at=AT)
    assert facts(store) == [("#1001", "501", "completed", "paid", 1200, "", False)]


def test_other_words_for_the_same_state_are_no_change(store: Store) -> None:
    tell(store, order())
    events = Event.objects.count()
    done = tell(store, order(stated_at=AT + timedelta(days=1)), order(external_id="gid://shopify/Order/501"))
    assert (done.updated, done.unchanged) == (0, 2)
    assert (Event.objects.count(), OrderChange.objects.count()) == (events, 0)
    assert Order.objects.get().stated_at == AT + timedelta(days=1)


WORDS = [claimed("501"), claimed("1001"), claimed("#1001", "11.00"), *states()]


@settings(max_examples=25, deadline=None)
@given(st.permutations(WORDS), st.data())
def test_a_trackers_word_and_the_platforms_are_one_order(words: list[OrderInput], data: st.DataObject) -> None:
    repeated = [*words, *data.draw(st.lists(st.sampled_from(WORDS), max_size=4))]
    Order.objects.all().delete()
    store, _ = Store.objects.get_or_create(
        code="uk",
        defaults={
            "name": "Shop",
            "currency": "GBP",
            "brand": Brand.objects.get_or_create(name="S", from_name="S", from_address="s@shop.example")[0],
        },
    )
    tell(store, *repeated)
    counted = [fact for fact in facts(store) if fact[2] != "cancelled"]
    assert counted == [("#1001", "501", "completed", "paid", 1200, "", False)]


def test_a_tracker_alone_makes_an_order(store: Store) -> None:
    tell(store, claimed("1001"), claimed("1001", "12.00"))
    assert facts(store) == [("1001", "", "completed", "pending", 1200, "", True)]


def test_a_claimed_order_of_the_same_cart_is_the_platforms(store: Store) -> None:
    tell(store, claimed("thanks-7", cart_keys=("t1",)), order(cart_keys=("t1", "t2")))
    assert facts(store) == [("#1001", "501", "open", "pending", 1000, "", False)]
    later = claimed("thanks-9", cart_keys=("t1",), placed_at=AT + timedelta(days=1))
    tell(store, later)  # the cart lived on
    assert [fact[0] for fact in facts(store)] == ["#1001", "thanks-9"]


def test_two_orders_of_the_platform_may_share_a_number(store: Store) -> None:
    tell(store, order("501"), order("502"), order("501", price="9.00", stated_at=AT + timedelta(hours=1)))
    assert [(o.external_id, o.number, o.total_minor) for o in Order.objects.order_by("id")] == [
        ("501", "#1001", 900),
        ("502", "#1001-502", 1000),
    ]


GONE = OrderRemoval(AT + timedelta(hours=1), external_id="501")


@pytest.mark.parametrize("which", list(itertools.permutations(range(3))))
def test_what_was_deleted_stays_deleted_whenever_older_words_come(store: Store, which: tuple[int, ...]) -> None:
    words: list[Word] = [order(), order(price="12.00", stated_at=AT + timedelta(minutes=1)), GONE]
    tell(store, *(words[place] for place in which), *words)
    assert [fact[2] for fact in facts(store)] == ["cancelled"]
    assert facts(store)[0][5] == "deleted in the shop"
    assert not CustomerFigures.objects.filter(spent_minor__gt=0).exists()
    assert Event.objects.filter(kind="order.placed", is_history=False).count() == (which[0] != 2)


def test_a_later_word_brings_a_deleted_order_back(store: Store) -> None:
    tell(store, order(), GONE, order(price="13.00", stated_at=AT + timedelta(hours=2)))
    assert facts(store) == [("#1001", "501", "open", "pending", 1300, "", False)]
    assert CustomerFigures.objects.get().spent_minor == 1300


def test_a_removal_twice_is_one(store: Store) -> None:
    tell(store, order(), GONE)
    events = Event.objects.count()
    tell(store, GONE)
    assert Event.objects.count() == events


def test_a_test_order_counts_nothing_and_starts_nothing(store: Store) -> None:
    tell(store, order(is_test=True))
    assert facts(store) == [("#1001", "501", "cancelled", "pending", 1000, "test order", False)]
    assert not Event.objects.filter(kind__startswith="order.", is_history=False).exists()


@pytest.mark.parametrize("names", [{"order_external_id": "501"}, {"order_number": "1001"}, {"order_number": "#1001"}])
def test_a_refund_that_comes_before_its_order_finds_it(store: Store, names: dict[str, str]) -> None:
    back = replace(refund(), **names)  # type: ignore[arg-type]
    tell(store, back, order(), back)
    assert facts(store) == [("#1001", "501", "open", "pending", 1000, "", False, ("r1", 400))]
    assert CustomerFigures.objects.get().refunded_minor == 400


def test_an_order_that_names_all_its_refunds_takes_the_others_back(store: Store) -> None:
    two = order(refunds=(refund("r1"), refund("r2", 100)), has_all_refunds=True)
    one = order(refunds=(refund("r2", 100),), has_all_refunds=True, stated_at=AT + timedelta(hours=1))
    tell(store, two, one, two)
    assert facts(store)[0][7:] == (("r1", 0), ("r2", 100))
    assert CustomerFigures.objects.get().refunded_minor == 100


def test_a_trackers_refund_counts_until_the_platform_speaks(store: Store) -> None:
    tell(store, claimed("1001"), refund("c1", 300, order_number="1001", is_claimed=True))
    assert CustomerFigures.objects.get().refunded_minor == 300
    tell(store, order(refunds=(refund("r9", 250),)), refund("c2", 300, order_number="1001", is_claimed=True))
    assert facts(store)[0][7:] == (("c1", 0), ("r9", 250))
    assert CustomerFigures.objects.get().refunded_minor == 250


def test_an_older_word_of_a_refund_changes_nothing(store: Store) -> None:
    new = refund(amount=500, order_external_id="501", stated_at=AT + timedelta(hours=2))
    tell(store, order(), new, replace(new, amount_minor=400, stated_at=AT))
    assert facts(store)[0][7:] == (("r1", 500),)


def test_a_summary_of_a_refund_leaves_its_lines(store: Store) -> None:
    whole = refund(order_external_id="501", lines=(LineInput("A1", "Abacus", 1, Decimal("4.00"), "p1"),))
    done = tell(store, order(), whole, replace(whole, lines=(), reason="too small"))
    assert Order.objects.get().refunds.get().lines.count() == 1
    assert (done.refunds_created, done.refunds_updated) == (1, 0)


def test_names() -> None:
    assert rules.order_name("gid://shopify/Order/5", "#1") == rules.order_name("5", "1") == "id:5"
    assert rules.order_name("", "#1001") == rules.order_name("", "1001") == "no:1001"


def test_payments_that_webhooks_do_not_tell_come_later_and_stay(store: Store) -> None:
    """What asks for them finds no change of the order; what tells none takes none away; other ones are a change."""
    paid = PaymentInput("sale", "success", 1000, "GBP", AT, "card", "81")
    untold = order(tells_payments=False)
    tell(store, untold)
    asked = tell(store, order(payments=(paid,)))
    assert (asked.updated, Event.objects.filter(kind="order.updated").count()) == (0, 0)
    tell(store, order(price="12.00", tells_payments=False, stated_at=AT + timedelta(seconds=1)))
    there = Payment.objects.filter(until_batch=None)
    assert [(one.kind, one.reference, one.amount_minor) for one in there] == [("sale", "81", 1000)]
    later: dict[str, Any] = {"price": "12.00", "stated_at": AT + timedelta(seconds=1)}
    back = replace(paid, kind="refund", reference="82")
    assert tell(store, order(payments=(paid, back), **later)).updated == 0
    assert Payment.objects.filter(until_batch=None).count() == 2
    assert tell(store, order(payments=(replace(paid, status="failure"),), **later)).updated == 1


def test_a_tracker_goes_on_with_an_order_of_a_file(store: Store) -> None:
    tell(store, order(stated_at=None), claimed("1001", status=OrderStatus.CANCELLED))
    assert [(fact[0], fact[1], fact[2], fact[6]) for fact in facts(store)] == [("#1001", "501", "cancelled", False)]


def _parcels() -> list[tuple[str, str, str]]:
    """Present ones: carrier, number and link in clear."""
    there = Fulfilment.objects.filter(until_batch=None).select_related("order").order_by("carrier", "pk")
    plain = keys.find_keys(one.order.profile_id or 0 for one in there)
    return [(one.carrier, _clear(one, "tracking_number", plain), _clear(one, "tracking_url", plain)) for one in there]


def _clear(one: Fulfilment, column: str, plain: Mapping[int, bytes]) -> str:
    sealed = getattr(one, column)
    return (
        unseal(plain[one.order.profile_id or 0], bytes(sealed), Cell("orders_fulfilment", column, one.pk)).decode()
        if sealed
        else ""
    )


def test_a_tracking_number_that_is_corrected_takes_the_place_of_the_one_before(store: Store) -> None:
    sent = FulfilmentInput("success", AT, "dhl", "JJD001", "https://dhl.example/JJD001")
    other = FulfilmentInput("success", AT, "ups", "1Z9")
    second = timedelta(seconds=1)
    tell(store, order(fulfilments=(sent, other)))
    tell(store, order(fulfilments=(sent, other), remarks="Ring twice", stated_at=AT + second))
    assert Fulfilment.objects.count() == 2
    right = replace(sent, tracking_number="JJD999")
    tell(store, order(fulfilments=(right, other), remarks="Ring twice", stated_at=AT + 2 * second))
    assert _parcels() == [("dhl", "JJD999", "https://dhl.example/JJD001"), ("ups", "1Z9", "")]
    assert Fulfilment.objects.count() == 3
    tell(store, order(fulfilments=(right, other), remarks="Ring once", stated_at=AT + 3 * second))
    assert Fulfilment.objects.count() == 3


def test_parcels_that_webhooks_do_not_tell_stay(store: Store) -> None:
    sent = FulfilmentInput("success", AT, "dhl", "JJD001")
    tell(store, order(tells_fulfilments=False))
    assert tell(store, order(fulfilments=(sent,))).updated == 1
    tell(store, order(price="12.00", tells_fulfilments=False, stated_at=AT + timedelta(seconds=1)))
    assert _parcels() == [("dhl", "JJD001", "")]
    assert Order.objects.get().total_minor == 1200


def test_the_number_of_a_guests_parcel_is_kept_nowhere_and_is_no_news(store: Store) -> None:
    sent = FulfilmentInput("success", AT, "dhl", "JJD001")
    tell(store, order(person=None, fulfilments=(sent,)))
    tell(store, order(person=None, fulfilments=(sent,), price="12.00", stated_at=AT + timedelta(seconds=1)))
    assert (Fulfilment.objects.count(), _parcels()) == (1, [("dhl", "", "")])
