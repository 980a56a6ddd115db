"""From a request to the record: what real clients send arrives once, and what is refused."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError

from regulars.connections.tracking import jobs, keys, views
from regulars.connections.tracking.models import Refusal
from regulars.connections.tracking.tests.captures import Capture, all_captures
from regulars.connections.tracking.tests.shop import AT, MUG, Shop, basic, events, refusals, sealed
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox import receiving
from regulars.foundation.inbox.models import Item
from regulars.foundation.inbox.operations import replay
from regulars.foundation.shop.settings import write_setting
from regulars.record.carts.models import Cart
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.queries import customer_of, find_by_identity
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db
assert jobs.KIND == views.KIND

KINDS = {"identify": "tracked.identified", "page": "tracked.page_viewed", "screen": "tracked.screen_viewed",
         "group": "tracked.grouped", "alias": "tracked.aliased"}  # fmt: skip


@pytest.mark.parametrize("capture", [c for c in all_captures() if c.method == "POST"], ids=lambda c: c.name)
@pytest.mark.parametrize("trust", ["confirmed", "claimed"])
def test_what_real_clients_send_is_in_the_record_once(shop: Shop, capture: Capture, trust: str) -> None:
    key = shop.server if trust == "confirmed" else shop.browser
    shop.at = datetime(2026, 11, 21, 20, 27, 30, tzinfo=UTC)
    for _ in range(2):  # the client did not hear our thanks and sends it again
        answer = capture.send(shop.client, key, basic(key))
        assert (answer.status_code, json.loads(answer.content)) == (200, {"success": True})
        assert answer["Access-Control-Allow-Origin"] == "*"
    shop.read()
    sent = [dict(call) for call in capture.calls]
    for call in sent:
        call.setdefault(
            "type", {"p": "page", "i": "identify", "t": "track", "g": "group", "a": "alias"}.get(capture.path[-1])
        )
    if trust == "claimed":
        sent = [call for call in sent if call["type"] != "alias"]
    found = events()
    assert len(found) == len(sent)
    for event, call in zip(found, sent, strict=True):
        said, properties = sealed(event), call.get("properties", {})
        names = {"Order Completed": "tracked.order_completed", "Product Viewed": "tracked.product_viewed"}
        assert event.kind == KINDS.get(call["type"]) or event.kind == names[call["event"]]
        assert said["message_id"] == call["messageId"]
        assert event.data["trust"] == trust
        stamp = datetime.fromisoformat(call.get("originalTimestamp") or call["timestamp"])
        sent_at = datetime.fromisoformat(call.get("sentAt") or capture.payload["sentAt"])
        assert datetime.fromisoformat(event.data["received_at"]) == shop.at
        assert datetime.fromisoformat(event.data["original_at"]) == stamp
        assert datetime.fromisoformat(event.data["sent_at"]) == sent_at
        assert event.occurred_at == shop.at - (sent_at - stamp)
        kept = set(event.data["properties"]) | set(said.get("rest", {}))
        assert kept == {name for name, value in properties.items() if value is not None}
        assert said["context"]["library"] == call["context"]["library"]
        assert set(said.get("extra", {})) >= {"integrations", "_metadata"} & call.keys()
        user = call.get("userId") if trust == "confirmed" else None
        named = IdentityInput(
            IdentityKind.USER_ID if user else IdentityKind.ANONYMOUS_ID, user or call.get("anonymousId") or "", "uk"
        )
        if named.value:
            assert find_by_identity(named) == [customer_of(event.profile_id or 0)]
    orders = [c for c in sent if c.get("event") == "Order Completed" and "products" in c["properties"]]
    assert Order.objects.count() == (len(orders) if trust == "confirmed" else 0)


def test_the_library_in_the_browser_gets_its_settings_and_preflights(shop: Shop) -> None:
    [asked] = [c for c in all_captures("segment-analytics-next") if c.name.endswith("008")]
    answer = asked.send(shop.client, shop.browser, "")
    assert answer.status_code == 200
    assert json.loads(gzip.decompress(answer.content))["integrations"]["Segment.io"]["apiKey"] == shop.browser
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert asked.send(shop.client, "wkb_none_x", "").status_code == 404
    preflights = [c for c in all_captures("segment-analytics-next") if c.method == "OPTIONS"]
    assert preflights
    for preflight in preflights:
        answer = preflight.send(shop.client, shop.browser, "")
        assert answer.status_code == 204
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "authorization" in answer["Access-Control-Allow-Headers"]
        assert "POST" in answer["Access-Control-Allow-Methods"]
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("t", b'{"a":"' + b"x" * (32 * 1024 - 8) + b'"}', 200),
        ("t", b'{"a":"' + b"x" * (32 * 1024 - 7) + b'"}', 400),
        ("b", b'{"batch":[],"a":"' + b"x" * (500 * 1024 - 19) + b'"}', 200),
        ("b", b'{"batch":[],"a":"' + b"x" * (500 * 1024 - 18) + b'"}', 400),
        ("batch", b'{"batch":[%s]}' % b",".join([b'{"type":"page","userId":"u"}'] * 2_501), 200),
        ("track", b"{", 400),
        ("track", b'{"event":"E"}', 200),
        ("track", b'{"userId":"u"}', 200),
    ],
    ids=["32K", "32K+1", "500K", "500K+1", "2501", "no JSON", "no id", "no name"],
)
def test_limits_have_the_statuses_of_the_protocol(shop: Shop, path: str, body: bytes, status: int) -> None:
    assert shop.post(path, body).status_code == status
    assert Item.objects.count() == (status == 200)
    shop.read()
    assert events() == []
    assert not Item.objects.exclude(state="parsed").exists()


def test_each_rejection_is_counted_under_its_key_by_reason(shop: Shop) -> None:
    too_many = b'{"batch":[%s]}' % b",".join([b'{"type":"page","userId":"u"}'] * 2_501)
    for path, body in (
        ("batch", too_many),
        ("track", b'{"event":"E"}'),
        ("track", b'{"event":"E"}'),
        ("t", b'{"userId":"u"}'),
    ):
        assert shop.post(path, body).status_code == 200
    shop.read()
    assert refusals() == [
        ("", "", "more than 2,500 events in one batch", "", False, 1),
        ("track", "", "no event name", "", False, 1),
        ("track", "", "no userId and no anonymousId", "", False, 2),
    ]
    assert {row.newest_item for row in Refusal.objects.all()} <= set(Item.objects.values_list("pk", flat=True))


def test_a_reason_leads_to_the_newest_call_that_it_is_about_and_a_repetition_is_not_counted(shop: Shop) -> None:
    bad_price = {"event": "Product Viewed", "anonymousId": "a", "messageId": "m1", "properties": {"price": "x"}}
    for body in (bad_price, {"userId": "u"}, bad_price, bad_price | {"properties": "x", "messageId": "m2"}):
        assert shop.post("t", body).status_code == 200
    shop.read()
    first, second, _, last = Item.objects.order_by("pk").values_list("pk", flat=True)
    assert sorted(Refusal.objects.values_list("reason", "fields", "count", "newest_item")) == [
        ("fields of another type", "price", 1, first),
        ("fields of another type", "properties", 1, last),
        ("no event name", "", 1, second),
    ]


@pytest.mark.parametrize("key", ["", "nobody", "wkb_x_y", "é" * 9, "wkb_\x00_x", "x" * 9_000])
def test_an_unknown_key_is_401_and_stores_nothing(shop: Shop, key: str) -> None:
    for headers in ({"Authorization": basic(key)}, {"Authorization": ""}):
        answer = shop.post("track", {"event": "E", "userId": "u", "writeKey": key}, **headers)
        assert answer.status_code == 401
    assert not Item.objects.exists()


def test_a_key_of_which_a_byte_differs_or_that_was_revoked_is_unknown(shop: Shop) -> None:
    for place in range(len(shop.browser)):
        wrong = shop.browser[:place] + ("A" if shop.browser[place] != "A" else "B") + shop.browser[place + 1 :]
        assert shop.post("t", {"event": "E", "userId": "u"}, key=wrong).status_code == 401
    assert not Item.objects.exists()
    assert shop.post("t", {"event": "E", "userId": "u"}).status_code == 200
    keys.revoke_key(shop.browser_key.pk, SYSTEM, AT)
    keys.forget_remembered()
    assert shop.post("t", {"event": "E", "userId": "u"}).status_code == 401
    assert Item.objects.count() == 1


def test_the_key_is_taken_from_the_body_and_from_bearer_too(shop: Shop) -> None:
    body = {"event": "E", "userId": "u", "writeKey": shop.browser}
    assert shop.post("t", body, Authorization="").status_code == 200
    assert shop.post("t", body, Authorization="Bearer something").status_code == 200
    assert shop.post("t", {"event": "E"}, Authorization=f"Bearer {shop.server}").status_code == 200
    assert list(Item.objects.order_by("pk").values_list("source", flat=True)) == [
        shop.browser_key.source, shop.browser_key.source, shop.server_key.source,
    ]  # fmt: skip


def test_a_label_that_lies_does_no_harm(shop: Shop) -> None:
    body = json.dumps({"event": "E", "anonymousId": "a", "messageId": "1"}).encode()
    for label in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"):
        assert shop.post("t", body, Content_Type=label).status_code == 200
        assert shop.post("t", gzip.compress(body), Content_Type=label, Content_Encoding="gzip").status_code == 200
        assert shop.post("t", gzip.compress(body), Content_Type=label).status_code == 200
    shop.read()
    assert Item.objects.count() == 12
    assert len(events()) == 1


def test_other_methods_are_405_and_the_words_are_those_of_the_protocol(shop: Shop) -> None:
    for path in ("track", "identify", "page", "screen", "group", "alias", "batch", *"tipsgab"):
        assert shop.client.get(f"/v1/{path}").status_code == 405
    assert shop.client.post("/v1/tracks").status_code == 404
    assert shop.client.post(f"/v1/projects/{shop.browser}/settings").status_code == 405


def test_one_message_id_counts_once_under_its_key_and_says_nothing_to_others(shop: Shop) -> None:
    for key in (shop.browser, shop.browser, shop.server):
        shop.post(
            "t", {"event": "E", "anonymousId": "a", "messageId": "same", "properties": {"n": key == shop.server}}, key
        )
    shop.post("b", {"batch": [{"type": "page", "anonymousId": "a", "messageId": "x"}] * 3})
    shop.post("t", {"event": "E", "anonymousId": "a"})
    shop.post("t", {"event": "E", "anonymousId": "a"})
    shop.read()
    assert [(e.kind, e.data["trust"]) for e in events()] == [
        ("tracked.event", "claimed"), ("tracked.page_viewed", "claimed"), ("tracked.event", "claimed"),
        ("tracked.event", "claimed"), ("tracked.event", "confirmed"),
    ]  # fmt: skip


def test_reading_again_changes_nothing(shop: Shop) -> None:
    shop.track("Product Added", MUG | {"cart_id": "k"}, shop.server, userId="u1")
    shop.track("Order Completed", {"order_id": "o1", "products": [MUG]}, shop.server, userId="u1")
    shop.post("t", {"event": "E", "anonymousId": "a"})
    shop.read()
    before = (
        Event.objects.count(),
        Cart.objects.values_list("state", "value_minor").get(),
        Order.objects.get().total_minor,
    )
    assert replay(list(Item.objects.values_list("pk", flat=True)), SYSTEM, AT) == 3
    shop.read()
    assert (
        Event.objects.count(),
        Cart.objects.values_list("state", "value_minor").get(),
        Order.objects.get().total_minor,
    ) == before
    assert set(Item.objects.values_list("state", flat=True)) == {"parsed"}


def test_too_much_waiting_is_429_with_when_to_come_again(shop: Shop) -> None:
    write_setting("inbox.most_waiting", 1, AT)
    assert shop.post("t", {"event": "E", "anonymousId": "a"}).status_code == 200
    receiving._looks.clear()
    answer = shop.post("t", {"event": "E", "anonymousId": "a"})
    assert (answer.status_code, answer["Retry-After"], answer["X-RateLimit-Reset"]) == (429, "30", "30")
    assert Item.objects.count() == 1


def test_a_database_that_is_away_or_full_is_503(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(arrivals: Any, at: datetime) -> int:
        raise OperationalError("could not extend file: No space left on device")

    monkeypatch.setattr(views, "receive", full)
    answer = shop.post("t", {"event": "E", "anonymousId": "a"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert not Item.objects.exists()
