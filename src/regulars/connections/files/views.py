"""Imports in the browser: upload, mapping with preview, progress, summary, undo."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from regulars.connections.files import operations
from regulars.connections.files.copies import has_copy
from regulars.connections.files.layouts import LAYOUTS, Kind
from regulars.connections.files.models import Import, ImportState
from regulars.connections.files.operations import address_of
from regulars.connections.files.options import Options
from regulars.connections.files.preview import read_preview
from regulars.connections.files.queries import get_import, is_silent, list_imports, reject_rows, reject_table
from regulars.connections.files.sealed import name_of
from regulars.connections.files.sniff import SEPARATORS
from regulars.connections.files.uploads import LARGEST_UPLOAD, SealedUpload, SealingHandler
from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput, NotFound, RegularsError
from regulars.foundation.ids import to_public
from regulars.foundation.pages.export import csv_response
from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Column, Empty, Filter, ListPage, ListQuery, Pill
from regulars.foundation.pages.paging import Order
from regulars.foundation.shop.models import Store

KINDS = {
    Kind.ORDERS: _("Orders"),
    Kind.CUSTOMERS: _("Customers"),
    Kind.PRODUCTS: _("Products"),
    Kind.CONSENT: _("Consent"),
    Kind.LIST: _("List"),
}
STATES = {
    ImportState.CHECKING: (_("Being looked at"), "amber"),
    ImportState.STAGED: (_("To be checked"), "accent"),
    ImportState.WAITING: (_("Waiting"), "grey"),
    ImportState.RUNNING: (_("Running"), "amber"),
    ImportState.DONE: (_("Done"), "green"),
    ImportState.FAILED: (_("Stopped"), "red"),
    ImportState.UNDOING: (_("Being undone"), "amber"),
    ImportState.UNDONE: (_("Undone"), "grey"),
}


def _state(row: Import) -> Pill:
    label, tone = STATES[ImportState(row.state)]
    return Pill(label, tone)


def _rows(query: ListQuery, viewer: Viewer) -> QuerySet[Import]:
    return list_imports(viewer, query.text, query.choices.get("kind", ()), query.choices.get("state", ()))


IMPORTS = ListPage(
    name="imports",
    title=_("Imports"),
    columns=[
        Column("name", _("File"), "strong", value=name_of),
        Column("created_at", _("When"), "when", sort="created"),
        Column("kind", _("What"), value=lambda row: KINDS[Kind(row.kind)], on_phone=False),
        Column("layout", _("Layout"), value=lambda row: LAYOUTS[row.layout].title, on_phone=False, on_tablet=False),
        Column("state", _("State"), "pill", value=_state),
        Column("row_count", _("Rows"), "number"),
        Column("skipped", _("Skipped"), "number", value=lambda row: row.counts.get("rows_skipped", 0), on_phone=False),
        Column("store", _("Store"), value=lambda row: row.store.name, is_optional=True),
    ],
    filters=[
        Filter("kind", _("What"), choices=lambda viewer: [(kind.value, label) for kind, label in KINDS.items()]),
        Filter(
            "state",
            _("State"),
            choices=lambda viewer: [(state.value, label) for state, (label, _tone) in STATES.items()],
        ),
    ],
    search=_("Search by file name"),
    default_sort="-created",
    rows=_rows,
    sorts={"created": Order("created_at")},
    href=address_of,
    unit=lambda n: ngettext("%s import", "%s imports", n) % format_number(n),
    primary=(_("Import a file"), "/imports/new"),
    empty=Empty(
        _("Nothing imported yet"),
        _(
            "Bring your shop's past in: orders, customers, products and consent from Shopify, WooCommerce, Klaviyo, Mailchimp or any CSV file."
        ),
        _("Import a file"),
        "/imports/new",
        "file-import",
    ),
)


@requires("imports.view")
def imports(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, IMPORTS)


@requires("imports.edit", post="imports.edit")
@csrf_exempt
def new_import(request: HttpRequest) -> HttpResponseBase:
    """The file is sealed while it arrives: the handler must be there before anything reads the form, its token included."""
    handler = SealingHandler(request)
    request.upload_handlers = [handler]
    try:
        return _new_import(request)
    finally:
        handler.forget_unclaimed()


@csrf_protect
def _new_import(request: HttpRequest) -> HttpResponseBase:
    viewer = viewer_of(request)
    stores = [store for store in Store.objects.order_by("name") if viewer.sees_store(store.pk)]
    problem = ""
    if request.method == "POST":
        try:
            row = _record_upload(request, stores)
        except RegularsError as error:
            problem = error.sentence
        else:
            return HttpResponseRedirect(address_of(row))
    context = {
        "title": gettext("Import a file"),
        "kinds": [(kind.value, label) for kind, label in KINDS.items() if kind != Kind.LIST],
        "stores": stores,
        "given": request.POST,
        "problem": problem,
        "layouts": [layout.title for name, layout in LAYOUTS.items() if not name.startswith("any-")],
        "largest": LARGEST_UPLOAD >> 30,
    }
    return render(request, "files/new.html", context, status=400 if problem else 200)


def _record_upload(request: HttpRequest, stores: Sequence[Store]) -> Import:
    upload = request.FILES.get("file")
    if not isinstance(upload, SealedUpload):
        raise InvalidInput(gettext("Choose a file first."))
    staged = upload.staged()
    store = next((s for s in stores if str(s.pk) == request.POST.get("store")), None)
    kind = request.POST.get("kind", "")
    if store is None or kind not in set(Kind) - {Kind.LIST}:
        raise InvalidInput(gettext("Say what the file is about, and which store it is from."))
    return operations.record_copy(
        staged,
        kind=Kind(kind),
        store=store,
        at=clock.now(),
        staff_id=viewer_of(request).staff_id,
        can_be_mapped=True,
    )


@requires("imports.view")
def one_import(request: HttpRequest, public_id: str) -> HttpResponse:
    row = get_import(public_id, viewer_of(request))
    context: dict[str, Any] = {
        "title": name_of(row),
        "row": row,
        "rows": ngettext("%s row", "%s rows", row.row_count) % format_number(row.row_count),
        "is_unmapped": row.state == ImportState.STAGED and bool(row.sentence),
        "is_silent": is_silent(row, clock.now()),
        "can_continue": operations.can_continue(row, clock.now()),
        "public_id": public_id,
        "state": _state(row),
        "kind": KINDS[Kind(row.kind)],
        "layout": LAYOUTS[row.layout].title,
        "separator": SEPARATORS.get(row.format["separator"], row.format["separator"]),
        "counts": _counts(row),
        "rejects": reject_table(row, 100),
        "may_edit": viewer_of(request).may("imports.edit"),
        "layouts": [(name, layout.title) for name, layout in LAYOUTS.items() if layout.kind == row.kind],
        "separators": SEPARATORS.items(),
    }
    if row.state == ImportState.STAGED and has_copy(row.uid):
        context["preview"] = read_preview(row)
    return render(request, "files/one.html", context)


def _counts(row: Import) -> list[tuple[Any, int]]:
    """What the record gained, with doors to where it can be seen."""
    return [
        (label[row.counts[name] != 1], row.counts[name])
        for name, label in operations.LABELS.items()
        if row.counts.get(name)
    ]


def _chosen(request: HttpRequest, row: Import) -> Options:
    """The choices of the mapping form; a field without a column is not mapped."""
    form = request.POST
    mapping = {
        name.removeprefix("map-"): str(value) for name, value in form.items() if name.startswith("map-") and value
    }
    layout = form.get("layout", "")
    weeks = form.get("shift_weeks", "0") or "0"
    if not weeks.lstrip("-").isdigit() or len(weeks) > 6:
        raise InvalidInput(gettext("The number of weeks is a whole number."))
    return Options(
        layout=layout,
        mapping=mapping if layout.startswith("any-") and layout == row.layout else {},
        currency=form.get("currency", ""),
        time_zone=form.get("time_zone", ""),
        encoding=form.get("encoding", ""),
        separator=form.get("separator", ""),
        decimal=form.get("decimal", ""),
        date_order=form.get("date_order", ""),
        shift_weeks=int(weeks),
    )


@requires(post="imports.edit")
def act(request: HttpRequest, public_id: str, action: str) -> HttpResponse:
    """What the buttons of an import do: read it differently, start, continue, discard, undo."""
    row = get_import(public_id, viewer_of(request))
    done = {"options": _change, "start": _start, "discard": _discard, "undo": _undo}.get(action)
    if done is None:
        raise NotFound
    try:
        return done(request, row)
    except RegularsError as error:
        messages.error(request, error.sentence)
        return HttpResponseRedirect(address_of(row))


def _change(request: HttpRequest, row: Import) -> HttpResponse:
    if not operations.change_options(row, _chosen(request, row)).sentence:
        messages.success(request, gettext("Read again with your choices."))
    return HttpResponseRedirect(address_of(row))


def _start(request: HttpRequest, row: Import) -> HttpResponse:
    operations.start_import(row, clock.now())
    record(
        "import.started", viewer_of(request), to_public(Import.PREFIX, row.uid), {"rows": row.row_count}, at=clock.now()
    )
    return HttpResponseRedirect(address_of(row))


def _discard(request: HttpRequest, row: Import) -> HttpResponse:
    operations.discard_import(row)
    messages.success(request, gettext("The file was discarded; nothing was imported."))
    return HttpResponseRedirect("/imports")


def _undo(request: HttpRequest, row: Import) -> HttpResponse:
    operations.start_undo(row, clock.now())
    record(
        "import.undone", viewer_of(request), to_public(Import.PREFIX, row.uid), {"rows": row.row_count}, at=clock.now()
    )
    return HttpResponseRedirect(address_of(row))


@requires("imports.edit")
def rejects(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The reject file; formulas in it are text."""
    row = get_import(public_id, viewer_of(request))
    return csv_response(f"{public_id}-rejects.csv", *reject_rows(row))
