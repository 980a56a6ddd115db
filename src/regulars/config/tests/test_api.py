"""The API through its door: lists, gets, writes, errors; whatever is sent, never a 500."""

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings, strategies

from regulars.config.api_v1 import build_api
from regulars.foundation.access import tokens
from regulars.foundation.access.models import IdempotentReply
from regulars.foundation.api.access import BearerToken
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers.models import Customer
from regulars.record.events.models import Event

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
ANN = {
    "email": "ann@shop.example",
    "first_name": "Ann",
    "country": "GB",
    "store": "uk",
    "attributes": {"size": "M"},
    "tags": ["vip"],
}


class Caller:
    """A program with a token."""

    def __init__(self, scopes: str = "all", store: Store | None = None) -> None:
        _, self.text = tokens.create_token("test", [scopes], SYSTEM, AT, store_id=store.pk if store else None)
        self.client = Client(raise_request_exception=False)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.text}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.generic(method, f"/api/v1{path}", raw, content_type="application/json", headers=sent)


@pytest.fixture
def uk(db: None) -> Store:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    Store.objects.create(code="de", name="DE", brand=brand, currency="EUR")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


@pytest.fixture
def api(uk: Store) -> Caller:
    return Caller()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "text/json;x"])
def test_a_body_that_is_not_called_json_is_refused(api: Caller, kind: str) -> None:
    sent = {"Authorization": f"Bearer {api.text}"}
    body = json.dumps({"email": "ann@shop.example"})
    refused = api.client.generic("POST", "/api/v1/customers", body, content_type=kind, headers=sent)
    assert problem_of(refused, 415)["code"] == "not-sent-as-json"
    assert not Customer.objects.exists()
    for named in ("application/json; charset=utf-8", "application/merge-patch+json"):
        taken = api.client.generic("POST", "/api/v1/customers", body, content_type=named, headers=sent)
        assert taken.status_code in {200, 201}
    assert (
        api.client.generic("GET", "/api/v1/customers", "", content_type="text/plain", headers=sent).status_code == 200
    )


