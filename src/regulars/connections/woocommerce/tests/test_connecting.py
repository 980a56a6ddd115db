"""Connecting in the browser: the shop hands out its key to whoever knows the word, and to nobody else."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from html import unescape
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from fakes.woocommerce import FakeWooCommerce, Shop
from regulars.connections.base import accounts
from regulars.connections.base.models import Connection, ConnectionState, Pull
from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand, Store

pytestmark = pytest.mark.django_db
HOST = "https://crm.example"
SENT: list[
    tuple[str, Mapping[str, str], bytes]
] = []  # by the shop's server; the fake's threads do not see this test's transaction


@pytest.fixture
def browser(db: None) -> Client:
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, clock.now())
    browser = Client()
    browser.force_login(member)
    return browser


@pytest.fixture
def woo(settings: Any) -> Iterator[FakeWooCommerce]:
    settings.PUBLIC_URL = HOST
    accounts.client_of.cache_clear()
    with FakeWooCommerce(Shop()) as woo:
        settings.REACHABLE = [woo.address.partition("://")[2]]
        SENT.clear()
        woo.shop.webhooks.send = _note
        yield woo
        assert woo.server.errors == []
    accounts.client_of.cache_clear()


def _note(url: str, headers: Mapping[str, str], body: bytes) -> int:
    SENT.append((url, headers, body))
    return 200


def _to_us(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """What the shop's server sends to our host."""
    assert url.startswith(HOST)
    return Client().post(url.removeprefix(HOST), data=body, content_type=headers["Content-Type"]).status_code


@pytest.fixture
def store(db: None) -> Store:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@example.org")
    return Store.objects.create(code="uk", name="Shop", brand=brand, currency="EUR", time_zone="Europe/Berlin")


def _begin(browser: Client, woo: FakeWooCommerce) -> str:
    """The address at the shop where the browser is sent to."""
    form = {"store": "uk", "address": woo.address, "way": "agree"}
    asked = browser.post("/settings/connections/new/woocommerce", form)
    assert asked.status_code == 302
    return str(browser.get(asked["Location"])["Refresh"]).removeprefix("0; url=")


