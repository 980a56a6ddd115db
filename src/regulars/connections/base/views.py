"""Connections in the browser: connect a shop, watch its history arrive, see what was missed, end it."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regulars.connections.base import queries
from regulars.connections.base.errors import InUse
from regulars.connections.base.models import Connection, ConnectionState, PlatformRequest, PullKind, PullState
from regulars.connections.base.operations.checking import hook_address, take_webhooks_away
from regulars.connections.base.operations.connecting import (
    begin_connection,
    complete_connection,
    end_connection,
    find_connected,
    get_connection,
    get_platform,
    renew_secret,
    try_credentials,
)
from regulars.connections.base.operations.pulling import begin_pull
from regulars.connections.base.operations.requested import erase_shop, mark_done
from regulars.connections.base.operations.stores import choose_store, forget_beginning, name_store
from regulars.connections.base.panels import address_of
from regulars.connections.base.platforms import PLATFORMS, Platform
from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import NotFound, RegularsError
from regulars.foundation.pages.formats import format_date
from regulars.foundation.pages.lists import Pill
from regulars.foundation.pages.registries import Text
from regulars.record.customers.named import Name, names_of
from regulars.record.customers.queries import customers_of

ERASE = "erase"  # to be typed
STATES: dict[str, tuple[Text, str]] = {
    ConnectionState.NEW: (_("not agreed yet"), "grey"),
    ConnectionState.ACTIVE: (_("connected"), "green"),
    ConnectionState.FAILING: (_("does not answer"), "red"),
    ConnectionState.OVER: (_("ended"), "grey"),
}
PULLS: dict[str, tuple[Text, str]] = {
    PullState.WAITING: (_("waiting"), "grey"),
    PullState.RUNNING: (_("running"), "amber"),
    PullState.FETCHED: (_("being read"), "amber"),
    PullState.DONE: (_("done"), "green"),
    PullState.FAILED: (_("stopped"), "red"),
}


def _state(row: Connection) -> Pill:
    return Pill(*STATES[row.state])


def again_address(row: Connection) -> str:
    """Of the form that connects this shop for the store that it was begun for."""
    chosen = urlencode({"address": row.address, "store": row.store.code})
    return f"{reverse('connect', args=[row.platform])}?{chosen}"


@requires("connections.view")
def connections(request: HttpRequest) -> HttpResponse:
    """Every connected shop, and what can be connected."""
    viewer = viewer_of(request)
    rows = queries.list_connections(viewer)
    context = {
        "title": gettext("Connections"),
        "rows": [
            (row, _state(row), PLATFORMS[row.platform].title, address_of(row), again_address(row)) for row in rows
        ],
        "platforms": sorted((platform for _, platform in PLATFORMS.items()), key=lambda platform: str(platform.title)),
        "shops": queries.websites_of(viewer),
        "may_manage": viewer.may("connections.manage"),
    }
    return render(request, "base/connections.html", context)


@requires("connections.manage", post="connections.manage")
def connect(request: HttpRequest, platform: str) -> HttpResponse:
    """Asks for the shop's address, and for its key where the shop does not hand one out by itself."""
    kind, viewer, problem = get_platform(platform), viewer_of(request), ""
    if request.method == "POST":
        try:
            return _connected(request, kind, viewer)
        except RegularsError as error:
            problem = error.sentence
    context = {
        "title": gettext("Connect %s") % kind.title,
        "platform": kind,
        "fields": [(field, "" if field.is_secret else request.POST.get(field.name, "")) for field in kind.fields],
        "stores": queries.list_stores(viewer),
        "given": request.POST or request.GET,
        "can_begin": kind.can_begin(),
        "problem": problem,
    }
    return render(request, "base/connect.html", context, status=400 if problem else 200)


def _connected(request: HttpRequest, kind: Platform, viewer: Viewer) -> HttpResponse:
    at, form = clock.now(), request.POST
    credentials = {field.name: text for field in kind.fields if (text := form.get(field.name, "").strip())}
    is_agreed_there = kind.can_begin() and form.get("way") != "key"
    if not is_agreed_there:
        try_credentials(kind, form.get("address", ""), credentials)
    row = find_connected(kind.code, form.get("address", ""), form.get("store", ""), viewer)
    if row is None:
        store = choose_store(form.get("store", ""), form.get("address", ""), viewer, at)
        row = begin_connection(kind.code, store, form.get("address", ""), viewer, at)
    if is_agreed_there:
        return redirect(f"{reverse(kind.begin)}?connection={row.public_id}")
    messages.success(request, finish(row, credentials, viewer))
    return redirect("connection", public_id=row.public_id)


def finish(row: Connection, credentials: Mapping[str, str], viewer: Viewer) -> str:
    """The last step, for platforms too that hand out their keys by themselves; what to say of it. Raises what ``complete_connection``
    does."""
    shop = complete_connection(row, credentials, viewer, clock.now())
    name_store(row.store_id, shop, viewer, clock.now())
    if row.state == ConnectionState.NEW:
        return gettext("Connected. All that the shop knows is being fetched now.")
    return gettext("The new key works.")


