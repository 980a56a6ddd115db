"""What no sane client sends: taken or refused, never an error of ours, and it holds up nobody."""

import json
from typing import Any

import pytest

from regulars.connections.tracking import recording
from regulars.connections.tracking.models import Refusal, TrackingKey
from regulars.connections.tracking.protocol import read_calls
from regulars.connections.tracking.tests.shop import AT, MUG, Shop, events, refusals, sealed
from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.models import Item
from regulars.foundation.inbox.operations import replay
from regulars.record.carts.models import Cart, CartLine
from regulars.record.customers.models import Customer
from regulars.record.customers.queries import (
    read_cards,
)
from regulars.record.events.models import Event

pytestmark = pytest.mark.django_db


def test_wrong_types_are_marked_and_kept(shop: Shop) -> None:
    shop.track("Product Added", MUG | {"price": "12,50", "brand": ["x"], "quantity": "two"})
    [event] = events()
    assert event.data["invalid"] == ["price", "quantity", "brand"] or set(event.data["invalid"]) == {
        "price",
        "quantity",
        "brand",
    }
    assert sealed(event)["rest"] == {"price": "12,50", "brand": ["x"], "quantity": "two"}
    assert event.data["properties"] == {"product_id": "10", "sku": "MUG1", "name": "Mug"}
    [(call, name, reason, fields, is_recorded, count)] = refusals()
    assert (call, name, reason, is_recorded, count) == ("track", "Product Added", "fields of another type", True, 1)
    assert set(fields.split(", ")) == {"price", "quantity", "brand"}


POISON: list[tuple[bytes, int]] = [
    (b'{"event":"E","anonymousId":"p","properties":{"a":"\\u0000"}}', 200),
    (b'{"event":"E\\u0000","anonymousId":"p"}', 200),
    (b'{"event":"E","anonymousId":"p\\u0000"}', 200),
    (b'{"event":"E","anonymousId":"p","properties":{"\\ud800":"\\udfff"}}', 200),
    (b'{"event":"E","anonymousId":"p","properties":{"a":NaN}}', 400),
    (b'{"event":"E","anonymousId":"p","properties":{"a":1e400,"price":1e400}}', 200),
    (b'{"event":"Product Viewed","anonymousId":"p","properties":{"price":1e400,"quantity":-1e-400}}', 200),
    (b'{"event":"E","anonymousId":"p","properties":{"a":%s}}' % (b"9" * 5_000), 400),
    (b'{"event":"Product Added","anonymousId":"p","properties":{"product_id":%s,"quantity":%s}}' % (b"9" * 4_000, b"9" * 300), 200),
    (b'{"event":"E","anonymousId":"p","properties":' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400),
    (b'{"event":"E","anonymousId":"p","properties":' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}", 200),
    (b"[" * 100_000, 400),
    (b'{"a":"' + b"x" * 10_000_000 + b'"}', 400),
    (b'{"event":"E","anonymousId":"p","timestamp":"9999-12-31T23:59:59-23:59","sentAt":"0001-01-01T00:00:00Z"}', 200),
    (b'{"event":{},"userId":[],"anonymousId":"p","properties":[],"context":"x","traits":7,"integrations":0}', 200),
    (b'{"userId":"p","traits":{"email":{"a":1},"phone":["1"],"address":"x","name":1.5,"company":[]}}', 200),
    (b'{"event":"Cart Viewed","anonymousId":"p","properties":{"currency":"\xf0\x9f\x92\xa9",'
     b'"products":[{"sku":"\\t","price":"-5","quantity":0}]}}', 200),
    (b'{"event":"Cart Viewed","anonymousId":"p","properties":{"products":[7,null]}}', 200),
    (b'{"event":"<script>alert(1)</script>","anonymousId":"p"}', 200),
    (b'{"batch":[[],{},null,{"type":"track"}]}', 200),
]  # fmt: skip


def test_poison_is_taken_or_refused_never_a_500_and_every_row_can_be_read_back(shop: Shop) -> None:
    wrong = []
    for path in ("track", "identify", "page", "screen", "group", "alias", "batch"):
        for key in (shop.browser, shop.server):
            for number, (body, status) in enumerate(POISON):
                wanted = 400 if status == 400 or (path == "batch" and b'"batch"' not in body) else 200
                answer = shop.post(path, body, key)
                if answer.status_code != wanted:
                    wrong.append((path, number, answer.status_code))
            assert shop.post("track", {"event": "Good", "userId": "good", "messageId": path}, key).status_code == 200
    assert wrong == []
    shop.read()
    assert not Item.objects.exclude(state="parsed").exists()
    assert Event.objects.filter(data__name="Good").count() == 14
    for event in Event.objects.all():  # every stored row, as pages and the API read it
        text = json.dumps(event.data | (sealed(event) if event.sealed else {}))
        assert "Infinity" not in text
        text.encode()
    assert all(str(row) for model in (Cart, CartLine, Refusal, Customer) for row in model.objects.values_list())
    assert [read_cards([customer.pk]) for customer in Customer.objects.all()]
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    shop.client.force_login(member)
    pages = [
        "/customers",
        "/carts",
        "/settings/inbox",
        "/settings/tracking",
        *[f"/settings/tracking/{k.pk}" for k in TrackingKey.objects.all()],
    ]
    pages += [f"/settings/inbox/{pk}?open=1" for pk in Item.objects.values_list("pk", flat=True)[:40]]
    for page in pages:
        answer = shop.client.get(page)
        assert answer.status_code == 200, page
        assert b"<script>alert" not in answer.content


def test_a_quarantined_input_holds_up_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real = read_calls

    def fails_on(payload: Any, *args: Any) -> Any:
        if payload.get("messageId") == "bad":
            raise ZeroDivisionError
        return real(payload, *args)

    monkeypatch.setattr(recording, "read_calls", fails_on)
    for own in ("a", "bad", "b"):
        shop.post("t", {"event": "E", "anonymousId": "a", "messageId": own})
    shop.read()
    assert [sealed(event)["message_id"] for event in events()] == ["a", "b"]
    bad = Item.objects.get(state="quarantined")
    assert bad.reason.startswith("ZeroDivisionError (")
    monkeypatch.undo()
    monkeypatch.setattr(clock, "now", lambda: AT)
    replay([bad.pk], SYSTEM, AT)
    shop.read()
    assert [sealed(event)["message_id"] for event in events()] == ["a", "b", "bad"]
