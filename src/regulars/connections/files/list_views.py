"""Uploads of lists in the browser: a new list, more for one, or some off it; looked at, decided, followed."""

import io
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction as database
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from regulars.connections.files import operations
from regulars.connections.files.copies import has_copy
from regulars.connections.files.fields import FIELDS
from regulars.connections.files.layouts import Kind
from regulars.connections.files.models import Import, ImportState
from regulars.connections.files.operations.sources import source_of
from regulars.connections.files.queries import get_upload, is_silent, reject_rows, reject_table
from regulars.connections.files.sealed import name_of
from regulars.connections.files.sniff import SEPARATORS
from regulars.connections.files.uploads import LARGEST_UPLOAD, SealedUpload, SealingHandler
from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.queries import names_of_staff
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput, NotFound, RegularsError
from regulars.foundation.ids import to_public
from regulars.foundation.pages.export import csv_response
from regulars.foundation.pages.formats import format_number
from regulars.foundation.shop.models import Store
from regulars.record.customers.identifiers import OWN_KIND
from regulars.record.customers.operations.kinds import own_kinds
from regulars.record.lists.models import CustomerList
from regulars.record.lists.operations import create_list
from regulars.record.lists.queries import get_list
from regulars.record.lists.uses import uses_of

_SHOWN = 50
STATES = {
    ImportState.CHECKING: (_("Being looked at"), "amber"),
    ImportState.STAGED: (_("To be decided"), "accent"),
    ImportState.WAITING: (_("Waiting"), "grey"),
    ImportState.RUNNING: (_("Running"), "amber"),
    ImportState.DONE: (_("Done"), "green"),
    ImportState.FAILED: (_("Stopped"), "red"),
    ImportState.UNDOING: (_("Being taken back"), "amber"),
    ImportState.UNDONE: (_("Taken back"), "grey"),
}


def _page_of(row: CustomerList) -> str:
    return f"/lists/{to_public(CustomerList.PREFIX, row.uid)}"


def _title(row: CustomerList, takes_off: bool) -> str:
    return (gettext("Take off '%s'") if takes_off else gettext("Put on '%s'")) % row.name


@requires("lists.edit", post="lists.edit")
@csrf_exempt
def new_upload(request: HttpRequest) -> HttpResponseBase:
    """A new list; more people for the one that ``?list=`` names; with ``&take=off``, those to be taken off it.

    The file is sealed while it arrives: the handler must be there before anything reads the form, its token included.
    """
    handler = SealingHandler(request)
    request.upload_handlers = [handler]
    try:
        return _form(request)
    finally:
        handler.forget_unclaimed()


@csrf_protect
def _form(request: HttpRequest) -> HttpResponseBase:
    target = get_list(request.GET["list"]) if "list" in request.GET else None
    takes_off = request.GET.get("take") == "off"
    problem: RegularsError | None = None
    if request.method == "POST":
        try:
            return HttpResponseRedirect(_taken_in(request, target, takes_off, viewer_of(request)))
        except RegularsError as error:
            problem = error
    context = {
        "title": _title(target, takes_off) if target else gettext("New list"),
        "list": target,
        "back": _page_of(target) if target else "/lists",
        "takes_off": takes_off,
        "stores": list(Store.objects.order_by("name")),
        "given": request.POST,
        "problem": problem,
        "largest": LARGEST_UPLOAD >> 30,
    }
    return render(request, "files/list_new.html", context, status=400 if problem else 200)


def _taken_in(request: HttpRequest, target: CustomerList | None, takes_off: bool, viewer: Viewer) -> str:
    """Where to go on. A list that is new stays without anybody where nothing was handed in; a refused file leaves none."""
    at = clock.now()
    with database.atomic():
        row = target or create_list(request.POST.get("name", ""), viewer, at)
        staged = _handed_in(request, at)
        if staged is None and target is not None:
            raise InvalidInput(gettext("Choose a file, or paste some lines."))
        if staged is None:
            return _page_of(row)
        store = Store.objects.filter(pk=request.POST.get("store", "0")).first()
        if store is None:
            raise InvalidInput(gettext("Say which store the customer numbers are from."))
        found = operations.stage_list(staged, row, store=store, takes_off=takes_off, at=at, staff_id=viewer.staff_id)
        record("list.upload", viewer, to_public(Import.PREFIX, found.uid), {"rows": found.row_count}, at=at)
    return operations.address_of(found)