@requires("connections.view")
def one_connection(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    row = get_connection(public_id, viewer)
    history = queries.history_of(row)
    may_manage = viewer.may("connections.manage")
    context = {
        "title": row.name,
        "row": row,
        "platform": PLATFORMS[row.platform],
        "served_until": format_date(until) if (until := PLATFORMS[row.platform].served_until) else "",
        "state": _state(row),
        "history": history,
        "history_state": Pill(*PULLS[history.state]) if history else None,
        "shares": queries.shares_of(history) if history else [],
        "is_begun": row.state == ConnectionState.NEW,
        "is_arriving": bool(history and history.state not in (PullState.DONE, PullState.FAILED)),
        "looks": [(one, Pill(*PULLS[one.pull.state]), WHY[one.pull.kind]) for one in queries.reconciliations_of(row)],
        "quarantined": queries.quarantined_of(row),
        "tells": queries.tells_of(row),
        "requests": _asked(row, viewer),
        "word": ERASE,
        "may_erase": may_manage and viewer.may("customers.erase") and viewer.store_ids is None,
        "hook": hook_address(row),
        "again": again_address(row),
        "may_manage": may_manage and row.state != ConnectionState.OVER,
        "may_note": may_manage,
    }
    return render(request, "base/one.html", context)


def _asked(row: Connection, viewer: Viewer) -> list[tuple[PlatformRequest, Name | None]]:
    """What its platform asked in people's names, each with whom it is about, where we know."""
    about = [(one, queries.profile_of(one)) for one in queries.requests_of(row)]
    owners = customers_of([profile for _, profile in about if profile])
    names = names_of(set(owners.values()), viewer)
    return [(one, names.get(owners.get(profile or 0, 0))) for one, profile in about]


WHY: dict[str, Text] = {
    PullKind.QUARTER: _("every 15 minutes"),
    PullKind.NIGHT: _("every night"),
    PullKind.HAND: _("somebody asked"),
}


def _pull(kind: PullKind) -> Callable[[Connection, Viewer], str]:
    def ask(row: Connection, viewer: Viewer) -> str:
        if begin_pull(row, kind, clock.now(), viewer.staff_id) is None:
            return gettext("That is under way already.")
        if kind == PullKind.HISTORY:
            return gettext("All history is being fetched once more.")
        return gettext("The shop is being looked through; what was missed shows here.")

    return ask


def _renew(row: Connection, viewer: Viewer) -> str:
    renew_secret(row, viewer, clock.now())
    return gettext("The shop gets a new secret for its webhooks now; the old one is good for two more hours.")


def _end(row: Connection, viewer: Viewer) -> str:
    if row.state == ConnectionState.NEW:
        forget_beginning(row, viewer, clock.now())
        return gettext("Forgotten. Nothing had come from the shop.")
    problem = take_webhooks_away(row, clock.now())
    end_connection(row, viewer, clock.now())
    if problem:
        return gettext("Ended. The shop could not be told (%s): remove our key and webhooks there.") % problem
    return gettext("Ended. What the shop has told stays.")


_ACTIONS: dict[str, Callable[[Connection, Viewer], str]] = {
    "look": _pull(PullKind.HAND),
    "history": _pull(PullKind.HISTORY),
    "renew": _renew,
    "end": _end,
}


@requires(post="connections.manage")
def act(request: HttpRequest, public_id: str, action: str) -> HttpResponse:
    viewer = viewer_of(request)
    row = get_connection(public_id, viewer)
    deed = _ACTIONS.get(action)
    if deed is None:
        raise NotFound
    if row.state == ConnectionState.OVER:
        return redirect("connections")
    messages.success(request, deed(row, viewer))
    return redirect("connections") if action == "end" else redirect("connection", public_id=public_id)


@requires(post="connections.manage")
def request_done(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    viewer = viewer_of(request)
    row = get_connection(public_id, viewer)
    if number >= 2**63:
        raise NotFound
    mark_done(row, number, viewer, clock.now())
    messages.success(request, gettext("Noted as done."))
    return redirect("connection", public_id=public_id)


@requires(post="connections.manage")
def request_erase(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """Erases everybody of a shop that removed our app, once the word was typed."""
    viewer = viewer_of(request)
    row = get_connection(public_id, viewer)
    if number >= 2**63:
        raise NotFound
    if request.POST.get("word", "").strip().lower() != ERASE:
        messages.error(request, gettext("Nobody was erased: type “%s” exactly.") % ERASE)
    else:
        try:
            erase_shop(row, number, viewer, clock.now())
        except InUse as error:
            messages.error(request, error.sentence)
        else:
            said = gettext("Everybody of this shop is being erased now. Orders and totals stay under bare numbers.")
            messages.success(request, said)
    return redirect("connection", public_id=public_id)
