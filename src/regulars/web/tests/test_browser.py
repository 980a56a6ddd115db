"""Pages in a real browser: axe finds nothing, nothing overflows, keys and fragments work."""

from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES = {360: 780, 820: 1100, 1440: 950}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Rules = dict[str, object]


def only(*rules: str) -> Rules:
    return {"runOnly": {"type": "rule", "values": rules}, "resultTypes": ["violations"]}


RULES: Rules = {"runOnly": TAGS, "resultTypes": ["violations"]}
# Sizes of targets follow from the width, colours from the theme and from what a width shows, all else from neither. So every rule is
# asked at one end of the widths, sizes at each width, and the dark colours at the other end. Which end it is takes turns, so that the
# frame of all pages is seen at both.
LOOKS: dict[int, tuple[tuple[Theme, int, Rules], ...]] = {
    0: (
        ("light", 360, RULES),
        ("light", 820, only("target-size")),
        ("light", 1440, only("target-size")),
        ("dark", 1440, only("color-contrast")),
    ),
    1: (
        ("light", 1440, RULES),
        ("light", 820, only("target-size")),
        ("light", 360, only("target-size")),
        ("dark", 360, only("color-contrast")),
    ),
}
PAGES = {
    "home": "/",
    "customers": "/customers",
    "customers, filtered": "/customers?segment=champions&country=GB",
    "possible duplicates": "/customers/duplicates",
    "decisions": "/customers/decisions",
    "customers, none": "/customers?q=nobodyofthatname",
    "export": "/customers?export=1",
    "orders": "/orders",
    "refunds": "/refunds",
    "sold": "/sold",
    "carts": "/carts?state=abandoned",
    "coupons": "/coupons",
    "one store": "/?store=second",
    "products": "/products",
    "search": "/search?q=ada",
    "team": "/team",
    "invite": "/team/invite",
    "settings": "/settings",
    "identifiers": "/settings/identifiers",
    "tokens": "/settings/tokens",
    "tracking": "/settings/tracking",
    "what just arrived": "/settings/tracking/live",
    "event properties": "/settings/tracking/properties",
    "one key": "/settings/tracking/1",
    "inbox": "/settings/inbox",
    "one input": "/settings/inbox/1?open=1",
    "connections": "/settings/connections",
    "connect": "/settings/connections/new/shopify",
    "audit": "/settings/audit",
    "account": "/me",
    "words": "/help/words",
    "work": "/work",
    "lists": "/lists",
    "new list": "/list-uploads/new",
    "segments": "/segments",
    "new segment": "/segment-drafts/new",
    "segments, movement": "/segments/movement",
    "segments, thresholds": "/segments/thresholds",
    "one segment": "/segments/champions",
    "workflows": "/workflows",
    "messages": "/messages",
    "templates": "/messages/templates",
    "sending": "/messages/sending",
    "not found": "/customers/cus_00000000000000000000000000",
}
FIRST_ROWS = {
    "customer": "/customers?q=lovelace",
    "order": "/orders?q=1",
    "product": "/products?q=party",
    "cart": "/carts",
    "coupon": "/coupons",
    "possible duplicate": "/customers/duplicates",
    "list": "/lists",
    "members of a list": "/lists",
    "upload for a list": "/imports?kind=list",
    "merge": "/customers?q=lovelace",
    "split": "/customers?q=hopper",
}
WITHIN = {"members of a list": "/members", "merge": "/merge?q=hopper", "split": "/split?profile=2"}
PAGES |= FIRST_ROWS


