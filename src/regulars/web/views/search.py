"""``/``: one field that finds everything that the reader may see."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from regulars.foundation.access.gate import signed_in
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.pages.registries import SEARCH, SearchHit

AS_YOU_TYPE = 5
ON_THE_PAGE = 20


@dataclass(frozen=True)
class Found:
    """Hits of one kind."""

    label: str
    hits: list[SearchHit]
    all_url: str


def find_everything(text: str, viewer: Viewer, limit: int) -> list[Found]:
    """Kinds in their order, those without a hit left out; fewer than two letters find nothing."""
    if len(text) < 2:
        return []
    sources = sorted(
        (source for _, source in SEARCH.items() if viewer.may(source.permission)), key=lambda source: source.order
    )
    found = [Found(str(source.label), list(source.find(text, viewer, limit)), source.all_url) for source in sources]
    return [one for one in found if one.hits]


@signed_in
def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:200]
    found = find_everything(text, viewer_of(request), ON_THE_PAGE)
    return render(request, "web/search.html", {"title": gettext("Search"), "found": found, "search_text": text})


@signed_in
def search_hits(request: HttpRequest) -> HttpResponse:
    """Hits under the field, while one types."""
    text = request.GET.get("q", "").strip()[:200]
    return render(
        request,
        "web/search_hits.html",
        {"found": find_everything(text, viewer_of(request), AS_YOU_TYPE), "search_text": text},
    )
