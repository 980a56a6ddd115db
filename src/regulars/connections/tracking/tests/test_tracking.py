"""From a request to the record: what real clients send, whom it is believed of, and what is refused."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from regulars.connections.tracking import jobs, keys, recording, views
from regulars.connections.tracking.models import Refusal, TrackingKey
from regulars.connections.tracking.protocol import read_calls
from regulars.connections.tracking.tests.captures import Capture, all_captures
from regulars.connections.tracking.tests.shop import AT, MUG, Shop, basic, customer_of_user, events, refusals, sealed
from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox import receiving
from regulars.foundation.inbox.models import Item
from regulars.foundation.inbox.operations import replay
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.vault.keys import key_ring
from regulars.record.carts.models import Cart, CartLine
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentEntry, ConsentState
from regulars.record.consent.operations import record_consents
from regulars.record.consent.queries import Addressee, list_verdicts
from regulars.record.customers.identifiers import address_token
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import AttributeValue, Customer, IdentityKind, IdentityLink
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.operations.erasure import erase_customer, export_subject
from regulars.record.customers.queries import (
    customer_of,
    customers_of,
    find_by_identity,
    profiles_of,
    read_attributes,
    read_cards,
)
from regulars.record.events.log import transaction
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
        assert event.data["received_at"] == shop.at.isoformat()
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


def test_who_was_nobody_becomes_known_and_what_they_did_before_is_theirs(shop: Shop) -> None:
    shop.track("Product Viewed", MUG)
    shop.tell(
        "identify",
        shop.server,
        userId="u1",
        anonymousId="anon-1",
        traits={"email": "Ann@Shop.example", "firstName": "Ann"},
    )
    owners = set(customers_of(event.profile_id or 0 for event in events()).values())
    assert customer_of_user("u1") == sorted(owners)
    card = read_cards(owners)[owners.pop()]
    assert (card.email, card.first_name) == ("ann@shop.example", "Ann")


def test_a_browser_cannot_change_or_reach_a_customer_that_is_known(shop: Shop) -> None:
    traits = {"email": "ann@shop.example", "firstName": "Ann"}
    shop.tell("identify", shop.server, userId="u1", traits=traits)
    [ann] = customer_of_user("u1")
    before = read_cards([ann])[ann], IdentityLink.objects.filter(profile__customerprofile__customer=ann).count()
    forged = {
        "email": "ann@shop.example",
        "firstName": "Eve",
        "phone": "+447700900123",
        "consent": True,
        "tags": ["VIP"],
    }
    shop.tell("identify", userId="u1", anonymousId="eve", traits=forged)
    shop.tell("identify", userId="u1", traits=forged)
    shop.tell(
        "track",
        event="Order Completed",
        userId="u1",
        anonymousId="eve",
        properties={"order_id": "1", "products": [MUG]},
    )
    shop.tell("alias", userId="u1", previousId="eve")
    eve = set(customers_of(e.profile_id or 0 for e in events() if e.data["trust"] == "claimed").values())
    assert ann not in eve
    assert len(eve) == 2  # the browser 'eve', and whoever only ever said 'u1'
    assert (
        read_cards([ann])[ann],
        IdentityLink.objects.filter(profile__customerprofile__customer=ann).count(),
    ) == before
    assert not ConsentEntry.objects.exists()
    assert not Order.objects.exists()
    assert ("alias", "", "alias from a browser key", "", False, 1) in refusals()
    # eve's own device becomes ann's: what a browser says then is of a customer whom we know, and is not believed
    shop.tell("alias", shop.server, userId="u1", previousId="eve")
    assert read_cards([ann])[ann].first_name == "Ann"
    shop.tell("identify", anonymousId="eve", traits={"firstName": "Mallory"})
    assert read_cards([ann])[ann].first_name == "Ann"


def test_a_visitor_whom_nobody_knows_may_introduce_themselves(shop: Shop) -> None:
    shop.tell("identify", anonymousId="anon-1", traits={"email": "bob@shop.example", "name": "Bob"})
    [customer] = find_by_identity(IdentityInput(IdentityKind.EMAIL, "bob@shop.example"))
    assert read_cards([customer])[customer].name == "Bob"
    trusts = set(IdentityLink.objects.filter(identity__kind="email").values_list("trust", flat=True))
    assert trusts == {"claimed"}
    with transaction("import") as log:
        person = PersonInput((IdentityInput(IdentityKind.EMAIL, "bob@shop.example"),), AT, store_id=shop.store.pk)
        ensure_profiles([person], log)
    assert len(find_by_identity(IdentityInput(IdentityKind.EMAIL, "bob@shop.example"))) == 2  # a claim joins nobody


def test_an_address_that_only_a_browser_claims_is_never_written_to(shop: Shop) -> None:
    said = {"email": "ann@shop.example", "consent": True, "marketing_consent": "granted"}
    shop.tell("identify", shop.server, userId="u1", traits={"email": "ann@shop.example"})
    address = address_token(key_ring(), "ann@shop.example")
    with transaction("api") as log:
        record_consents(
            [ConsentInput("ann@shop.example", ConsentState.GRANTED, AT, "checkout")], shop.store.brand_id, log
        )
    shop.tell(
        "identify", anonymousId="a9", traits=said, context={"consent": {"categoryPreferences": {"Advertising": True}}}
    )
    [ann] = customer_of_user("u1")
    [visitor] = find_by_identity(IdentityInput(IdentityKind.ANONYMOUS_ID, "a9", "uk"))
    assert read_cards([visitor])[visitor].email == "ann@shop.example"
    assert ConsentEntry.objects.count() == 1  # what a browser says of consent is no consent

    def verdicts(customer: int) -> list[tuple[bool, str]]:
        addressee = Addressee(address, tuple(profiles_of([customer])[customer]))
        brand = shop.store.brand_id
        found = [
            list_verdicts({addressee}, brand, Channel.EMAIL, "marketing", is_marketing=is_it) for is_it in (True, False)
        ]
        return [(one[addressee].may, one[addressee].code) for one in found]

    assert verdicts(ann) == [(True, "consent"), (True, "transactional")]
    assert verdicts(visitor) == [(False, "claimed"), (False, "claimed")]
    shop.tell("identify", shop.server, userId="u1", anonymousId="a9")
    assert verdicts(ann) == [(True, "consent"), (True, "transactional")]


def test_a_device_that_two_people_sign_in_on_glues_them_not_together(shop: Shop) -> None:
    shop.track("Product Viewed", MUG)
    shop.tell("identify", shop.server, userId="u1", anonymousId="anon-1")
    visitor = {customer_of(events()[0].profile_id or 0)}
    assert visitor == set(customer_of_user("u1"))
    shop.tell("identify", shop.server, userId="u2", anonymousId="anon-1")
    parts = [set(customer_of_user("u1")), set(customer_of_user("u2")), {customer_of(events()[0].profile_id or 0)}]
    assert len(set.union(*parts)) == 3
    shop.tell("identify", shop.server, userId="u2", traits={"email": "ann@shop.example"})
    shop.tell("identify", shop.server, userId="u1", traits={"email": "ann@shop.example"})
    assert customer_of_user("u1") == customer_of_user("u2") == [customer_of(events()[0].profile_id or 0)]


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


def test_an_erasure_reaches_what_came_in_and_an_export_says_that_it_came(shop: Shop) -> None:
    shop.tell("identify", shop.server, userId="u1", traits={"email": "ann@shop.example"})
    shop.tell("track", event="E", anonymousId="other")
    shop.post("t", {"note": "ann@shop.example"})
    Item.objects.filter(state="received").update(state="quarantined")
    [ann] = customer_of_user("u1")
    tables = export_subject(ann, SYSTEM, AT).tables
    assert [row["state"] for row in tables["inbox_item"]] == ["parsed", "quarantined"]
    erase_customer(ann, SYSTEM, AT)
    assert [item.body is None for item in Item.objects.order_by("pk")] == [True, False, True]


def test_what_waits_during_an_erasure_is_not_read_as_of_somebody_new(shop: Shop) -> None:
    ann = {"email": "ann@shop.example"}
    shop.tell("identify", shop.server, userId="u1", anonymousId="a1", traits=ann)
    [customer] = customer_of_user("u1")
    before = len(events())
    shop.post("t", {"event": "Mine", "anonymousId": "a1"})
    shop.post("i", {"userId": "u2", "traits": ann}, shop.server)
    shop.post(
        "b",
        {"batch": [{"type": "track", "event": "By name", "userId": "u1"}, {"type": "page", "userId": "u9"}]},
        shop.server,
    )
    shop.post("t", {"event": "Of another", "anonymousId": "a2"})
    shop.at += timedelta(seconds=1)
    erase_customer(customer, SYSTEM, shop.at)
    shop.at += timedelta(seconds=1)
    shop.post("t", {"event": "Afterwards", "anonymousId": "a1"})
    shop.read()
    named = [event.data.get("name") or event.kind for event in events()[before:]]
    assert named == ["Of another", "Afterwards", "tracked.page_viewed"]
    assert customer_of_user("u1") == customer_of_user("u2") == []
    assert find_by_identity(IdentityInput(IdentityKind.EMAIL, "ann@shop.example")) == []
    assert [item.body is None for item in Item.objects.order_by("pk")] == [True, True, True, True, False, False]
    assert set(Item.objects.values_list("state", flat=True)) == {"parsed"}
    assert refusals() == []


def test_what_a_server_says_beyond_contact_data_becomes_attributes(shop: Shop) -> None:
    traits = {"email": "ann@shop.example", "plan": "gold", "logins": 7, "score": 1.5, "is_vip": True, "address": {"city": "Ulm"},
              "tags": ["a"], "nothing": None, "card": "4111 1111 1111 1111", "long": "x" * 1_001, "y" * 121: 1}  # fmt: skip
    shop.tell("identify", shop.server, userId="u1", traits=traits)
    [ann] = customer_of_user("u1")
    kept = {"plan": "gold", "logins": 7, "score": 1.5, "is_vip": True, "card": "[card …1111]"}
    assert read_attributes(ann) == kept
    shop.tell("identify", shop.server, userId="u1", traits=traits | {"plan": "blue"})
    assert read_attributes(ann) == kept | {"plan": "blue"}
    count = AttributeValue.objects.count()
    assert count == len(kept) + 1  # what was known already is not written again
    shop.tell("identify", userId="u1", anonymousId="a1", traits=traits | {"plan": "free"})
    shop.tell("group", shop.server, userId="u1", groupId="g1", traits={"plan": "of a group"})
    assert AttributeValue.objects.count() == count
    assert read_attributes(ann) == kept | {"plan": "blue"}


def test_nothing_personal_of_it_stands_in_clear(shop: Shop) -> None:
    traits = {"email": "canary@canary-mail.example", "name": "Canary", "address": {"street": "Canary Wharf"}}
    shop.tell("identify", shop.server, userId="canary-user", anonymousId="canary-anon", traits=traits)
    shop.track("Canary@event", {"canary": "canary", "4111": "4111 1111 1111 1111"}, messageId="canary-message")
    shop.track("Products Searched", {"query": "canary"})
    shop.track("Product Reviewed", {"review_body": "canary"}, anonymousId="canary-anon")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT data::text FROM events_event UNION ALL SELECT t::text FROM inbox_item t UNION ALL SELECT t::text FROM tracking_refusal t"
        )
        found = [row[0] for row in cursor.fetchall() if "canary" in row[0].lower()]
    assert found == []
    assert "[card …1111]" in json.dumps([sealed(event) for event in events()], ensure_ascii=False)