def problem_of(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    assert len(found["detail"]) > 10
    return found


def test_every_route_names_a_scope() -> None:
    for _, router in build_api()._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                assert [type(check) for check in operation.auth_callbacks] == [BearerToken], path


def test_a_customer_is_made_updated_listed_and_got(api: Caller) -> None:
    made = api.send("POST", "/customers", ANN)
    assert made.status_code == 201
    found = made.json()
    assert (found["email"], found["first_name"], found["tags"], found["stores"]) == (
        "ann@shop.example",
        "Ann",
        ["vip"],
        ["uk"],
    )
    assert found["attributes"] == {"size": "M"}
    again = api.send("POST", "/customers", ANN)
    assert (again.status_code, again.json()["id"]) == (200, found["id"])
    changed = api.send("POST", "/customers", {"email": "ANN@shop.example", "last_name": "Lee"}).json()
    assert (changed["name"], changed["country"], changed["id"]) == ("Ann Lee", "GB", found["id"])
    assert api.send("GET", f"/customers/{found['id']}").json() == changed
    assert [c["id"] for c in api.send("GET", "/customers?email=ann@shop.example").json()["items"]] == [found["id"]]
    assert api.send("GET", "/customers?country=DE").json() == {"items": [], "next": None}
    assert Customer.objects.count() == 1


def test_lists_come_in_pages_without_gaps(api: Caller) -> None:
    made = [api.send("POST", "/customers", {"email": f"p{n}@shop.example"}).json()["id"] for n in range(5)]
    seen, cursor = [], ""
    while True:
        page = api.send("GET", f"/customers?limit=2&cursor={cursor}").json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made


def test_lists_ask_the_database_as_often_for_many_as_for_few(api: Caller, django_assert_max_num_queries: Any) -> None:
    for n in range(12):
        api.send("POST", "/customers", {"email": f"p{n}@shop.example", "tags": ["a", "b"]})
    with django_assert_max_num_queries(12):
        assert len(api.send("GET", "/customers").json()["items"]) == 12


def test_an_event_is_recorded_once_and_its_text_is_sealed(api: Caller) -> None:
    body = {
        "name": "Quiz Taken",
        "customer": {"email": "ann@shop.example"},
        "id": "q1",
        "properties": {"score": 7, "answer": "canary-text"},
    }
    first, second = api.send("POST", "/events", body), api.send("POST", "/events", body)
    assert (first.status_code, first.json()["recorded"]) == (201, True)
    assert (second.status_code, second.json()["recorded"]) == (200, False)
    row = Event.objects.get(kind="custom.recorded")
    assert row.data == {"name": "Quiz Taken", "properties": {"score": 7}}
    [shown] = api.send("GET", "/events?kind=custom.recorded").json()["items"]
    assert shown["data"]["answer"] == "canary-text"
    assert api.send("GET", f"/events/{shown['id']}").json() == shown
    problem_of(api.send("GET", "/events/evt_99999999999"), 404)
    problem_of(api.send("GET", "/events/evt_²"), 404)


ORDER = {
    "store": "uk",
    "number": "1001",
    "placed_at": "2026-02-01T10:00:00Z",
    "currency": "GBP",
    "lines": [
        {"sku": "A", "title": "Mug", "quantity": 2, "unit_price": "4.125"},
        {"sku": "A", "title": "Mug", "quantity": 2, "unit_price": "4.125"},
    ],
    "customer": {"email": "ann@shop.example", "first_name": "Ann"},
    "shipping_minor": 350,
}


def test_an_order_is_made_updated_listed_and_got(api: Caller) -> None:
    made = api.send("POST", "/orders", ORDER)
    assert made.status_code == 201, made.content
    found = made.json()
    assert (found["subtotal_minor"], found["total_minor"], len(found["lines"])) == (1650, 2000, 2)
    events = Event.objects.count()
    again = api.send("POST", "/orders", ORDER)
    assert (again.status_code, again.json(), Event.objects.count()) == (200, found, events)
    changed = api.send(
        "POST", "/orders", ORDER | {"status": "cancelled", "cancelled_at": "2026-02-02T10:00:00Z"}
    ).json()
    assert (changed["id"], changed["status"]) == (found["id"], "cancelled")
    assert api.send("GET", f"/orders/{found['id']}").json() == changed
    ids = [o["id"] for o in api.send("GET", f"/orders?customer={found['customer']}&status=cancelled").json()["items"]]
    assert ids == [found["id"]]
    assert api.send("GET", "/orders?placed_after=2026-02-01T10:00:01Z").json()["items"] == []
    german = Caller("all", Store.objects.get(code="de"))
    problem_of(german.send("GET", f"/orders/{found['id']}"), 404)
    problem_of(german.send("POST", "/orders", ORDER), 403)


def test_a_product_is_made_updated_listed_and_got(api: Caller) -> None:
    body = {
        "store": "uk",
        "key": "mug",
        "title": "Mug",
        "categories": [["Home", "Kitchen"]],
        "variants": [{"sku": "A", "price": "4.5", "currency": "GBP", "on_hand": 3}],
    }
    made = api.send("POST", "/products", body)
    assert made.status_code == 201, made.content
    found = made.json()
    assert (Decimal(found["price_low"]), found["on_hand"], found["variants"][0]["sku"]) == (Decimal("4.5"), 3, "A")
    events = Event.objects.count()
    again = api.send("POST", "/products", body)
    assert (again.status_code, again.json(), Event.objects.count()) == (200, found, events)
    assert api.send("GET", "/products?sku=A").json()["items"][0]["id"] == found["id"]
    for wrong in (
        {"url": "javascript:alert(1)"},
        {"variants": [{"sku": "A", "price": "1"}]},
        {"variants": [{"sku": "A", "price": "NaN", "currency": "GBP"}]},
    ):
        problem_of(api.send("POST", "/products", body | wrong), 422)


def test_who_may_not(uk: Store) -> None:
    nobody = Client(raise_request_exception=False)
    assert problem_of(nobody.get("/api/v1/customers"), 401)["code"] == "no-token"
    wrong = nobody.get("/api/v1/customers", headers={"Authorization": "Bearer reg_00000000_x"})
    assert problem_of(wrong, 401)["code"] == "bad-token"
    reader = Caller("customers:read")
    assert problem_of(reader.send("POST", "/customers", ANN), 403)["code"] == "wrong-scope"
    assert not Customer.objects.exists()
    assert problem_of(reader.send("DELETE", "/customers"), 405)["code"] == "method"
    assert problem_of(reader.send("GET", "/nothing/here"), 404)["code"] == "not-found"


def test_a_token_of_one_store_sees_and_writes_that_store_only(api: Caller, uk: Store) -> None:
    ann = api.send("POST", "/customers", ANN).json()["id"]
    german = Caller("all", Store.objects.get(code="de"))
    assert german.send("GET", "/customers").json()["items"] == []
    assert german.send("GET", "/events").json()["items"] == []
    problem_of(german.send("GET", f"/customers/{ann}"), 404)
    problem_of(german.send("GET", f"/events?customer={ann}"), 404)
    problem_of(german.send("POST", "/customers", {"email": "x@shop.example", "store": "uk"}), 403)
    before = Event.objects.count()
    for path, body in (
        ("/customers", {"email": ANN["email"]}),
        ("/events", {"name": "x", "customer": {"email": ANN["email"]}}),
    ):
        assert "ann" not in problem_of(german.send("POST", path, body), 403)["detail"].lower()
    assert Event.objects.count() == before
    british = Caller("all", uk)
    assert [c["id"] for c in british.send("GET", "/customers").json()["items"]] == [ann]
    assert british.send("POST", "/customers", {"email": "bob@shop.example"}).json()["stores"] == ["uk"]


def test_the_same_key_gets_the_same_reply(api: Caller) -> None:
    first = api.send("POST", "/customers", ANN, Idempotency_Key="k1")
    events = Event.objects.count()
    second = api.send("POST", "/customers", ANN, Idempotency_Key="k1")
    assert (second.status_code, second.content, second["Idempotent-Replayed"]) == (201, first.content, "true")
    assert Event.objects.count() == events
    assert b"ann@" not in bytes(IdempotentReply.objects.get().body or b"")
    assert (
        problem_of(api.send("POST", "/customers", ANN | {"city": "Leeds"}, Idempotency_Key="k1"), 422)["code"]
        == "idempotency-key-reused"
    )
    for key in ("", "x" * 201, "a\tb"):
        problem_of(api.send("POST", "/customers", ANN, Idempotency_Key=key), 400)


def test_a_refused_request_may_be_sent_again_under_its_key(api: Caller) -> None:
    problem_of(api.send("POST", "/customers", {"store": "uk"}, Idempotency_Key="k2"), 422)
    assert api.send("POST", "/customers", ANN, Idempotency_Key="k2").status_code == 201


def test_a_key_at_work_conflicts_and_one_of_the_dead_begins_again(api: Caller) -> None:
    api.send("POST", "/customers", ANN, Idempotency_Key="k3")
    IdempotentReply.objects.update(status=None, body=None, created_at=datetime.now(UTC))
    assert (
        problem_of(api.send("POST", "/customers", ANN, Idempotency_Key="k3"), 409)["code"] == "idempotency-key-in-use"
    )
    IdempotentReply.objects.update(created_at=datetime.now(UTC) - timedelta(minutes=2))
    assert api.send("POST", "/customers", ANN, Idempotency_Key="k3").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_many_at_once_under_one_key_write_once() -> None:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    api, replies = Caller(), []

    def call() -> None:
        replies.append(
            api.send("POST", "/events", {"name": "x", "customer": {"email": "a@shop.example"}}, Idempotency_Key="one")
        )
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status_code for reply in replies} <= {201, 409}
    assert 201 in {reply.status_code for reply in replies}
    assert Event.objects.filter(kind="custom.recorded").count() == 1


