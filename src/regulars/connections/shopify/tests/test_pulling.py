"""Pulling everything, and what changed, from the fake shop: what is said comes to the fake's own truth."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from fakes.disturbing import Disturbance, Fate
from fakes.shopify.seeding import fill
from fakes.shopify.serving import FakeShopify
from fakes.shopify.settings import ALL_SCOPES, App
from regulars.connections.base.platforms import Refused
from regulars.connections.shopify import pulling
from regulars.connections.shopify.selections import COLLECTIONS
from regulars.connections.shopify.tests.shop import PLATFORM
from regulars.connections.shopify.tests.standing import account_at, everything, pages, read, standing
from regulars.record.orders.inputs import OrderInput
from regulars.record.orders.models import OrderStatus

CANCELLED = OrderStatus.CANCELLED


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeShopify]:
    with standing(settings, seed=4) as started:
        yield started


@pytest.fixture
def filled(fake: FakeShopify) -> FakeShopify:
    fill(fake.shop, orders=25, customers=8, products=4, seed=9)
    return fake


def _orders(fake: FakeShopify, since: Any = None) -> dict[str, OrderInput]:
    said = [order for one in everything(account_at(fake), "orders", since) for order in one.orders]
    return {order.external_id: order for order in said}


def _worth(order: OrderInput) -> int:
    """What it comes to now: its total less what was given back."""
    return (order.total_minor or 0) - sum(refund.amount_minor for refund in order.refunds)


def _true_worth(fact: Any) -> int:
    """By the fake: what was received and not given back; what is not paid in full yet comes to what is to be paid."""
    is_paid = fact["financial_status"] in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED")
    worth: int = fact["received"][0] - fact["refunded"][0] if is_paid else fact["current_total"][0]
    return worth


def test_all_orders_come_to_the_truth(filled: FakeShopify) -> None:
    orders, truth = _orders(filled), filled.shop.truth()["orders"]
    assert orders.keys() == {str(number) for number in truth}
    for number, fact in truth.items():
        order = orders[str(number)]
        assert order.number == fact["name"]
        assert sum(refund.amount_minor for refund in order.refunds) == fact["refunded"][0]
        assert (order.cancelled_at is not None) == (fact["cancelled_at"] is not None)
        assert (order.is_test, order.stated_at) == (fact["test"], fact["updated_at"])
        sent = sorted(number for _, numbers in fact["parcels"].values() for number in numbers)
        assert sorted(
            ", ".join(one.tracking_number for one in order.fulfilments if one.tracking_number).split(", ")
        ) == (sent or [""])
        if order.status != CANCELLED:
            assert _worth(order) == _true_worth(fact), (order, fact)
    assert sum(len(order.refunds) for order in orders.values()) >= 3


def test_customers_stock_and_codes_come_to_the_truth(filled: FakeShopify) -> None:
    shop, truth = account_at(filled), filled.shop.truth()
    people = [person for one in everything(shop, "customers") for person in one.people]
    assert {person.identities[0].value for person in people} == {str(number) for number in truth["customers"]}
    counted = {
        (stock.stock_key, stock.location): stock.on_hand for one in everything(shop, "stock") for stock in one.stocks
    }
    variants = [v for one in everything(shop, "products") for p in one.products for v in p.variants]
    assert {v.key: v.price for v in variants}.keys() == {str(number) for number in truth["variants"]}
    for variant in variants:
        stock = truth["variants"][int(variant.key)]["stock"]
        assert {place: counted[variant.stock_key, str(place)] for place in stock} == stock
    codes = [coupon.code for one in everything(shop, "coupons") for coupon in one.coupons]
    assert len(codes) == len(set(codes)) == sum(len(fact["codes"]) for fact in truth["coupons"].values())


def test_small_pieces_say_the_same_as_one(filled: FakeShopify, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _orders(filled)
    monkeypatch.setattr(pulling, "PIECE", 1500)
    shop = account_at(filled)
    found = [page for page in pages(shop, "orders") if page.body]
    assert len(found) > 8
    assert [page.total for page in found] == [len(whole)] * len(found)
    orders = [order for page in found for order in read(shop, "orders", page).orders]
    assert {order.external_id: order for order in orders} == whole
    assert len(orders) == len(whole)


def test_pages_say_the_same_where_no_bulk_operation_may_run(
    filled: FakeShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {topic: everything(account_at(filled), topic) for topic in COLLECTIONS}
    monkeypatch.setattr(pulling, "bulk", lambda topic, since: "{ shop { name } }")
    for topic, said in whole.items():
        paged = everything(account_at(filled), topic)
        assert _all(paged) == _all(said), topic


def _all(said: Any) -> Counter[str]:
    things = [repr(thing) for one in said for name in vars(one) if name != "is_over" for thing in getattr(one, name)]
    return Counter(things)


def test_a_file_that_fails_or_is_gone_is_left_for_pages(filled: FakeShopify) -> None:
    whole = _orders(filled)
    filled.bulk.fail_next(after=3)
    assert _orders(filled) == whole


def test_a_file_that_is_kept_from_us_is_left_for_pages(filled: FakeShopify, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address has run out, or whatever stands between lets nothing of it through: asked again for ever, it would never come."""
    whole = _orders(filled)
    monkeypatch.setattr(filled.bulk, "content", lambda number, ends, signature: None)
    assert _orders(filled) == whole


