"""Calls of a fake shop that other hands wrote: it refuses every parameter and field that WooCommerce does not document."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fakes.disturbing import Fate
from fakes.woocommerce import FakeWooCommerce, Shop
from fakes.woocommerce.history import History
from regulars.connections.base.client import Client, TryLater, Unreachable
from regulars.connections.base.platforms import Account, ConsentChange, CouponRule, Refused, Statements, Why
from regulars.connections.woocommerce.hooks import TOPICS
from regulars.connections.woocommerce.mapping.values import parse
from regulars.connections.woocommerce.tests.shop import WOO, account, incoming
from regulars.foundation.money import to_minor
from regulars.foundation.outbound import Outbound, Reply

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOOK = "https://crm.example/hooks/woocommerce/con_1"


class Time:
    now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def woo(time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWooCommerce]:
    monkeypatch.setattr("regulars.connections.woocommerce.calls.time.time", lambda: time().timestamp())
    shop = Shop(clock=time)
    shop.webhooks.send = lambda url, headers, body: 200
    with FakeWooCommerce(shop) as woo:
        yield woo
        assert woo.server.errors == []


@pytest.fixture
def shop(woo: FakeWooCommerce) -> Shop:
    return woo.shop


@pytest.fixture
def reader(woo: FakeWooCommerce) -> Account:
    return account_at(woo)


def account_at(woo: FakeWooCommerce, permissions: str = "read_write", **more: Any) -> Account:
    key = woo.shop.keys.add(permissions)
    allow = frozenset({("127.0.0.1", woo.server.port)})
    client = Client(Outbound(schemes=frozenset({"http"}), allow=allow), sleep=lambda seconds: None)
    credentials = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
    return account(address=woo.address, credentials=credentials, client=client, currency="EUR", **more)


def fetch_all(reader: Account, topic: str, since: datetime | None = None, at: datetime = AT) -> tuple[Statements, int]:
    """Everything of a topic, read; and how many pages it was."""
    said, cursor, count = Statements(), "", 0
    for pages in range(1, 100):
        page = WOO.fetch(reader, topic, cursor, since, at)
        count += page.count
        if page.body:
            read = WOO.read(reader, incoming(topic, page.body, Why.HISTORY))
            for name, things in vars(read).items():
                if isinstance(things, list):
                    getattr(said, name).extend(things)
        cursor = page.cursor
        if not cursor:
            return said, pages
    raise AssertionError("no end")


def test_a_shop_says_what_it_is(shop: Shop, reader: Account) -> None:
    shop.add_order([(shop.add_product(), 1)])
    found = WOO.check(reader)
    assert found.version == "11.0.1"
    assert (found.name, found.currency, found.time_zone) == ("Fake Woo & Sons", "EUR", "Europe/Berlin")
    assert (found.missing, found.scopes) == ((), ("read", "write"))


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ({"timezone_string": "Europe/Berlin", "gmt_offset": 1}, "Europe/Berlin"),
        ({"timezone_string": "", "gmt_offset": -5}, "Etc/GMT+5"),
        ({"timezone_string": "", "gmt_offset": 5.5}, "UTC"),
        ({"timezone_string": "", "gmt_offset": "0"}, "Etc/GMT+0"),
        ({}, "UTC"),
    ],
)
def test_the_zone_of_a_shop(reader: Account, monkeypatch: pytest.MonkeyPatch, said: Any, zone: str) -> None:
    monkeypatch.setattr(
        "regulars.connections.woocommerce.calls.about", lambda account: parse(json.dumps(said).encode())
    )
    assert WOO.check(reader).time_zone == zone
    assert ZoneInfo(zone)


def test_a_key_that_may_only_read_is_good_enough_and_said_to_be_so(woo: FakeWooCommerce) -> None:
    found = WOO.check(account_at(woo, "read"))
    assert found.scopes == ("read",)
    assert [str(one)[:26] for one in found.missing] == ["The key may only read: web"]


def test_a_key_that_may_not_read_or_is_wrong_connects_nothing(woo: FakeWooCommerce) -> None:
    with pytest.raises(Refused, match="does not have read permissions"):
        WOO.check(account_at(woo, "write"))
    wrong = account_at(woo)
    with pytest.raises(Refused, match="provided signature does not match"):
        WOO.check(
            account(
                address=woo.address, client=wrong.client, credentials={**wrong.credentials, "consumer_secret": "cs_x"}
            )
        )


def test_under_https_the_key_goes_in_a_header() -> None:
    sent: list[tuple[str, str, Any]] = []

    class Listening(Client):
        def send(self, method: str, url: Any, headers: Any = None, body: bytes = b"") -> Reply:
            sent.append((method, url, headers))
            return Reply(404, {}, b'{"code":"rest_no_route","message":"No route","data":{"status":404}}', url)

    with pytest.raises(Unreachable, match="no WooCommerce with its REST API"):
        WOO.check(account(client=Listening(Outbound())))
    headers = {"accept": "application/json", "authorization": "Basic Y2tfYTpjc19i"}
    assert sent == [("GET", "https://shop.example/wp-json/wc/v3/orders?per_page=1", headers)]


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(200, {}, b"<html>Back soon</html>", "https://shop.example/"), Unreachable, "maintained"),
        (
            Reply(301, {"location": "https://www.shop.example/x"}, b"", "https://shop.example/"),
            Refused,
            "www.shop.example",
        ),
        (Reply(404, {}, b"<html>Nothing</html>", "https://shop.example/"), Unreachable, "permalinks"),
        (Reply(403, {}, b"<html>Firewall</html>", "https://shop.example/"), Unreachable, "not one of WooCommerce"),
        (Reply(400, {}, b'{"code":"x","message":"Because."}', "https://shop.example/"), Refused, "Because."),
    ],
)
def test_answers_that_are_none(reply: Reply, error: type[Exception], words: str) -> None:
    class Answering(Client):
        def send(self, *args: Any, **kwargs: Any) -> Reply:
            return reply

    with pytest.raises(error, match=words):
        WOO.check(account(client=Answering(Outbound())))


def test_history_of_all_topics(shop: Shop, reader: Account) -> None:
    goods = [shop.add_product(f"Thing {n}", stock=n) for n in range(45)]
    shirt = shop.add_product("Shirt", variable={"Size": [str(n) for n in range(120)]}, stock=2)
    people = [shop.add_customer(f"p{n}@shop-guest.net") for n in range(105)]
    shop.add_customer("sub@shop-guest.net", role="subscriber")
    shop.add_customer("boss@shop-guest.net", role="shop_manager")
    shop.add_coupon("ten")
    orders = [shop.add_order([(goods[n % 45], 1)], customer_id=people[n % 105]) for n in range(230)]
    shop.refund(orders[5], "1.00")
    shop.refund(orders[229], lines={shop.orders[orders[229]]["line_items"][0]["id"]: 1})
    shop.trash_order(orders[7])
    said, _ = fetch_all(reader, "products")
    forms = {one.key: len(one.variants) for one in said.products}
    assert forms == dict.fromkeys(map(str, goods), 1) | {str(shirt): 120}
    stock = {form.key: form.on_hand for one in said.products for form in one.variants}
    assert stock == {str(number): count for number, count in shop.truth().stock.items()}
    said, _ = fetch_all(reader, "customers")
    assert len({one.identities[0] for one in said.people}) == 106
    assert [one.code for one in fetch_all(reader, "coupons")[0].coupons] == ["ten"]
    said, pages = fetch_all(reader, "orders")
    assert {one.number for one in said.orders} == {str(n) for n in orders if n != orders[7]}
    assert pages == 3
    assert {one.number: len(one.lines) for one in said.refunds} == {
        str(next(iter(shop.refunds[orders[5]]))): 0,
        str(next(iter(shop.refunds[orders[229]]))): 1,
    }
    assert fetch_all(reader, "trashed-orders") == (Statements(), 1)  # of which history says nothing


def test_progress_counts_each_thing_once(shop: Shop, reader: Account) -> None:
    product = shop.add_product()
    for _ in range(205):
        shop.add_order([(product, 1)])
    first = WOO.fetch(reader, "orders", "", None, AT)
    second = WOO.fetch(reader, "orders", first.cursor, None, AT)
    third = WOO.fetch(reader, "orders", second.cursor, None, AT)
    assert (first.count, second.count, third.count) == (100, 90, 15)
    assert {first.total, second.total, third.total} == {205}
    assert (third.cursor, WOO.fetch(reader, "orders", second.cursor, None, AT)) == ("", third)


def test_what_changed_since(shop: Shop, reader: Account, time: Time) -> None:
    product = shop.add_product()
    old, changed, exact = (shop.add_order([(product, 1)]) for _ in range(3))
    time.now = AT + timedelta(minutes=30)
    shop.update_order(exact, customer_note="on the moment")
    since = time.now
    time.now += timedelta(minutes=10)
    shop.update_order(changed, status="completed")
    fresh = shop.add_order([(product, 1)])
    said, _ = fetch_all(reader, "orders", since, time.now)
    assert {one.number for one in said.orders} == {str(exact), str(changed), str(fresh)}
    assert str(old) not in {one.number for one in said.orders}


def test_what_went_into_the_trash_is_found(shop: Shop, reader: Account, time: Time) -> None:
    number = shop.add_order([(shop.add_product(), 1)])
    time.now += timedelta(minutes=5)
    shop.trash_order(number)
    said, _ = fetch_all(reader, "trashed-orders", AT, time.now)
    assert [(one.external_id, one.stated_at) for one in said.orders_gone] == [(str(number), time.now)]


def test_of_customers_the_new_ones_are_found_at_once_and_all_by_night(shop: Shop, reader: Account, time: Time) -> None:
    for n in range(103):
        shop.add_customer(f"p{n}@shop-guest.net")
    time.now += timedelta(hours=2)
    shop.update_customer(min(shop.customers), first_name="Changed")
    late = [shop.add_customer(f"late{n}@shop-guest.net") for n in range(2)]
    quarter = WOO.fetch(reader, "customers", "", time.now - timedelta(minutes=25), time.now)
    read = WOO.read(reader, incoming("customers", quarter.body, Why.RECONCILE))
    assert quarter.cursor == ""
    assert {str(n) for n in late} <= {one.identities[0].value for one in read.people}
    night, _ = fetch_all(reader, "customers", time.now - timedelta(days=7), time.now)
    assert len({one.identities[0] for one in night.people}) == 105


def test_a_shop_that_sells_while_it_is_read(shop: Shop, reader: Account) -> None:
    product = shop.add_product()
    orders = [shop.add_order([(product, 1)]) for _ in range(250)]
    seen: set[str] = set()
    cursor = ""
    for turn in range(50):
        page = WOO.fetch(reader, "orders", cursor, None, AT)
        seen |= {one.number for one in WOO.read(reader, incoming("orders", page.body, Why.HISTORY)).orders}
        cursor = page.cursor
        if not cursor:
            break
        for number in orders[turn * 40 : turn * 40 + 40]:
            if number in shop.orders and shop.orders[number]["status"] != "trash":
                shop.trash_order(number)
        shop.shift()
    assert {str(n) for n, order in shop.orders.items() if order["status"] != "trash"} <= seen


@pytest.mark.parametrize("fate", [Fate.THROTTLED, Fate.BROKEN, Fate.DROPPED, Fate.TRUNCATED])
def test_what_passes_by_itself_is_waited_for(shop: Shop, reader: Account, fate: Fate) -> None:
    number = shop.add_order([(shop.add_product(), 1)])
    shop.disturbance.next(fate, 3)
    assert [one.number for one in fetch_all(reader, "orders")[0].orders] == [str(number)]
    shop.disturbance.next(fate, 5)
    with pytest.raises((TryLater, Unreachable)):
        WOO.fetch(reader, "orders", "", None, AT)


# --- webhooks ---


def test_webhooks_are_made_once_revived_and_mended(shop: Shop, reader: Account) -> None:
    other = shop.webhooks
    made = WOO.ensure_webhooks(reader, HOOK)
    assert (made.wanted, made.made, made.revived, made.mended) == (len(TOPICS), len(TOPICS), 0, 0)
    assert {one["topic"] for one in other.registered.values()} == set(TOPICS)
    assert set(other.secrets.values()) == {"whisper"}
    again = WOO.ensure_webhooks(reader, HOOK)
    assert (again.made, again.revived, again.mended) == (0, 0, 0)
    numbers = list(other.registered)
    other.registered[numbers[0]]["status"] = "disabled"
    other.registered[numbers[1]]["status"] = "disabled"
    other.registered[numbers[2]]["delivery_url"] = "https://old.example/hooks/woocommerce/con_1"
    revived = WOO.ensure_webhooks(reader, HOOK)
    assert (revived.made, revived.revived, revived.mended) == (0, 2, 1)
    assert {(one["status"], one["delivery_url"]) for one in other.registered.values()} == {("active", HOOK)}
    assert list(other.registered) == numbers


def test_a_new_secret_reaches_every_webhook(woo: FakeWooCommerce, reader: Account) -> None:
    WOO.ensure_webhooks(reader, HOOK)
    renewed = account(
        address=reader.address, credentials=reader.credentials, client=reader.client, secrets=("louder", "whisper")
    )
    assert WOO.ensure_webhooks(renewed, HOOK).mended == len(TOPICS)
    assert set(woo.shop.webhooks.secrets.values()) == {"louder"}


def test_only_our_webhooks_are_touched(woo: FakeWooCommerce, shop: Shop, reader: Account) -> None:
    another = account_at(woo, public_id="con_2")
    WOO.ensure_webhooks(another, "https://crm.example/hooks/woocommerce/con_2")
    theirs = dict(shop.webhooks.registered)
    WOO.ensure_webhooks(reader, HOOK)
    WOO.remove_webhooks(reader, HOOK)
    assert shop.webhooks.registered == theirs
    WOO.remove_webhooks(reader, HOOK)


def test_a_webhook_that_was_made_twice_is_one_again(shop: Shop, reader: Account) -> None:
    shop.disturbance.path = "webhooks"
    WOO.ensure_webhooks(reader, HOOK)
    first = dict(next(iter(shop.webhooks.registered.values())))
    number = shop.next_id()
    shop.webhooks.register(first | {"id": number}, "whisper")
    assert WOO.ensure_webhooks(reader, HOOK).made == 0
    assert len(shop.webhooks.registered) == len(TOPICS)


def test_with_a_key_that_may_only_read_no_webhooks_can_be_made(woo: FakeWooCommerce) -> None:
    assert WOO.ensure_webhooks(account_at(woo, "read"), HOOK).wanted == 0
    assert woo.shop.webhooks.registered == {}
    woo.shop.keys.known.clear()
    gone = account_at(woo)
    woo.shop.keys.known.clear()
    with pytest.raises(Refused, match="Consumer key is invalid"):
        WOO.ensure_webhooks(gone, HOOK)


# --- told to the shop ---


def test_consent_is_noted_with_the_account(shop: Shop, reader: Account) -> None:
    number = shop.add_customer("p@shop-guest.net")
    change = ConsentChange(str(number), "email", "p@shop-guest.net", True, AT)
    for _ in range(2):
        WOO.write_consent(reader, change)
    WOO.write_consent(reader, ConsentChange(str(number), "sms", "+4930123456", False, AT))
    assert {one["key"]: one["value"] for one in shop.customers[number]["meta_data"]} == {
        "regulars_marketing": "yes",
        "regulars_marketing_at": "2026-05-01T12:00:00Z",
        "regulars_marketing_sms": "no",
        "regulars_marketing_sms_at": "2026-05-01T12:00:00Z",
    }
    with pytest.raises(Refused, match="as a guest"):
        WOO.write_consent(reader, ConsentChange("", "email", "p@shop-guest.net", True, AT))
    with pytest.raises(Refused, match="no such customer"):
        WOO.write_consent(reader, ConsentChange("99999", "email", "p@shop-guest.net", True, AT))


RULE = CouponRule(
    "Back-4711",
    "Come back",
    percent=Decimal(15),
    minimum=Decimal("20.00"),
    email="P@shop-guest.net",
    ends_at=AT + timedelta(days=7),
)


def test_a_code_is_made_once(shop: Shop, reader: Account) -> None:
    number = WOO.make_coupon(reader, RULE)
    made = shop.coupons[int(number)]
    assert {name: made[name] for name in ("code", "discount_type", "usage_limit", "email_restrictions")} == {
        "code": "back-4711",
        "discount_type": "percent",
        "usage_limit": 1,
        "email_restrictions": ["P@shop-guest.net"],
    }
    assert WOO.make_coupon(reader, RULE) == number
    assert len(shop.coupons) == 1
    with pytest.raises(Refused, match="does something else"):
        WOO.make_coupon(reader, CouponRule("BACK-4711", "Come back", percent=Decimal(20)))
    assert len(shop.coupons) == 1


def test_a_made_code_is_read_back_as_the_rule(shop: Shop, reader: Account) -> None:
    WOO.make_coupon(reader, RULE)
    WOO.make_coupon(reader, CouponRule("five", "Five off", amount=Decimal("5.00"), currency="EUR", usage_limit=None))
    WOO.make_coupon(reader, CouponRule("free", "Free postage", is_free_shipping=True))
    found = {one.code: one for one in fetch_all(reader, "coupons")[0].coupons}
    one = found["back-4711"]
    assert (one.kind, one.amount, one.minimum, one.usage_limit) == ("percent", Decimal(15), Decimal(20), 1)
    assert one.expires_at == AT + timedelta(days=7)
    assert one.person is not None
    assert one.person.identities[0].value == "p@shop-guest.net"
    assert (found["five"].kind, found["five"].amount, found["five"].usage_limit) == ("fixed", Decimal(5), None)
    assert found["free"].kind == "free_shipping"


def test_a_code_whose_answer_was_lost_is_found(shop: Shop, reader: Account) -> None:
    shop.disturbance.next(Fate.TRUNCATED, 1)
    assert int(WOO.make_coupon(reader, RULE)) in shop.coupons
    assert len(shop.coupons) == 1


def test_a_rule_that_says_nothing_is_refused_here(reader: Account) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        WOO.make_coupon(reader, CouponRule("x", "X"))


def test_categories_are_told_with_those_above_them(shop: Shop, reader: Account) -> None:
    home = shop.add_category("Home &amp; garden")
    kitchen = shop.add_category("Kitchen", parent=home)
    mugs, sale = shop.add_category("Mugs", parent=kitchen), shop.add_category("Sale")
    shop.categories[sale]["parent"] = 999  # gone meanwhile
    mug = shop.add_product("Mug", categories=[mugs, sale])
    shop.add_product("Loose")
    found = {one.title: one for one in fetch_all(reader, "products")[0].products}
    placed = (("Home & garden", "Kitchen", "Mugs"), ("Sale",))
    assert (found["Mug"].categories, found["Mug"].category_names, found["Loose"].categories) == (placed, (), ())
    page = WOO.fetch_one(reader, "products", str(mug))
    [alone] = WOO.split(incoming("products", page, Why.RECONCILE))
    assert [one.categories for one in WOO.read(reader, incoming("products", alone, Why.RECONCILE)).products] == [placed]
    shop.categories[home]["parent"] = mugs  # in a circle
    assert fetch_all(reader, "products")[0].products[0].categories[0] == ("Home & garden", "Kitchen", "Mugs")


# --- what the shop sends ---


def test_webhooks_of_the_shop_are_read(shop: Shop, reader: Account) -> None:
    WOO.ensure_webhooks(reader, HOOK)
    category = shop.add_category("Shirts", parent=shop.add_category("Clothing"))
    shirt = shop.add_product("Shirt", categories=[category], variable={"Size": ["S", "M"]}, stock=2)
    number = shop.add_order([(shop.products[shirt]["variations"][0], 1)], email="p@shop-guest.net")
    shop.webhooks.sent.clear()
    shop.webhooks.deliver_all()
    said: dict[str, list[Statements]] = {}
    for sent in shop.webhooks.sent:
        delivery = WOO.authenticate(reader, {name.lower(): value for name, value in sent.headers.items()}, sent.body)
        assert delivery is not None
        said.setdefault(delivery.topic, []).append(WOO.read(reader, incoming(delivery.topic, sent.body)))
    assert [one.orders[0].external_id for one in said["order.created"]] == [str(number)]
    stock = [
        (one.key, form.on_hand) for each in said["product.updated"] for one in each.products for form in one.variants
    ]
    assert stock == [(str(shirt), 1)]
    [told] = [one for each in said["product.created"] for one in each.products]
    assert (told.categories, told.category_names) == ((), ("Shirts",))
    assert json.loads(shop.webhooks.sent[0].body)["id"] == shirt


@pytest.mark.parametrize("seed", range(3))
def test_a_shop_with_a_past_is_read_whole(shop: Shop, reader: Account, seed: int) -> None:
    """Odd names, states, currencies, meta data; orders without a time of change, in the trash, refunded."""
    History(shop, AT, seed).fill(products=30, customers=25, orders=120)
    truth = shop.truth()
    said, _ = fetch_all(reader, "orders")
    assert said.unreadable == []
    assert {one.external_id: (one.number, one.currency, one.total_minor) for one in said.orders} == {
        str(number): (one.number, one.currency, to_minor(one.total, one.currency))
        for number, one in truth.orders.items()
    }
    refunded: dict[str, int] = defaultdict(int)
    for refund in said.refunds:
        refunded[refund.order_external_id] += refund.amount_minor
    assert {number: amount for number, amount in refunded.items() if amount} == {
        str(number): to_minor(one.refunded, one.currency) for number, one in truth.orders.items() if one.refunded
    }
    assert {one.external_id: len([x for x in one.lines if not x.is_service]) for one in said.orders} == {
        str(number): len(one.lines) for number, one in truth.orders.items()
    }
    assert {one.external_id: one.discount_codes for one in said.orders if one.discount_codes} == {
        str(number): ", ".join(one.coupons) for number, one in truth.orders.items() if one.coupons
    }
    goods, _ = fetch_all(reader, "products")
    assert goods.unreadable == []
    assert {one.key: one.title for one in goods.products} == {
        str(number): unescape(name) for number, name in truth.products.items()
    }
    forms = {form.key: (one.key, form) for one in goods.products for form in one.variants}
    assert {key: form.on_hand for key, (_, form) in forms.items() if form.on_hand is not None} == {
        str(number): count for number, count in truth.stock.items() if str(number) in forms
    }
    assert {str(number): str(parent) for number, parent in truth.variations.items()} == {
        key: product for key, (product, _) in forms.items() if key != product
    }
    assert {one.external_id: one.code for one in fetch_all(reader, "coupons")[0].coupons} == {
        str(number): code for number, code in truth.coupons.items()
    }
    people, _ = fetch_all(reader, "customers")
    assert people.unreadable == []
    known = {one.identities[0].value for one in people.people if one.identities[0].kind == "store_customer"}
    assert {str(number) for number in truth.customers} <= known
    assert len(said.consents) + len(people.consents) > 5
