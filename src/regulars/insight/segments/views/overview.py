"""All segments at a glance, and how customers moved between them."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext

from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.pages.formats import format_date, format_money_short, format_number
from regulars.insight.rfm.rules import RfmSegment
from regulars.insight.segments.models import Segment, SegmentKind
from regulars.insight.segments.overview import MovementRow, Overview, read_movement, read_overview
from regulars.insight.segments.queries import counts


@requires("segments.view")
def segments(request: HttpRequest) -> HttpResponse:
    overview = read_overview(viewer_of(request))
    context: dict[str, Any] = {"title": gettext("Segments"), "overview": overview}
    context["own"] = own_segments(viewer_of(request))
    context["may_edit"] = viewer_of(request).may("segments.edit")
    if overview:
        context |= {"sentence": say_what_is_the_case(overview)}
    return render(request, "segments/overview.html", context)


@dataclass(frozen=True)
class Own:
    """A segment of conditions in the list."""

    segment: Segment
    members: int

    @property
    def href(self) -> str:
        return f"/segments/{self.segment.key}"

    @property
    def members_href(self) -> str:
        return f"{self.href}/members?state=now"


def own_segments(viewer: Viewer) -> list[Own]:
    """Segments of conditions by name, with those of their members whom the viewer may see."""
    rows = Segment.objects.filter(kind=SegmentKind.CONDITIONS, is_archived=False).order_by("name")
    sizes = counts(store_ids=viewer.store_ids)
    return [Own(row, sizes.get(row.pk, 0)) for row in rows]


@requires("segments.view")
def movement(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    overview = read_overview(viewer)
    rows = read_movement(overview.snapshot, overview.before, viewer) if overview and overview.before else []
    moved = _moved(rows)
    context: dict[str, Any] = {"title": gettext("Movement"), "overview": overview, "rows": rows, "moved": moved}
    if overview and overview.before:
        since = format_date(overview.before.as_of)
        template = ngettext(
            "%(n)s customer moved to another segment since %(since)s.",
            "%(n)s customers moved to another segment since %(since)s.",
            moved,
        )
        context["sentence"] = template % {"n": format_number(moved), "since": since}
    return render(request, "segments/movement.html", context)


def _moved(rows: list[MovementRow]) -> int:
    return sum(flow.customers for row in rows if row.before for flow in row.flows if not flow.is_same)


def say_what_is_the_case(overview: Overview) -> str:
    """The one sentence of the page: those who used to order often and have gone quiet, with what they have spent."""
    quiet = [line.now for line in overview.lines if line.segment in {RfmSegment.AT_RISK, RfmSegment.CANT_LOSE}]
    count, worth = sum(t.customers for t in quiet), sum(t.monetary_minor for t in quiet)
    if not count:
        return gettext("None of your regulars has gone quiet.")
    template = ngettext(
        "%(n)s customer who used to order often has gone quiet. So far they spent %(worth)s.",
        "%(n)s customers who used to order often have gone quiet. Together they have spent %(worth)s.",
        count,
    )
    return template % {"n": format_number(count), "worth": format_money_short(worth, overview.snapshot.currency)}
