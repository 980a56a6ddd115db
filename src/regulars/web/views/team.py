"""Team: who works here, in which role, for which stores."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access import operations
from regulars.foundation.access.gate import requires
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.queries import get_staff, list_staff
from regulars.foundation.access.rules import PERMISSIONS, Role
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import NotFound, RegularsError
from regulars.foundation.pages.registries import Text
from regulars.foundation.shop.models import Store

ROLES: dict[str, tuple[Text, Text]] = {
    Role.OWNER: (_("Owner"), _("May do everything.")),
    Role.MANAGER: (_("Manager"), _("Runs the shop: everything but the team itself.")),
    Role.MARKETER: (_("Marketer"), _("Segments, workflows and messages.")),
    Role.AGENT: (_("Agent"), _("Answers customers.")),
    Role.OPERATIONS: (_("Operations"), _("Orders, stock and returns.")),
    Role.ANALYST: (_("Analyst"), _("Sees figures and takes lists of orders and products out.")),
    Role.READ_ONLY: (_("Read only"), _("Sees, and changes nothing.")),
}


@requires("staff.view")
def team(request: HttpRequest) -> HttpResponse:
    members = list_staff()
    active = sum(1 for member in members if member.is_active)
    sentence = ngettext("%d person may sign in.", "%d people may sign in.", active) % active
    rows = [(member, ROLES[member.role][0]) for member in members]
    roles = [(name, words, _what(name)) for name, words in ROLES.items()]
    context = {
        "title": gettext("Team"),
        "sentence": sentence,
        "rows": rows,
        "may_manage": viewer_of(request).may("staff.manage"),
        "roles": roles,
    }
    return render(request, "web/team.html", context)


def _what(role: str) -> list[str]:
    """What a role permits, as the permissions describe themselves."""
    return [permission.meaning for _name, permission in PERMISSIONS.items() if role in permission.roles]


@requires("staff.manage", post="staff.manage")
def invite(request: HttpRequest) -> HttpResponse:
    problem: RegularsError | None = None
    if request.method == "POST":
        try:
            member, password = operations.create_staff(
                request.POST.get("email", ""),
                request.POST.get("role", ""),
                viewer_of(request),
                clock.now(),
                request.POST.get("name", ""),
                _stores(request),
            )
        except RegularsError as error:
            problem = error
        else:
            return _show_password(request, member, password)
    context = {
        "title": gettext("Invite somebody"),
        "roles": ROLES,
        "stores": Store.objects.order_by("name"),
        "problem": problem,
        "given": request.POST,
        "given_stores": request.POST.getlist("stores"),
    }
    return render(request, "web/team_invite.html", context, status=400 if problem else 200)


@requires("staff.manage")
def one_member(request: HttpRequest, public_id: str) -> HttpResponse:
    member = get_staff(public_id)
    chosen = set(member.stores.values_list("pk", flat=True))
    context = {
        "title": str(member),
        "member": member,
        "roles": ROLES,
        "stores": [(store, store.pk in chosen) for store in Store.objects.order_by("name")],
        "is_oneself": member.pk == viewer_of(request).staff_id,
    }
    return render(request, "web/team_member.html", context)


@requires(post="staff.manage")
def act(request: HttpRequest, public_id: str, action: str) -> HttpResponse:
    member = get_staff(public_id)
    if action == "password":
        return _show_password(request, member, operations.reset_password(member.pk, viewer_of(request), clock.now()))
    if action not in _ACTIONS:
        raise NotFound
    messages.success(request, _ACTIONS[action](request, member, viewer_of(request)))
    return redirect("team")


def _change(request: HttpRequest, member: StaffMember, viewer: Viewer) -> str:
    operations.change_role(member.pk, request.POST.get("role", ""), viewer, clock.now())
    operations.change_stores(member.pk, _stores(request), viewer, clock.now())
    return gettext("Saved. %s has to sign in again.") % member


def _switch_off(request: HttpRequest, member: StaffMember, viewer: Viewer) -> str:
    operations.switch_staff(member.pk, False, viewer, clock.now())
    return gettext("%s cannot sign in any more.") % member


def _switch_on(request: HttpRequest, member: StaffMember, viewer: Viewer) -> str:
    operations.switch_staff(member.pk, True, viewer, clock.now())
    return gettext("%s may sign in again.") % member


def _sign_out(request: HttpRequest, member: StaffMember, viewer: Viewer) -> str:
    operations.end_sessions(member.pk, viewer, clock.now())
    return gettext("%s was signed out everywhere.") % member


_ACTIONS: dict[str, Callable[[HttpRequest, StaffMember, Viewer], str]] = {
    "change": _change,
    "switch-off": _switch_off,
    "switch-on": _switch_on,
    "sign-out": _sign_out,
}


def _stores(request: HttpRequest) -> list[int]:
    return [int(text) for text in request.POST.getlist("stores") if text.isascii() and text.isdigit()]


def _show_password(request: HttpRequest, member: StaffMember, password: str) -> HttpResponse:
    """Shown in the answer itself and kept nowhere."""
    title = gettext("Password of %s") % member
    return render(request, "web/team_password.html", {"title": title, "member": member, "password": password})
