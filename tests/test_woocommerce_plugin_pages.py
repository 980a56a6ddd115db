"""What the WordPress plugin puts into pages, in Chromium with the real tracker: the visitor's id, consent, and the address at checkout."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, Route

from regulars.connections.tracking.visitors import SCRIPT
from regulars.connections.woocommerce.tests.test_plugin import PLUGIN
from tests.browsers import open_browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("woocommerce-plugin")]
SHOP, CRM = "http://shop.localhost", "http://crm.localhost"
TRACKER = f'<script async src="{CRM}/regulars.js" data-key="wkb_1" data-consent="%s"></script>'
KEEPING = "<script>window.regularsShop = {keepsId: '%s'}</script><script src='/shop.js'></script>"
CHECKOUT = """<input id="billing_email"><input id="regulars_newsletter" type="checkbox"><button>x</button>
<script>window.regularsCheckout = {url: '/ajax', action: 'regulars_email', nonce: 'n', needsConsent: '%s'}</script>
<script src='/checkout.js'></script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@contextmanager
def visit(browser: Browser, body: str, typed: list[dict[str, list[str]]]) -> Iterator[Page]:
    """A page of the shop; nothing goes over a network. ``typed`` becomes what the checkout told the shop."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SHOP).removeprefix(CRM)
        if path == "/regulars.js":
            route.fulfill(body=SCRIPT, content_type="text/javascript")
        elif path in ("/shop.js", "/checkout.js"):
            route.fulfill(body=(PLUGIN / "assets" / path[1:]).read_text(), content_type="text/javascript")
        elif path == "/ajax":
            typed.append(parse_qs(route.request.post_data or "", keep_blank_values=True))
            route.fulfill(body="{}", content_type="application/json")
        elif path == "/":
            route.fulfill(body=f"<!doctype html><title>Shop</title><body>{body}", content_type="text/html")
        else:
            route.fulfill(body="{}", content_type="application/json", headers={"Access-Control-Allow-Origin": "*"})

    context = browser.new_context()
    context.route("**/*", answer)
    page = context.new_page()
    page.set_default_timeout(5_000)
    page.goto(SHOP + "/")
    yield page
    context.close()


def cookie(page: Page) -> str:
    """The id by which the shop's server knows the visitor; '' where it does not."""
    found = [each["value"] for each in page.context.cookies() if each["name"] == "regulars_id"]
    return found[0] if found else ""


def test_the_shops_server_knows_the_visitor_only_while_they_agree(browser: Browser) -> None:
    with visit(browser, TRACKER % "required" + KEEPING % "1", []) as page:
        page.wait_for_function("'regulars' in window")
        assert cookie(page) == ""
        page.evaluate("regularsConsent(true)")
        page.wait_for_function("document.cookie.includes('regulars_id=')")
        assert cookie(page) == page.evaluate("localStorage['regulars.id']")
        page.evaluate("regularsConsent(false)")
        page.wait_for_function("!document.cookie.includes('regulars_id=')")
        assert page.evaluate("localStorage['regulars.id']") is None
        said = "document.dispatchEvent(new CustomEvent('wp_listen_for_consent_change', {detail: {marketing: '%s'}}))"
        page.evaluate(said % "allow")
        page.wait_for_function("document.cookie.includes('regulars_id=')")
        page.evaluate(said % "deny")
        page.wait_for_function("!document.cookie.includes('regulars_id=')")


def test_without_storage_nothing_is_stored_before_the_visitor_agrees(browser: Browser) -> None:
    with visit(browser, TRACKER % "cookieless" + KEEPING % "", []) as page:
        page.wait_for_function("'regulars' in window")
        page.wait_for_timeout(100)
        assert cookie(page) == ""
        page.evaluate("regularsConsent(true)")
        page.wait_for_function("document.cookie.includes('regulars_id=')")


def test_an_address_leaves_the_checkout_only_with_the_box_where_it_is_needed(browser: Browser) -> None:
    typed: list[dict[str, list[str]]] = []
    with visit(browser, CHECKOUT % "1", typed) as page:
        page.fill("#billing_email", "a@people.test")
        page.focus("button")
        assert typed == []
        with page.expect_response("**/ajax"):
            page.check("#regulars_newsletter")
        expected = {"action": ["regulars_email"], "nonce": ["n"], "email": ["a@people.test"], "agreed": ["1"]}
        assert typed == [expected]
        page.focus("#billing_email")
        page.focus("button")
        page.fill("#billing_email", "no address")
        page.focus("button")
        page.wait_for_timeout(50)
        assert typed == [expected]
    with visit(browser, CHECKOUT % "", typed) as page:
        page.fill("#billing_email", "b@people.test")
        with page.expect_response("**/ajax"):
            page.focus("button")
    assert typed[1]["agreed"] == [""]
    assert len(typed) == 2
