"""Connecting in the browser: to the shop, its key from it, and back; and the plugin to take along."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt

from regulars.connections.base.leaving import lead_away
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.operations.connecting import get_connection
from regulars.connections.base.views import again_address, finish
from regulars.connections.woocommerce.connecting import LARGEST, agreed, authorize_address, take_key
from regulars.connections.woocommerce.plugin_code import make_code
from regulars.connections.woocommerce.plugin_zip import NAME, plugin_zip
from regulars.foundation import clock
from regulars.foundation.access.gate import Rule, mark, requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import RegularsError


@requires("connections.manage")
def begin(request: HttpRequest) -> HttpResponse:
    """Sends the browser to the shop, where its owner agrees."""
    row = get_connection(request.GET.get("connection", ""), viewer_of(request))
    try:
        return lead_away(request, authorize_address(row, clock.now()), row.name)
    except RegularsError as error:
        return _not_connected(request, row, error)


def _not_connected(request: HttpRequest, row: Connection, error: RegularsError) -> HttpResponse:
    """Back to where the key was asked for, with the reason."""
    messages.error(request, error.sentence)
    if row.state == ConnectionState.NEW:
        return redirect(again_address(row))
    return redirect("connection", public_id=row.public_id)


@csrf_exempt
def key(request: HttpRequest, public_id: str) -> HttpResponse:
    """Takes the key from the shop's server: 200 when it is kept, for only then the shop keeps it too."""
    if request.method != "POST":
        return _answer(405, "Send it by POST.")
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > LARGEST:
        return _answer(413, "This is too large.")
    try:
        take_key(public_id, request.body, clock.now())
    except RegularsError as error:
        return _answer(error.status, error.sentence)
    return _answer(200, "")


def _answer(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")


mark(
    key,
    Rule(
        get="",
        post="",
        public="a shop sends the key that its owner agreed to, with a word that only it knows",
        is_api=True,
    ),
)


@requires("connections.manage")
def back(request: HttpRequest, public_id: str) -> HttpResponse:
    """The browser is back from the shop: the key is tried, and everything begins."""
    row = get_connection(public_id, viewer_of(request))
    try:
        finish(row, agreed(row), viewer_of(request))
    except RegularsError as error:
        return _not_connected(request, row, error)
    is_new = row.state == ConnectionState.NEW
    done = (
        gettext("Connected. All that the shop knows is being fetched now.") if is_new else gettext("The new key works.")
    )
    messages.success(request, done)
    return redirect("connection", public_id=row.public_id)


@requires("connections.view")
def plugin(request: HttpRequest) -> HttpResponse:
    """The plugin, to be uploaded in WordPress."""
    answer = HttpResponse(plugin_zip(), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{NAME}.zip"'
    return answer


@requires(post="connections.manage")
def plugin_code(request: HttpRequest, public_id: str) -> HttpResponse:
    """Shows a connection code for the plugin, once: keys are made for it, of which only hashes are kept."""
    viewer = viewer_of(request)
    row = get_connection(public_id, viewer)
    context = {
        "title": gettext("Connection code"),
        "row": row,
        "code": make_code(row, viewer, clock.now()),
    }
    return render(request, "woocommerce/code.html", context)
