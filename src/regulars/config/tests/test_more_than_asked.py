"""Bar 29: fields, ids and filters beyond what is offered are ignored or refused, by every write and list of the API and by the lists of staff;
nobody sees by them what is of a store that is not theirs.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from regulars.config.tests.test_api import ORDER, POISON, Caller
from regulars.config.tests.writes import AT, PRODUCT, WRITES, People, filters, make_house, routes, written
from regulars.connections.base.models import Connection
from regulars.connections.base.operations.connecting import begin_connection
from regulars.connections.tracking.keys import create_key
from regulars.connections.tracking.models import TrackingKey
from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.receiving import Arrival, receive
from regulars.foundation.shop.models import Store
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.operations import apply_carts
from regulars.record.coupons.inputs import CouponInput
from regulars.record.coupons.models import CouponKind
from regulars.record.coupons.operations import apply_coupons
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction

pytestmark = pytest.mark.django_db
GERMAN = "zitronenfalter"  # stands in everything that only the German store knows
EXTRA = ["role", "pk", "uid", "public_id", "store_id", "customer_id", "profile_id", "batch_id", "created_at", "trust", "consent", "total",
         "permissions", "digest", "sealed", "_state", "__class__", "decided_by", "withdrawn_at"]  # fmt: skip
ODD = "&".join([  # what an address asks for, each with what somebody may hope for
    "fields=email,token,sealed", "expand=customer", "include=*", "select=sealed", "format=csv",
    "order_by=store__brand__from_address", "ordering=';DROP TABLE customers_customer;--", "id__gt=0", "store_id__isnull=0",
    "store__code=de", "customer__profiles__named_by__token__startswith=a", "_connector=OR 1=1 OR", "_negated=1", "pk=1",
    "store_ids=1,2,3", "viewer=everything", "uid__in=1", "filter[store]=de", "where=1=1", "q[store]=de",
])  # fmt: skip
HOSTILE = ["' OR '1'='1", "%25", "de", "de' --", "[]"]
LISTS = ["/settings/connections", "/carts", "/coupons", "/customers/duplicates", "/customers/decisions", "/settings/tracking",
         "/settings/tracking/live", "/settings/inbox"]  # fmt: skip


@pytest.fixture(scope="module")
def both_stores(making_once: Path) -> People:
    """Both stores have one of everything that is listed."""
    house = make_house()
    for store, word in ((house.uk, "kohlweissling"), (Store.objects.get(code="de"), GERMAN)):
        _fill(store, word)
    return house


@pytest.fixture(autouse=True)
def house(both_stores: People, made_once: None) -> People:
    return both_stores


def _fill(store: Store, word: str) -> None:
    names = [IdentityInput(IdentityKind.STORE_CUSTOMER, f"{word}-{n}", store.code) for n in range(2)]
    mail = IdentityInput(IdentityKind.EMAIL, f"{word}@x.example")
    people = [
        PersonInput((name, mail), AT, store.pk, contact=ContactCard(name=f"{word} {letter}", email=f"{word}@x.example"))
        for name, letter in zip(names, "AB", strict=True)
    ]
    cart = CartInput(word, AT, "GBP", (CartLineInput(word, word, 1, Decimal(5)),), people[0])
    caller = Caller("all", store)
    for number, person in enumerate(people):  # two with orders, other names and one address: they wait for a decision
        said = {"store_customer_id": person.identities[0].value, "store": store.code, "email": mail.value}
        body = ORDER | {"store": store.code, "number": f"{word}-{number}", "currency": store.currency}
        named = {"first_name": word, "last_name": f"{number}-{word[number:]}"}
        assert caller.send("POST", "/orders", body | {"customer": said | named}).status_code == 201
    variants = [{"sku": word, "price": "4.5", "currency": store.currency}]
    product = PRODUCT | {"store": store.code, "key": word, "title": word, "variants": variants}
    assert caller.send("POST", "/products", product).status_code == 201
    with transaction("test") as log:
        apply_carts([cart], log, store_id=store.pk)
        apply_coupons([CouponInput(word, CouponKind.OTHER)], log, store_id=store.pk, at=AT)
    begin_connection("woocommerce", store, f"https://{word}.example", SYSTEM, AT)
    create_key(word, "server", store.pk, SYSTEM, AT)
    receive([Arrival(word, "nobody", b"x", store_id=store.pk)], AT)


def test_a_write_refuses_what_it_does_not_know(house: People) -> None:
    api, before = Caller(), written()
    writes = [make(house) for make in WRITES.values()]
    for write in writes:
        if write.body is None:  # it reads no body
            continue
        answers = {name: api.send("POST", write.path, write.body | {name: "1"}).status_code for name in EXTRA}
        assert {name: status for name, status in answers.items() if status != 422} == {}, write.path
        assert api.send("POST", f"{write.path}?preview=1&role=owner&{ODD}", []).status_code == 422
    assert written() == before


def test_poison_is_refused_by_every_write(house: People) -> None:
    """Bar 11; the first four writes have it in ``test_api``."""
    before, api = written(), Caller()
    for write in (make(house) for route, make in WRITES.items() if "{" in route):
        for name, raw in POISON.items() if write.body is not None else ():
            assert api.send("POST", write.path, raw).status_code in (400, 413, 422), (write.path, name)
    assert written() == before


def test_a_write_about_another_store_is_refused(house: People) -> None:
    before, german = written(), Caller("all", Store.objects.get(code="de"))
    for make in WRITES.values():
        write = make(house)
        assert german.send("POST", write.path, write.body).status_code in (403, 404), write.path
        for method in ("PUT", "PATCH", "DELETE"):
            assert Caller().send(method, write.path, write.body).status_code == 405
    assert written() == before


def test_a_list_of_the_api_ignores_or_refuses(house: People) -> None:
    for route in routes("get"):
        if "{" not in route:
            _try_list(route, house)


def _try_list(route: str, house: People) -> None:
    caller = Caller("all", house.uk)
    plain = caller.send("GET", route)
    if plain.status_code == 403:  # of all stores: no token of one store holds its scope
        caller = Caller()
        plain = caller.send("GET", route)
    assert plain.status_code == 200
    assert GERMAN not in plain.content.decode() or caller.send("GET", "/customers?store=de").status_code == 200
    assert caller.send("GET", f"{route}?{ODD}").content == plain.content
    known = plain.json().get("items")
    if known is None:  # no list of things but a description: it has no filters of its own
        return
    for name in set(filters(route)) - {"cursor", "limit"}:
        for value in HOSTILE:
            answer = caller.send("GET", f"{route}?{name}={value}")
            assert answer.status_code in (200, 400, 403, 404, 422), (route, name, value, answer.content)
            if answer.status_code == 200:
                assert all(item in known for item in answer.json()["items"]), (route, name, value)


def test_a_list_of_staff_shows_no_more_than_before(house: People) -> None:
    member, _ = create_staff("uk@shop.example", "manager", SYSTEM, AT, stores=[house.uk.pk])
    client = Client()
    client.force_login(member)
    hostile = [f"store={value}&state={value}&sort={value}&q={value}" for value in HOSTILE[:3]]
    for page in LISTS:
        assert client.get(page).status_code == 200
        for query in ("store=de", "sort=-store__brand__name", ODD, *hostile):
            answer = client.get(f"{page}?{query}")
            assert answer.status_code in (200, 302, 400, 404), (page, query, answer.status_code)
            assert GERMAN not in answer.content.decode(), (page, query)


def test_forms_of_staff_take_only_what_they_ask_for(house: People, settings: Any) -> None:
    settings.PUBLIC_URL = "https://crm.example"
    member, _ = create_staff("uk@shop.example", "manager", SYSTEM, AT, stores=[house.uk.pk])
    client, german = Client(), Store.objects.get(code="de")
    client.force_login(member)
    before = Connection.objects.count(), TrackingKey.objects.count()
    more = {
        "id": "1",
        "prefix": "aaaa",
        "secret_hash": "x",
        "revoked_at": "",
        "store_id": str(german.pk),
        "staff_id": "1",
    }
    connecting = "/settings/connections/new/woocommerce"
    for form, address in (
        ({"name": "K", "kind": "server", "store": "de"}, "/settings/tracking"),
        ({"store": "de", "address": "https://new.example", "way": "agree"}, connecting),
    ):
        assert client.post(address, form | more).status_code in (400, 403, 404)
    assert (Connection.objects.count(), TrackingKey.objects.count()) == before
    assert client.post("/settings/tracking", {"name": "K", "kind": "server", "store": "uk"} | more).status_code == 200
    key = TrackingKey.objects.order_by("pk").last()
    assert key is not None
    assert (key.store_id, key.prefix != "aaaa", key.revoked_at) == (house.uk.pk, True, None)
    form = {"store": "uk", "address": "https://new.example", "way": "agree", "state": "active", "name": "N"}
    assert client.post(connecting, form | more).status_code == 302
    row = Connection.objects.order_by("pk").last()
    assert row is not None
    assert (row.store_id, row.state, row.name, row.staff_id) == (house.uk.pk, "new", "new.example", member.pk)
