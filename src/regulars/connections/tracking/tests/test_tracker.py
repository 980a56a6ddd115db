"""regulars.js in Chromium, on a shop's pages of another origin: what it promises stands in the record, or on the wire."""

import gzip
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Route

from regulars.connections.tracking.tests.running import Running
from regulars.connections.tracking.tests.visiting import HOST, OWN, Shop, Visitor, open_shop, until, visiting
from regulars.connections.tracking.visitors import COOKIE, SCRIPT
from regulars.foundation import clock
from regulars.record.carts.models import Cart, CartLine, CartState
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.queries import customer_of, find_by_identity, read_cards
from tests.browsers import open_browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tracking-live")]
SMALL = 5_000  # bytes on the wire
ALL_DAYS = timedelta(days=400)
MUG = {"product_id": "10", "sku": "MUG1", "name": "Mug", "price": 12.5, "quantity": 2}
QUIET_MS = 250  # longer than the tracker waits before it sends
WISHES = {
    "navigator, 'globalPrivacyControl', { value: true }": "Sec-GPC",
    "navigator, 'doNotTrack', { value: '1' }": "DNT",
}  # what pages see, and the header that goes with it
BEFORE = "Object.defineProperty(%s); localStorage['regulars.id'] ??= 'from-before'"
TURNS = (
    "history.pushState({}, '', '/p/1')",
    "history.replaceState({ a: 1 }, '', '/p/1')",
    "history.pushState({}, '', '/p/2?size=L')",
    "history.back()",
    "location.hash = '#part'",
    "location.hash = '#/cart'",
)
ODD = """() => {
    const round = {}
    round.round = round
    regulars()
    regulars('nothing')
    regulars('track', 'Round', round)
    regularsLayer.push(7, null, { a: 1 }, ['track', 'Good'])
}"""
NO_CHANCE = "Math.random = () => 0"  # the shortest pause between attempts


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def shop(running: Running) -> Iterator[Shop]:
    with open_shop(running) as shop:
        yield shop


@pytest.fixture
def visitor(browser: Browser, shop: Shop) -> Iterator[Visitor]:
    with visiting(browser, shop) as visitor:
        yield visitor


def customer_of_visitor(anonymous_id: str) -> int:
    [found] = find_by_identity(IdentityInput(IdentityKind.ANONYMOUS_ID, anonymous_id, "uk"))
    return found


def test_it_is_served_small_cached_and_to_everybody(running: Running) -> None:
    address = f"{running.address}/regulars.js"
    with httpx.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert len(packed) < SMALL
    assert gzip.decompress(packed) == SCRIPT
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600, stale-while-revalidate=86400"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers
    again = httpx.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert httpx.get(address, headers={"Accept-Encoding": "identity"}).content == SCRIPT
    known = {"Cookie": f"{COOKIE}={'a' * 32}", "If-None-Match": answer.headers["ETag"]}
    assert "Set-Cookie" not in httpx.get(address, headers=known).headers
    unwished = httpx.get(address, headers=known | {"Sec-GPC": "1"})
    assert (unwished.status_code, unwished.headers["Cache-Control"]) == (304, "private, no-store")
    assert unwished.headers["Set-Cookie"].startswith(f'{COOKIE}=""; expires=Thu, 01 Jan 1970')
    assert b"//" not in SCRIPT
    assert not re.search(rb"https?:", SCRIPT)


