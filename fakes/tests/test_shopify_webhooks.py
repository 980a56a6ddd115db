"""What the fake Shopify sends, and how an app gets there."""

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from fakes.disturbing import Disturbance, Fate
from fakes.shopify import goods_payloads, payloads
from fakes.shopify.payloads import Json
from fakes.shopify.records import Customer
from fakes.shopify.seeding import fill
from fakes.shopify.serving import FakeShopify
from fakes.shopify.shop import Shop
from fakes.shopify.trying import Life
from fakes.shopify.webhooks import Delivery, signature
from fakes.tests.shopify_asked import HOOKS, HTTP, ask, kept, one_order, subscribe


def test_the_documented_signature() -> None:
    body = b'{"id":820982911946154508,"total_price":"403.00"}'
    assert signature("hush", body) == "gHDQy76+38chKmG/hW2suoASSgJPriCh7sYbzaB7OQI="


def test_the_merchant_is_sent_back_with_a_signed_query_and_a_code_for_once(fake: FakeShopify) -> None:
    asked = {
        "client_id": "fake-client-id",
        "scope": "read_orders,write_customers",
        "state": "n0",
        "redirect_uri": "https://crm.example/back",
    }
    sent = HTTP.get(f"{fake.address}/admin/oauth/authorize?{urlencode(asked)}")
    back = dict(parse_qsl(urlsplit(sent.headers["location"]).query))
    text = "&".join(f"{name}={back[name]}" for name in sorted(back) if name != "hmac")
    assert back["hmac"] == hmac.new(b"hush", text.encode(), hashlib.sha256).hexdigest()
    assert (back["shop"], back["state"]) == ("fake-goods.myshopify.com", "n0")
    exchange = {"client_id": "fake-client-id", "client_secret": "hush", "code": back["code"], "expiring": "1"}
    token = HTTP.post(f"{fake.address}/admin/oauth/access_token", json=exchange)
    assert (token.json()["scope"], token.json()["expires_in"]) == ("read_orders,write_customers", 3600)
    assert ask(fake, "{ shop { name } }", token.json()["access_token"])["data"] == {"shop": {"name": "Fake Goods"}}
    again = HTTP.post(f"{fake.address}/admin/oauth/access_token", json=exchange)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    fake.clock.advance(hours=1)
    assert "data" not in ask(fake, "{ shop { name } }", token.json()["access_token"])
    refresh = {"grant_type": "refresh_token", "refresh_token": token.json()["refresh_token"]}
    fresh = HTTP.post(f"{fake.address}/admin/oauth/access_token", data=exchange | refresh).json()
    assert ask(fake, "{ shop { name } }", fresh["access_token"])["data"] == {"shop": {"name": "Fake Goods"}}


def test_client_credentials_give_a_token_of_a_day(fake: FakeShopify) -> None:
    asked = {"grant_type": "client_credentials", "client_id": "fake-client-id", "client_secret": "wrong"}
    assert HTTP.post(f"{fake.address}/admin/oauth/access_token", data=asked).status_code == 401
    given = HTTP.post(f"{fake.address}/admin/oauth/access_token", data=asked | {"client_secret": "hush"}).json()
    assert given["expires_in"] == 86399
    assert ask(fake, "{ shop { name } }", given["access_token"])["data"] == {"shop": {"name": "Fake Goods"}}


def test_webhooks_are_signed_and_one_action_has_one_event_id(fake: FakeShopify) -> None:
    subscribe(fake, "ORDERS_CREATE", "ORDERS_PAID", "REFUNDS_CREATE")
    order = one_order(fake, currency="JPY")
    got: list[Delivery] = []
    fake.deliver(kept(got))
    assert [one.topic for one in got] == ["orders/create", "orders/paid"]
    assert len({one.headers["X-Shopify-Event-Id"] for one in got}) == 1
    assert len({one.headers["X-Shopify-Webhook-Id"] for one in got}) == 2
    assert all(one.headers["X-Shopify-Hmac-Sha256"] == signature("hush", one.body) for one in got)
    told = got[0].content
    assert told["total_price_set"] == {
        "shop_money": {"amount": "43.87", "currency_code": "EUR"},
        "presentment_money": {"amount": "7163", "currency_code": "JPY"},
    }
    assert told["updated_at"] == "2026-11-02T10:00:00+01:00"
    assert "checkout_id" not in told
    assert not {"tags", "orders_count", "email_marketing_consent"} & told["customer"].keys()
    fake.shop.refund(order, {order.lines[0].number_of_kind: 1}, amount=1500)
    fake.deliver(kept(got))
    assert got[-1].content["order_adjustments"][0]["amount"] == "-2.01"


def test_a_failed_webhook_comes_eight_times_more_and_then_its_subscription_goes(fake: FakeShopify) -> None:
    subscribe(fake, "ORDERS_CREATE", "PRODUCTS_CREATE")
    began = fake.now()
    fake.shop.add_product("Tea")
    tried: list[Delivery] = []
    while fake.shop.post.pending:
        fake.deliver(kept(tried, 500))
        due = fake.shop.post.next_due()
        fake.clock.at = due or fake.clock.at
    assert len(tried) == 8
    assert fake.now() - began < timedelta(hours=4)
    assert len({one.headers["X-Shopify-Webhook-Id"] for one in tried}) == 1
    assert [one.topic for one in fake.shop.post.removed] == ["PRODUCTS_CREATE"]
    assert [one.topic for one in fake.shop.post.subscriptions] == ["ORDERS_CREATE"]


