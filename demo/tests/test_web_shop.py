"""The demo's web shop, clicked through in Chromium: what the visitor does becomes a profile, a cart, an order, as staff watch."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.plugin import DjangoDbBlocker

from demo.shop import ensure_shop
from demo.tracking import connect_web_shop
from demo.wares import Ware, choose
from demo.web_shop import WebShop, make_server
from regulars.connections.tracking import keys
from regulars.connections.tracking.models import TrackingKey
from regulars.connections.tracking.tests.running import Running, serve
from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand
from regulars.foundation.shop.settings import read_setting, write_setting
from regulars.record.carts.models import Cart, CartState
from regulars.record.carts.operations import abandon_silent_carts
from regulars.record.carts.queries import silence_of_carts
from regulars.record.catalog.inputs import ProductInput, VariantInput
from regulars.record.catalog.operations import apply_products
from regulars.record.customers.queries import customer_of, read_cards
from regulars.record.events.log import transaction
from regulars.record.orders.models import Order
from tests.browsers import open_browser
from tests.database import Database

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tracking-live")]
OWNER = "owner@shop.example"
MUG = Ware("22111", "Red mug", "Kitchen > Tea and coffee", "4.25")
BOX = Ware(
    "22222", "A box with a name so long that it must not make a card wider than its column", "Home > Storage", "12.50"
)
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(database_server: Database, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Running]:
    with django_db_blocker.unblock(), serve(database_server) as running, running.connected():
        _, running.keys["password"] = create_staff(OWNER, "owner", SYSTEM, clock.now())
        yield running


@contextmanager
def selling(running: Running) -> Iterator[str]:
    """The shop of two wares, served; gives its address."""
    address = f"http://localhost:{running.port}"
    server = make_server(WebShop({ware.sku: ware for ware in (MUG, BOX)}, address, running.keys), 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def address(running: Running) -> Iterator[str]:
    with selling(running) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


def sign_in(browser: Browser, running: Running) -> Page:
    page = browser.new_context(base_url=f"http://localhost:{running.port}").new_page()
    page.goto("/sign-in?next=/settings/tracking/live")
    page.fill("#email", OWNER)
    page.fill("#password", running.keys["password"])
    page.click("button[type=submit]")
    page.goto("/settings/tracking/live")
    return page


def wait_for(staff: Page, running: Running, words: str, *, by_itself: bool = False) -> None:
    """Until the page that staff watch says so; what has come in is read meanwhile, as a worker does."""
    for _ in range(100):
        running.read()
        if not by_itself:
            staff.reload()
        if words in staff.inner_text("#arrivals"):
            return
        staff.wait_for_timeout(50)
    raise AssertionError(staff.inner_text("#arrivals"))


def test_a_visit_is_seen_as_it_happens(browser: Browser, running: Running, address: str) -> None:
    staff = sign_in(browser, running)
    expect(staff.locator("#arrivals")).to_contain_text("Nothing has arrived yet")
    context = browser.new_context()
    shopper = context.new_page()
    errors: list[str] = []
    shopper.on("pageerror", lambda error: errors.append(str(error)))
    shopper.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)

    shopper.goto(address)
    shopper.fill("[name=q]", "red mug")
    shopper.press("[name=q]", "Enter")
    expect(shopper.locator(".ware:visible")).to_have_count(1)
    shopper.click("text=Red mug")
    shopper.click("text=Save for later")
    expect(shopper.locator("[data-wish]")).to_have_attribute("aria-pressed", "true")
    shopper.click("text=Add to cart")
    expect(shopper.locator("[data-count]")).to_have_text("1")
    wait_for(staff, running, "Put a product into the cart", by_itself=True)
    assert "Cart of £4.25" in staff.inner_text("#arrivals")

    shopper.goto(f"{address}/cart")
    expect(shopper.locator("[data-total]")).to_have_text("£4.25")
    shopper.click("text=To the checkout")
    shopper.fill("[name=email]", "robin@post.example")
    shopper.press("[name=email]", "Tab")
    wait_for(staff, running, "At the checkout")
    wait_for(staff, running, "Robin Visitor")  # as the browser says

    write_setting("carts.silence_minutes", 0, clock.now())  # else this test would have to wait for minutes
    with transaction("system", "carts") as log:
        assert abandon_silent_carts(log, clock.now(), silence_of_carts()) == 1
    wait_for(staff, running, "Left behind")
    assert "The cart counts as left behind" in staff.inner_text("#arrivals")

    shopper.click("text=Place the order")
    shopper.wait_for_url("**/thanks*")
    wait_for(staff, running, "Won back")
    _is_told_to_staff(staff, shopper.inner_text("[data-order]"))
    assert errors == []


def _is_told_to_staff(staff: Page, number: str) -> None:
    """The order, its cart and whose they are, in the record and on the visitor's page."""
    order = Order.objects.get()
    assert (order.number, order.total_minor, order.shipping_minor, order.currency) == (number, 820, 395, "GBP")
    cart = Cart.objects.get()
    assert (cart.state, cart.order_id, cart.value_minor) == (CartState.RECOVERED, order.pk, 425)
    owner = customer_of(order.profile_id or 0)
    assert customer_of(cart.profile_id or 0) == owner
    card = read_cards([owner])[owner]
    assert (card.name, card.email) == ("Robin Visitor", "robin@post.example")
    staff.click("section[aria-labelledby=visitors-title] .token a >> nth=0")
    expect(staff.locator("h1")).to_contain_text("Robin Visitor")
    expect(staff.locator("main")).to_contain_text(f"Placed order {number}")
    expect(staff.locator("main")).to_contain_text("Looked at a product")
    panels = [
        staff.inner_text(f"section:has(> .block-head:has-text('{title}')) dl")
        for title in ("On the wishlist", "Searched for")
    ]
    assert ("Red mug" in panels[0], "red mug" in panels[1]) == (True, True)