def test_what_is_too_much_to_ask_for_however_little_it_is_says_so(filled: FakeShopify) -> None:
    filled.bucket.most_of_one = 1
    for ask_for in (
        lambda: everything(account_at(filled), "orders"),
        lambda: PLATFORM.fetch_one(account_at(filled), "orders", "1"),
    ):
        with pytest.raises(Refused, match="too much to ask for"):
            ask_for()


def test_a_file_that_is_not_grouped_is_left_for_pages(filled: FakeShopify, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _orders(filled)
    monkeypatch.setattr(pulling, "_RUN", pulling._RUN.replace("groupObjects: true", "groupObjects: false"))
    monkeypatch.setattr(pulling, "PIECE", 1500)
    assert _orders(filled) == whole


def test_many_lines_codes_and_refunds_are_followed_to_their_end(
    fake: FakeShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = [fake.shop.add_product(f"Tea {n}", variants=[{"price": 100 + n, "sku": f"T{n}"}]) for n in range(45)]
    order = fake.shop.add_order([(product.variants[0], 2) for product in products])
    for line in order.lines[:30]:
        fake.shop.refund(order, {line.number_of_kind: 1})
    fake.shop.add_coupon(*[f"CODE{n}" for n in range(35)], percentage=0.1)
    since = fake.now() - timedelta(hours=1)
    [said] = _orders(fake, since).values()
    assert (len(said.lines), len(said.refunds)) == (45, 30)
    assert sum(refund.amount_minor for refund in said.refunds) == sum(100 + n for n in range(30))
    assert [said] == list(_orders(fake).values())
    codes = [coupon.code for one in everything(account_at(fake), "coupons", since) for coupon in one.coupons]
    assert sorted(codes) == sorted(f"CODE{n}" for n in range(35))


def test_what_changed_since_is_told_and_nothing_else(filled: FakeShopify) -> None:
    filled.clock.advance(days=1)
    since = filled.now() - timedelta(minutes=25)
    assert _orders(filled, since) == {}
    product = filled.shop.add_product("Assam", variants=[{"price": 500, "sku": "A"}])
    order = filled.shop.add_order([(product.variants[0], 1)])
    assert list(_orders(filled, since)) == [str(order.number_of_kind)]
    shop = account_at(filled)
    [keys] = [[p.key for p in one.products] for one in everything(shop, "products", since)]
    assert keys == [str(product.number_of_kind)]


def test_a_count_that_changed_is_found_though_nothing_else_did(filled: FakeShopify) -> None:
    filled.clock.advance(days=1)
    since = filled.now() - timedelta(minutes=25)
    variant = filled.shop.variants()[0]
    filled.shop.set_stock(variant, 41)
    counted = [stock.on_hand for one in everything(account_at(filled), "stock", since) for stock in one.stocks]
    assert (counted[0], len(counted)) == (41, len(variant.item.level_ids))


def test_a_shop_that_throttles_is_waited_for(filled: FakeShopify) -> None:
    whole = _orders(filled)
    filled.bucket.size, filled.bucket.available = 1000, 0
    before = filled.now()
    assert _orders(filled, filled.now() - timedelta(days=900)) == whole
    assert filled.now() > before


@pytest.mark.parametrize("fate", [Fate.THROTTLED, Fate.TRUNCATED])
def test_a_shop_that_misbehaves_is_asked_again(settings: Any, fate: Fate) -> None:
    rough = Disturbance(3)
    with standing(settings, seed=4, disturbance=rough) as fake:
        fill(fake.shop, orders=12, customers=4, products=3, seed=2)
        whole = _orders(fake)
        setattr(rough, fate.value, 0.2)
        assert _orders(fake) == whole


def test_without_the_scope_a_topic_is_empty_and_said_to_be_missing(settings: Any) -> None:
    scopes = tuple(one for one in ALL_SCOPES if one not in ("read_customers", "write_customers", "read_all_orders"))
    with standing(settings, app=App(scopes=scopes)) as fake:
        fill(fake.shop, orders=5, customers=5, products=2, seed=2)
        shop = account_at(fake)
        assert _orders(fake) == {}
        assert everything(shop, "customers") == []
        assert len(everything(shop, "products")) == 1
        told = fake.shop.truth()
        assert told["orders"]
        from_shop = [str(sentence) for sentence in PLATFORM.check(shop).missing]
    assert from_shop == [
        "Without read_all_orders Shopify shows the orders of the last 60 days only: older ones stay away.",
        "Without read_customers there are no customers, no consent and no orders: nobody would know whose they are.",
        "Without write_customers the shop does not learn who unsubscribed or subscribed here.",
    ]


def test_a_key_that_is_wrong_says_what_to_do(fake: FakeShopify) -> None:
    with pytest.raises(Refused, match="connect the shop with a new one"):
        everything(account_at(fake, access_token="shpat_wrong"), "orders")
