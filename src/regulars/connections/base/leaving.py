"""Leading a browser away to a shop after a form.

A page of ours may send forms to ourselves only, and browsers hold that for where a form is redirected to as well: so it is a page that
leads on, not the answer to the form.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext


def lead_away(request: HttpRequest, address: str, shop: str) -> HttpResponse:
    """A page that goes on to ``address`` by itself, with a link for browsers that do not."""
    context = {"title": gettext("On to %s") % shop, "address": address}
    page = render(request, "base/away.html", context)
    page["Refresh"] = f"0; url={address}"
    return page
