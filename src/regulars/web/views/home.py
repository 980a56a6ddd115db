"""Home: what is the case, and what to do next."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from regulars.foundation.access.gate import requires


@requires("home.view")
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "web/home.html", {"title": gettext("Home")})
