"""Shows a ``ListPage``: the whole page, only its rows for a search as you type, its export, and what is done to selected rows."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput
from regulars.foundation.pages import bulk
from regulars.foundation.pages.export import csv_response, export_rows, exported
from regulars.foundation.pages.lists import Column, Filter, ListPage, ListQuery, address, read_chips
from regulars.foundation.pages.queries import views_for
from regulars.foundation.pages.registries import Text
from regulars.foundation.pages.shell import may
from regulars.foundation.pages.stores import keep_store, store_choices, within_store

SAMPLE_ROWS = 5
AT_ONCE = 1000


def show_list(request: HttpRequest, page: ListPage, **extra: Any) -> HttpResponseBase:
    """The response to any request to a list's address. The view around it names the permission to look."""
    query = page.read(request.GET)
    viewer = within_store(request) if page.by_store else viewer_of(request)
    if request.method == "POST":
        return _do(request, page, query, viewer)
    if "export" in request.GET:
        return _ask_export(request, page, query, viewer)
    context = _context(request, page, query, viewer) | extra
    context["is_search"] = getattr(request, "htmx", None) and request.headers.get("HX-Target") == "results"
    return render(request, "lists/results.html" if context["is_search"] else "lists/page.html", context)


def _context(request: HttpRequest, page: ListPage, query: ListQuery, viewer: Viewer) -> dict[str, Any]:
    rows = page.page(query, viewer)
    columns = page.shown(request.GET)
    chips = read_chips(page, request.GET, viewer)
    fields = [field for field in (_field(entry, request, viewer) for entry in page.filters) if field["is_offered"]]
    return {
        "page": page,
        "query": query,
        "rows": rows,
        "columns": columns,
        "column_choices": _column_choices(page, columns),
        "headings": [_heading(column, query, request) for column in columns],
        "chips": chips,
        "is_filtered": bool(chips or query.text),
        "cleared": keep_store(request.path, request) if page.by_store else request.path,
        "filters": fields,
        "kept": _kept(page, request, {field["filter"] for field in fields}),
        "sentence": page.sentence(query, viewer) if page.sentence else "",
        "count_text": page.unit(rows.total),
        "sum": page.sum(query, viewer) if page.sum else None,
        "next_href": address(request.GET, {}) + "&cursor=" + rows.next if rows.next else "",
        "previous_href": address(request.GET, {}) + "&cursor=" + rows.previous if rows.previous else "",
        "export_href": address(request.GET, {"export": "1"})
        if page.export_permission and may(request, page.export_permission)
        else "",
        "actions": [action for action in page.actions if may(request, action.permission)],
        "tabs": _tabs(page, request),
        "store_choices": store_choices(request, gettext("All stores")) if page.by_store else [],
    } | views_for(request, page)


def _tabs(page: ListPage, request: HttpRequest) -> list[tuple[Text, str, bool]]:
    """The present one is that of the whole address, else that of the list without its filters."""
    hrefs = [href for _, href in page.tabs]
    current = request.get_full_path() if request.get_full_path() in hrefs else request.path
    return [(label, href, href == current) for label, href in page.tabs]


def _column_choices(page: ListPage, shown: Sequence[Column]) -> list[tuple[str, Text, bool]]:
    """What the reader may choose from; a narrow list leaves no choice."""
    there = [column for column in page.columns if column.on_page]
    return [(column.name, column.label, column in shown) for column in there] if len(there) > 4 else []


def _heading(column: Column, query: ListQuery, request: HttpRequest) -> dict[str, Any]:
    is_sorted = bool(column.sort) and column.sort == query.sort
    turned = column.sort if is_sorted and query.descending else f"-{column.sort}"
    return {
        "column": column,
        "href": address(request.GET, {"sort": turned}) if column.sort else "",
        "aria": ("descending" if query.descending else "ascending") if is_sorted else "none" if column.sort else "",
    }


def _kept(page: ListPage, request: HttpRequest, offered: set[Filter]) -> list[tuple[str, str]]:
    """Conditions that came by a door and have no field: a search keeps them."""
    names = [name for entry in page.filters if entry not in offered for name in entry.parameters]
    names += ["store"] if page.by_store else []
    return [(name, value) for name in names for value in request.GET.getlist(name)]


def _field(entry: Filter, request: HttpRequest, viewer: Viewer) -> dict[str, Any]:
    """What the form shows of a filter. One that leaves no choice is not offered, unless it is on."""
    given = request.GET.getlist(entry.name)
    choices = [(value, label, value in given) for value, label in entry.choices(viewer)] if entry.choices else []
    is_choice = entry.kind != "choice" or len(choices) > 1 or bool(given)
    return {
        "is_offered": entry.kind != "hidden" and entry.is_offered and is_choice,
        "filter": entry,
        "choices": choices,
        "value": given[0] if given else "",
        "from": request.GET.get(f"{entry.name}_from", ""),
        "to": request.GET.get(f"{entry.name}_to", ""),
        "is_on": any(request.GET.get(name) for name in entry.parameters),
    }


def _ask_export(request: HttpRequest, page: ListPage, query: ListQuery, viewer: Viewer) -> HttpResponseBase:
    """What leaves the house is shown first: how many, which columns, and a sample."""
    _require_export(page, viewer)
    total = page.page(query, viewer).total
    context = {
        "page": page,
        "query": query,
        "total": total,
        "count_text": page.unit(total),
        "sample": list(islice(export_rows(page, query, viewer), SAMPLE_ROWS)),
        "header": [column.label for column in exported(page)],
        "chips": read_chips(page, request.GET, viewer),
        "back": address(request.GET, {"export": None}),
    }
    return render(request, "lists/export.html", context)


def _require_export(page: ListPage, viewer: Viewer) -> None:
    """Raises InvalidInput or NotAllowed."""
    if not page.export_permission:
        raise InvalidInput(gettext("This list has no export."))
    viewer.require(page.export_permission)


def _do(request: HttpRequest, page: ListPage, query: ListQuery, viewer: Viewer) -> HttpResponseBase:
    name = request.POST.get("action", "")
    if name == "export":
        return _export(page, query, viewer)
    action = next((action for action in page.actions if action.name == name), None)
    if action is None:
        raise InvalidInput(gettext("This list has no such action."))
    viewer.require(action.permission)
    ids = _selected(request, page, query, viewer)
    if not ids:
        messages.warning(request, gettext("Nothing was selected, so nothing was changed."))
    else:
        form = {"input": request.POST.get("input", "").strip()}
        messages.success(request, bulk.do(page, action, ids, form, viewer, clock.now()))
    return redirect(request.get_full_path())


def _selected(request: HttpRequest, page: ListPage, query: ListQuery, viewer: Viewer) -> list[int]:
    if request.POST.get("everything") == "1":
        return page.ids(query, viewer)
    given = [int(text) for text in request.POST.getlist("row") if text.isascii() and text.isdigit()][:AT_ONCE]
    return page.ids(query, viewer, given) if given else []


def _export(page: ListPage, query: ListQuery, viewer: Viewer) -> HttpResponseBase:
    _require_export(page, viewer)
    at = clock.now()
    record(f"{page.name}.exported", viewer, "", {"rows": page.page(query, viewer).total}, at=at)
    header = [str(column.label) for column in exported(page)]
    return csv_response(f"{page.name}-{at:%Y-%m-%d}.csv", header, export_rows(page, query, viewer))
