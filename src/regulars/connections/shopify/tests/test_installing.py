"""Installing in the browser: what is refused, what is sent where, and how often (bar 34 of the reliability reference)."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client as Browser
from django.utils.html import escape

from fakes.shopify.serving import FakeShopify
from fakes.shopify.settings import App
from regulars.connections.base import accounts
from regulars.connections.base.accounts import Secrets, account_of, keep_secrets, read_secrets
from regulars.connections.base.client import Client, Pace
from regulars.connections.base.errors import IsOver
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.operations.connecting import begin_connection
from regulars.connections.shopify import oauth, tokens
from regulars.connections.shopify.calls import ask
from regulars.connections.shopify.tests.shop import Canned, data, reply
from regulars.connections.shopify.tests.standing import standing
from regulars.connections.shopify.tokens import Token, token_of
from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand, Store

pytestmark = pytest.mark.django_db
SHOP = "tea.myshopify.com"
APP = {"client_id": App().client_id, "client_secret": App().client_secret}
SECRET = APP["client_secret"]


@pytest.fixture
def browser(db: None) -> Browser:
    member, _ = create_staff("owner@ringstrasse.net", "owner", SYSTEM, clock.now())
    browser = Browser()
    browser.force_login(member)
    return browser


@pytest.fixture
def store(db: None, settings: Any) -> Store:
    settings.PUBLIC_URL = "https://crm.ringstrasse.net"
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@ringstrasse.net")
    return Store.objects.create(code="uk", name="Shop", brand=brand, currency="EUR", time_zone="Europe/Berlin")


@pytest.fixture
def row(store: Store) -> Connection:
    return begin_connection("shopify", store, f"https://{SHOP}", SYSTEM, clock.now())


@pytest.fixture
def outside(row: Connection, monkeypatch: pytest.MonkeyPatch) -> Canned:
    """Everything that would be sent anywhere."""
    outbound = Canned()
    client = Client(outbound, Pace(1000, 1000), sleep=lambda seconds: None)
    for module in (accounts, oauth):
        monkeypatch.setattr(module, "client_of", lambda platform, address: client)
    return outbound


def _begin(browser: Browser, row: Connection) -> dict[str, str]:
    """Off to Shopify; what its page is asked."""
    sent = browser.post("/connect/shopify", {"connection": row.public_id} | APP)
    address = sent["Refresh"].removeprefix(
        "0; url="
    )  # not a redirect: browsers would not follow one from a form of ours
    assert (sent.status_code, f'href="{escape(address)}"' in sent.content.decode()) == (200, True)
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", SHOP, "/admin/oauth/authorize")
    return dict(parse_qsl(parts.query))


def _back(state: str, secret: str = SECRET, **more: str) -> str:
    """The query that Shopify sends the browser back with."""
    said = {"code": "0907a61c0c8d", "shop": SHOP, "state": state, "timestamp": "1772360000", "host": "YWRtaW4"} | more
    text = "&".join(f"{name}={said[name]}" for name in sorted(said))
    said["hmac"] = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"{oauth.RETURN_PATH}?{urlencode(said)}"


def _is_untouched(row: Connection, outside: Canned) -> bool:
    row.refresh_from_db()
    return row.state == ConnectionState.NEW and outside.calls == []


def test_the_page_says_what_is_asked_for_and_where_to_come_back(browser: Browser, row: Connection) -> None:
    page = browser.get(f"/connect/shopify?connection={row.public_id}").content.decode()
    assert "https://crm.ringstrasse.net/connect/shopify/return" in page
    assert page.count("<dt><code>") == 10
    for scope in ("read_orders", "read_all_orders", "write_discounts", "write_pixels"):
        assert f"<code>{scope}</code>" in page


def test_shopify_is_asked_for_the_least_and_the_state_is_new_each_time(browser: Browser, row: Connection) -> None:
    asked = _begin(browser, row)
    assert asked["client_id"] == APP["client_id"]
    assert asked["redirect_uri"] == "https://crm.ringstrasse.net/connect/shopify/return"
    assert set(asked["scope"].split(",")) == {
        "read_orders", "read_all_orders", "read_customers", "write_customers", "read_products", "read_inventory",
        "read_discounts", "write_discounts", "write_pixels", "read_customer_events",
    }  # fmt: skip
    assert len(asked["state"]) >= 40
    assert _begin(browser, row)["state"] != asked["state"]
    assert SECRET not in str(asked)


def test_the_code_is_exchanged_at_the_shop_and_the_connection_begins(
    browser: Browser, row: Connection, outside: Canned
) -> None:
    state = _begin(browser, row)["state"]
    said = {"access_token": "shpat_1", "scope": "read_orders", "expires_in": 3600, "refresh_token": "shprt_1"}
    shop = {"name": "Tea", "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin", "myshopifyDomain": SHOP}
    held = {"accessScopes": [{"handle": "read_orders"}]}
    outside.answers += [reply(said), data(shop=shop, currentAppInstallation=held)]
    done = browser.get(_back(state))
    assert done["Location"] == f"/settings/connections/{row.public_id}"
    method, url, _, body = outside.calls[0]
    assert (method, url) == ("POST", f"https://{SHOP}/admin/oauth/access_token")
    assert dict(parse_qsl(body.decode())) == APP | {"code": "0907a61c0c8d", "expiring": "1"}
    row.refresh_from_db()
    assert (row.state, row.name) == (ConnectionState.ACTIVE, "Tea")
    kept = read_secrets(row)
    assert kept.signing == SECRET
    assert {name: kept.credentials[name] for name in ("access_token", "refresh_token", "scopes")} == {
        "access_token": "shpat_1",
        "refresh_token": "shprt_1",
        "scopes": "read_orders",
    }
    assert len(row.about["missing"]) == 8


@pytest.mark.parametrize(
    "shop", ["evil.tld", "tea.myshopify.com.evil.tld", "other.myshopify.com", "evil.tld/tea.myshopify.com", ""]
)
def test_another_shop_is_refused_though_its_query_is_signed(
    browser: Browser, row: Connection, outside: Canned, shop: str
) -> None:
    state = _begin(browser, row)["state"]
    assert browser.get(_back(state, shop=shop))["Location"] == "/settings/connections"
    assert _is_untouched(row, outside)


def test_a_shop_that_is_none_cannot_even_be_begun(browser: Browser, store: Store) -> None:
    evil = begin_connection("shopify", store, "https://evil.tld", SYSTEM, clock.now())
    answer = browser.post("/connect/shopify", {"connection": evil.public_id} | APP)
    assert (answer.status_code, "name.myshopify.com" in answer.content.decode()) == (400, True)
    assert read_secrets(evil).credentials == {}


def test_a_state_works_once(browser: Browser, row: Connection, outside: Canned) -> None:
    state = _begin(browser, row)["state"]
    outside.answers.append(reply({"error": "invalid_request"}, 400))
    browser.get(_back(state))
    assert len(outside.calls) == 1
    browser.get(_back(state))
    assert len(outside.calls) == 1
    row.refresh_from_db()
    assert row.state == ConnectionState.NEW


def test_a_wrong_state_spends_the_right_one(browser: Browser, row: Connection, outside: Canned) -> None:
    state = _begin(browser, row)["state"]
    browser.get(_back("guess"))
    browser.get(_back(state))
    assert _is_untouched(row, outside)


@pytest.mark.parametrize("query", ["", "?state=", "?code=1&shop=tea.myshopify.com", "?state=%ff%fe&code=1"])
def test_an_answer_that_nobody_waits_for_is_refused(
    browser: Browser, row: Connection, outside: Canned, query: str
) -> None:
    assert browser.get(oauth.RETURN_PATH + query)["Location"] == "/settings/connections"
    _begin(browser, row)
    assert browser.get(oauth.RETURN_PATH + query)["Location"] == "/settings/connections"
    assert _is_untouched(row, outside)


def test_another_session_has_no_part_in_it(browser: Browser, row: Connection, outside: Canned) -> None:
    state = _begin(browser, row)["state"]
    other, _ = create_staff("other@ringstrasse.net", "owner", SYSTEM, clock.now())
    stranger = Browser()
    stranger.force_login(other)
    stranger.get(_back(state))
    assert Browser().get(_back(state)).status_code in (302, 403)
    assert _is_untouched(row, outside)


def test_a_query_that_the_app_did_not_sign_is_refused(browser: Browser, row: Connection, outside: Canned) -> None:
    browser.get(_back(_begin(browser, row)["state"], "another secret"))
    for here, there in (("0907", "0908"), ("&host=", "&code=0907a61c0c8e&host="), ("hmac=", "hmac=%C3%A9")):
        query = _back(_begin(browser, row)["state"])
        assert here in query
        browser.get(query.replace(here, there))
    assert _is_untouched(row, outside)


def test_an_answer_that_comes_too_late_is_refused(
    browser: Browser, row: Connection, outside: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, at = _begin(browser, row)["state"], clock.now()
    monkeypatch.setattr(clock, "now", lambda: at + oauth.GOOD_FOR + timedelta(seconds=1))
    browser.get(_back(state))
    assert _is_untouched(row, outside)


def test_staff_without_the_permission_are_kept_out(row: Connection) -> None:
    member, _ = create_staff("agent@ringstrasse.net", "agent", SYSTEM, clock.now())
    browser = Browser()
    browser.force_login(member)
    assert browser.get(f"/connect/shopify?connection={row.public_id}").status_code == 403
    assert browser.post("/connect/shopify", {"connection": row.public_id} | APP).status_code == 403
    assert browser.get(oauth.RETURN_PATH).status_code == 403


# --- with the fake ---


@pytest.fixture
def fake(settings: Any, store: Store) -> Iterator[FakeShopify]:
    accounts.client_of.cache_clear()
    with standing(settings) as started:
        yield started
    accounts.client_of.cache_clear()


def test_the_whole_way_with_a_stand_in_and_a_token_that_is_refreshed(
    browser: Browser, fake: FakeShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = browser.post("/settings/connections/new/shopify", {"store": "uk", "address": fake.address, "way": "agree"})
    page = asked["Location"]
    public_id = dict(parse_qsl(urlsplit(page).query))["connection"]
    away = browser.post("/connect/shopify", {"connection": public_id} | APP)["Refresh"].removeprefix("0; url=")
    back = httpx.get(away).headers["location"]
    assert back.startswith("https://crm.ringstrasse.net/connect/shopify/return?")
    done = browser.get(back.removeprefix("https://crm.ringstrasse.net"))
    assert done["Location"] == f"/settings/connections/{public_id}"
    row = Connection.objects.select_related("store").get()
    assert (row.state, row.name) == (ConnectionState.ACTIVE, "Fake Goods")
    first = read_secrets(row).credentials
    assert ask(account_of(row, clock.now()), "{ shop { name } }") == {"shop": {"name": "Fake Goods"}}
    at = clock.now() + timedelta(hours=1)
    fake.clock.advance(hours=1)
    monkeypatch.setattr(clock, "now", lambda: at)
    assert ask(account_of(row, at), "{ shop { name } }") == {"shop": {"name": "Fake Goods"}}
    row.refresh_from_db()
    second = read_secrets(row).credentials
    assert (first["access_token"] != second["access_token"], first["refresh_token"] != second["refresh_token"]) == (
        True,
        True,
    )
    assert {name: second[name] for name in APP} == APP


def test_the_way_of_the_client_credentials(browser: Browser, fake: FakeShopify) -> None:
    form = {"store": "uk", "address": fake.address, "way": "key"}
    refused = browser.post("/settings/connections/new/shopify", form | {"client_id": "fake-client-id"})
    assert (refused.status_code, "client secret" in refused.content.decode()) == (400, True)
    done = browser.post("/settings/connections/new/shopify", form | APP)
    assert done.status_code == 302
    row = Connection.objects.get()
    assert (row.state, read_secrets(row).signing) == (ConnectionState.ACTIVE, SECRET)
    page = browser.get(done["Location"]).content.decode()
    assert "Fake Goods" in page
    assert f"/settings/connections/{row.public_id}/renew" not in page


def test_beginning_to_install_loses_no_key_that_works(store: Store) -> None:
    row = begin_connection("shopify", store, "https://tea.myshopify.com", SYSTEM, clock.now())
    keep_secrets(row, Secrets({"access_token": "shpat_1"}, "k"))
    row.state = ConnectionState.ACTIVE
    row.save()
    oauth.begin(row, "id", "secret", SessionStore(), clock.now())
    row.refresh_from_db()
    assert read_secrets(row).credentials["access_token"] == "shpat_1"
    row.state = ConnectionState.OVER
    with pytest.raises(IsOver):
        oauth.begin(row, "id", "secret", SessionStore(), clock.now())


def _connected(store: Store, **credentials: str) -> Connection:
    row = begin_connection("shopify", store, f"https://{SHOP}", SYSTEM, clock.now())
    keep_secrets(row, Secrets(APP | credentials, "k"))
    row.state = ConnectionState.ACTIVE
    row.save()
    return row


def test_a_token_that_is_renewed_in_the_moment_in_which_an_installation_begins_is_kept(
    store: Store, outside: Canned
) -> None:
    at = clock.now()
    row = _connected(store, access_token="shpat_1", refresh_token="shprt_1", expires_at=at.isoformat())
    outside.answers += [reply({"access_token": "shpat_2", "refresh_token": "shprt_2", "expires_in": 3600})]
    assert token_of(account_of(Connection.objects.select_related("store").get(pk=row.pk), at), at) == "shpat_2"
    oauth.begin(row, "id", "secret", SessionStore(), at)  # read before the token was renewed
    row.refresh_from_db()
    kept = read_secrets(row).credentials
    assert (kept["access_token"], kept["refresh_token"], kept["install_id"]) == ("shpat_2", "shprt_2", "id")


def test_a_token_that_is_renewed_while_an_installation_ends_does_not_take_the_new_ones_place(
    store: Store, outside: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = clock.now()
    row = _connected(store, access_token="shpat_1", refresh_token="shprt_1", expires_at=at.isoformat())
    account = account_of(row, at)

    def finished_meanwhile(*given: object) -> Token:
        installed = {"access_token": "shpat_new", "refresh_token": "shprt_new"}
        accounts.change_secrets(row.pk, lambda kept: kept.holding(APP | installed))
        return Token("shpat_2", refresh="shprt_2")

    monkeypatch.setattr(tokens, "ask_token", finished_meanwhile)
    token_of(account, at)
    row.refresh_from_db()
    assert read_secrets(row).credentials == APP | {"access_token": "shpat_new", "refresh_token": "shprt_new"}


def test_an_answer_to_what_was_connected_otherwise_meanwhile_is_refused(store: Store) -> None:
    row = begin_connection("shopify", store, "https://tea.myshopify.com", SYSTEM, clock.now())
    keep_secrets(row, Secrets({"access_token": "shpat_1"}, "k"))
    row.save()
    query = [("shop", "tea.myshopify.com"), ("state", "s"), ("code", "c"), ("hmac", "00")]
    with pytest.raises(oauth.NotAgreed):
        oauth.exchange(row, oauth.Agreed(row.public_id, "c"), query, clock.now())


def test_an_address_that_is_no_shop_of_shopifys_is_refused_at_once_and_leaves_nothing(
    browser: Browser, store: Store
) -> None:
    begun = browser.post(
        "/settings/connections/new/shopify", {"address": "tea.example", "store": "new", "way": "agree"}, follow=True
    )
    assert "name.myshopify.com" in begun.content.decode()
    assert (Connection.objects.exists(), list(Store.objects.all()), Brand.objects.count()) == (False, [store], 1)