def test_one_connection_is_one_call_at_a_time(running: Running) -> None:
    """HTTP/2 would bring many half bodies by one connection, and keep it busy: only whoever stands before us speaks it."""
    with socket.create_connection(("127.0.0.1", running.port), 30) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0")
        with suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_a_visit_from_the_shelf_to_the_order(visitor: Visitor) -> None:
    page = visitor.open("/mug?utm_source=letter&utm_campaign=spring")
    visitor.tell(page, "cart", "add", MUG | {"cart_id": "tracker-1"})
    visitor.tell(page, "cart", "remove", {"product_id": "10", "sku": "MUG1", "quantity": 1, "cart_id": "tracker-1"})
    visitor.tell(page, "cart", {"cart_id": "tracker-1", "products": [MUG | {"quantity": 3}]})
    visitor.tell(page, "identify", "user-1", {"email": "ada@shop.example"})
    visitor.tell(page, "track", "Quiz Finished", {"score": 7})
    visitor.tell(page, "checkout", {"products": [MUG | {"quantity": 3}], "value": 37.5, "currency": "EUR"})
    visitor.tell(page, "order", {"order_id": "1001", "total": 37.5, "currency": "EUR"})
    visitor.tell(page, "page", "Thanks", {"kind": "end"})
    own = visitor.id(page)
    told = visitor.told(own, 10)

    assert [kind for kind, _ in told] == ["page_viewed", "product_viewed", "product_added", "product_removed", "cart_viewed",
                                          "identified", "event", "checkout_started", "order_completed", "page_viewed"]  # fmt: skip
    first, last = told[0][1], told[-1][1]
    assert first["rest"]["path"] == "/mug"
    assert first["context"]["campaign"] == {"source": "letter", "name": "spring"}
    assert first["context"]["library"] == {"name": "regulars.js", "version": "1"}
    assert first["context"]["page"]["url"] == visitor.shop.address("/mug?utm_source=letter&utm_campaign=spring")
    assert (last["name"], last["rest"]["kind"]) == ("Thanks", "end")
    assert [said.get("user_id") for _, said in told] == [None] * 5 + ["user-1"] * 5
    assert {said["trust"] for _, said in told} == {"claimed"}
    assert told[6][1]["properties"] == {"score": 7}
    cart = Cart.objects.get(key="tracker-1")
    assert (cart.state, cart.value_minor, cart.currency) == (CartState.ORDERED, 3750, "EUR")
    assert list(CartLine.objects.filter(cart=cart).values_list("sku", "quantity")) == [("MUG1", 3)]
    assert customer_of(cart.profile_id or 0) == customer_of_visitor(own)
    assert read_cards([customer_of_visitor(own)])[customer_of_visitor(own)].email == "ada@shop.example"
    # The only others that were spoken to are ours, under the shop's own name; and no call was sent twice.
    assert {urlsplit(request.url).hostname for request in visitor.asked} == {OWN}
    until(lambda: len(visitor.sent()) >= 10, visitor.context)
    assert len(visitor.sent()) == len(set(visitor.sent())) == 10


def test_the_id_is_kept_by_the_server_and_outlives_what_scripts_store(visitor: Visitor) -> None:
    page = visitor.open()
    own = visitor.id(page)
    cookie = visitor.cookie()
    assert cookie is not None
    assert (cookie["value"], cookie["domain"], cookie["httpOnly"], cookie["sameSite"]) == (own, OWN, True, "Lax")
    assert abs(cookie["expires"] - (clock.now() + ALL_DAYS).timestamp()) < 60
    assert page.evaluate("document.cookie") == ""
    visitor.told(own, 1)
    page.evaluate("localStorage.clear()")
    visitor.open(page=page)
    assert visitor.id(page) == own
    assert len(visitor.calls("/v1/id")) == 2
    visitor.open(page=page)
    assert visitor.id(page) == own
    assert len(visitor.calls("/v1/id")) == 2  # asked once a day
    visitor.told(own, 3)


def test_secure_where_the_page_is(running: Running) -> None:
    said = {"writeKey": running.keys["browser"], "anonymousId": "a" * 32, "action": "keep"}
    address = f"{running.address}/v1/id"
    kept = httpx.post(address, json=said, headers={"Origin": "https://www.shop.example"})
    assert kept.json() == {"anonymousId": "a" * 32}
    assert kept.headers["Access-Control-Allow-Origin"] == "https://www.shop.example"
    assert kept.headers["Access-Control-Allow-Credentials"] == "true"
    assert kept.headers["Set-Cookie"] == (
        f"{COOKIE}={'a' * 32}; expires={kept.headers['Set-Cookie'].split('expires=')[1].split(';')[0]}; HttpOnly; "
        "Max-Age=34560000; Path=/; SameSite=Lax"
    )
    for refused, status in (({"writeKey": "wkb_0_x"}, 401), ([], 400), ({"writeKey": "x" * 3000}, 400)):
        answer = httpx.post(address, json=refused)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (status, False)
    for header in ("Sec-GPC", "DNT"):
        assert "Set-Cookie" not in httpx.post(address, json=said, headers={header: "1"}).headers
    for odd in ("short", "a" * 65, "x; Domain=shop.example;aaaaaaaa", "é" * 20):
        answer = httpx.post(address, json=said | {"anonymousId": odd})
        assert (answer.json(), "Set-Cookie" in answer.headers) == ({"anonymousId": ""}, False)


