"""The reader's language and zone for every request, and a page in words for everything that was refused."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext

from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import RegularsError
from regulars.foundation.shop.settings import read_setting


class Reader:
    """Activates language and zone of whoever reads, and turns expected failures into pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(("/static/", "/api/")) or not request.user.is_authenticated:
            return self.get_response(request)
        zone = ZoneInfo(read_setting("shop.time_zone"))
        with translation.override(viewer_of(request).language), timezone.override(zone):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if request.path.startswith("/api/"):
            return None
        match exception:
            case RegularsError():
                page = problem_page(request, exception.status, exception.sentence)
                if "retry_after" in exception.details:
                    page.headers["Retry-After"] = str(exception.details["retry_after"])
                return page
            case PermissionDenied():
                sentence = gettext(
                    "Your role does not permit this: %(what)s. An owner can change your role under Team."
                ) % {"what": str(exception) or "–"}
                return problem_page(request, 403, sentence)
            case Http404():
                return problem_page(
                    request,
                    404,
                    gettext("There is nothing at this address. It may have been removed, or the address is mistyped."),
                )
        return None


def problem_page(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    titles = {
        403: gettext("Not permitted"),
        404: gettext("Not found"),
        409: gettext("Changed meanwhile"),
        429: gettext("Too many tries"),
        503: gettext("Busy at the moment"),
    }
    context = {"status": status, "title": titles.get(status, gettext("This did not work")), "sentence": sentence}
    return render(request, "shell/problem.html", context, status=status)
