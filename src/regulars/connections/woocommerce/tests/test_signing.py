"""Signatures, against what WooCommerce's own client sent and against known vectors."""

import base64
import hmac

import pytest

from regulars.connections.base.platforms import BadSignature, Delivery
from regulars.connections.woocommerce.signing import basic, signed_address, webhook_signature
from regulars.connections.woocommerce.tests.shop import WOO, account

BODY = b'{"id":820982911946154508,"total_price":"403.00"}'


def test_a_request_is_signed_as_by_woocommerces_own_client() -> None:
    """Recorded of the package WooCommerce 3.0.0 with the key ck_a and the secret cs_b; it sends its parameters in another order."""
    address = "http://127.0.0.1:7015/wp-json/wc/v3/orders?per_page=5&modified_after=2026-01-01T00%3A00%3A00"
    nonce = "034fb921b705bb06a4700e3f36d278dce43d9a88"
    signed = signed_address("GET", address, "ck_a", "cs_b", 1795292452, nonce)
    assert signed == (
        "http://127.0.0.1:7015/wp-json/wc/v3/orders?modified_after=2026-01-01T00%3A00%3A00&oauth_consumer_key=ck_a"
        f"&oauth_nonce={nonce}&oauth_signature_method=HMAC-SHA256&oauth_timestamp=1795292452&per_page=5"
        "&oauth_signature=3lAdClmi7s1qR5oG2khEGh0guGjpOFbYGJHr8aTtgcE%3D"
    )
    put = signed_address(
        "PUT",
        "http://127.0.0.1:7015/wp-json/wc/v3/orders/1",
        "ck_a",
        "cs_b",
        1795292452,
        "d8e459a94881b030b5bbbd66897c9ee55327e986",
    )
    assert put.endswith("oauth_signature=HA5u1sZkKd4RcJngfCZvHENtSahj6F%2B5J053GzEn%2Bqc%3D")


def test_basic() -> None:
    assert basic("ck_a", "cs_b") == "Basic Y2tfYTpjc19i"


@pytest.mark.parametrize(
    ("stored", "meant"), [("a&amp;b", "a&b"), ("&lt;&gt;&quot;&#039;", "<>\"'"), ("&eacute;&amp;lt;", "&eacute;&lt;")]
)
def test_a_webhook_is_signed_with_the_secret_as_wordpress_unescapes_it(stored: str, meant: str) -> None:
    assert webhook_signature(BODY, stored) == base64.b64encode(hmac.digest(meant.encode(), BODY, "sha256"))


def test_known_vector() -> None:
    assert webhook_signature(BODY, "a&amp;b") == b"3uECSBIrEaJNx/sgmKwZNkjLkgcb5mggyqzWs7gNYPA="


def _headers(body: bytes, **more: str) -> dict[str, str]:
    signature = webhook_signature(body, "whisper").decode()
    return {
        "x-wc-webhook-signature": signature,
        "x-wc-webhook-topic": "order.updated",
        "x-wc-webhook-delivery-id": "d1",
    } | more


def test_two_deliveries_of_one_second_share_their_number_and_are_two() -> None:
    one = WOO.authenticate(account(), _headers(b'{"id":1}'), b'{"id":1}')
    two = WOO.authenticate(account(), _headers(b'{"id":2}'), b'{"id":2}')
    again = WOO.authenticate(account(), _headers(b'{"id":1}'), b'{"id":1}')
    later = WOO.authenticate(account(), _headers(b'{"id":1}', **{"x-wc-webhook-delivery-id": "d2"}), b'{"id":1}')
    assert isinstance(one, Delivery)
    assert isinstance(two, Delivery)
    assert isinstance(later, Delivery)
    assert one == again
    assert len({one.own_id, two.own_id, later.own_id}) == 3
    assert one.topic == "order.updated"


def test_the_ping_is_thanked_and_nothing_like_it() -> None:
    assert WOO.authenticate(account(), {"content-type": "application/x-www-form-urlencoded"}, b"webhook_id=12") is None
    for headers, body in (
        ({}, b"webhook_id=12&more=1"),
        ({}, b"webhook_id="),
        ({}, b'{"id":1}'),
        ({"x-wc-webhook-topic": "order.updated"}, b"webhook_id=12"),
        ({"x-wc-webhook-signature": ""}, b"webhook_id=12"),
    ):
        with pytest.raises(BadSignature):
            WOO.authenticate(account(), headers, body)


@pytest.mark.parametrize("place", range(0, len(BODY), 7))
def test_a_changed_byte_is_refused(place: int) -> None:
    changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
    with pytest.raises(BadSignature):
        WOO.authenticate(account(), _headers(BODY), changed)


@pytest.mark.parametrize("signature", ["é", "\udcff", "x" * 44, webhook_signature(BODY, "another shop's").decode()])
def test_a_strange_signature_is_refused(signature: str) -> None:
    with pytest.raises(BadSignature):
        WOO.authenticate(account(), _headers(BODY) | {"x-wc-webhook-signature": signature}, BODY)


def test_the_secret_before_is_good_as_long_as_it_is_given_and_a_strange_topic_is_not_kept() -> None:
    headers = _headers(BODY, **{"x-wc-webhook-topic": "order updated\n"})
    found = WOO.authenticate(account(secrets=("new", "whisper")), headers, BODY)
    assert found is not None
    assert found.topic == "unknown"
    with pytest.raises(BadSignature):
        WOO.authenticate(account(secrets=("new",)), headers, BODY)
    with pytest.raises(BadSignature):
        WOO.authenticate(account(secrets=()), headers, BODY)
