"""Signing in and out, and what a member of staff sets for themselves."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import public, signed_in
from regulars.foundation.access.sign_in import TooManyTries, WrongSignIn, sign_in, sign_out

YEAR = 365 * 86400


@public("The door itself", post=True)
def sign_in_page(request: HttpRequest) -> HttpResponse:
    target = _target(request)
    if request.user.is_authenticated:
        return redirect(target)
    problem, status = "", 200
    if request.method == "POST":
        try:
            sign_in(request, request.POST.get("email", ""), request.POST.get("password", ""), clock.now())
        except WrongSignIn:
            problem, status = (
                gettext(
                    "This mail address and password do not go together. Check both, or ask an owner for a new password."
                ),
                403,
            )
        except TooManyTries as error:
            problem, status = (
                gettext("Too many tries. Try again in %(seconds)s seconds.") % {"seconds": error.retry_after},
                429,
            )
        else:
            return redirect(target)
    context = {"title": gettext("Sign in"), "problem": problem, "next": target, "email": request.POST.get("email", "")}
    return render(request, "web/sign_in.html", context, status=status)


@signed_in
def sign_out_now(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        sign_out(request, clock.now())
    return redirect("sign-in")


@signed_in
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Kept in a cookie, so that the first byte of each page is right."""
    response = redirect(_target(request))
    chosen = request.POST.get("theme", "")
    if chosen in {"light", "dark"}:
        response.set_cookie(
            "regulars_theme", chosen, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure()
        )
    else:
        response.delete_cookie("regulars_theme")
    return response


def _target(request: HttpRequest) -> str:
    """Where to go afterwards: an address of ours, else home."""
    given = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(given, {request.get_host()}, require_https=request.is_secure())
    return given if is_ours else "/"
