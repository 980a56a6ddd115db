"""Shops with odd plugins, odd addresses and other money than is asked for."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from fakes.server import Request, Response, json_response
from fakes.woocommerce import FakeWooCommerce, Shop
from regulars.connections.base.client import Client, Unreachable
from regulars.connections.base.platforms import Account, ConsentChange, CouponRule, KeyRefused, Refused
from regulars.connections.woocommerce.tests.shop import NOW, WOO, account, incoming
from regulars.foundation.outbound import Outbound, Reply

BOM = b"\xef\xbb\xbf"
NOTICE = b'<br />\n<b>Notice</b>:  Undefined index: {"a"}[0] in <b>/wp-content/x.php</b> on line <b>3</b><br />\n'


@pytest.fixture
def woo() -> Iterator[FakeWooCommerce]:
    with FakeWooCommerce(Shop()) as woo:
        woo.shop.webhooks.send = lambda url, headers, body: 200
        yield woo
        assert woo.server.errors == []


@pytest.fixture
def reader(woo: FakeWooCommerce) -> Account:
    return at_place(woo, "")


def at_place(woo: FakeWooCommerce, folder: str, permissions: str = "read_write") -> Account:
    key = woo.shop.keys.add(permissions)
    client = Client(Outbound(schemes=frozenset({"http"}), allow=frozenset({("127.0.0.1", woo.server.port)})))
    client.sleep = lambda seconds: None
    credentials = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
    return account(address=woo.address + folder, credentials=credentials, client=client, currency="EUR")


@pytest.mark.parametrize("folder", ["/shop", "/de/laden"])
def test_a_shop_in_a_folder_of_its_host(woo: FakeWooCommerce, folder: str) -> None:
    reader = at_place(woo, folder)
    woo.shop.home = reader.address

    def answer(request: Request) -> Response:
        inside = replace(request, path=request.path.removeprefix(folder))
        return woo.answering.answer(inside) if request.path.startswith(folder) else Response(404, b"<html>")

    woo.server.answer = answer
    woo.shop.add_product(sku="MUG", price="12.50")
    assert WOO.check(reader).name == "Fake Woo & Sons"
    assert _skus(reader) == ["MUG"]
    hook = "https://crm.example/hooks/woocommerce/con_1"
    assert WOO.ensure_webhooks(reader, hook).made == WOO.ensure_webhooks(reader, hook).wanted == 15


def _printing(woo: FakeWooCommerce, before: bytes) -> None:
    """From now on something is printed before each answer."""

    def answer(request: Request) -> Response:
        said = woo.answering.answer(request)
        return replace(said, body=before + said.body)

    woo.server.answer = answer


def _skus(reader: Account) -> list[str]:
    page = WOO.fetch(reader, "products", "", None, NOW)
    return [form.sku for one in WOO.read(reader, incoming("products", page.body)).products for form in one.variants]


@pytest.mark.parametrize("before", [BOM, BOM + BOM + b"\r\n", NOTICE, NOTICE + BOM, b"<!-- x -->", b"\n \n"])
def test_what_is_printed_before_an_answer_is_no_part_of_it(
    woo: FakeWooCommerce, reader: Account, before: bytes
) -> None:
    woo.shop.add_product(sku="MUG", price="12.50")
    woo.shop.add_product(sku="PLATE", price="7")
    _printing(woo, before)
    assert WOO.check(reader).name == "Fake Woo & Sons"
    assert _skus(reader) == ["MUG", "PLATE"]


@pytest.mark.parametrize(
    "body",
    [
        b'<!doctype html><html><script>{"a": 1}</script></html>',
        b'[{"id": NaN}, {"id": 2}]',
        b'[{"id": 1}, {"id"',
        b"[" * 5_000 + b"]" * 5_000,
        b"{" * 100_000,
        b"",
    ],
)
def test_what_is_no_answer_is_none(woo: FakeWooCommerce, reader: Account, body: bytes) -> None:
    woo.server.answer = lambda request: Response(200, body)
    with pytest.raises(Unreachable, match=r"is its site being maintained, or are its permalinks set to 'Plain'\?"):
        WOO.fetch(reader, "products", "", None, NOW)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("https://www.shop.example/wp-json/wc/v3/products?x=1", "to https://www.shop.example: connect it under that"),
        ("/shop/wp-json/wc/v3/products", "to {address}/shop: connect it under that"),
        ("/wp-login.php?redirect_to=x", "does not answer our calls, it leads them on to {address}/wp-login.php"),
        ("https:///", "leads them on to https:///"),
        ("", "leads them on to {address}/wp-json/wc/v3/products"),
    ],
)
def test_a_shop_that_leads_elsewhere_is_told_of_in_full(
    woo: FakeWooCommerce, reader: Account, target: str, sentence: str
) -> None:
    woo.server.answer = lambda request: Response(301, b"", (("Location", target),))
    with pytest.raises(Refused) as refused:
        WOO.fetch(reader, "products", "", None, NOW)
    assert sentence.format(address=woo.address) in refused.value.sentence


def _closing(woo: FakeWooCommerce, paths: tuple[str, ...]) -> None:
    """From now on the key's owner may not read what lies there."""
    refusal = {"code": "woocommerce_rest_cannot_view", "message": "Sorry, you cannot list resources."}

    def answer(request: Request) -> Response:
        is_closed = request.path.endswith(paths)
        return json_response(refusal, 403) if is_closed else woo.answering.answer(request)

    woo.server.answer = answer


