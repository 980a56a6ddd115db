"""Exchange rates: the list of those there are, one more, a file of them, and taking some away."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import InvalidInput
from regulars.foundation.pages.days import within_days
from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import BulkAction, Choices, Column, Empty, Filter, ListPage, ListQuery
from regulars.foundation.pages.paging import Order
from regulars.foundation.shop.models import ExchangeRate
from regulars.foundation.shop.settings import read_setting
from regulars.record.orders.operations.money import (
    LONGEST_FILE,
    currencies_in_use,
    day_of_shop,
    import_rates,
    remove_rates,
    set_rates,
)
from regulars.record.orders.queries import count_unconverted
from regulars.record.orders.rates import parse_rate


def _rows(query: ListQuery, viewer: Viewer) -> QuerySet[ExchangeRate]:
    rows = ExchangeRate.objects.all()
    if query.text:
        rows = rows.filter(currency__istartswith=query.text)
    if chosen := query.choices.get("from"):
        rows = rows.filter(currency__in=chosen)
    if chosen := query.choices.get("to"):
        rows = rows.filter(reporting_currency__in=chosen)
    return rows.filter(within_days("on", query.dates, "on"))


def _known(column: str) -> Choices:
    found = ExchangeRate.objects.order_by(column).values_list(column, flat=True).distinct()
    return [(code, code) for code in found]


def _sentence(query: ListQuery, viewer: Viewer) -> str:
    left_out = count_unconverted(viewer)
    if not left_out:
        return gettext("Every amount has a rate into %s.") % str(read_setting("shop.reporting_currency"))
    words = ngettext(
        "%s order is in no sum: there is no rate for its currency on its day.",
        "%s orders are in no sum: there is no rate for their currency on their day.",
        left_out,
    )
    return words % format_number(left_out)


def _remove(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    return remove_rates(ids, viewer, at)


def _say_removed(removed: int, form: Mapping[str, str]) -> str:
    return ngettext("%s rate removed.", "%s rates removed.", removed) % format_number(removed)


RATES = ListPage(
    name="rates",
    title=_("Exchange rates"),
    search=_("Search by currency, such as USD"),
    columns=[
        Column("currency", _("From"), "strong"),
        Column("reporting_currency", _("To")),
        Column("on", _("From the day"), "date", sort="on"),
        Column("rate", _("One unit is worth"), value=lambda row: f"{row.rate.normalize():f}"),
        Column("source", _("Source"), on_phone=False),
    ],
    filters=[
        Filter("from", _("From"), choices=lambda viewer: _known("currency")),
        Filter("to", _("To"), choices=lambda viewer: _known("reporting_currency")),
        Filter("on", _("Day"), "date"),
    ],
    default_sort="-on",
    sentence=_sentence,
    rows=_rows,
    sorts={"on": Order("on")},
    href=lambda row: "",
    unit=lambda n: ngettext("%s rate", "%s rates", n) % format_number(n),
    empty=Empty(
        _("No rates yet"),
        _(
            "A shop that sells in one currency needs none. Else each amount is worth what the newest rate up to its day says."
        ),
        _("Add rates"),
        "/settings/rates/new",
        "credit-card",
    ),
    primary=(_("Add rates"), "/settings/rates/new"),
    actions=[BulkAction("remove", _("Remove"), "trash", "settings.edit", _remove, _say_removed, is_one_step=True)],
    export_permission="settings.view",
)


@requires("settings.view", post="settings.view")
def rates(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, RATES)


@requires("settings.edit", post="settings.edit")
def new_rates(request: HttpRequest) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        try:
            messages.success(request, _add(request, viewer_of(request), clock.now()))
        except InvalidInput as error:
            problem = error.sentence
        else:
            return redirect("rates")
    currency = read_setting("shop.reporting_currency")
    used = sorted(currencies_in_use() - {currency})
    given = {"currency": used[0] if used else "", "to": currency, "on": day_of_shop(clock.now()).isoformat()}
    context = {
        "title": gettext("Add rates"),
        "problem": problem,
        "given": given | request.POST.dict(),
        "currency": currency,
        "used": used,
    }
    return render(request, "web/rates_new.html", context, status=400 if problem else 200)


def _add(request: HttpRequest, viewer: Viewer, at: datetime) -> str:
    """One rate, or those of a file; the sentence of what was done. Raises InvalidInput."""
    file = request.FILES.get("file")
    if file is None:
        given = [request.POST.get(name, "") for name in ("currency", "to", "on", "rate", "source")]
        changed = set_rates([parse_rate(*given)], viewer, at)
        return gettext("Saved.") if changed else gettext("It was so already.")
    if (file.size or 0) > LONGEST_FILE:
        raise InvalidInput(gettext("A file of rates has 5 MB at most."))
    found, changed = import_rates(file.read(), (file.name or "")[:60], viewer, at)
    words = ngettext("%(n)s rate, %(changed)s new or changed.", "%(n)s rates, %(changed)s new or changed.", found)
    return words % {"n": format_number(found), "changed": format_number(changed)}