def test_webhooks_are_lost_doubled_and_mixed_by_their_seed() -> None:
    def run(seed: int) -> list[int]:
        rough = Disturbance(seed, deliveries_dropped=0.3, deliveries_duplicated=0.3, deliveries_reordered=0.5)
        with FakeShopify(disturbance=rough) as fake:
            subscribe(fake, "CUSTOMERS_CREATE")
            numbers = [fake.shop.add_customer(f"c{n}@example.com").number_of_kind for n in range(20)]
            got: list[Delivery] = []
            fake.deliver(kept(got))
            return [numbers.index(one.content["id"]) for one in got]

    first = run(1)
    assert first == run(1)
    assert first != run(2)
    assert first != sorted(first)
    assert set(first) < set(range(20))


def test_requests_are_disturbed_too() -> None:
    with FakeShopify() as fake:
        fake.disturbance.next(Fate.BROKEN)
        with pytest.raises(json.JSONDecodeError):
            ask(fake, "{ shop { name } }")
        assert ask(fake, "{ shop { name } }")["data"] == {"shop": {"name": "Fake Goods"}}


def test_a_merge_asks_to_redact_somebody_who_stays(fake: FakeShopify) -> None:
    fake.shop.post.compliance_uri = HOOKS
    survivor = fake.shop.add_customer("same@example.com")
    order = one_order(fake)
    gone = order.customer
    assert isinstance(gone, Customer)
    fake.shop.merge_customers(survivor, gone)
    got: list[Delivery] = []
    fake.deliver(kept(got))
    [redaction] = got
    assert redaction.topic == "customers/redact"
    assert redaction.content["customer"]["id"] == gone.number_of_kind
    assert redaction.content["orders_to_redact"] == []
    assert fake.shop.truth()["orders"][order.number_of_kind]["customer"] == survivor.number_of_kind


SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "shopify-webhook-samples" / "later_than_2022-04"
GONE = {  # since those samples: REST resources that were retired, and the customer of 2025-01 and the checkout of 2026-04
    "Order": {"checkout_id", "gateway", "processing_method", "total_price_usd"},
    "Customer": {
        "accepts_marketing", "accepts_marketing_updated_at", "email_marketing_consent", "last_order_id", "last_order_name",
        "marketing_opt_in_level", "orders_count", "sms_marketing_consent", "tags", "total_spent",
    },
    "Checkout": {"id", "closed_at", "user_id", "location_id", "source_identifier", "source_url", "device_id", "source", "billing_address"},
}  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    ["Order", "Customer", "Refund", "Product", "Checkout", "Cart", "InventoryLevel", "InventoryItem", "Collection"],
)
def test_a_payload_has_every_field_of_the_samples(kind: str) -> None:
    sample = SAMPLES / f"{kind}.json"
    if not sample.exists():
        print(f"Skipped: {sample} is not on this machine.")
        pytest.skip("no samples")
    with FakeShopify() as fake:
        order = one_order(fake)
        shop, settings, line = fake.shop, fake.shop.settings, order.lines[0]
        assert order.customer is not None
        assert line.variant is not None
        assert line.product is not None
        checkout = shop.add_checkout([(line.variant, 1)], email="a@people.test")
        made = {
            "Order": payloads.order(order, settings),
            "Customer": payloads.customer(order.customer, settings),
            "Refund": payloads.refund(shop.refund(order, {line.number_of_kind: 1}), order, settings),
            "Product": goods_payloads.product(line.product, settings),
            "Checkout": goods_payloads.checkout(checkout, settings),
            "Cart": goods_payloads.cart(shop.add_cart([(line.variant, 1)]), order.currencies),
            "InventoryLevel": goods_payloads.inventory_level(
                line.variant.item, shop.warehouse.number_of_kind, settings
            ),
            "InventoryItem": goods_payloads.inventory_item(line.variant.item, line.sku, settings),
            "Collection": goods_payloads.collection(shop.add_collection("All"), settings),
        }[kind]
    missing = json.loads(sample.read_text(encoding="utf-8")).keys() - made.keys()
    assert missing <= GONE.get(kind, set())


def test_after_a_new_secret_webhooks_keep_the_old_one_for_an_hour(fake: FakeShopify) -> None:
    subscribe(fake, "CUSTOMERS_CREATE")
    fake.rotate_secret("new")
    fake.shop.add_customer("a@people.test")
    fake.clock.advance(hours=1)
    fake.shop.add_customer("b@people.test")
    got: list[Delivery] = []
    fake.deliver(kept(got))
    assert [one.headers["X-Shopify-Hmac-Sha256"] for one in got] == [
        signature(secret, one.body) for secret, one in zip(("hush", "new"), got, strict=True)
    ]


def test_a_shop_to_try_by_hand_lives_on() -> None:
    def lived(seed: int) -> Json:
        shop = Shop()
        fill(shop, orders=5, customers=4, products=2, seed=1)
        life = Life(shop, seed)
        for _ in range(12):
            life.go_on()
        return shop.truth()

    truth = lived(3)
    assert truth == lived(3)
    assert len(truth["orders"]) > 5
    assert len(truth["checkouts"]) > 1
