"""A marketer describes a group: by mouse, then by keyboard; undo outlives a reload, and what is saved is what was seen."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from regulars.web.tests.test_browser import look_at

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]


EVERY_KIND = """
all:
- of: orders
  window: {last: {days: 30}, days: shop}
  where: [{field: channel, op: is_not, value: web}, {field: total, op: between, value: [1000, 50000]}]
- any:
  - ratio: [{of: orders, measure: {sum: discount}}, {of: orders, measure: {sum: gross}}]
    op: ge
    value: "0.15"
  - sequence: [{of: carts}, {of: orders, absent: true}, {of: refunds}]
    within: {days: 7}
    window: {ago: [{weeks: 8}, {days: 10}]}
  - not:
      all:
      - {of: contacts, measure: {last: country}, op: not_in, value: [DE, AT], missing: out}
      - share: {percent: 10, salt: spring}
"""


def begin(page: Page) -> None:
    page.goto("/segment-drafts/new")
    page.get_by_role("button", name="Begin with nothing").click()
    expect(page.locator("#count .num")).to_be_visible()


def row(page: Page, place: str) -> Locator:
    return page.locator(f'.leaf[data-place="{place}"]')


def places(page: Page) -> list[str]:
    """What each row looks at, in the order in which rows stand."""
    return [
        f"{one.get_attribute('data-place')}:" + one.locator("[name=of]").input_value()
        for one in page.locator(".leaf").all()
    ]


def count(page: Page) -> int:
    return int(re.sub(r"\D", "", page.locator("#count .num").inner_text()))


def test_a_group_is_described_by_mouse(page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    begin(page)
    everybody = count(page)
    row(page, "0").locator("[name=value]").fill("2")
    page.wait_for_function(
        "before => Number(document.querySelector('#count .num')?.textContent.replace(/\\D/g, '')) < before",
        arg=everybody,
    )
    twice = count(page)
    page.get_by_role("button", name="Condition").click()
    row(page, "1").locator("[name=of]").select_option("contacts")
    expect(row(page, "1").locator("[name=of]")).to_have_value("contacts")
    page.get_by_role("button", name="Group", exact=True).click()
    expect(row(page, "2.0")).to_be_visible()
    row(page, "1").locator("[data-grip]").drag_to(row(page, "2.0"), target_position={"x": 40, "y": 4})
    expect(row(page, "1.0").locator("[name=of]")).to_have_value("contacts")
    assert places(page) == ["0:orders", "1.0:contacts", "1.1:orders"]
    page.reload()
    page.locator("[data-undo]").click()
    expect(row(page, "1").locator("[name=of]")).to_have_value("contacts")
    page.locator("[data-undo]").click()
    expect(row(page, "2.0")).to_have_count(0)
    page.locator("[data-undo]").click()
    expect(row(page, "1").locator("[name=of]")).to_have_value("orders")
    page.locator("[data-undo]").click()
    expect(row(page, "1")).to_have_count(0)
    expect(page.locator("#count .num")).to_have_text(str(twice))
    page.fill("#name", "Ordered twice")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Ordered twice")
    expect(page.get_by_text("has at least 2 orders that count")).to_be_visible()
    assert not errors


def test_a_group_is_described_by_keyboard(page: Page) -> None:
    begin(page)
    row(page, "0").locator("[name=value]").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Condition").focus()
    page.keyboard.press("Enter")
    expect(row(page, "1").locator("[name=measure]")).to_be_focused()
    expect(row(page, "0").locator("[name=value]")).to_have_value("3")
    row(page, "1").get_by_label("Move, deny or remove").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(row(page, "1").locator("[name=value]")).to_have_value("3")
    expect(row(page, "0").get_by_label("Move, deny or remove")).to_be_focused()
    page.keyboard.press("ControlOrMeta+z")
    expect(row(page, "0").locator("[name=value]")).to_have_value("3")
    page.keyboard.press("ControlOrMeta+Shift+z")
    expect(row(page, "1").locator("[name=value]")).to_have_value("3")


def steps(page: Page) -> list[str]:
    return [one.locator("select[name$='.of']").input_value() for one in page.locator(".step").all()]


def test_a_sequence_is_put_together_by_keyboard_and_by_mouse(page: Page) -> None:
    begin(page)
    page.locator(".node-add summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    first = page.locator("[name='sequence.0.of']")
    expect(first).to_be_focused()
    page.get_by_role("button", name="then", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("[name='sequence.2.absent']")).to_be_focused()
    page.locator("[name='sequence.2.of']").select_option("refunds")
    expect(page.locator("[name='sequence.2.of']")).to_have_value("refunds")
    page.get_by_label("Move step 3 up").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Move step 2 up")).to_be_focused()
    expect(page.locator("[name='sequence.1.of']")).to_have_value("refunds")
    assert steps(page) == ["carts", "refunds", "orders"]
    page.locator(".step").nth(2).locator("[data-grip-step]").drag_to(
        page.locator(".step").first, target_position={"x": 40, "y": 4}
    )
    expect(first).to_have_value("orders")
    assert steps(page) == ["orders", "carts", "refunds"]
    expect(page.locator("[name='sequence.1.absent']")).to_have_value("")
    page.get_by_label("Take step 2 away").click()
    expect(page.locator(".step")).to_have_count(2)
    assert steps(page) == ["orders", "refunds"]


def test_values_are_completed_and_both_counts_stand_at_a_denial(page: Page) -> None:
    begin(page)
    everybody = page.locator("#count .muted").first.inner_text()
    row(page, "0").locator("[name=of]").select_option("contacts")
    expect(row(page, "0").locator("[name=of]")).to_have_value("contacts")
    row(page, "0").locator("[name=measure]").select_option("last:country")
    expect(row(page, "0").locator("[name=op]")).to_have_value("is")
    row(page, "0").locator("[name=op]").select_option("not_in")
    row(page, "0").get_by_label("Add a value").focus()
    offered = page.locator("#values [role=option]")
    expect(offered.filter(has_text="GB")).to_be_visible()
    page.keyboard.type("gb")
    expect(offered).to_have_text(["GB"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(row(page, "0").locator(".chip")).to_have_text("GB")
    expect(row(page, "0").get_by_role("status")).to_have_text("Choose what becomes of those without a value.")
    both = row(page, "0").locator(".both")
    expect(both).to_have_text(re.compile(r"^[\d,]+ with them, [\d,]+ without$"))
    included, left_out = (int(text.replace(",", "")) for text in re.findall(r"[\d,]+(?= with)", both.inner_text()))
    for choice, expected in (("in", included), ("out", left_out)):
        row(page, "0").locator("[name=missing]").select_option(choice)
        expect(page.locator("#count .num")).to_have_text(f"{expected:,}")
        assert page.locator("#count .muted").first.inner_text().split(" · ")[0] == everybody.split(" · ")[0]


def test_the_builder_by_axe_in_each_width_and_theme(page: Page) -> None:
    page.goto("/segment-drafts/new")
    page.get_by_role("button", name="Discount hunters").click()
    page.locator("#text > summary").click()
    page.fill("#as-text", EVERY_KIND)
    page.get_by_role("button", name="Use this text").click()
    expect(row(page, "1.2.1")).to_be_visible()
    assert look_at(page, "builder", 0) + look_at(page, "builder", 1) == []


def test_a_row_on_a_page_that_is_older_than_the_draft_is_not_changed(page: Page) -> None:
    begin(page)
    page.locator("#text > summary").click()
    other = page.context.new_page()
    other.goto(page.url)
    row(other, "0").locator("[name=of]").select_option("refunds")
    expect(row(other, "0").locator("[name=of]")).to_have_value("refunds")
    row(other, "0").locator("[name=value]").fill("7")
    expect(other.locator("#tree [data-redo]")).to_be_disabled()
    other.get_by_role("button", name="Condition").click()
    expect(row(other, "1")).to_be_visible()
    row(page, "0").locator("[name=value]").fill("9")
    expect(page.get_by_role("alert").filter(has_text="changed elsewhere meanwhile")).to_be_visible()
    assert places(page) == ["0:refunds", "1:orders"]
    expect(row(page, "0").locator("[name=value]")).to_have_value("7")
    row(page, "0").locator("[name=value]").fill("8")
    expect(page.locator("#as-text")).to_have_value(re.compile(r"value: 8\b"))
    expect(page.locator(".builder-problem")).to_be_empty()
    other.close()