def test_pages_fit_every_width_and_ask_nobody_else(browser: Browser, address: str, running: Running) -> None:
    page = browser.new_context().new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.goto(address)
    page.click("text=Add to cart >> nth=1")
    for path in ("/", "/product/22222", "/cart", "/checkout", "/thanks"):
        page.goto(f"{address}{path}")
        for width in (360, 820, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    assert asked == {address.split("/")[2], f"localhost:{running.port}"}


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"lines": []},
        {"email": "a@shop.example", "name": "A", "anonymousId": "x", "lines": []},
        {"email": "a@shop.example", "name": "A", "anonymousId": "x", "lines": [{"sku": "none", "quantity": 1}]},
        {"email": "a@shop.example", "name": "A", "anonymousId": "x", "lines": [{"sku": "22111", "quantity": -1}]},
        {"email": "nobody", "name": "A", "anonymousId": "x", "lines": [{"sku": "22111", "quantity": 1}]},
    ],
    ids=str,
)
def test_the_till_takes_only_orders_of_its_own_shop(address: str, said: object) -> None:
    before = Order.objects.count()
    answer = httpx.post(f"{address}/order", content=json.dumps(said))
    assert answer.status_code == 400
    assert answer.json()["problem"]
    assert Order.objects.count() == before
    assert httpx.get(f"{address}/../../etc/passwd").status_code == 404


def test_the_shelf_holds_what_lies_most_in_stock_of_each_category() -> None:
    mugs = [
        (Ware(str(n), f"Mug {n}", "Kitchen > Tea and coffee", "2.00"), stock) for n, stock in enumerate((3, 9, 5, 5))
    ]
    chosen = choose([*mugs, (BOX, 0), (Ware("x", "Odd", "Of no category", "1.00"), 99)])
    assert list(chosen) == ["1", "2", BOX.sku]


def test_the_shop_is_made_once_from_the_record(db: None, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    keys.forget_remembered()
    store = ensure_shop(AT)
    with transaction("system") as log:
        variant = VariantInput("22111", price=Decimal("4.25"), currency="GBP", on_hand=7)
        mug = ProductInput("22111", "RED MUG", AT, (variant,), categories=(("Kitchen", "Tea and coffee"),))
        apply_products([mug], log, store_id=store.pk, at=AT)
    connect_web_shop("http://localhost:8125", tmp_path, AT)
    path = tmp_path / "demo" / "web-shop.json"
    kept = json.loads(path.read_text())
    assert kept["wares"] == [asdict(MUG)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(TrackingKey.objects.values_list("kind", flat=True)) == ["browser", "server"]
    connect_web_shop("http://localhost:8126", tmp_path, AT)
    assert json.loads(path.read_text()) == kept
    assert Brand.objects.get().website == "http://localhost:8126"
    assert read_setting("carts.silence_minutes") == 1
    write_setting("carts.silence_minutes", 5, AT)
    connect_web_shop("http://localhost:8126", tmp_path, AT)
    assert read_setting("carts.silence_minutes") == 5  # staff may change it
