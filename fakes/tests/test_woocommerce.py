"""The fake shop does what WooCommerce's documents, source and recorded traffic say."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from fakes.disturbing import Disturbance, Fate
from fakes.server import FakeServer, Request, Response
from fakes.woocommerce import FakeWooCommerce, Shop
from fakes.woocommerce.answering import Answering
from fakes.woocommerce.history import History
from fakes.woocommerce.keys import oauth_signature
from fakes.woocommerce.webhooks import signature

AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
CAPTURES = sorted((Path(__file__).parent / "captures").glob("woocommerce-*/*.raw"))  # of WooCommerce's own clients
ROOT = "/wp-json/wc/v3"


class Desk:
    """A shop, and calls to it with a key, signed."""

    def __init__(self, permissions: str = "read_write", **how: Any) -> None:
        self.now = AT
        self.shop = Shop(clock=lambda: self.now, home="http://shop.test", **how)
        self.key = self.shop.keys.add(permissions)
        self.answering = Answering(self.shop)
        self.delivered: list[tuple[str, Mapping[str, str], bytes]] = []
        self.status = 200
        self.shop.webhooks.send = self._take
        self._nonce = 0

    def _take(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.delivered.append((url, headers, body))
        return self.status

    def call(self, method: str, path: str, body: object = None, **given: str) -> Response:
        self._nonce += 1
        oauth = {
            "oauth_consumer_key": self.key.consumer_key,
            "oauth_timestamp": str(int(self.now.timestamp())),
            "oauth_nonce": f"n{self._nonce}",
            "oauth_signature_method": "HMAC-SHA256",
        }
        query = given | oauth
        query["oauth_signature"] = oauth_signature(
            method, f"http://shop.test{ROOT}{path}", query, self.key.consumer_secret
        )
        raw = b"" if body is None else json.dumps(body).encode()
        return self.answering.answer(Request(method, ROOT + path, urlencode(query), {"host": "shop.test"}, raw))

    def read(self, path: str, **given: str) -> Any:
        answer = self.call("GET", path, **given)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


def refusal(answer: Response) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["code"]


def webhook(desk: Desk, topic: str, secret: str = "") -> int:
    body = {"topic": topic, "delivery_url": "https://crm.test/hook", "secret": secret}
    answer = desk.call("POST", "/webhooks", body)
    assert answer.status == 201
    return int(json.loads(answer.body)["id"])


# --- who may call -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_recorded_clients_are_accepted_byte_for_byte(path: Path) -> None:
    head, _, body = path.read_bytes().partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    sent_at = int(parse_qs(urlsplit(target).query)["oauth_timestamp"][0])
    shop = Shop(clock=lambda: datetime.fromtimestamp(sent_at, UTC))
    shop.keys.add("read_write", "ck_a", "cs_b")
    shop.orders[1] = shop.orders[shop.add_order()] | {"id": 1}
    shop.refunds[1] = {}
    request = Request(method, urlsplit(target).path, urlsplit(target).query, headers, body)

    answer = Answering(shop).answer(request)
    assert answer.status == (201 if method == "POST" else 200), answer.body
    assert refusal(Answering(shop).answer(request)) == (
        401,
        "woocommerce_rest_authentication_error",
    )  # its nonce is spent

    changed = Request(method, request.path, request.query.replace("ck_a&", "ck_a&status=any&"), headers, body)
    assert b"signature does not match" in Answering(shop).answer(changed).body


def test_a_key_does_what_it_may_and_time_counts() -> None:
    desk = Desk("read")
    assert desk.call("GET", "/orders").status == 200
    answer = desk.call("POST", "/coupons", {"code": "a"})
    assert answer.status == 401
    assert b"does not have write permissions" in answer.body
    assert desk.shop.coupons == {}
    sent = desk.now
    desk.shop.clock = lambda: sent + timedelta(minutes=16)
    assert b"Invalid timestamp" in desk.call("GET", "/orders").body


def test_basic_counts_over_tls_only() -> None:
    desk = Desk()
    pair = base64.b64encode(f"{desk.key.consumer_key}:{desk.key.consumer_secret}".encode()).decode()
    headers = {"authorization": f"Basic {pair}"}
    plain = Request("GET", f"{ROOT}/orders", "", headers, b"")
    assert refusal(desk.answering.answer(plain)) == (401, "woocommerce_rest_cannot_view")
    secure = Request("GET", f"{ROOT}/orders", "", headers, b"", is_secure=True)
    assert desk.answering.answer(secure).status == 200
    keys = urlencode({"consumer_key": desk.key.consumer_key, "consumer_secret": "wrong"})
    wrong = Request("GET", f"{ROOT}/orders", keys, {}, b"", is_secure=True)
    assert refusal(desk.answering.answer(wrong)) == (401, "woocommerce_rest_authentication_error")


@pytest.mark.parametrize(
    ("method", "path", "given", "body", "code"),
    [
        ("GET", "/carts", {}, None, "fake_unknown_path"),
        ("POST", "/system_status", {}, {}, "fake_unknown_path"),
        ("GET", "/customers", {"modified_after": "2026-01-01T00:00:00"}, None, "fake_unknown_parameter"),
        ("POST", "/coupons", {}, {"code": "a", "expires": "x"}, "fake_unknown_field"),
        ("POST", "/orders", {}, {"billing": {"mail": "x"}}, "fake_unknown_field"),
        ("POST", "/customers/batch", {}, {"update": [{"id": 1, "accepts_marketing": True}]}, "fake_unknown_field"),
        ("GET", "/orders", {"per_page": "101"}, None, "rest_invalid_param"),
        ("GET", "/orders", {"modified_after": "2026-01-01"}, None, "rest_invalid_param"),
        ("GET", "/orders", {"status": "wc-completed"}, None, "rest_invalid_param"),
    ],
)
def test_what_no_document_has_is_refused(
    method: str, path: str, given: dict[str, str], body: object, code: str
) -> None:
    desk = Desk()
    assert refusal(desk.call(method, path, body, **given)) == (400, code)
    assert (desk.shop.coupons, desk.shop.orders) == ({}, {})


def test_a_key_is_granted_and_posted_to_the_application() -> None:
    desk = Desk()
    asked = {
        "app_name": "Regulars",
        "scope": "read_write",
        "user_id": "state-1",
        "return_url": "https://crm.test/back?x=1",
        "callback_url": "https://crm.test/keys",
    }

    def visit(path: str, query: str) -> Response:
        return desk.answering.answer(Request("GET", f"/wc-auth/v1/{path}", query, {"host": "shop.test"}, b""))

    page = visit("authorize", urlencode(asked)).body.decode()
    granted = urlsplit(page.partition('class="approve" href="')[2].partition('"')[0].replace("&amp;", "&"))
    desk.status = 500
    assert visit("access_granted/", granted.query).status == 401
    assert list(desk.shop.keys.known) == [desk.key.consumer_key]
    desk.status = 200
    answer = visit("access_granted/", granted.query)
    assert (answer.status, dict(answer.headers)["Location"]) == (
        302,
        "https://crm.test/back?x=1&success=1&user_id=state-1",
    )
    told = json.loads(desk.delivered[-1][2])
    assert (told["user_id"], told["key_permissions"]) == ("state-1", "read_write")
    assert desk.shop.keys.known[told["consumer_key"]].consumer_secret == told["consumer_secret"]
    plain = urlencode(asked | {"callback_url": "http://crm.test/keys"})
    assert b"needs to be over SSL" in visit("authorize", plain).body


# --- lists --------------------------------------------------------------------------------------------------------


def test_lists_are_paged_bounded_and_in_the_shops_time() -> None:
    desk = Desk()
    numbers = [desk.shop.add_order(at=AT + timedelta(hours=hour)) for hour in range(5)]
    answer = desk.call("GET", "/orders", per_page="2", page="2")
    assert [order["id"] for order in json.loads(answer.body)] == [numbers[2], numbers[1]]
    headers = dict(answer.headers)
    assert (headers["X-WP-Total"], headers["X-WP-TotalPages"]) == ("5", "3")
    assert 'rel="prev"' in headers["Link"]
    assert "page=3" in headers["Link"]
    assert desk.read("/orders", page="9") == []
    order = desk.read(f"/orders/{numbers[0]}")
    assert (order["date_created"], order["date_created_gmt"]) == ("2026-11-01T13:00:00", "2026-11-01T12:00:00")

    def after(bound: str, **given: str) -> list[int]:
        found = desk.read("/orders", modified_after=bound, orderby="modified", order="asc", **given)
        return [order["id"] for order in found]

    assert after("2026-11-01T15:00:00") == numbers[3:]  # shop's time, exclusive
    assert after("2026-11-01T15:00:00", dates_are_gmt="true") == numbers[4:]
    assert after("2026-11-01T15:00:00Z", dates_are_gmt="true") == []  # a zone is turned into the shop's time even so


def test_trash_and_roles_are_not_in_a_list_unless_asked_for() -> None:
    desk = Desk()
    kept, trashed = desk.shop.add_order(), desk.shop.add_order()
    desk.shop.trash_order(trashed)
    assert [order["id"] for order in desk.read("/orders")] == [kept]
    assert [order["id"] for order in desk.read("/orders", status="trash")] == [trashed]
    assert desk.read(f"/orders/{trashed}")["status"] == "trash"
    assert list(desk.shop.truth().orders) == [kept]
    buyer, staff = desk.shop.add_customer("b@example.com"), desk.shop.add_customer("a@example.com", role="shop_manager")
    assert [person["id"] for person in desk.read("/customers")] == [buyer]
    assert [person["id"] for person in desk.read("/customers", role="all")] == [staff, buyer]
    assert [person["id"] for person in desk.read("/customers", role="all", email="A@example.com")] == [staff]
    assert sorted(desk.read("/customers", _fields="id,billing.email")[0]) == ["billing", "id"]


# --- orders -------------------------------------------------------------------------------------------------------


def test_an_order_adds_up_and_refunds_take_from_it() -> None:
    desk = Desk()
    album = desk.shop.add_product(price="11.90", stock=10)
    desk.shop.add_coupon("half", "50.00")
    number = desk.shop.add_order([(album, 2)], billing={"country": "DE"}, coupon="HALF", shipping="10.00")
    order = desk.read(f"/orders/{number}")
    line = order["line_items"][0]
    assert (line["subtotal"], line["total"], line["total_tax"]) == ("20.00", "10.00", "1.90")
    assert (order["total"], order["total_tax"], order["discount_total"]) == ("23.80", "3.80", "10.00")
    assert desk.shop.truth().stock == {album: 8}
    refund = json.loads(
        desk.call("POST", f"/orders/{number}/refunds", {"line_items": [{"id": line["id"], "quantity": 1}]}).body
    )
    assert (refund["amount"], refund["line_items"][0]["quantity"]) == ("5.95", -1)
    assert desk.shop.truth().stock == {album: 9}
    assert desk.read(f"/orders/{number}")["refunds"] == [{"id": refund["id"], "reason": "", "total": "-5.95"}]
    too_much = desk.call("POST", f"/orders/{number}/refunds", {"amount": "17.86"})
    assert refusal(too_much) == (400, "woocommerce_rest_cannot_create_order_refund")
    desk.shop.refund(number)
    told = desk.shop.truth().orders[number]
    assert (told.status, told.total, told.refunded, told.coupons) == (
        "refunded",
        Decimal("23.80"),
        Decimal("23.80"),
        ("half",),
    )


def test_decimals_are_the_shops_and_dp_changes_them() -> None:
    desk = Desk(currency="JPY", places=0, prices_include_tax=False)
    number = desk.shop.add_order([(desk.shop.add_product(price="1000"), 1)], billing={"country": "JP"})
    assert desk.read(f"/orders/{number}")["total"] == "1100"
    assert desk.read(f"/orders/{number}", dp="2")["total"] == "1100.00"
    assert desk.read("/settings/general/woocommerce_price_num_decimals")["value"] == "0"


# --- webhooks -----------------------------------------------------------------------------------------------------


def test_signatures_are_those_of_the_reference() -> None:
    body = b'{"id":820982911946154508,"total_price":"403.00"}'
    assert signature("a&amp;b", body) == "3uECSBIrEaJNx/sgmKwZNkjLkgcb5mggyqzWs7gNYPA="


def test_a_webhook_is_pinged_unsigned_and_sends_the_state_of_now() -> None:
    desk = Desk()
    number = webhook(desk, "order.created", "a&amp;b")
    url, headers, body = desk.delivered.pop()
    assert (url, body) == ("https://crm.test/hook", f"webhook_id={number}".encode())
    assert not [name for name in headers if name.startswith("X-WC")]
    order = desk.shop.add_order(status="pending")
    desk.shop.update_order(order, status="completed")
    assert desk.shop.webhooks.deliver_all() == 1
    _, headers, body = desk.delivered.pop()
    assert json.loads(body)["status"] == "completed"
    assert (headers["X-WC-Webhook-Topic"], headers["X-WC-Webhook-Source"]) == ("order.created", "http://shop.test/")
    assert headers["X-WC-Webhook-Signature"] == signature("a&b", body)
    assert headers["X-WC-Webhook-ID"] == str(number)


def test_two_deliveries_in_a_second_share_their_id_and_deletion_says_only_which() -> None:
    desk = Desk()
    webhook(desk, "order.updated")
    webhook(desk, "order.deleted")
    desk.delivered.clear()
    first, second = desk.shop.add_order(), desk.shop.add_order()
    for number in (first, second):
        desk.shop.update_order(number, customer_note="x")
    desk.shop.webhooks.deliver_all()
    ids = [headers["X-WC-Webhook-Delivery-ID"] for _, headers, _ in desk.delivered]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    desk.now += timedelta(seconds=1)
    desk.shop.trash_order(first)
    desk.shop.delete_order(second)
    desk.shop.webhooks.deliver_all()
    assert [json.loads(body) for _, _, body in desk.delivered[2:]] == [{"id": first}]
    assert desk.delivered[2][1]["X-WC-Webhook-Delivery-ID"] != ids[0]


def test_the_seventh_failure_in_a_row_switches_off_and_nothing_is_tried_again() -> None:
    desk = Desk()
    number = webhook(desk, "order.created")
    desk.status = 503
    for _ in range(6):
        desk.shop.add_order()
        desk.shop.webhooks.deliver_all()
    assert desk.read(f"/webhooks/{number}")["status"] == "active"
    desk.shop.add_order()
    desk.shop.webhooks.deliver_all()
    assert desk.read(f"/webhooks/{number}")["status"] == "disabled"
    desk.shop.add_order()
    assert desk.shop.webhooks.deliver_all() == 0
    desk.status = 302
    assert desk.call("PUT", f"/webhooks/{number}", {"status": "active"}).status == 200
    assert desk.shop.webhooks.deliver_all() == 0
    desk.shop.add_order()
    assert desk.shop.webhooks.deliver_all() == 1
    assert desk.shop.webhooks.failures[number] == 0


# --- writing back -------------------------------------------------------------------------------------------------


def test_customers_and_coupons_are_written_in_batches() -> None:
    desk = Desk()
    number = desk.shop.add_customer("a@example.com")
    body = {"update": [{"id": number, "meta_data": [{"key": "consent", "value": "no"}]}, {"id": 9}]}
    answer = json.loads(desk.call("POST", "/customers/batch", body).body)
    assert answer["update"][0]["meta_data"][0]["value"] == "no"
    assert answer["update"][1]["error"]["code"] == "woocommerce_rest_invalid_id"
    many = {"create": [{"code": f"c{place}"} for place in range(101)]}
    assert refusal(desk.call("POST", "/coupons/batch", many)) == (413, "woocommerce_rest_request_entity_too_large")
    made = desk.call("POST", "/coupons", {"code": "New", "amount": "5", "discount_type": "percent", "usage_limit": 1})
    assert (made.status, json.loads(made.body)["code"], json.loads(made.body)["amount"]) == (201, "new", "5.00")
    again = desk.call("POST", "/coupons", {"code": "NEW"})
    assert refusal(again) == (400, "woocommerce_rest_coupon_code_already_exists")
    assert len(desk.shop.coupons) == 1


# --- whole --------------------------------------------------------------------------------------------------------


def test_a_past_is_the_same_for_a_seed_and_adds_up() -> None:
    def make() -> Shop:
        shop = Shop(clock=lambda: AT)
        History(shop, AT, 7).fill(products=10, customers=30, orders=200)
        return shop

    shop = make()
    assert shop.truth() == make().truth()
    told = shop.truth().orders
    assert {order.currency for order in told.values()} >= {"EUR", "JPY", "KWD"}
    assert {order.status for order in told.values()} >= {"completed", "refunded", "shipped", "failed"}
    assert any(0 < order.refunded < order.total for order in told.values())
    assert all(order.refunded <= order.total for order in told.values())


def test_over_the_wire_with_pages_that_move_and_deliveries_that_go_astray() -> None:
    taken: list[bytes] = []

    def take(request: Request) -> Response:
        taken.append(request.body)
        return Response()

    disturbance = Disturbance(seed=1, deliveries_dropped=0.3)
    with FakeServer(take) as crm, FakeWooCommerce(Shop(disturbance=disturbance), deliver=True) as woo:
        album = woo.shop.add_product()
        first = woo.shop.add_order([(album, 1)])
        woo.shop.webhooks.register(
            {"id": 1, "status": "active", "topic": "order.created", "resource": "order", "event": "created"}
            | {"delivery_url": f"{crm.address}/hook"},
            "s",
        )
        assert taken == [b"webhook_id=1"]
        key = woo.shop.keys.add("read")
        disturbance.next(Fate.SHIFTED)
        path = f"{woo.address}{ROOT}/orders"
        given = {"oauth_consumer_key": key.consumer_key, "oauth_timestamp": str(int(time.time())), "oauth_nonce": "n"}
        given |= {"oauth_signature_method": "HMAC-SHA1", "orderby": "id", "order": "asc"}
        given["oauth_signature"] = oauth_signature("GET", path, given, key.consumer_secret)
        with urllib.request.urlopen(f"{path}?{urlencode(given)}", timeout=5) as answer:
            orders = json.loads(answer.read())
        assert (orders[0]["id"], len(orders)) == (first, 2)
        for _ in range(20):
            woo.shop.add_order([(album, 1)])
        while woo.shop.webhooks.waiting:
            time.sleep(0.02)
    assert 5 < len(taken) - 1 < 21
    assert woo.server.errors == []