def test_another_person_at_the_device_and_a_logout_are_other_visitors(visitor: Visitor) -> None:
    page = visitor.open("/manual")
    visitor.tell(page, "identify", "first", {"name": "First"})
    first = visitor.id(page)
    visitor.tell(page, "identify", "second", {"name": "Second"})
    second = visitor.id(page)
    visitor.tell(page, "reset")
    visitor.tell(page, "track", "After")
    third = visitor.id(page)
    assert len({first, second, third}) == 3
    assert [said["user_id"] for _, said in visitor.told(first, 1)] == ["first"]
    assert [said["user_id"] for _, said in visitor.told(second, 1)] == ["second"]
    assert [said.get("user_id") for _, said in visitor.told(third, 1)] == [None]
    owners = {customer_of_visitor(one) for one in (first, second, third)}
    assert len(owners) == 3
    until(lambda: (visitor.cookie() or {}).get("value") == third, visitor.context)


def test_what_is_told_offline_waits_and_arrives_once(visitor: Visitor) -> None:
    page = visitor.open("/manual")
    own = visitor.id(page)
    visitor.context.set_offline(True)
    for number in range(3):
        visitor.tell(page, "track", f"Offline {number}")
    page.wait_for_timeout(QUIET_MS)
    assert (len(visitor.queue(page)), visitor.calls("/v1/batch")) == (3, [])
    visitor.context.set_offline(False)
    assert [said["name"] for _, said in visitor.told(own, 3)] == ["Offline 0", "Offline 1", "Offline 2"]
    until(lambda: visitor.queue(page) == [], visitor.context)


def test_more_than_may_be_under_way_at_once_goes_out_piece_by_piece(visitor: Visitor) -> None:
    page = visitor.open("/manual")
    own = visitor.id(page)
    visitor.context.set_offline(True)
    page.evaluate("() => { for (let n = 0; n < 10; n++) regulars('track', 'N' + n, { text: 'x'.repeat(25000) }) }")
    visitor.context.set_offline(False)
    told = [said["name"] for _, said in visitor.told(own, 10)]
    assert sorted(told) == [f"N{number}" for number in range(10)]
    until(lambda: visitor.queue(page) == [], visitor.context)


def test_the_queue_has_an_end_and_drops_the_oldest(visitor: Visitor) -> None:
    page = visitor.open("/manual")
    visitor.id(page)
    visitor.context.set_offline(True)
    page.evaluate("() => { for (let n = 0; n < 510; n++) regulars('track', 'N' + n) }")
    kept = page.evaluate(
        "() => Object.keys(localStorage).filter(n => n.startsWith('regulars.call.')).sort().map(n => JSON.parse(localStorage[n]).event)"
    )
    assert len(kept) == 500
    assert set(kept) == {f"N{number}" for number in range(510)} - {f"N{number}" for number in range(10)}


def test_what_was_taken_without_our_hearing_it_counts_once(browser: Browser, shop: Shop) -> None:
    answers: list[int] = []

    def disturb(route: Route) -> None:
        answers.append(len(answers))
        if len(answers) == 1:
            route.fulfill(status=HTTPStatus.SERVICE_UNAVAILABLE)
        elif len(answers) == 2:
            route.fulfill(
                status=HTTPStatus.TOO_MANY_REQUESTS,
                headers={
                    "Access-Control-Allow-Origin": "*",
                    "Access-Control-Expose-Headers": "Retry-After",
                    "Retry-After": "0.1",
                },
            )
        elif len(answers) == 3:
            taken = httpx.post(f"{shop.running.address}/v1/batch", content=route.request.post_data or "")
            assert taken.status_code == 200
            route.abort()
        else:
            route.continue_()

    with visiting(browser, shop, NO_CHANCE) as visitor:
        page = visitor.open("/manual")
        own = visitor.id(page)
        visitor.context.route("**/v1/batch", disturb)
        visitor.tell(page, "track", "Once")
        until(lambda: len(answers) == 4 and visitor.queue(page) == [], visitor.context)
        visitor.told(own, 1)
        assert len(visitor.sent()) == 4
        assert len(set(visitor.sent())) == 1


