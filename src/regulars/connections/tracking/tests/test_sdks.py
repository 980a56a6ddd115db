"""The libraries that shops use, unchanged, against a Regulars that runs: what each was told stands in the record.

Each runs in a process of its own and all at once, the browser's in Chromium on a page of another origin.
"""

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from regulars.connections.tracking.tests.origin import serve_pages
from regulars.connections.tracking.tests.running import PATIENCE, Running
from regulars.connections.tracking.tests.shop import MUG, customer_of_user, events, sealed
from regulars.foundation import clock
from regulars.record.carts.models import Cart, CartLine, CartState
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.queries import customer_of, find_by_identity, read_cards
from regulars.record.events.models import Event
from regulars.record.orders.models import Order
from tests.browsers import open_browser
from tests.database import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tracking-live")]
DRIVERS = Path(__file__).parent / "sdk"
INSTALLED = ROOT / ".venv" / "sdk" / "node_modules"
PROGRAMS = {
    "segment-analytics-python": [sys.executable, str(DRIVERS / "segment_python.py")],
    "rudder-sdk-python": [sys.executable, str(DRIVERS / "rudder_python.py")],
    "segment-analytics-node": ["node", str(DRIVERS / "segment_node.cjs")],
    "rudder-sdk-node": ["node", str(DRIVERS / "rudder_node.cjs")],
}
BROWSER = "segment-analytics-next"
LIBRARIES = {
    "segment-analytics-python": ("analytics-python", "2.4.0"),
    "rudder-sdk-python": ("analytics-python", "2.1.9"),
    "segment-analytics-node": ("@segment/analytics-node", "3.1.0"),
    "rudder-sdk-node": ("analytics-node", "3.0.13"),
    BROWSER: ("analytics.js", "next-1.84.3"),
}
KINDS = {"identify": "tracked.identified", "page": "tracked.page_viewed", "screen": "tracked.screen_viewed",
         "group": "tracked.grouped", "alias": "tracked.aliased", "Product Viewed": "tracked.product_viewed",
         "Product Added": "tracked.product_added", "Quiz Finished": "tracked.event",
         "Checkout Started": "tracked.checkout_started", "Order Completed": "tracked.order_completed"}  # fmt: skip


def script(client: str, first_at: datetime) -> list[dict[str, Any]]:
    """What a shop tells of one visitor, a second apart."""
    line = MUG | {"product_id": f"mug-{client}"}
    told: list[dict[str, Any]] = [
        {"type": "page", "name": "Shelf", "properties": {"category": "Mugs"}},
        {"type": "track", "event": "Product Viewed", "properties": line | {"currency": "EUR"}},
        {"type": "track", "event": "Product Added", "properties": line | {"cart_id": f"cart-{client}"}},
        {"type": "track", "event": "Quiz Finished", "properties": {"score": 7, "of": {"who": [1, "Γειά ☕"]}}},
        {"type": "identify", "traits": {"name": "Ada Lovelace", "email": f"ada@{client}.example"}},
        {"type": "screen", "name": "Cart"},
        {"type": "group", "groupId": f"school-{client}", "traits": {"name": "School"}},
        {"type": "alias", "previousId": f"before-{client}"},
        {
            "type": "track",
            "event": "Checkout Started",
            "properties": {"products": [line], "value": 25, "currency": "EUR"},
        },
        {
            "type": "track",
            "event": "Order Completed",
            "properties": {
                "order_id": f"order-{client}",
                "total": 28.5,
                "shipping": 3.5,
                "currency": "EUR",
                "products": [line],
            },
        },
    ]
    ids = {"userId": f"user-{client}", "anonymousId": f"visitor-{client}"}
    return [
        call | ids | {"messageId": f"{client}-{n}", "timestamp": _text(first_at + timedelta(seconds=n))}
        for n, call in enumerate(told)
    ]


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Told:
    """What was told by which client, between which moments, and what the browser asked on the way."""

    first_at: datetime
    began: datetime
    scripts: dict[str, list[dict[str, Any]]]
    ended: datetime
    asked: list[tuple[str, str, int]] = field(default_factory=list)  # method, path, status