def test_what_the_key_may_not_read_holds_up_nothing_else(woo: FakeWooCommerce, reader: Account) -> None:
    woo.shop.add_customer("ada@shop-guest.net")
    woo.shop.add_order([(woo.shop.add_product(), 1)])
    _closing(woo, ("/customers", "/coupons"))
    assert [str(one)[:31] for one in WOO.check(reader).missing] == [
        "The key may not read customers:",
        "The key may not read coupons.",
    ]
    pages = {topic.name: WOO.fetch(reader, topic.name, "", None, NOW) for topic in WOO.topics}
    counts = {name: (page.count, page.cursor) for name, page in pages.items() if page.body}
    assert counts == {"products": (1, ""), "orders": (1, "")}
    assert WOO.fetch(reader, "customers", "", NOW, NOW).body == b""


def test_orders_must_be_readable(woo: FakeWooCommerce, reader: Account) -> None:
    _closing(woo, ("/orders",))
    with pytest.raises(Refused, match="may not read this: make it for an administrator or shop manager"):
        WOO.check(reader)
    with pytest.raises(Refused, match="may not read this"):
        WOO.fetch(reader, "orders", "", None, NOW)


@pytest.mark.parametrize(
    "rule",
    [
        CouponRule("five", "Five off", amount=Decimal(5), currency="USD"),
        CouponRule("tenth", "A tenth off", percent=Decimal(10), minimum=Decimal(50), currency="USD"),
    ],
)
def test_a_code_in_other_money_is_refused_here(woo: FakeWooCommerce, reader: Account, rule: CouponRule) -> None:
    with pytest.raises(Refused, match="money is EUR: a code cannot be worth USD"):
        WOO.make_coupon(reader, rule)
    assert woo.shop.coupons == {}
    assert WOO.make_coupon(reader, CouponRule("free", "Free postage", is_free_shipping=True, currency="USD"))


def test_an_account_that_a_shop_manager_may_not_change_is_no_refusal_of_the_key(
    woo: FakeWooCommerce, reader: Account
) -> None:
    refusal = {"code": "woocommerce_rest_cannot_edit", "message": "Sorry, you cannot edit this resource."}
    woo.server.answer = lambda request: json_response(refusal, 403)
    with pytest.raises(Refused, match="does not let the owner of our key do this") as refused:
        WOO.write_consent(reader, ConsentChange("7", "email", "sub@shop-guest.net", False, NOW))
    assert type(refused.value) is Refused
    woo.server.answer = lambda request: json_response(refusal, 401)
    with pytest.raises(KeyRefused):
        WOO.write_consent(reader, ConsentChange("7", "email", "sub@shop-guest.net", False, NOW))


def test_for_a_key_that_may_only_read_nothing_waits(woo: FakeWooCommerce) -> None:
    """Whoever connected with it was told so; a key that may not even read is waited for."""
    reader, number = at_place(woo, "", "read"), woo.shop.add_customer("ada@shop-guest.net")
    change = ConsentChange(str(number), "email", "ada@shop-guest.net", False, NOW)
    for told in (
        lambda: WOO.write_consent(reader, change),
        lambda: WOO.make_coupon(reader, CouponRule("tenth", "A tenth off", percent=Decimal(10))),
    ):
        with pytest.raises(Refused, match="The key may only read") as refused:
            told()
        assert type(refused.value) is Refused
    woo.shop.keys.known.clear()
    with pytest.raises(KeyRefused):
        WOO.write_consent(reader, change)
    with pytest.raises(KeyRefused):
        WOO.make_coupon(reader, CouponRule("tenth", "A tenth off", percent=Decimal(10)))


@dataclass
class Host(Client):
    """Of a shop under https. ``hears``: whether it hands the header Authorization on; ``code``: what it says to a key that it does not hear
    or know."""

    hears: bool = True
    code: str = "woocommerce_rest_cannot_view"
    asked: list[str] = field(default_factory=list)

    def send(
        self, method: str, url: str | Callable[[], str], headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        address = url if isinstance(url, str) else url()
        is_signed = "oauth_signature=" in address
        self.asked.append("signed" if is_signed else (headers or {})["authorization"].partition(" ")[0])
        if is_signed or self.hears:
            return Reply(200, {}, b"[]", address)
        return Reply(401, {}, json.dumps({"code": self.code, "message": "No."}).encode(), address)


def test_a_host_that_keeps_the_key_to_itself_gets_a_signature() -> None:
    for host, asked in ((Host(Outbound()), ["Basic"]), (Host(Outbound(), hears=False), ["Basic", "signed"])):
        assert WOO.fetch(account(client=host), "coupons", "", None, NOW).count == 0
        assert host.asked == asked
    wrong = Host(Outbound(), hears=False, code="woocommerce_rest_authentication_error")
    with pytest.raises(KeyRefused, match="does not accept our key"):
        WOO.fetch(account(client=wrong), "coupons", "", None, NOW)
    assert wrong.asked == ["Basic"]