def test_what_is_refused_for_good_is_not_sent_again_and_holds_nothing_up(visitor: Visitor) -> None:
    page = visitor.open("/manual")
    own = visitor.id(page)
    visitor.context.route(
        "**/v1/batch", lambda route: route.fulfill(status=400, headers={"Access-Control-Allow-Origin": "*"}), times=1
    )
    visitor.tell(page, "track", "Refused")
    until(lambda: len(visitor.calls("/v1/batch")) == 1 and visitor.queue(page) == [], visitor.context)
    visitor.tell(page, "track", "Large", {"text": "é" * 16_000})
    visitor.tell(page, "track", "Next")
    assert [said["name"] for _, said in visitor.told(own, 1)] == ["Next"]


def test_leaving_the_page_at_once_loses_nothing(visitor: Visitor) -> None:
    page = visitor.open("/manual")
    own = visitor.id(page)
    page.evaluate("path => { regulars('track', 'Left'); location = path }", visitor.shop.address("/empty"))
    page.wait_for_url("**/empty")
    assert [said["name"] for _, said in visitor.told(own, 1)] == [
        "Left"
    ]  # by a page that has no tracker: sent on leaving
    visitor.open("/manual", page)
    until(lambda: visitor.queue(page) == [], visitor.context)  # sent again, for nobody heard the answer
    visitor.told(own, 1)


def test_whoever_wishes_no_tracking_has_none(browser: Browser, shop: Shop) -> None:
    with ExitStack() as stack:
        visitors = [
            stack.enter_context(visiting(browser, shop, BEFORE % wish, extra_http_headers={header: "1"}))
            for wish, header in WISHES.items()
        ]
        for visitor in visitors:
            visitor.context.add_cookies([{"name": COOKIE, "value": "f" * 32, "domain": OWN, "path": "/"}])
        pages = [visitor.open("/mug") for visitor in visitors]
        for visitor, page in zip(visitors, pages, strict=True):
            visitor.tell(page, "consent", True)
            visitor.tell(page, "track", "Nothing")
            page.evaluate("regularsLayer.push(['track', 'Nothing'])")
        pages[0].wait_for_timeout(QUIET_MS)
        for visitor, page in zip(visitors, pages, strict=True):
            assert [urlsplit(request.url).path for request in visitor.asked] == ["/regulars.js"]
            assert (visitor.stored(page), visitor.cookie()) == ({}, None)


def test_where_consent_is_required_nothing_happens_before(visitor: Visitor) -> None:
    page = visitor.open("/required")
    visitor.tell(page, "product", MUG)
    page.wait_for_timeout(QUIET_MS)
    assert [urlsplit(request.url).path for request in visitor.asked] == ["/regulars.js"]
    assert (visitor.stored(page), visitor.cookie()) == ({}, None)

    visitor.tell(page, "consent", True)
    own = visitor.id(page)
    assert [kind for kind, _ in visitor.told(own, 2)] == ["page_viewed", "product_viewed"]  # what this page held back
    until(lambda: visitor.cookie() is not None, visitor.context)
    visitor.open("/required", page)
    assert visitor.id(page) == own
    visitor.told(own, 3)

    other = visitor.open("/required")  # another tab, open while consent is withdrawn
    visitor.told(own, 4)
    visitor.tell(page, "consent", False)
    until(lambda: visitor.cookie() is None, visitor.context)
    until(lambda: visitor.stored(other) == {}, visitor.context)  # tabs hear of each other's storage a moment later
    for tab in (page, other):
        visitor.tell(tab, "track", "Withdrawn")
    page.wait_for_timeout(QUIET_MS)
    assert visitor.stored(page) == {}
    visitor.told(own, 4)
    visitor.open("/required", page)
    page.wait_for_timeout(QUIET_MS)
    assert (visitor.stored(page), visitor.cookie()) == ({}, None)