def problems_of(page: Page, rules: Rules = RULES) -> list[str]:
    """What axe finds. Its script is put into a page once, for it is large."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("rules => axe.run(document, rules).then(done => done.violations)", rules)
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"][:3]]


def look_at(page: Page, name: str, turn: int = 0) -> list[str]:
    """What is wrong with the page that is open."""
    page.evaluate(
        "for (const row of document.querySelectorAll('tbody tr:nth-child(n+7), .timeline li:nth-child(n+7)')) row.remove()"
    )
    wrong = []
    for theme, width, rules in LOOKS[turn % 2]:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": SIZES[width]})
        page.evaluate(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )  # colours have changed by then
        wrong += [f"{name}, {width}, {theme}: {problem}" for problem in problems_of(page, rules)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{name}: is wider than {width}")
    return wrong


@pytest.mark.parametrize("part", range(4))
def test_axe_finds_nothing_and_nothing_overflows(page: Page, part: int) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    wrong: list[str] = []
    for turn, (name, address) in enumerate(list(PAGES.items())[part::4]):
        page.goto(address)
        if name in FIRST_ROWS:
            page.goto((page.locator("[data-row-link]").first.get_attribute("href") or "") + WITHIN.get(name, ""))
        if page.locator("[data-chart]").count():
            page.locator("[data-chart] svg").first.wait_for()
        wrong += look_at(page, name, turn)
    assert not wrong, "\n".join(wrong)
    assert not errors


def test_sign_in_page_by_axe(browser: Browser, shop_address: str) -> None:
    page = browser.new_page(base_url=shop_address)
    page.goto("/sign-in")
    assert problems_of(page) == []
    page.fill("#email", "nobody@shop.example")
    page.fill("#password", "wrong password")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    assert problems_of(page) == []
    page.close()


def test_slash_searches_as_one_types_and_arrows_open_a_hit(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("lovel")
    expect(page.locator(".search-hits a").first).to_contain_text("Ada Lovelace")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Ada Lovelace")


def test_question_mark_lists_the_keys_and_escape_closes_them(page: Page) -> None:
    page.goto("/customers")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_arrows_walk_a_list_and_enter_opens_the_row(page: Page) -> None:
    page.goto("/orders")
    second = page.locator("[data-row-link]").nth(1)
    number = second.inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(f"Order {number}")


def test_search_within_a_list_goes_into_the_address_and_back_undoes_it(page: Page) -> None:
    page.goto("/customers")
    everybody = page.locator("[data-list]").get_attribute("data-total")
    page.fill(".list-search input", "lovelace")
    expect(page.locator("[data-list]")).to_have_attribute("data-total", "1")
    assert "q=lovelace" in page.url
    page.go_back()
    expect(page.locator("[data-list]")).to_have_attribute("data-total", everybody or "")


def test_a_filter_reads_as_a_sentence_and_is_taken_off(page: Page) -> None:
    page.goto("/customers")
    page.locator("summary", has_text="Country").click()
    page.get_by_label("Greece").check()
    expect(page.locator(".chip")).to_contain_text("Greece")
    page.locator(".chip-off").click()
    expect(page.locator(".chip")).to_have_count(0)


def test_two_selected_customers_get_a_tag(page: Page) -> None:
    page.goto("/customers?q=person2")
    boxes = page.locator("[data-select-row]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.locator("[data-selection-count]")).to_have_text("2 selected")
    page.locator("[data-selection-bar] summary", has_text="Tag").first.click()
    page.locator("[data-action-input]").first.fill("spoke at the fair")
    page.locator("button[value=tag]").click()
    expect(page.locator(".note")).to_contain_text("on 2 customers")
    page.goto("/customers?tag=spoke+at+the+fair")
    expect(page.locator("[data-list]")).to_have_attribute("data-total", "2")


def test_export_shows_its_count_first_and_escapes_formulas(page: Page) -> None:
    page.goto("/customers?q=person7@mail.example")
    page.get_by_role("link", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export 1 customer").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK(1)" in text
    assert len(text.strip().splitlines()) == 2


def test_the_choice_of_colours_is_kept(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/orders")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_chart_speaks_when_walked_with_arrows(page: Page) -> None:
    page.goto("/")
    chart = page.locator("[data-chart]").first
    chart.locator("svg").wait_for()
    chart.focus()
    page.keyboard.press("End")
    expect(page.locator("[data-chart-says]").first).to_contain_text("Now")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_lines_of_a_chart_have_the_colours_of_the_house(
    page: Page, theme: Literal["light", "dark"], motion: Literal["reduce", "no-preference"]
) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion=motion)
    page.goto("/")
    page.locator("[data-chart] svg").first.wait_for()
    page.wait_for_timeout(400)
    strokes = page.eval_on_selector_all(
        "[data-chart='chart-sales-data'] svg path[fill=none]", "all => all.map(one => one.getAttribute('stroke'))"
    )
    accent = {"light": "rgb(11, 122, 117)", "dark": "rgb(63, 193, 185)"}[theme]
    assert strokes.count(accent) == 1, strokes
    assert len(set(strokes)) >= 3, strokes


def test_no_page_moves_while_it_loads(page: Page) -> None:
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.moved += entry.value; })"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    for address in ("/", "/customers", "/orders"):
        page.goto(address)
        page.wait_for_timeout(800)
        assert page.evaluate("window.moved") < 0.02, address
