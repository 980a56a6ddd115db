"""Shows a ``ListPage``: the whole page, only its rows for a search as you type, its export, and what is done to selected rows."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput
from regulars.foundation.pages.export import csv_response
from regulars.foundation.pages.lists import BulkAction, Column, Filter, ListPage, ListQuery, address, read_chips
from regulars.foundation.pages.shell import may

SAMPLE_ROWS = 5
AT_ONCE = 1000


def show_list(request: HttpRequest, page: ListPage, **extra: Any) -> HttpResponseBase:
    """The response to any request to a list's address. The view around it names the permission to look."""
    query = page.read(request.GET)
    if request.method == "POST":
        return _do(request, page, query)
    if "export" in request.GET:
        return _ask_export(request, page, query)
    context = _context(request, page, query) | extra
    is_search = getattr(request, "htmx", None) and request.headers.get("HX-Target") == "results"
    return render(request, "lists/results.html" if is_search else "lists/page.html", context)


def _context(request: HttpRequest, page: ListPage, query: ListQuery) -> dict[str, Any]:
    viewer = viewer_of(request)
    rows = page.load(query, viewer)
    columns = page.shown(request.GET)
    chips = read_chips(page, request.GET, viewer)
    fields = [field for field in (_field(entry, request, viewer) for entry in page.filters) if field["is_offered"]]
    return {
        "page": page,
        "query": query,
        "rows": rows,
        "columns": columns,
        "column_choices": [(column.name, column.label, column in columns) for column in page.columns]
        if len(page.columns) > 4
        else [],
        "headings": [_heading(column, query, request) for column in columns],
        "chips": chips,
        "is_filtered": bool(chips or query.text),
        "filters": fields,
        "kept": _kept(page, request, {field["filter"] for field in fields}),
        "sentence": page.sentence(viewer) if page.sentence else "",
        "count_text": page.unit(rows.total),
        "summary": page.summary(query, viewer) if page.summary else "",
        "next_href": address(request.GET, {}) + "&cursor=" + rows.next if rows.next else "",
        "previous_href": address(request.GET, {}) + "&cursor=" + rows.previous if rows.previous else "",
        "export_href": address(request.GET, {"export": "1"})
        if page.export and may(request, page.export_permission)
        else "",
        "actions": [action for action in page.actions if may(request, action.permission)],
        "tabs": [(label, href, request.get_full_path() == href) for label, href in page.tabs],
    }


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


def _ask_export(request: HttpRequest, page: ListPage, query: ListQuery) -> HttpResponseBase:
    """What leaves the house is shown first: how many, which columns, and a sample."""
    viewer = viewer_of(request)
    viewer.require(page.export_permission)
    if page.export is None:
        raise InvalidInput(gettext("This list has no export."))
    rows = page.load(query, viewer)
    sample = []
    for values in page.export(query, viewer):
        sample.append(values)
        if len(sample) == SAMPLE_ROWS:
            break
    context = {
        "page": page,
        "rows": rows,
        "count_text": page.unit(rows.total),
        "sample": sample,
        "header": page.export_header,
        "chips": read_chips(page, request.GET, viewer),
    }
    return render(
        request, "lists/export.html", context | {"back": address(request.GET, {"export": None}), "query": query}
    )


def _do(request: HttpRequest, page: ListPage, query: ListQuery) -> HttpResponseBase:
    name = request.POST.get("action", "")
    if name == "export":
        return _export(request, page, query)
    action = next((action for action in page.actions if action.name == name), None)
    if action is None:
        raise InvalidInput(gettext("This list has no such action."))
    viewer_of(request).require(action.permission)
    ids = _selected(request, page, query)
    if not ids:
        messages.warning(request, gettext("Nothing was selected, so nothing was changed."))
    else:
        messages.success(request, _run(action, ids, request))
    return redirect(request.get_full_path())


def _run(action: BulkAction, ids: Sequence[int], request: HttpRequest) -> str:
    return action.run(ids, {"input": request.POST.get("input", "").strip()}, viewer_of(request), clock.now())


def _selected(request: HttpRequest, page: ListPage, query: ListQuery) -> list[int]:
    if request.POST.get("everything") == "1" and page.select:
        return list(page.select(query, viewer_of(request), None))
    given = [int(text) for text in request.POST.getlist("row") if text.isascii() and text.isdigit()][:AT_ONCE]
    return list(page.select(query, viewer_of(request), given)) if page.select and given else []


def _export(request: HttpRequest, page: ListPage, query: ListQuery) -> HttpResponseBase:
    viewer_of(request).require(page.export_permission)
    if page.export is None:
        raise InvalidInput(gettext("This list has no export."))
    record(
        f"{page.name}.exported",
        viewer_of(request),
        "",
        {"rows": page.load(query, viewer_of(request)).total},
        at=clock.now(),
    )
    filename = f"{page.name}-{clock.now():%Y-%m-%d}.csv"
    return csv_response(filename, [str(name) for name in page.export_header], page.export(query, viewer_of(request)))