def test_a_refusal_is_remembered_where_consent_is_not_asked_first(visitor: Visitor) -> None:
    page = visitor.open()
    own = visitor.id(page)
    visitor.told(own, 1)
    visitor.tell(page, "consent", False)
    visitor.open("/mug", page)
    until(lambda: visitor.cookie() is None, visitor.context)
    until(lambda: visitor.stored(page) == {"regulars.consent": "no"}, visitor.context)
    page.wait_for_timeout(QUIET_MS)
    assert visitor.stored(page) == {"regulars.consent": "no"}
    visitor.told(own, 1)
    visitor.tell(page, "consent", True)
    assert visitor.id(page) != own


def test_a_refusal_that_the_server_did_not_hear_is_told_by_the_next_page(visitor: Visitor) -> None:
    page = visitor.open("/required")
    visitor.tell(page, "consent", True)
    until(lambda: visitor.cookie() is not None, visitor.context)
    visitor.context.route("**/v1/id", lambda route: route.fulfill(status=503), times=2)
    visitor.tell(page, "consent", False)
    visitor.tell(page, "consent", False)  # as shops' consent tools do on every page
    until(lambda: len(visitor.calls("/v1/id")) == 3, visitor.context)
    visitor.open("/required", page)
    until(lambda: visitor.cookie() is None and visitor.stored(page) == {}, visitor.context)
    assert (visitor.cookie(), visitor.stored(page)) == (None, {})


def test_cookieless_tells_and_keeps_nothing(visitor: Visitor) -> None:
    page = visitor.open("/cookieless")
    first = visitor.id(page)
    visitor.told(first, 1)
    assert (visitor.stored(page), visitor.cookie(), visitor.calls("/v1/id")) == ({}, None, [])
    visitor.open("/cookieless", page)
    second = visitor.id(page)
    visitor.told(second, 1)
    assert second != first
    visitor.tell(page, "consent", True)
    visitor.tell(page, "track", "Yes")
    assert visitor.id(page) == second
    visitor.told(second, 2)
    assert visitor.stored(page)["regulars.id"] == second


def test_two_tabs_are_one_visitor(visitor: Visitor) -> None:
    pages = [visitor.open("/manual"), visitor.open("/manual")]
    ids = {visitor.id(page) for page in pages}
    assert len(ids) == 1
    for number in range(4):
        visitor.tell(pages[number % 2], "track", f"Tab {number}")
    assert {said["name"] for _, said in visitor.told(ids.pop(), 4)} == {f"Tab {number}" for number in range(4)}


def test_pages_that_change_without_loading_are_seen_once_each(visitor: Visitor) -> None:
    page = visitor.open()
    own = visitor.id(page)
    turn = "new Promise(done => setTimeout(done))"
    for change in TURNS:
        page.evaluate(change)
        page.evaluate(f"{turn}.then(() => {turn})")
    until(lambda: page.evaluate("location.href").endswith("/p/1#/cart"), visitor.context)
    told = [said["rest"] for kind, said in visitor.told(own, 5) if kind == "page_viewed"]
    assert [one["path"] + one["search"] for one in told] == ["/", "/p/1", "/p/2?size=L", "/p/1", "/p/1"]
    base = visitor.shop.address("")
    assert [one["referrer"] for one in told] == ["", f"{base}/", f"{base}/p/1", f"{base}/p/2?size=L", f"{base}/p/1"]


def test_a_host_of_another_site_is_asked_for_no_cookie(visitor: Visitor) -> None:
    page = visitor.open("/elsewhere")
    own = visitor.id(page)
    visitor.told(own, 1)
    assert (visitor.calls("/v1/id"), visitor.context.cookies()) == ([], [])
    assert visitor.stored(page)["regulars.id"] == own
    assert HOST not in {urlsplit(request.url).hostname for request in visitor.asked}


@pytest.mark.parametrize("is_slow", [False, True], ids=["", "before the visitor is known"])
def test_nothing_that_a_shop_says_breaks_its_page(visitor: Visitor, is_slow: bool) -> None:
    if is_slow:
        visitor.context.route("**/v1/id", lambda route: None)  # never answered
    page = visitor.open("/manual")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate(ODD)
    assert [said["name"] for _, said in visitor.told(visitor.id(page), 1)] == ["Good"]
    assert errors == []