@pytest.fixture(scope="module")
def told(running: Running) -> Told:
    """Everything, told once by all clients, and read."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed here: the client libraries for it and for browsers are not driven")
    if not INSTALLED.exists():
        pytest.skip(
            "The client libraries for Node.js and browsers are not installed: 'make develop' does it where npm is"
        )
    began = clock.now()
    first_at = (began - timedelta(minutes=10)).replace(microsecond=250_000)
    found = Told(first_at, began, {client: script(client, first_at) for client in LIBRARIES}, began)
    with ExitStack() as stack:
        programs = {
            client: stack.enter_context(
                subprocess.Popen(
                    [
                        *command,
                        json.dumps(
                            {"host": running.address, "key": running.keys["server"], "calls": found.scripts[client]}
                        ),
                    ],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    cwd=ROOT,
                    env={"NODE_PATH": str(INSTALLED), "PATH": "/usr/bin:/bin:/usr/local/bin"},
                )
            )
            for client, command in PROGRAMS.items()
        }
        found.asked = tell_in_browser(running, found.scripts[BROWSER])
        for client, program in programs.items():
            said, _ = program.communicate(timeout=PATIENCE)
            assert (program.returncode, said) == (0, ""), client
    running.read()
    found.ended = clock.now()
    return found


def tell_in_browser(running: Running, calls: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Loads the page once and tells; what Chromium asked of Regulars for it, preflights too."""
    asked: list[tuple[str, str, int]] = []
    methods: dict[str, str] = {}
    umd = INSTALLED / "@segment" / "analytics-next" / "dist" / "umd"
    page_text = (DRIVERS / "segment_next.html").read_text()

    def hear(told: dict[str, Any]) -> None:
        url = str(told["response"]["url"])
        if url.startswith(running.address):
            asked.append((methods[told["requestId"]], url.removeprefix(running.address), told["response"]["status"]))

    with serve_pages({"/": page_text, "/umd/": umd}) as port, open_browser() as browser:
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        wire = page.context.new_cdp_session(page)
        wire.on(
            "Network.requestWillBeSent", lambda told: methods.update({told["requestId"]: told["request"]["method"]})
        )
        wire.on("Network.responseReceived", hear)
        wire.send("Network.enable")
        page.goto(f"http://localhost:{port}/")
        page.evaluate(
            "script => tell(script)", {"key": running.keys["browser"], "host": running.address, "calls": calls}
        )
        assert errors == []
    return asked


@pytest.mark.parametrize("client", LIBRARIES)
def test_each_call_of_each_library_is_in_the_record_as_it_was_told(told: Told, client: str) -> None:
    calls, is_server = told.scripts[client], client != BROWSER
    told_by = IdentityInput(
        *(IdentityKind.USER_ID, f"user-{client}", "uk")
        if is_server
        else (IdentityKind.ANONYMOUS_ID, f"visitor-{client}", "uk")
    )
    [owner] = find_by_identity(told_by)
    tracked = [(event, sealed(event)) for event in events()]
    found = {
        said["message_id"]: (event, said) for event, said in tracked if said["message_id"].startswith(f"{client}-")
    }
    assert sorted(found) == sorted(call["messageId"] for call in calls if is_server or call["type"] != "alias")
    for event, said in found.values():
        [call] = [call for call in calls if call["messageId"] == said["message_id"]]
        assert event.kind == KINDS[call.get("event", call["type"])]
        assert event.data["trust"] == ("confirmed" if is_server else "claimed")
        assert customer_of(event.profile_id or 0) == owner
        assert (said["context"]["library"]["name"], said["context"]["library"]["version"]) == LIBRARIES[client]
        check_times(event, call, told)
        check_properties(event, said, call)