def _handed_in(request: HttpRequest, at: datetime) -> operations.Staged | None:
    """The sealed copy of the file, or of the pasted lines, which goes with the transaction. Raises RefusedFile."""
    given = request.FILES.get("file")
    if isinstance(given, SealedUpload):
        return given.staged()
    text = request.POST.get("lines", "").strip()
    if not text:
        return None
    if "\n" not in text:  # one after the other, as a mail program copies them
        text = "\n".join(part.strip() for part in text.replace(";", ",").split(","))
    return operations.take_copy(io.BytesIO(f"{text}\n".encode()), gettext("Pasted lines"), at)


@requires("lists.edit")
def one_upload(request: HttpRequest, public_id: str) -> HttpResponse:
    row = get_upload(public_id)
    target = operations.list_of(row)
    counts = {name: row.counts.get(f"rows_{name}", 0) for name in ("known", "unknown", "unreadable")}
    takes_off = bool(row.options.get("takes_off"))
    label, tone = STATES[ImportState(row.state)]
    context: dict[str, Any] = {
        "title": _title(target, takes_off),
        "row": row,
        "list": target,
        "back": _page_of(target),
        "href": operations.address_of(row),
        "state": {"text": label, "tone": tone},
        "file": name_of(row),
        "rows": ngettext("%s line", "%s lines", row.row_count) % format_number(row.row_count),
        "by": names_of_staff({row.staff_id or 0}).get(row.staff_id or 0, ""),
        "takes_off": takes_off,
        "counts": counts,
        "is_checked": operations.is_checked(row),
        "is_silent": is_silent(row, clock.now()),
        "can_continue": operations.can_continue(row, clock.now()),
        "rejects": reject_table(row, _SHOWN),
        "uses": uses_of(target.key),
    }
    if row.state == ImportState.STAGED and has_copy(row.uid):
        context |= _columns(row)
    return render(request, "files/list_upload.html", context)


def _columns(row: Import) -> dict[str, Any]:
    """How the file is read, and what may be chosen otherwise."""
    source = source_of(row)
    places = source.reading.columns.places
    names = {name: field.label for name, field in FIELDS[Kind.LIST].items()}
    names |= {f"{OWN_KIND}{name}": label for name, label in own_kinds()}
    return {
        "headers": source.headers,
        "has_header": source.format.has_header,
        "separator": SEPARATORS[source.format.separator] if len(source.headers) > 1 else "",
        "encoding": source.format.encoding,
        "fields": [
            {"name": name, "label": label, "header": source.headers[places[name]] if name in places else ""}
            for name, label in names.items()
        ],
    }


@requires(post="lists.edit")
def act(request: HttpRequest, public_id: str, action: str) -> HttpResponse:
    """What the buttons of an upload do: read other columns, decide, discard, go on, take back."""
    row = get_upload(public_id)
    done = {"columns": _read_again, "start": _start, "discard": _discard, "undo": _undo}.get(action)
    if done is None:
        raise NotFound
    try:
        return done(request, row)
    except RegularsError as error:
        messages.error(request, error.sentence)
        return HttpResponseRedirect(operations.address_of(row))


def _read_again(request: HttpRequest, row: Import) -> HttpResponse:
    mapping = {name.removeprefix("map-"): str(v) for name, v in request.POST.items() if name.startswith("map-") and v}
    if not mapping:
        raise InvalidInput(gettext("Say of one column at least what it holds."))
    operations.choose_columns(row, mapping, clock.now())
    return HttpResponseRedirect(operations.address_of(row))


def _start(request: HttpRequest, row: Import) -> HttpResponse:
    """The decision; or to go on with what stopped, as it was decided."""
    viewer, at = viewer_of(request), clock.now()
    if row.state == ImportState.STAGED:
        makes_new = request.POST.get("unknown") == "make"
        operations.start_list(row, makes_new, at)
        details = {"rows": row.row_count, "makes_new": makes_new}
        record("list.upload_decided", viewer, to_public(Import.PREFIX, row.uid), details, at=at)
    else:
        operations.start_import(row, at)
    return HttpResponseRedirect(operations.address_of(row))


def _discard(request: HttpRequest, row: Import) -> HttpResponse:
    target = operations.list_of(row)
    operations.discard_import(row)
    messages.success(request, gettext("The file was discarded; nothing was changed."))
    return HttpResponseRedirect(_page_of(target))


def _undo(request: HttpRequest, row: Import) -> HttpResponse:
    viewer, at = viewer_of(request), clock.now()
    operations.start_undo(row, at)
    record("list.upload_undone", viewer, to_public(Import.PREFIX, row.uid), at=at)
    return HttpResponseRedirect(operations.address_of(row))


@requires("lists.edit")
def rejects(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The lines that cannot be read, or that speak of nobody who is known; formulas in them are text."""
    return csv_response(f"{public_id}-lines.csv", *reject_rows(get_upload(public_id)))