def _at_shop(address: str) -> tuple[str, str]:
    """The page of the shop, and where it sends the browser."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    return page, answer.headers.get("Location", "")


def _answer(address: str, word: str) -> str:
    """What the owner clicks on at the shop: Approve or Deny."""
    page, _ = _at_shop(address)
    return unescape(next(re.finditer(rf'class="{word}" href="([^"]+)"', page))[1])


def test_from_the_address_to_the_history_in_two_clicks(browser: Client, woo: FakeWooCommerce, store: Store) -> None:
    address = _begin(browser, woo)
    asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    row = Connection.objects.get()
    assert address.startswith(f"{woo.address}/wc-auth/v1/authorize?")
    assert (asked["app_name"], asked["scope"]) == ("Regulars", "read_write")
    assert row.state == ConnectionState.NEW
    _, returned = _at_shop(_answer(address, "approve"))
    assert [_to_us(*one) for one in SENT] == [200]
    back = browser.get(returned.removeprefix(HOST))
    assert back["Location"] == f"/settings/connections/{row.public_id}"
    row.refresh_from_db()
    assert (row.state, row.name) == (ConnectionState.ACTIVE, "Fake Woo & Sons")
    (key,) = woo.shop.keys.known.values()
    kept = accounts.read_secrets(row).credentials
    assert kept == {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
    assert Pull.objects.get().kind == "history"
    shown = browser.get(back["Location"]).content.decode()
    assert "Download the plugin" in shown
    assert key.consumer_secret not in shown


def test_a_new_key_from_the_shop_takes_the_place_of_the_one_before(
    browser: Client, woo: FakeWooCommerce, store: Store
) -> None:
    first = woo.shop.keys.add()
    form = {"store": "uk", "address": woo.address, "way": "key"}
    browser.post(
        "/settings/connections/new/woocommerce",
        form | {"consumer_key": first.consumer_key, "consumer_secret": first.consumer_secret},
    )
    row = Connection.objects.get()
    woo.shop.keys.remove(first)
    away = browser.get(f"/connect/woocommerce/begin?connection={row.public_id}")
    address = str(away["Refresh"]).removeprefix("0; url=")
    assert accounts.read_secrets(Connection.objects.get()).credentials["consumer_key"] == first.consumer_key
    _, returned = _at_shop(_answer(address, "approve"))
    assert [_to_us(*one) for one in SENT] == [200]
    assert "The new key works" in browser.get(returned.removeprefix(HOST), follow=True).content.decode()
    (second,) = woo.shop.keys.known.values()
    assert accounts.read_secrets(Connection.objects.get()).credentials == {
        "consumer_key": second.consumer_key,
        "consumer_secret": second.consumer_secret,
    }
    assert Pull.objects.count() == 1


def test_who_denies_connects_nothing(browser: Client, woo: FakeWooCommerce, store: Store) -> None:
    back = browser.get(_answer(_begin(browser, woo), "deny").removeprefix(HOST), follow=True)
    page = back.content.decode()
    assert "The shop has sent no key" in page
    assert f'value="{woo.address}"' in page
    assert '<option value="uk" selected>' in page
    for begun in ("/settings/connections", f"/settings/connections/{Connection.objects.get().public_id}"):
        assert "&amp;store=uk" in browser.get(begun).content.decode()
    assert Connection.objects.get().state == ConnectionState.NEW
    assert not Pull.objects.exists()


def test_a_key_is_taken_from_whoever_knows_the_word_once_and_for_an_hour(
    browser: Client, woo: FakeWooCommerce, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = parse_qs(urlsplit(_begin(browser, woo)).query)["user_id"][0]
    row = Connection.objects.get()
    place = f"{HOST}/connect/woocommerce/{row.public_id}/key"
    json_type = {"Content-Type": "application/json"}
    good = {
        "key_id": 1,
        "user_id": word,
        "consumer_key": "ck_1",
        "consumer_secret": "cs_1",
        "key_permissions": "read_write",
    }

    def send(place: str = place, **fields: Any) -> int:
        return _to_us(place, json_type, json.dumps(good | fields).encode())

    assert send(user_id="a stranger's") == 404
    assert send(user_id="é") == 400
    assert send(user_id="") == 400
    assert send(place.replace("con_", "con_x")) == 404
    assert send(consumer_secret=None) == 400
    assert send(consumer_key="x" * 20_000) == 413
    for body in (b"\x00", b"[" * 9000, b'"x"', b"NaN", b'{"user_id": {"a": 1}}'):
        assert _to_us(place, json_type, body) == 400
    assert "agreed_key" not in accounts.read_secrets(row).credentials
    at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(minutes=61))
    assert send() == 404
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(minutes=5))
    assert send() == 200
    assert send(consumer_key="ck_2") == 404
    row.refresh_from_db()
    assert accounts.read_secrets(row).credentials["agreed_key"] == "ck_1"
    assert Client().get(place.removeprefix(HOST)).status_code == 405


def test_a_key_of_another_shop_connects_nothing(browser: Client, woo: FakeWooCommerce, store: Store) -> None:
    word = parse_qs(urlsplit(_begin(browser, woo)).query)["user_id"][0]
    row = Connection.objects.get()
    body = {"user_id": word, "consumer_key": "ck_theirs", "consumer_secret": "cs_theirs"}
    assert (
        _to_us(
            f"{HOST}/connect/woocommerce/{row.public_id}/key",
            {"Content-Type": "application/json"},
            json.dumps(body).encode(),
        )
        == 200
    )
    back = browser.get(f"/connect/woocommerce/{row.public_id}/back", follow=True)
    assert "does not accept our key" in back.content.decode()
    row.refresh_from_db()
    assert row.state == ConnectionState.NEW
    assert not Pull.objects.exists()


def test_without_an_https_address_of_ours_a_key_is_made_by_hand(
    browser: Client, woo: FakeWooCommerce, store: Store, settings: Any
) -> None:
    offered = "Go to the shop and agree"
    assert offered in browser.get("/settings/connections/new/woocommerce").content.decode()
    settings.PUBLIC_URL = "http://localhost:8000"
    page = browser.get("/settings/connections/new/woocommerce").content.decode()
    assert offered not in page
    assert "paste both parts of the key" in page
    form = {"store": "uk", "address": woo.address, "way": "agree"}
    assert browser.post("/settings/connections/new/woocommerce", form).status_code == 400
    assert not Connection.objects.exists()
    key = woo.shop.keys.add("read")
    form |= {"way": "key", "consumer_key": f" {key.consumer_key} ", "consumer_secret": key.consumer_secret}
    done = browser.post("/settings/connections/new/woocommerce", form, follow=True).content.decode()
    assert "The key may only read" in done
    assert "Get a new key from the shop" not in done
    assert "Connect again" in done
    assert Connection.objects.get().state == ConnectionState.ACTIVE


def test_the_plugin_and_its_code(browser: Client, woo: FakeWooCommerce, store: Store) -> None:
    _begin(browser, woo)
    row = Connection.objects.get()
    packed = browser.get("/connect/woocommerce/plugin")
    assert packed["Content-Disposition"] == 'attachment; filename="regulars-for-woocommerce.zip"'
    assert packed.content.startswith(b"PK")
    shown = browser.post(f"/connect/woocommerce/{row.public_id}/code")
    assert shown.context["code"].startswith("regulars1.")
    shown_keys = browser.get("/settings/tracking").content.decode()
    assert shown_keys.count(": plugin") == 2
    assert shown.context["code"] not in browser.get(f"/settings/connections/{row.public_id}").content.decode()


def test_who_may_not_manage_connections_does_not_connect(browser: Client, woo: FakeWooCommerce, store: Store) -> None:
    _begin(browser, woo)
    row = Connection.objects.get()
    member, _ = create_staff("x@shop.example", "operations", SYSTEM, clock.now())
    other = Client()
    other.force_login(member)
    for place in (f"begin?connection={row.public_id}", f"{row.public_id}/back"):
        assert other.get(f"/connect/woocommerce/{place}").status_code == 403
    assert other.post(f"/connect/woocommerce/{row.public_id}/code").status_code == 403
    assert ": plugin" not in browser.get("/settings/tracking").content.decode()
