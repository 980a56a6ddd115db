"""One more store of the shop, with the brand that it writes as."""

from zoneinfo import available_timezones

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import RegularsError
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.operations import create_store
from regulars.foundation.shop.settings import read_setting

_FIELDS = ("code", "name", "email", "currency", "time_zone", "brand")


@requires("settings.edit", post="settings.edit")
def new_store(request: HttpRequest) -> HttpResponse:
    problem, status = "", 200
    if request.method == "POST":
        given = {name: request.POST.get(name, "").strip() for name in _FIELDS}
        try:
            store = create_store(**given, by=viewer_of(request), at=clock.now())
        except RegularsError as error:
            problem, status = error.sentence, error.status
        else:
            messages.success(request, gettext("'%s' is here: its files can be imported now.") % store.name)
            return redirect("settings")
    proposed = {"currency": read_setting("shop.reporting_currency"), "time_zone": read_setting("shop.time_zone")}
    context = {
        "title": gettext("Add a store"),
        "problem": problem,
        "given": proposed | request.POST.dict(),
        "zones": sorted(available_timezones()),
        "is_first": not Store.objects.exists(),
    }
    return render(request, "web/store_new.html", context, status=status)
