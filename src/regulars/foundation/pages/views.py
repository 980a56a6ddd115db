"""Saved views of lists: kept, renamed, shared, removed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import NotFound
from regulars.foundation.pages.operations import change_view, remove_view, save_view
from regulars.foundation.pages.queries import get_view


@requires(post="")
def keep(request: HttpRequest) -> HttpResponseBase:
    """The list as it stands, under a name."""
    given = request.POST
    view = save_view(
        given.get("path", ""),
        given.get("query", ""),
        given.get("name", ""),
        viewer_of(request),
        clock.now(),
        is_shared="shared" in given,
    )
    messages.success(request, gettext("Kept as '%s'.") % view.name)
    return redirect(view.href)


@requires(post="")
def change(request: HttpRequest, public_id: str, action: str) -> HttpResponseBase:
    viewer = viewer_of(request)
    view = get_view(public_id, viewer)
    if action == "change":
        change_view(view, request.POST.get("name", ""), viewer, is_shared="shared" in request.POST)
        messages.success(request, gettext("Kept as '%s'.") % view.name)
        return redirect(view.href)
    if action != "remove":
        raise NotFound
    remove_view(view)
    messages.success(request, gettext("The view '%s' is gone; its rows are still there.") % view.name)
    return redirect(view.path)
