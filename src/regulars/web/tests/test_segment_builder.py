"""A marketer describes a group: by mouse, then by keyboard; undo outlives a reload, and what is saved is what was seen."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from regulars.web.tests.test_browser import look_at

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]


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
    row(page, "0").locator("[name=value]").blur()
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
    field = row(page, "0").locator("[name=value]")
    field.focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    expect(row(page, "0").locator("[name=value]")).to_have_value("3")
    page.get_by_role("button", name="Condition").focus()
    page.keyboard.press("Enter")
    expect(row(page, "1")).to_be_visible()
    menu = row(page, "1").get_by_label("Move, deny or remove")
    menu.focus()
    page.keyboard.press("Enter")
    row(page, "1").get_by_role("button", name="Move up").focus()
    page.keyboard.press("Enter")
    expect(row(page, "1").locator("[name=value]")).to_have_value("3")
    page.locator("h1").click()
    page.keyboard.press("ControlOrMeta+z")
    expect(row(page, "0").locator("[name=value]")).to_have_value("3")
    page.keyboard.press("ControlOrMeta+Shift+z")
    expect(row(page, "1").locator("[name=value]")).to_have_value("3")


def test_the_builder_by_axe_in_each_width_and_theme(page: Page) -> None:
    page.goto("/segment-drafts/new")
    page.get_by_role("button", name="Discount hunters").click()
    page.get_by_role("button", name="Condition").click()
    row(page, "2").locator("[name=window]").select_option("ago")
    expect(row(page, "2").locator("[name=window-second]")).to_have_value("30")
    row(page, "2").locator("[data-add-filter]").click()
    expect(row(page, "2").locator("[name=where-0-field]")).to_be_visible()
    assert look_at(page, "builder") == []
