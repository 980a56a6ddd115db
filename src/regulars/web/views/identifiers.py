"""What tells that two records are one person: kinds of the shop's own, and what never does."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.settings import read_setting
from regulars.record.customers.operations.kinds import change_guards, name_kind, own_kinds


@requires("settings.edit", post="settings.edit")
def identifiers(request: HttpRequest) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        try:
            _save(request)
        except InvalidInput as error:
            problem = error.sentence
        else:
            messages.success(request, gettext("Saved."))
            return redirect("identifiers")
    context: dict[str, Any] = {
        "title": gettext("Identifiers"),
        "problem": problem,
        "given": request.POST,
        "kinds": own_kinds(),
        "most": request.POST.get("most_profiles") or read_setting("customers.most_profiles"),
        "listed": request.POST.get("no_identifiers") or "\n".join(read_setting("customers.no_identifiers")),
    }
    return render(request, "web/identifiers.html", context, status=400 if problem else 200)


def _save(request: HttpRequest) -> None:
    viewer, at, given = viewer_of(request), clock.now(), request.POST
    if "name" in given:
        name_kind(given["name"].strip(), given.get("label", ""), viewer, at)
    else:
        change_guards(given.get("most_profiles", ""), given.get("no_identifiers", ""), viewer, at)