POISON = {
    "nul": rb'{"email": "a@shop.example", "first_name": "a\u0000b"}',
    "nul key": rb'{"email": "a@shop.example", "attributes": {"a\u0000": 1}}',
    "surrogate": rb'{"email": "a@shop.example", "first_name": "\ud800"}',
    "surrogate key": rb'{"email": "a@shop.example", "attributes": {"\udfff": 1}}',
    "nan": b'{"email": "a@shop.example", "attributes": {"x": NaN}}',
    "infinity": b'{"email": "a@shop.example", "attributes": {"x": -Infinity}}',
    "1e400": b'{"email": "a@shop.example", "attributes": {"x": 1e400}}',
    "long integer": b'{"email": "a@shop.example", "attributes": {"x": ' + b"9" * 5000 + b"}}",
    "large integer": b'{"email": "a@shop.example", "attributes": {"x": ' + b"9" * 30 + b"}}",
    "deep": b"[" * 100_000,
    "deep and closed": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "deep value": b'{"email": "a@shop.example", "attributes": {"x": ' + b"[" * 5000 + b"]" * 5000 + b"}}",
    "not utf-8": b'{"email": "\xff\xfe"}',
    "utf-16": '{"email": "a@shop.example"}'.encode("utf-16"),
    "cut": b'{"email": "a@sh',
    "empty": b"",
    "list": b"[]",
    "null": b"null",
    "number": b"1",
    "text": b'"x"',
    "twice": b'{"email": {"email": "x"}}',
    "wrong types": b'{"email": 5, "tags": "x", "attributes": [], "occurred_at": []}',
    "unknown field": b'{"email": "a@shop.example", "role": "owner"}',
    "early": b'{"email": "a@shop.example", "occurred_at": "0001-01-01T00:00:00+14:00"}',
    "late": b'{"email": "a@shop.example", "occurred_at": "9999-12-31T23:59:59-14:00"}',
    "no zone": b'{"email": "a@shop.example", "occurred_at": "2026-01-01T00:00:00"}',
    "far second": b'{"email": "a@shop.example", "occurred_at": 1e300}',
    "long text": b'{"email": "a@shop.example", "city": "' + b"x" * 5000 + b'"}',
    "bad address": b'{"email": "nobody"}',
    "huge": b'{"email": "a@shop.example", "note": "' + b"x" * 1_100_000 + b'"}',
    "enormous": b'"' + b"x" * 3_000_000 + b'"',
}  # fmt: skip


