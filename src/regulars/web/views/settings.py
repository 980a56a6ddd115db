"""Settings of the shop, tokens of programs, the audit trail, and what one sets for oneself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires, signed_in
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.operations import change_password, change_profile
from regulars.foundation.access.queries import names_of_staff
from regulars.foundation.access.rules import SCOPES
from regulars.foundation.access.sign_in import begin_session, check
from regulars.foundation.access.tokens import create_token, list_tokens, revoke_token
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.errors import InvalidInput, RegularsError
from regulars.foundation.money import parse_currency
from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Column, Empty, Filter, ListPage, ListQuery
from regulars.foundation.pages.paging import Order, Rows, page_of
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import read_setting
from regulars.record.orders.operations.money import change_settings
from regulars.record.orders.queries import count_unconverted
from regulars.web.queries.parked import count_parked

LANGUAGES = {"en-gb": "English (United Kingdom)", "en-us": "English (United States)", "de": "Deutsch", "fr": "Français"}


def _name(text: str) -> str:
    if not text or len(text) > 120:
        raise InvalidInput(gettext("The shop's name has 1 to 120 characters."))
    return text


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise InvalidInput(gettext("'%s' is not a time zone: choose one such as Europe/London.") % text[:40])
    return text


def _limit(text: str) -> int:
    if not text.isdecimal() or len(text) > 4 or int(text) > 1000:
        raise InvalidInput(gettext("A limit is a whole number from 0 (no limit) to 1000."))
    return int(text)


def _days_kept(text: str) -> int:
    if not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= 400:
        raise InvalidInput(gettext("What comes in is kept for 1 to 400 days."))
    return int(text)


_EDITABLE: dict[str, Callable[[str], Any]] = {
    "shop.name": _name,
    "shop.time_zone": _zone,
    "shop.reporting_currency": parse_currency,
    "messages.per_day": _limit,
    "messages.per_week": _limit,
    "inbox.retention_days": _days_kept,
}


@requires("settings.view", post="settings.edit")
def settings(request: HttpRequest) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        problem = _save(request)
        if not problem:
            messages.success(request, gettext("Saved."))
            return redirect("settings")
    viewer = viewer_of(request)
    stores = Store.objects.all() if viewer.store_ids is None else Store.objects.filter(pk__in=viewer.store_ids)
    values = {name.replace(".", "_"): request.POST.get(name, read_setting(name)) for name in _EDITABLE}
    context = {
        "title": gettext("Settings"),
        "problem": problem,
        "values": values,
        "zones": sorted(available_timezones()),
        "unconverted": count_unconverted(viewer),
        "stores": stores.select_related("brand").order_by("name"),
        "brands": _brands(viewer),
        "may_edit": viewer.may("settings.edit"),
        "parked": count_parked(viewer_of(request)) if viewer_of(request).may("events.replay") else None,
    }
    return render(request, "web/settings.html", context, status=400 if problem else 200)


def _brands(viewer: Viewer) -> QuerySet[Brand]:
    brands = Brand.objects.order_by("name")
    return brands if viewer.store_ids is None else brands.filter(store__in=viewer.store_ids).distinct()


def _save(request: HttpRequest) -> str:
    """All or nothing; the sentence of what is wrong."""
    try:
        checked = {name: parse(request.POST.get(name, "").strip()) for name, parse in _EDITABLE.items()}
    except InvalidInput as error:
        return error.sentence
    change_settings(checked, viewer_of(request), clock.now())
    return ""


@requires("tokens.manage", post="tokens.manage")
def tokens(request: HttpRequest) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        try:
            token, text = _new_token(request)
        except RegularsError as error:
            problem = error.sentence
        else:
            return render(
                request, "web/token_new.html", {"title": gettext("Your new token"), "token": token, "text": text}
            )
    scopes = [(name, scope.meaning) for name, scope in SCOPES.items() if viewer_of(request).may(scope.permission)]
    context = {
        "title": gettext("API tokens"),
        "tokens": list_tokens(),
        "scopes": scopes,
        "problem": problem,
        "now": clock.now(),
    }
    return render(request, "web/tokens.html", context, status=400 if problem else 200)


def _new_token(request: HttpRequest) -> tuple[Any, str]:
    days = request.POST.get("days", "")
    expires_at = (
        clock.now() + timedelta(days=int(days))
        if days.isdecimal() and len(days) < 5 and 0 < int(days) <= 3650
        else None
    )
    return create_token(
        request.POST.get("name", ""),
        request.POST.getlist("scopes"),
        viewer_of(request),
        clock.now(),
        expires_at=expires_at,
    )


@requires(post="tokens.manage")
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    revoke_token(token_id, viewer_of(request), clock.now())
    messages.success(request, gettext("The token does not work any more."))
    return redirect("tokens")


def _actor(entry: AuditEntry, names: dict[int, str]) -> str:
    kind, _separator, number = entry.actor.partition(":")
    return names.get(int(number), entry.actor) if kind == "staff" and number.isdigit() else entry.actor


def _load_audit(query: ListQuery, viewer: Viewer) -> Rows:
    rows = AuditEntry.objects.all()
    if query.text:
        rows = rows.filter(action__startswith=query.text)
    page = page_of(rows, Order("sequence", query.descending), query.cursor, rows.count())
    names = names_of_staff(
        {int(entry.actor.partition(":")[2]) for entry in page.items if entry.actor.startswith("staff:")}
    )
    items = [{"entry": entry, "actor": _actor(entry, names)} for entry in page.items]
    return Rows(items, page.total, page.next, page.previous, page.first)


AUDIT = ListPage(
    name="audit",
    title=_("Audit trail"),
    search=_("Search by what was done, such as sign-in"),
    columns=[
        Column("action", _("What"), "strong", value=lambda row: row["entry"].action),
        Column("at", _("When"), "when", value=lambda row: row["entry"].at),
        Column("actor", _("Who"), value=lambda row: row["actor"]),
        Column("subject", _("On what"), value=lambda row: row["entry"].subject, on_phone=False),
        Column(
            "details",
            _("Details"),
            value=lambda row: ", ".join(f"{name}: {value}" for name, value in row["entry"].details.items()),
            on_phone=False,
        ),
    ],
    filters=[Filter("action", _("What"), "hidden", describe=str)],
    load=_load_audit,
    href=lambda row: "",
    key=lambda row: int(row["entry"].sequence),
    unit=lambda n: ngettext("%s entry", "%s entries", n) % format_number(n),
    empty=Empty(
        _("Nothing yet"),
        _("Sign-ins, exports and changes of rights are written down here, each sealed to the one before."),
        icon="shield-check",
    ),
)


@requires("audit.view")
def audit(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, AUDIT)


@signed_in
def oneself(request: HttpRequest) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        problem = _save_oneself(request)
        if not problem:
            messages.success(request, gettext("Saved."))
            return redirect("me")
    context = {"title": gettext("Your account"), "languages": LANGUAGES, "problem": problem}
    return render(request, "web/me.html", context, status=400 if problem else 200)


def _save_oneself(request: HttpRequest) -> str:
    """Name and language, or a new password under the old one; the sentence of what is wrong."""
    member = request.user
    if not isinstance(member, StaffMember):
        return gettext("Sign in first.")
    try:
        if "password" not in request.POST:
            language = request.POST.get("language", "")
            change_profile(
                member.pk,
                request.POST.get("name", ""),
                language if language in LANGUAGES else "en-gb",
                viewer_of(request),
                clock.now(),
            )
            return ""
        if check(member.email, request.POST.get("present", "")) is None:
            return gettext("The present password is not right, so nothing was changed.")
        change_password(member.pk, request.POST["password"], viewer_of(request), clock.now())
    except RegularsError as error:
        return error.sentence
    begin_session(request, StaffMember.objects.get(pk=member.pk), clock.now())
    return ""


@signed_in
def words(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "web/words.html",
        {
            "title": gettext("What the figures mean"),
            "sentence": gettext("Each figure opens to the rows that it was counted from."),
        },
    )
