"""A shop takes our app away, comes back, or is ended here: whoever is asked for in a customer's name is heard all the same."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser

from fakes.shopify.serving import FakeShopify
from fakes.shopify.settings import App
from fakes.shopify.webhooks import Delivery
from regulars.connections.base import accounts
from regulars.connections.base.accounts import account_of, read_secrets
from regulars.connections.base.models import Connection, ConnectionState, PlatformRequest, PullKind
from regulars.connections.base.operations.checking import check_webhooks
from regulars.connections.base.operations.requested import carry_out_requests
from regulars.connections.base.panels import find
from regulars.connections.base.tests.contract import Sent, post, pull, read_all
from regulars.connections.shopify import webhooks
from regulars.connections.shopify.tests.standing import standing
from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault import keys
from regulars.foundation.work.loops import Stop
from regulars.record.customers.models import Profile
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db
APP = {"client_id": App().client_id, "client_secret": App().client_secret}
AT = datetime(2026, 12, 1, tzinfo=UTC)  # while the version that is spoken is served
HOST = "https://crm.ringstrasse.net"


@pytest.fixture
def fake(settings: Any, db: None) -> Iterator[FakeShopify]:
    settings.PUBLIC_URL = HOST
    accounts.client_of.cache_clear()
    with standing(settings) as started:
        brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@ringstrasse.net")
        Store.objects.create(code="uk", name="Shop", brand=brand, currency="EUR", time_zone="Europe/Berlin")
        accounts.client_of("shopify", started.address).sleep = lambda seconds: None
        started.bucket.size = started.bucket.available = 10**9  # time stands still: nothing would be restored
        yield started
    accounts.client_of.cache_clear()


@pytest.fixture
def browser(fake: FakeShopify) -> Browser:
    member, _ = create_staff("owner@ringstrasse.net", "owner", SYSTEM, clock.now())
    browser = Browser()
    browser.force_login(member)
    return browser


Connect = Callable[..., Any]


@pytest.fixture
def connect(browser: Browser, fake: FakeShopify) -> Connect:
    """What the form of a new connection answers."""

    def send(**more: str) -> Any:
        form = {"store": "uk", "address": fake.address, "way": "key", "access_token": fake.token} | APP
        return browser.post("/settings/connections/new/shopify", form | more)

    return send


@pytest.fixture
def row(connect: Connect, fake: FakeShopify) -> Connection:
    assert connect().status_code == 302
    row = Connection.objects.select_related("store").get()
    fake.shop.post.compliance_uri = f"{HOST}/hooks/shopify/{row.public_id}"
    check_webhooks(row.pk, clock.now)
    fake.shop.add_customer("ada@ringstrasse.net")
    pull(row, PullKind.HISTORY)
    fake.deliver(lambda one: 200)
    row.refresh_from_db()
    return row


def _answers(fake: FakeShopify, browser: Browser, row: Connection) -> dict[str, int]:
    """Hands over what the shop has to send; what each topic was answered."""
    said: dict[str, int] = {}

    def send(one: Delivery) -> int:
        assert one.uri == f"{HOST}/hooks/shopify/{row.public_id}"
        said[one.topic] = post(browser, row, Sent(one.headers, one.body))
        return said[one.topic]

    fake.deliver(send)
    read_all()
    row.refresh_from_db()
    return said


def _kept(sent: list[Sent]) -> Callable[[Delivery], int]:
    """Thanks for what is handed over, and keeps it."""

    def keep(one: Delivery) -> int:
        sent.append(Sent(one.headers, one.body))
        return 200

    return keep


def _findings() -> list[str]:
    viewer = Viewer(None, frozenset({"connections.view", "connections.manage"}))
    return [one.sentence for one in find(viewer, AT)]


def test_an_app_that_was_taken_away_is_told_of_and_what_shopify_asks_afterwards_is_heard(
    fake: FakeShopify, browser: Browser, row: Connection
) -> None:
    fake.shop.uninstall()
    assert _answers(fake, browser, row) == {"app/uninstalled": 200}
    assert row.state == ConnectionState.FAILING
    assert _findings() == [f"Fake Goods cannot be read: {row.problem}"]
    assert "removed" in row.problem
    assert row.problem in browser.get("/settings/connections").content.decode()
    fake.shop.redact_shop()
    assert _answers(fake, browser, row) == {"shop/redact": 200}
    assert list(PlatformRequest.objects.values_list("kind", "done_at")) == [("erase-shop", None)]


def test_an_app_that_is_installed_again_goes_on_as_the_same_connection(
    fake: FakeShopify, browser: Browser, row: Connection, connect: Connect
) -> None:
    fake.shop.uninstall()
    _answers(fake, browser, row)
    assert connect().status_code == 400
    fake.shop.is_installed = True
    fake.token = fake.oauth.custom_token()
    assert connect()["Location"] == f"/settings/connections/{row.public_id}"
    row = Connection.objects.select_related("store").get()
    assert (row.state, row.problem) == (ConnectionState.ACTIVE, "")
    assert read_secrets(row).credentials["access_token"] == fake.token
    assert len(fake.shop.post.subscriptions) == 0
    check_webhooks(row.pk, clock.now)
    assert len(fake.shop.post.subscriptions) == len(webhooks.TOPICS)


def test_a_new_secret_of_the_app_is_given_by_connecting_again_and_the_old_one_signs_for_a_while(
    fake: FakeShopify, browser: Browser, row: Connection, connect: Connect
) -> None:
    fake.rotate_secret("hush hush")
    page = browser.get(f"/settings/connections/{row.public_id}").content.decode()
    assert f'href="/settings/connections/new/shopify?{urlencode({"address": fake.address})}&amp;store=uk"' in page
    assert connect(client_secret="hush hush")["Location"] == f"/settings/connections/{row.public_id}"
    row.refresh_from_db()
    assert account_of(row, clock.now()).secrets == ("hush hush", "hush")
    fake.shop.add_customer("bea@ringstrasse.net")
    assert _answers(fake, browser, row)["customers/create"] == 200


def test_a_shop_of_another_store_is_not_taken_over_by_connecting_again(
    fake: FakeShopify, row: Connection, connect: Connect
) -> None:
    Store.objects.create(code="de", name="DE", brand=row.store.brand, currency="EUR")
    before = bytes(row.sealed)
    refused = connect(store="de")
    assert (refused.status_code, "connected already" in refused.content.decode()) == (400, True)
    row.refresh_from_db()
    assert (row.store.code, bytes(row.sealed)) == ("uk", before)


def test_a_connection_that_was_ended_here_still_hears_what_is_asked_in_customers_names_and_nothing_else(
    fake: FakeShopify, browser: Browser, row: Connection
) -> None:
    fake.shop.add_customer("bea@ringstrasse.net")
    late: list[Sent] = []
    fake.deliver(_kept(late))
    browser.post(f"/settings/connections/{row.public_id}/end")
    row.refresh_from_db()
    assert (row.state, read_secrets(row).credentials) == (ConnectionState.OVER, {})
    assert {post(browser, row, one) for one in late} == {410}
    fake.shop.redact_shop()
    assert _answers(fake, browser, row) == {"shop/redact": 200}
    asked = PlatformRequest.objects.get()
    assert asked.kind == "erase-shop"
    [finding] = _findings()
    assert finding.startswith("Fake Goods asks in a customer's name")
    assert f'/requests/{asked.pk}"' in browser.get(f"/settings/connections/{row.public_id}").content.decode()
    forged = Sent({"X-Shopify-Topic": "shop/redact", "X-Shopify-Hmac-Sha256": "eA=="}, b"{}")
    assert post(browser, row, forged) == 401
    assert PlatformRequest.objects.count() == 1


def test_what_shopify_asks_in_customers_names_is_done_to_the_end(
    fake: FakeShopify, browser: Browser, row: Connection
) -> None:
    ada, bea, cleo = (fake.shop.add_customer(f"{name}@ringstrasse.net") for name in ("ada1", "bea1", "cleo1"))
    tea = fake.shop.add_product("Tea", variants=[{"price": 1299}]).variants[0]
    for one in (ada, bea, cleo):
        fake.shop.add_order([(tea, 1)], customer=one)
    _answers(fake, browser, row)
    fake.shop.request_data(ada)
    fake.shop.redact_customer(bea)
    _answers(fake, browser, row)
    carry_out_requests(Stop(), clock.now())
    known = {one.kind: one for one in PlatformRequest.objects.all()}
    assert {kind: one.outcome for kind, one in known.items()} == {"export": "", "erase": "Erased."}
    page = f"/settings/connections/{row.public_id}"
    [href] = re.findall(r'href="(/customers/\w+/privacy)"', browser.get(page).content.decode())
    assert b"ada1@ringstrasse.net" in b"".join(browser.get(href.removesuffix("/privacy")))
    assert browser.post(f"{href}/export")["Content-Type"] == "application/zip"
    fake.shop.uninstall()
    fake.shop.redact_shop()
    _answers(fake, browser, row)
    asked = PlatformRequest.objects.get(kind="erase-shop")
    carry_out_requests(Stop(), clock.now())
    held = Profile.objects.filter(store=row.store_id).values_list("pk", flat=True)
    before = keys.still_held(held)
    assert browser.post(f"{page}/requests/{asked.pk}/erase", {"word": "eras"}).status_code == 302
    carry_out_requests(Stop(), clock.now())
    assert keys.still_held(held) == before != set()
    assert browser.post(f"{page}/requests/{known['export'].pk}/erase", {"word": "erase"}).status_code == 404
    assert browser.post(f"{page}/requests/{asked.pk}/erase", {"word": "Erase"}).status_code == 302
    carry_out_requests(Stop(), clock.now())
    asked.refresh_from_db()
    assert (asked.outcome, asked.done_at is None) == ("Everybody of this shop was erased.", False)
    assert keys.still_held(held) == set()
    assert Order.objects.filter(store=row.store_id).count() == 3


def test_an_app_that_is_removed_a_second_time_is_asked_about_a_second_time(
    fake: FakeShopify, browser: Browser, row: Connection
) -> None:
    for day in range(3):
        fake.clock.advance(days=1)
        fake.shop.redact_shop()
        sent: list[Sent] = []
        fake.deliver(_kept(sent))
        for again in [*sent, *sent]:
            assert post(browser, row, again) == 200
        read_all()
        assert PlatformRequest.objects.filter(kind="erase-shop").count() == day + 1


def test_an_erasure_that_names_nobody_by_number_stays_open_for_staff(
    fake: FakeShopify, browser: Browser, row: Connection
) -> None:
    """The older form of customers/redact, in which only a mail address is known: by that nobody is ever erased."""
    body = {"shop_id": 1, "customer": {"email": "ada@ringstrasse.net"}, "orders_to_redact": [299938]}
    fake.shop.post.emit_compliance("customers/redact", body)
    _answers(fake, browser, row)
    carry_out_requests(Stop(), clock.now())
    asked = PlatformRequest.objects.get()
    assert (asked.done_at, asked.orders, asked.token) == (None, ["299938"], None)
    assert "299938" in browser.get(f"/settings/connections/{row.public_id}").content.decode()
    assert len(keys.still_held(Profile.objects.values_list("pk", flat=True))) == 1
