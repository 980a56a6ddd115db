"""Every address of the house with every role: it answers as its rule says, and never with a 500. A new address without
a rule fails.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.core.handlers import wsgi
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from regulars.foundation.access.gate import Rule, require_known, rule_of
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.rules import Role, permissions_of
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import new_uid, to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.record.catalog.models import Product
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import Order
from regulars.record.orders.operations.apply import apply_orders

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PUBLIC = {  # reviewed by hand: what the whole world may open
    "openapi-json", "openapi-view", "healthz", "readyz", "metrics", "sign-in",
    "unsubscribe", "preferences", "favicon",
}  # fmt: skip
# one address for several actions: each asks for its own permission
ASKS_ITSELF = {"customer-act", "segment-act", "workflow-act"}


@dataclass(frozen=True)
class Place:
    """One address: its pattern, and the view behind it."""

    route: str
    pattern: URLPattern

    @property
    def rule(self) -> Rule | None:
        return rule_of(self.pattern.callback)


def _walk(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[Place]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield Place(route, pattern)


PLACES = list(_walk(get_resolver().url_patterns))
PAGES = [place for place in PLACES if place.rule is not None and not place.rule.is_api]


def test_every_address_names_its_permission() -> None:
    assert [place.route for place in PLACES if place.rule is None] == []


def test_the_permissions_named_are_there() -> None:
    for place in PAGES:
        assert place.rule is not None
        assert require_known([place.rule.get or "", place.rule.post or ""]) == [], place.route


def test_what_is_public_was_reviewed() -> None:
    assert {place.pattern.name for place in PAGES if place.rule and place.rule.public} <= PUBLIC


@dataclass
class House:
    """A shop of two stores with one of everything in the first."""

    uk: Store
    de: Store
    customer: str
    order: str
    product: str

    def address(self, place: Place) -> str:
        """The address with a real id where its beginning says of what."""
        ids = {"customers/": self.customer, "orders/": self.order, "products/": self.product}
        known = next((value for start, value in ids.items() if place.route.startswith(start)), "x")
        values = {"uuid": str(new_uid()), "int": "1", "slug": "note", "path": "a/b"}
        seen: list[str] = []

        def fill(found: re.Match[str]) -> str:
            kind = found[1] or "str"
            seen.append(kind)
            return values.get(kind, known if len(seen) == 1 else "x")

        return "/" + re.sub(r"<(?:(\w+):)?\w+>", fill, place.route)


@pytest.fixture
def house(db: None) -> House:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    uk = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    de = Store.objects.create(code="de", name="DE", brand=brand, currency="EUR")
    with transaction("system") as log:
        person = PersonInput((IdentityInput(IdentityKind.EMAIL, "ann@shop.example"),), AT, store_id=uk.pk)
        ensure_profiles([person], log)
        order = OrderInput("1001", AT, "GBP", (LineInput("A", "Mug", 1, Decimal(5)),), person)
        apply_orders([order], log, store_id=uk.pk, at=AT)
    return House(
        uk,
        de,
        to_public(Customer.PREFIX, Customer.objects.get().uid),
        to_public(Order.PREFIX, Order.objects.get().uid),
        to_public(Product.PREFIX, Product.objects.get().uid),
    )


def signed_in(role: str, stores: tuple[int, ...] = ()) -> Client:
    member, _ = create_staff(f"{role}@shop.example", role, SYSTEM, AT, stores=stores)
    client = Client(raise_request_exception=False)
    client.force_login(member)
    return client


def is_signed_in(client: Client) -> bool:
    """By the cookie, which an answer that ends the session takes away; asking the database takes as long as many a page."""
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    return cookie is not None and cookie.value != ""


def _expected(rule: Rule, permission: str | None, held: frozenset[str] | None, name: str | None) -> set[int]:
    """Statuses that this answer may have. ``held`` None: nobody signed in."""
    works = (
        {200, 204, 302, 303, 400, 401, 404, 409, 422, 429, 503}
        if rule.public
        else {200, 204, 302, 303, 400, 404, 409, 422}
    )
    if permission is None:
        return {405}
    if rule.public:
        return works | {403}
    if held is None:
        return {302, 401}
    if permission and permission not in held:
        return {403}
    return works | ({403} if name in ASKS_ITSELF or permission == "" else set())


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_every_address_answers_every_role_as_its_rule_says(house: House, role: str | None) -> None:
    held = None if role is None else permissions_of(role)
    member = None if role is None else create_staff(f"{role}@shop.example", role, SYSTEM, AT)[0]
    client, wrong = Client(raise_request_exception=False), []
    for place in PAGES:
        rule = place.rule
        assert rule is not None
        for method in ("GET", "POST", "PUT") if role == "owner" else ("GET", "POST"):
            if member is not None and not is_signed_in(client):  # the last answer signed out
                client.force_login(member)
            answer = client.generic(method, house.address(place))
            if answer.status_code not in _expected(rule, rule.permission(method), held, place.pattern.name):
                wrong.append((method, place.route, answer.status_code))
            if held is None and answer.status_code == 302 and not rule.public:
                assert answer["Location"].startswith("/sign-in")
            if (role, method) == ("owner", "GET") and rule.get is not None and not rule.public:
                assert_nowhere_cached_or_framed(answer.headers, place.route)
    assert wrong == []


def assert_nowhere_cached_or_framed(headers: Mapping[str, str], route: str) -> None:
    """As all that staff see."""
    assert "no-store" in headers["Cache-Control"], route
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_refusal_is_in_the_audit_chain(house: House) -> None:
    client = signed_in("read_only")
    assert client.post(f"/customers/{house.customer}/edit").status_code == 403
    assert AuditEntry.objects.latest("sequence").action == "access.denied"


def test_staff_of_another_store_find_nothing(house: House) -> None:
    client = signed_in("manager", (house.de.pk,))
    for place in PAGES:
        address = house.address(place)
        if any(known in address for known in (house.customer, house.order, house.product)):
            for method in ("GET", "POST"):
                answer = client.generic(method, address)
                assert answer.status_code in {403, 404, 405}, (method, address, answer.status_code)


class _Noting(QueryDict):
    """A query that notes which of its names a page asks for."""

    asked: ClassVar[set[str]] = set()

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        if not self._mutable:  # while it is being filled it asks itself
            self.asked.add(str(key))
        return super().__contains__(key)

    def getlist(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().getlist(key, default)


_asked_for: dict[str, frozenset[str]] = {}  # in this process, by route
asked_once = pytest.mark.xdist_group("queries")


def pages_that_ask(client: Client, house: House) -> dict[Place, frozenset[str]]:
    """Every page that can be got, and the names that it asks a query for, empty or full: no other means anything to it. ``client`` is of
    somebody who may open all of them."""
    places = [place for place in PAGES if place.rule and place.rule.get is not None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wsgi, "QueryDict", _Noting)
        for place in places:
            if place.route not in _asked_for:
                _Noting.asked.clear()
                for query in ({}, dict.fromkeys(NAMES, "1")):
                    client.get(house.address(place), query)
                _asked_for[place.route] = frozenset(_Noting.asked)
    return {place: _asked_for[place.route] for place in places}


@asked_once
def test_it_is_known_what_each_page_asks_a_query_for(house: House) -> None:
    asked = {place.pattern.name: names for place, names in pages_that_ask(signed_in("owner"), house).items()}
    assert {"q", "sort", "cursor", "store", "tag", "r"} <= asked["customers"]
    assert {"customer", "product"} <= asked["orders"]
    assert sum(map(len, asked.values())) > 200


@asked_once
@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "cursor=zzz",
        "sort=';--",
        "placed_from=0001-01-01",
        "limit=-1",
        "q=" + "x" * 5000,
        "cursor=eyJhIjox",
        "total_from=1e400",
        "page=%ED%A0%80",
        "customer=99999999999999999999999",
    ],
)
def test_no_query_breaks_a_page(house: House, query: str) -> None:
    client, name = signed_in("owner"), query.partition("=")[0]
    pages = pages_that_ask(client, house)
    for place in [place for place, asked in pages.items() if name in asked] or pages:
        answer = client.get(f"{house.address(place)}?{query}")
        assert answer.status_code < 500 or answer.status_code == 503, (place.route, query)


FIELDS = [
    "text",
    "note",
    "name",
    "email",
    "role",
    "stores",
    "scopes",
    "days",
    "to",
    "action",
    "ids",
    "select",
    "all",
    "word",
    "key",
    "definition",
    "title",
    "subject",
    "body",
    "value",
    "month",
    "r",
    "f",
    "m",
    "store",
    "currency",
    "rate",
    "on",
    "code",
    "from_address",
    "time_zone",
    "language",
    "present",
    "password",
    "again",
    "layout",
    "kind",
    "mapping",
    "sample",
    "share",
    "version",
    "node",
    "number",
]
POISON = ["", "\x00", "💩" * 3000, "9" * 30, "-1", "[[[", "{}", "<script>alert(1)</script>", "1e999"]


@pytest.mark.parametrize("value", POISON, ids=range(len(POISON)))
def test_no_form_breaks_a_page(house: House, value: str) -> None:
    client = signed_in("owner")
    wrong = []
    for place in PAGES:
        if place.rule and place.rule.post is not None and place.pattern.name not in {"sign-out", "team-act"}:
            if not is_signed_in(client):
                client = signed_in("manager")
            answer = client.post(house.address(place), dict.fromkeys(FIELDS, value))
            if answer.status_code >= 500:
                wrong.append((place.route, answer.status_code))
    assert wrong == []


def test_a_form_from_elsewhere_is_refused(house: House) -> None:
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(member)
    for place in PAGES:
        if place.rule and place.rule.post is not None and not place.rule.public:
            assert client.post(house.address(place), {"x": "1"}).status_code == 403, place.route


HOSTILE = [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "http:evil.example",
    "///evil.example",
    "/\t/evil.example",
    "https:/evil.example",
    " //evil.example",
]


@pytest.mark.parametrize("target", HOSTILE)
def test_signing_in_leads_nowhere_else(db: None, target: str) -> None:
    _, password = create_staff("ann@shop.example", "owner", SYSTEM, AT)
    client: Any = Client()
    answer = client.post(
        "/sign-in", {"email": "ann@shop.example", "password": password, "next": target}, REMOTE_ADDR="192.0.2.1"
    )
    assert answer.status_code in {200, 302}
    if answer.status_code == 302:
        assert answer["Location"].startswith("/")
        assert not answer["Location"].startswith(("//", "/\\", "/%09"))


NAMES = ("customer", "product", "category", "r", "f", "m", "q", "tag", "currency", "days", "store", "state", "reader")
# No number, one that no row can have, and a letter that the database does not hold.
UNREADABLE = ("²", "9" * 30, "\x00")


@asked_once
@pytest.mark.parametrize("value", UNREADABLE, ids=("superscript", "long", "nul"))
def test_what_no_address_of_ours_says_breaks_no_page(house: House, value: str) -> None:
    client, broken = signed_in("owner"), []
    for place, asked in pages_that_ask(client, house).items():
        for name in asked.intersection(NAMES):
            answer = client.get(house.address(place), {name: value})
            if answer.status_code >= 500:
                broken.append((place.route, name, answer.status_code))
    assert broken == []


def test_a_letter_that_cannot_be_kept_breaks_no_form(house: House) -> None:
    client, broken = signed_in("owner"), []
    rate = {"currency": "USD", "to": "GBP", "on": "2026-01-01", "rate": "0.8", "source": "a\x00"}
    asked = [
        (f"/customers/{house.customer}/tag", {"text": "a\x00"}),
        (f"/customers/{house.customer}/note", {"text": "a\x00"}),
        ("/customers", {"action": "tag", "everything": "1", "input": "a\x00"}),
        ("/settings/rates/new", rate),
        ("/settings", {"shop.name": "a\x00"}),
        ("/settings/tokens", {"name": "a\x00", "scopes": "customers:read", "days": "9" * 5000}),
        ("/me", {"name": "a\x00", "language": "de"}),
        ("/views", {"path": "/customers", "query": "a\x00", "name": "a\x00"}),
        ("/team/invite", {"email": "x@shop.example", "name": "a\x00", "role": "agent"}),
    ]
    for address, form in asked:
        status = client.post(address, form).status_code
        if status >= 500:
            broken.append((address, status))
    assert broken == []