def check_times(event: Event, call: dict[str, Any], told: Told) -> None:
    """All four, to the millisecond: what the library was given, when it sent it, when we got it, and what follows."""
    given = datetime.fromisoformat(call["timestamp"])
    sent_at, received_at = (datetime.fromisoformat(event.data[name]) for name in ("sent_at", "received_at"))
    original_at = datetime.fromisoformat(event.data["original_at"])
    assert told.began - timedelta(milliseconds=1) <= sent_at <= received_at <= told.ended
    if original_at == given:
        assert event.occurred_at == received_at - (sent_at - given)
    else:  # RudderStack's for Node.js has an originalTimestamp of its own beside the time that it is given
        assert told.began - timedelta(milliseconds=1) <= original_at <= sent_at
        assert event.occurred_at == given


def check_properties(event: Event, said: dict[str, Any], call: dict[str, Any]) -> None:
    """Every value that was given, typed where the specification types it, else as it came."""
    kept = event.data["properties"] | said.get("rest", {})
    for name, value in call.get("properties", {}).items():
        assert same(kept[name], value), name
    if call["type"] == "track" and event.kind == "tracked.event":
        assert event.data["name"] == call["event"]
    for name, value in call.get("traits", {}).items():
        assert said["traits"][name] == value


def same(kept: Any, given: Any) -> bool:
    """Equal, numbers by their value: money is kept as decimal text."""
    if isinstance(given, dict):
        return kept.keys() == given.keys() and all(same(kept[name], given[name]) for name in given)
    if isinstance(given, list):
        return len(kept) == len(given) and all(map(same, kept, given))
    return kept == given or (not isinstance(given, str) and Decimal(str(kept)) == Decimal(str(given)))


@pytest.mark.parametrize("client", PROGRAMS)
def test_what_servers_tell_makes_a_customer_a_cart_and_an_order(told: Told, client: str) -> None:
    [owner] = customer_of_user(f"user-{client}")
    card = read_cards([owner])[owner]
    assert (card.name, card.email) == ("Ada Lovelace", f"ada@{client}.example")
    for kind, value in (
        (IdentityKind.ANONYMOUS_ID, f"visitor-{client}"),
        (IdentityKind.EMAIL, f"ada@{client}.example"),
    ):
        assert find_by_identity(IdentityInput(kind, value, "uk" if kind == IdentityKind.ANONYMOUS_ID else "")) == [
            owner
        ]
    cart = Cart.objects.get(key=f"cart-{client}")
    assert (cart.state, cart.value_minor, cart.currency) == (CartState.ORDERED, 2500, "EUR")
    assert customer_of(cart.profile_id or 0) == owner
    lines = CartLine.objects.filter(cart=cart).values_list("sku", "title", "quantity", "unit_price")
    assert list(lines) == [("MUG1", "Mug", 2, Decimal("12.5"))]
    order = Order.objects.get(number=f"order-{client}")
    assert (cart.order_id, order.total_minor, order.shipping_minor) == (order.pk, 2850, 350)
    assert customer_of(order.profile_id or 0) == owner


def test_what_the_browser_tells_is_claimed_and_fills_a_cart(told: Told) -> None:
    [visitor] = find_by_identity(IdentityInput(IdentityKind.ANONYMOUS_ID, f"visitor-{BROWSER}", "uk"))
    assert customer_of_user(f"user-{BROWSER}") == [visitor]  # a claim, and nobody else's
    assert read_cards([visitor])[visitor].email == f"ada@{BROWSER}.example"
    cart = Cart.objects.get(key=f"cart-{BROWSER}")
    assert (cart.state, cart.value_minor, customer_of(cart.profile_id or 0)) == (CartState.ORDERED, 2500, visitor)
    assert not Order.objects.filter(number=f"order-{BROWSER}").exists()


def test_the_browser_asked_for_its_settings_and_leave_to_send(told: Told, running: Running) -> None:
    assert ("GET", f"/v1/projects/{running.keys['browser']}/settings", 200) in told.asked
    for path in ("/v1/p", "/v1/t", "/v1/i", "/v1/g", "/v1/a"):
        assert ("POST", path, 200) in told.asked
        assert ("OPTIONS", path, 204) in told.asked
    assert {status for _, _, status in told.asked} == {200, 204}