@pytest.mark.parametrize("path", ["/customers", "/events", "/orders", "/products"])
def test_poison_is_refused_with_a_sentence(api: Caller, path: str) -> None:
    for name, raw in POISON.items():
        response = api.send("POST", path, raw)
        assert 400 <= response.status_code < 500, (name, response.status_code, response.content[:300])
        problem_of(response, response.status_code)
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=%00",
        "cursor=zzz",
        "cursor=LTE",
        "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk",
        "cursor=%F0%9F%92%A9",
        "limit=" + "9" * 5000,
    ],
)
@pytest.mark.parametrize("path", ["/customers", "/events", "/orders", "/products", "/segments", "/workflows"])
def test_pages_that_there_are_not(api: Caller, path: str, query: str) -> None:
    response = api.send("GET", f"{path}?{query}")
    problem_of(response, response.status_code)
    assert response.status_code in {400, 422}


@pytest.mark.parametrize("path", ["/customers", "/orders", "/products", "/segments", "/workflows"])
@pytest.mark.parametrize(
    "wrong",
    [
        "x",
        "cus_",
        "%00",
        "ord_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        "cus_00000000000000000000000000",
        "%F0%9F%92%A9",
        "..%2f..",
        "'--",
    ],
)
def test_ids_that_there_are_not(api: Caller, path: str, wrong: str) -> None:
    problem_of(api.send("GET", f"{path}/{wrong}"), 404)


FILTERS = [
    "email",
    "phone",
    "store",
    "tag",
    "country",
    "created_after",
    "customer",
    "kind",
    "occurred_after",
    "status",
    "placed_after",
    "number",
    "sku",
]


@pytest.mark.parametrize("path", ["/customers", "/events", "/orders", "/products"])
@pytest.mark.parametrize(
    "value", ["%00", "'", "x" * 3000, "%ED%A0%80", "1e400", "0001-01-01T00:00:00%2B14:00", "[]", "💩"]
)
def test_filters_never_break(api: Caller, path: str, value: str) -> None:
    for name in FILTERS:
        assert api.send("GET", f"{path}?{name}={value}").status_code < 500


JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(max_size=20),
    lambda inner: (
        strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = [
    "email",
    "phone",
    "store",
    "number",
    "placed_at",
    "currency",
    "lines",
    "customer",
    "name",
    "key",
    "variants",
    "tags",
    "attributes",
    "properties",
    "categories",
    "refunds",
    "total_minor",
    "occurred_at",
]
SOUND: list[Any] = [
    "uk",
    "GBP",
    "1",
    "ann@shop.example",
    "2026-01-01T00:00:00Z",
    [],
    {},
    [{"sku": "A", "quantity": 1, "unit_price": "1"}],
    {"email": "a@shop.example"},
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=strategies.sampled_from(["/customers", "/events", "/orders", "/products"]),
    body=strategies.dictionaries(strategies.sampled_from(FIELDS), strategies.sampled_from(SOUND) | JSON, max_size=10)
    | JSON,
)
def test_nothing_that_is_sent_breaks_it(api: Caller, path: str, body: Any) -> None:
    response = api.send("POST", path, json.dumps(body).encode())
    assert response.status_code < 500, response.content
    listed = api.send("GET", path)
    assert listed.status_code == 200, listed.content


def test_card_numbers_are_masked_before_they_are_kept(api: Caller) -> None:
    card = "4111 1111 1111 1111"
    extra = {"attributes": {"note": f"pays with {card}"}, "note": card, "street": card}
    made = api.send("POST", "/customers", ANN | extra).json()
    shown = json.dumps(api.send("GET", f"/customers/{made['id']}").json(), ensure_ascii=False)
    assert "4111 1111" not in shown
    assert "[card …1111]" in shown


def test_too_many_calls_are_told_when_to_come_back(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from regulars.foundation.access.limits import Limit
    from regulars.foundation.api import access

    monkeypatch.setattr(access, "BY_TOKEN", Limit("tight", 2, timedelta(minutes=1)))
    replies = [api.send("GET", "/customers") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert 1 <= int(replies[2]["Retry-After"]) <= 60


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return found


def test_the_description_is_public_and_complete(client: Client, db: None, schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.")
    assert set(schema["paths"]) >= {
        f"/api/v1/{name}" for name in ("customers", "orders", "products", "events", "segments", "workflows")
    }
    for path in schema["paths"].values():
        for operation in path.values():
            assert operation["security"]
            assert operation["summary"]
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "cdn" not in page.content.decode()
    assert "<script>" not in page.content.decode()
