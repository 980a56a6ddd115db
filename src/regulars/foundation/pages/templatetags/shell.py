"""The tags that pages are made of: ``{% load shell %}``. Each is described, with an example, in docs/pages.md."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BoundField
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.pages import formats
from regulars.foundation.pages.charts import Chart
from regulars.foundation.pages.lists import Column, ListPage, Pill
from regulars.foundation.pages.registries import TIMELINE, TimelineKind
from regulars.foundation.pages.shell import Navigation, chosen_theme, may_open, navigation_of
from regulars.foundation.pages.sums import Door, sum_key
from regulars.foundation.shop.settings import read_setting

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """A drawing of the sprite, hidden from screen readers: the words beside it say what it means."""
    address = static("pages/icons.svg")
    return format_html(
        '<svg class="ico" width="{}" height="{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        size,
        size,
        address,
        name,
    )


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> Navigation:
    """Groups and entries that this reader may open, with the present one marked."""
    return navigation_of(context["request"])


@register.simple_tag
def shop_name() -> str:
    """How the shop is called in its settings."""
    return str(read_setting("shop.name"))


@register.filter
def number(value: Any) -> str:
    return "–" if value is None else formats.format_number(value)


@register.filter
def percent(value: float | None) -> str:
    return "–" if value is None else formats.format_percent(value)


@register.filter
def money(amount_minor: int | None, currency: str) -> str:
    """``{{ order.total_minor|money:order.currency }}``, exact."""
    return "–" if amount_minor is None else formats.format_money(amount_minor, currency)


@register.filter
def money_short(amount_minor: int | None, currency: str) -> str:
    return "–" if amount_minor is None else formats.format_money_short(amount_minor, currency)


@register.filter
def day(value: date | None) -> str:
    """Heading of a day: Today, Yesterday, Monday 3 March."""
    return "" if value is None else formats.format_day(value, formats.today(clock.now()))


@register.filter
def clock_time(value: datetime) -> str:
    return formats.format_time(value)


@register.simple_tag
def when(value: datetime | None, missing: str = "–") -> SafeString | str:
    """A moment: relative up to a week, then the date; the full time on hover."""
    if value is None:
        return missing
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        formats.format_full(value),
        formats.format_when(value, clock.now()),
    )


@register.simple_tag
def door(count: int, href: str, text: str = "", title: str = "") -> SafeString:
    """A number that opens the rows it was counted from. The list it opens must show the same total."""
    return _open(Door(href, count), text or formats.format_number(count), title)


@register.simple_tag
def door_of_sum(amount_minor: int, currency: str, href: str) -> SafeString:
    """An amount that opens the rows it is the sum of. The list it opens must come to the same."""
    shown = formats.format_money_short(amount_minor, currency)
    return _open(Door(href, sum=sum_key((amount_minor, currency))), shown)


@register.simple_tag
def sum_of(number: int, unit: str) -> str:
    """What a door of a sum must come to, to hand to ``figure``; the unit is a currency or 'pieces'."""
    return sum_key((number, unit))


def _open(door: Door, text: Any, title: str = "") -> SafeString:
    """A link around a number; what its list must show stands beside it."""
    count = format_html(' data-count="{}"', door.count) if door.count is not None else ""
    total = format_html(' data-sum="{}"', door.sum) if door.sum else ""
    mark = " data-door" if count or total else ""
    named = format_html(' title="{}"', title) if title else ""
    return format_html('<a class="door" href="{}"{}{}{}{}>{}</a>', door.href, mark, count, total, named, text)


@register.simple_tag
def pill(text: Any, tone: str = "grey", href: str = "") -> SafeString:
    """A short state; tone is grey, green, amber, red or accent."""
    if href:
        return format_html('<a class="pill pill-{}" href="{}">{}</a>', tone, href, text)
    return format_html('<span class="pill pill-{}">{}</span>', tone, text)


@register.simple_tag
def initials(name: str) -> SafeString:
    """The round mark beside a name."""
    words = [word for word in str(name).replace("@", " ").split() if word[0].isalnum()]
    letters = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"
    return format_html('<span class="initials" aria-hidden="true">{}</span>', letters)


@register.inclusion_tag("components/figure.html")
def figure(
    label: str,
    value: str,
    href: str = "",
    count: int | None = None,
    definition: str = "",
    change: float | None = None,
    before: str = "",
    *,
    sum: str = "",
) -> dict[str, Any]:
    """One figure of a page head. With ``href`` it is a door; with ``count`` the door states its row total, with ``sum`` what the rows
    come to. ``change`` is a share of one.
    """
    good = change is not None and change > 0
    return {
        "label": label,
        "value": value,
        "href": href,
        "count": count,
        "sum": sum,
        "definition": definition,
        "change": change,
        "change_text": formats.format_percent(abs(change)) if change is not None else "",
        "before": before,
        "tone": "flat" if not change else "good" if good else "bad",
    }


@register.inclusion_tag("components/chart.html")
def chart(chart: Chart) -> dict[str, Any]:
    """A chart with the table of the same data beside it."""
    return {"chart": chart, "data_id": f"chart-{chart.name}-data"}


@register.inclusion_tag("components/empty.html", takes_context=True)
def empty(
    context: template.Context, title: str, text: str, action: str = "", href: str = "", icon: str = "stack-2"
) -> dict[str, Any]:
    """What stands where there is nothing yet: what this will be, and the first step for who may take it."""
    is_offered = bool(action and href) and opens(context, href)
    return {"title": title, "text": text, "action": action if is_offered else "", "href": href, "icon_name": icon}


@register.simple_tag(takes_context=True)
def opens(context: template.Context, href: str) -> bool:
    """Whether the reader may open this address; a link that answers 403 is not shown."""
    return may_open(context["request"], href)


@register.inclusion_tag("components/progress.html")
def progress(task: Any) -> dict[str, Any]:
    """Progress of a ``foundation.work`` Task; the fragment asks for itself again while the task runs."""
    return formats.progress_of(task.done, task.total, task.started_at, clock.now()) | {"task": task}


@register.simple_tag
def cell(column: Column, row: Any) -> SafeString | str:
    """The content of one cell of a list."""
    value = column.read(row)
    if column.kind == "template":
        return mark_safe(render_to_string(column.template, {"row": row, "value": value}))  # noqa: S308  a template of ours, escaped by the engine
    if value is None or value == "":
        return mark_safe('<span class="nothing">–</span>')
    shown, door = _CELLS[column.kind](value), column.door(row) if column.door else None
    return _open(door, shown) if door else shown


def _pills(values: Sequence[Pill]) -> SafeString:
    shown = format_html_join(" ", "{}", ((pill(p.text, p.tone, p.href),) for p in values[:3]))
    return (
        shown
        if len(values) <= 3
        else format_html("{} <span class='more'>{}</span>", shown, gettext("and %d more") % (len(values) - 3))
    )


def _strong(value: Any) -> SafeString:
    return format_html('<span class="strong">{}</span>', value)


_CELLS: Mapping[str, Callable[[Any], SafeString | str]] = {
    "text": str,
    "strong": _strong,
    "number": formats.format_number,
    "percent": formats.format_percent,
    "money": lambda pair: formats.format_money(*pair),
    "when": when,
    "date": formats.format_date,
    "pill": lambda p: pill(p.text, p.tone, p.href),
    "pills": _pills,
}


@register.simple_tag
def row_of(page: ListPage, row: Any) -> dict[str, Any]:
    """The key that a row is selected by, and the address that it opens."""
    return {"key": page.key(row), "href": page.href(row)}


@register.simple_tag(takes_context=True)
def theme_attribute(context: template.Context) -> SafeString:
    """The reader's choice of colours; without one the system's counts."""
    chosen = chosen_theme(context.get("request"))
    return format_html(' data-bs-theme="{}"', chosen) if chosen else SafeString("")


@register.simple_tag(takes_context=True)
def theme_choices(context: template.Context) -> list[tuple[str, str, str, bool]]:
    """Value, label, icon and whether it is the present one."""
    chosen = chosen_theme(context.get("request"))
    return [
        ("auto", gettext("System"), "device-desktop", not chosen),
        ("light", gettext("Light"), "sun", chosen == "light"),
        ("dark", gettext("Dark"), "moon", chosen == "dark"),
    ]


@register.simple_tag
def door_to(count: int, path: str, *pairs: str) -> SafeString:
    """A door whose address is put together: ``{% door_to n "/customers" "rfm" key %}``."""
    return door(count, f"{path}?{urlencode(list(zip(pairs[::2], pairs[1::2], strict=True)))}")


@register.simple_tag
def kind_of(name: str) -> TimelineKind:
    """The kind of a timeline entry, for its icon and label."""
    return TIMELINE[name]


@register.filter
def with_class(field: BoundField) -> SafeString:
    """A field of a form in the look of the house: ``{{ field|with_class }}``; see ``components/field.html``."""
    kind = getattr(field.field.widget, "input_type", "")
    name = (
        "form-select" if kind == "select" else "form-check-input" if kind in {"checkbox", "radio"} else "form-control"
    )
    attributes: dict[str, str | bool] = {"class": name + (" is-invalid" if field.errors else "")}
    return field.as_widget(attrs=attributes)


@register.filter
def unit_price(amount: Decimal, currency: str) -> str:
    """A price with as many decimals as it has, at least those of its currency."""
    return formats.format_unit_price(amount, currency)
