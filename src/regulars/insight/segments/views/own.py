"""One segment of conditions: who is in it, since when, and by which conditions."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any as Anything

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.pages.charts import Chart, Series, day_labels
from regulars.foundation.pages.formats import format_date, format_number, today
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.shop.settings import read_setting
from regulars.insight.conditions.language import All, Any, Condition, Not
from regulars.insight.conditions.words import Words
from regulars.insight.segments import ledger, queries
from regulars.insight.segments.models import Membership, Segment
from regulars.insight.segments.operations import saving
from regulars.insight.segments.overview import ledger_href
from regulars.insight.segments.rules import condition_of
from regulars.insight.segments.uses import uses_of
from regulars.insight.segments.words import deviations_in_words
from regulars.record.customers.named import Named, with_names

_NEWEST = 8
_DAYS = 60


def show(request: HttpRequest, segment: Segment) -> HttpResponse:
    viewer = viewer_of(request)
    context: dict[str, Anything] = {
        "title": segment.name,
        "segment": segment,
        "words": in_words(
            condition_of(segment.definition),
            Words(str(read_setting("shop.reporting_currency")), shows_words=viewer.may("customers.view")),
        ),
        "uses": uses_of(segment.key),
        "may_edit": viewer.may("segments.edit"),
        "figures": _figures(segment, request),
        "chart": _chart(segment, viewer),
        "deviations": _deviations(segment, viewer),
        "is_being_computed": segment.decided != segment.version and not segment.is_archived,
    }
    if viewer.may("customers.view"):
        newest = ledger.rows_of(segment, ListQuery(choices={"state": ("now",)}), viewer).order_by("-entered_at", "-id")
        context["newest"] = with_names(list(newest[:_NEWEST]), viewer)
    return render(request, "segments/own.html", context)


@dataclass(frozen=True)
class Deviations:
    """What nightly checks of the last month found wrong, and whom the newest were about, as far as the viewer may know."""

    sentence: str
    newest: list[Named]


def _deviations(segment: Segment, viewer: Viewer) -> Deviations | None:
    rows = queries.deviations(clock.now() - timedelta(days=30), viewer.store_ids).filter(segment=segment)
    if not (count := rows.count()):
        return None
    found = with_names(list(rows[:_NEWEST]), viewer) if viewer.may("customers.view") else []
    return Deviations(deviations_in_words(count), found)


@dataclass(frozen=True)
class InWords:
    """A condition as sentences, nested as it is."""

    group: str
    parts: tuple["InWords", ...] = ()
    sentence: str = ""


def in_words(condition: Condition, words: Words) -> InWords:
    match condition:
        case All((only,)) | Any((only,)):
            return in_words(only, words)
        case All(parts) | Any(parts):
            name = "all" if isinstance(condition, All) else "any"
            return InWords(name, tuple(in_words(part, words) for part in parts))
        case Not(part):
            return InWords("not", (in_words(part, words),))
        case leaf:
            return InWords("", sentence=words.leaf(leaf))


@requires(post="segments.edit")
def archive(request: HttpRequest, name: str) -> HttpResponseBase:
    """Puts a segment away, or takes it out again."""
    segment = queries.get_segment(name)
    if segment.is_archived:
        saving.restore_segment(segment)
        messages.success(request, gettext("It is kept right again; its members are being worked out."))
    else:
        saving.archive_segment(segment)
        messages.success(request, gettext("Nobody enters or leaves it any more. Its past stays."))
    return redirect(f"/segments/{segment.key}")


def _figures(segment: Segment, request: HttpRequest) -> dict[str, tuple[int, str]]:
    """Members, and who entered and left in a month, each with the address of exactly those rows."""
    viewer, day = viewer_of(request), today(clock.now()) - timedelta(days=30)
    asked: dict[str, tuple[dict[str, str], dict[str, Anything]]] = {
        "members": ({"state": "now"}, {}),
        "entered": ({"came": "moved"}, {"entered": (day, None)}),
        "left": ({}, {"left": (day, None)}),
    }
    found = {}
    for name, (choices, dates) in asked.items():
        query = ListQuery(choices={key: (value,) for key, value in choices.items()}, dates=dates)
        address = choices | {f"{key}_from": first.isoformat() for key, (first, _last) in dates.items()}
        found[name] = (ledger.rows_of(segment, query, viewer).count(), ledger_href(segment, **address))
    return found


def _chart(segment: Segment, viewer: Viewer) -> Chart | None:
    """Members at the end of each day, counted back from now: of the last days, but none before the segment was made. None on its first."""
    last = today(clock.now())
    since = max(last - timedelta(days=_DAYS - 1), timezone.localtime(segment.created_at).date())
    days = [since + timedelta(days=n) for n in range((last - since).days + 1)]
    if segment.computed_at is None or len(days) < 2:
        return None
    stays = ledger.rows_of(segment, ListQuery(), viewer)
    entered, left = _by_day(stays, "entered_at"), _by_day(stays.exclude(left_at=None), "left_at")
    size, sizes = stays.filter(left_at=None).count(), []
    for day in reversed(days):
        sizes.append(size)
        size -= entered.get(day, 0) - left.get(day, 0)
    sizes.reverse()
    said = {"now": format_number(sizes[-1]), "before": format_number(sizes[0]), "day": format_date(since)}
    summary = gettext("%(now)s now, %(before)s on %(day)s.") % said
    return Chart("members", gettext("Size over time"), summary, day_labels(days), [Series(gettext("Customers"), sizes)])


def _by_day(rows: QuerySet[Membership], column: str) -> dict[Anything, int]:
    rows = rows.annotate(day=TruncDate(column))
    return dict(rows.values_list("day").annotate(Count("id")))
