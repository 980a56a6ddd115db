"""Installing the app in the browser: away to Shopify, and back."""

from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from regulars.connections.base.leaving import lead_away
from regulars.connections.base.models import Connection
from regulars.connections.base.operations.connecting import get_connection
from regulars.connections.base.operations.stores import forget_beginning
from regulars.connections.base.views import finish
from regulars.connections.shopify import oauth
from regulars.connections.shopify.domains import NotAShop, origin_of
from regulars.connections.shopify.pixels import switch_on
from regulars.connections.shopify.scopes import SCOPES
from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import RegularsError


@requires("connections.manage", post="connections.manage")
def install(request: HttpRequest) -> HttpResponse:
    """Asks for the app's id and secret, then leads to the shop, whose owner agrees there."""
    viewer, problem = viewer_of(request), ""
    given = request.POST if request.method == "POST" else request.GET
    row = get_connection(given.get("connection", ""), viewer)
    if request.method == "GET" and not _is_of_shopify(row):
        forget_beginning(row, viewer, clock.now())
        messages.error(request, NotAShop().sentence)
        return redirect("connect", platform="shopify")
    if request.method == "POST":
        names = ("client_id", "client_secret")
        client_id, client_secret = (request.POST.get(name, "").strip()[:300] for name in names)
        try:
            return lead_away(
                request, oauth.begin(row, client_id, client_secret, request.session, clock.now()), row.name
            )
        except RegularsError as error:
            problem = error.sentence
    context = {
        "title": gettext("Install the app in %s") % row.name,
        "row": row,
        "problem": problem,
        "return_address": oauth.return_address(),
        "scopes": [(name, why) for name, (why, _) in SCOPES.items()],
    }
    return render(request, "shopify/install.html", context, status=400 if problem else 200)


def _is_of_shopify(row: Connection) -> bool:
    try:
        return bool(origin_of(row.address))
    except NotAShop:
        return False


@requires(post="connections.manage")
def pixel(request: HttpRequest, public_id: str) -> HttpResponse:
    """Switches the web pixel on, with a write key of its own."""
    viewer = viewer_of(request)
    row = get_connection(public_id, viewer)
    try:
        switch_on(row, viewer, clock.now())
    except RegularsError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, gettext("The pixel is on: visits and checkout steps come in from now on."))
    return redirect("connection", public_id=row.public_id)


@requires("connections.manage")
def come_back(request: HttpRequest) -> HttpResponse:
    """Where Shopify sends the browser back to. Whatever is wrong, nothing was sent anywhere and nothing is connected."""
    viewer, query = viewer_of(request), parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True)
    try:
        agreed = oauth.awaited(request.session, query, clock.now())
        row = get_connection(agreed.public_id, viewer)
        said = finish(row, oauth.exchange(row, agreed, query, clock.now()), viewer)
    except RegularsError as error:
        messages.error(request, error.sentence)
        return redirect("connections")
    messages.success(request, said)
    return redirect("connection", public_id=row.public_id)
