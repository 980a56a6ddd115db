"""What segments add to the shared screens: navigation, search, what happened to a customer, and what to do next."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Q, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.formats import format_money, format_money_short, format_number
from regulars.foundation.pages.registries import (
    FINDINGS,
    NAVIGATION,
    SEARCH,
    TIMELINE,
    Finding,
    FindingSource,
    Group,
    NavigationEntry,
    Reason,
    SearchHit,
    SearchSource,
    TimelineEntry,
    TimelineKind,
)
from regulars.insight.rfm.models import RfmSnapshot
from regulars.insight.rfm.rules import RfmSegment
from regulars.insight.segments import queries
from regulars.insight.segments.models import Membership, Segment, SegmentKind
from regulars.insight.segments.overview import Line, read_overview
from regulars.insight.segments.rules import condition_of, list_keys
from regulars.insight.segments.words import CAUSES, WORDS, deviations_in_words
from regulars.record.lists.uses import USES as USES_OF_LISTS
from regulars.record.lists.uses import Use as UseOfList
from regulars.record.own_events.uses import USES as USES_OF_PROPERTIES
from regulars.record.own_events.uses import Use as UseOfProperty

_TOLD = timedelta(days=7)


def find_segments(text: str, viewer: Viewer, limit: int) -> Sequence[SearchHit]:
    """Segments whose name has the text in it."""
    rows = Segment.objects.filter(Q(name__icontains=text) | Q(key__icontains=text)).order_by("id")[:limit]
    return [SearchHit(row.name, gettext("Segment"), f"/segments/{row.key}", "chart-pie") for row in rows]


def load_moves(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    """Entering and leaving, newest first. Where one segment follows another at once, the entry tells both."""
    rows = list(
        Membership.objects.filter(customer=customer_id).select_related("segment").order_by("-entered_at", "-id")
    )
    currencies = dict(
        RfmSnapshot.objects.filter(id__in={r.reason.get("snapshot") for r in rows}).values_list("id", "currency")
    )
    left_at = {row.left_at: row for row in rows if row.left_at}
    entries = [
        _entered(row, left_at.get(row.entered_at), currencies.get(row.reason.get("snapshot"), "")) for row in rows
    ]
    entered_at = {row.entered_at for row in rows}
    entries += [_left(row, row.left_at) for row in rows if row.left_at and row.left_at not in entered_at]
    shown = sorted((e for e in entries if before is None or e.at < before), key=lambda e: e.at, reverse=True)
    return shown[:limit]


def _entered(row: Membership, former: Membership | None, currency: str) -> TimelineEntry:
    name = row.segment.name
    if row.is_initial:
        title = gettext("Was put into %(segment)s from the history") % {"segment": name}
    elif former:
        title = gettext("Moved from %(former)s to %(segment)s") % {"former": former.segment.name, "segment": name}
    else:
        title = gettext("Entered %(segment)s") % {"segment": name}
    return TimelineEntry(
        f"membership-{row.pk}",
        "segment",
        row.entered_at,
        title,
        href=f"/segments/{row.segment.key}",
        why=_why(row, currency),
    )


def _left(row: Membership, at: datetime) -> TimelineEntry:
    is_merged = "merged_into" in (row.left_reason or {})
    title = gettext("Left %(segment)s") % {"segment": row.segment.name}
    detail = gettext("Another of this customer's profiles was in it already.") if is_merged else ""
    return TimelineEntry(f"membership-{row.pk}-left", "segment", at, title, detail, f"/segments/{row.segment.key}")


def _why(row: Membership, currency: str) -> tuple[Reason, ...]:
    seen = row.reason
    if "r" not in seen:
        cause = str(CAUSES.get(seen.get("cause", ""), ""))
        return (Reason(gettext("Decided"), cause, f"/segments/{row.segment.key}"),) if cause else ()
    spent = (
        format_money(int(seen["monetary_minor"]), currency) if currency else format_number(int(seen["monetary_minor"]))
    )
    return (
        Reason(gettext("Days since the last order"), format_number(int(seen["recency_days"]))),
        Reason(gettext("Orders"), format_number(int(seen["frequency"]))),
        Reason(gettext("Orders less refunds"), spent),
        Reason(gettext("Scores: recency, frequency, monetary"), f"{seen['r']}-{seen['f']}-{seen['m']}"),
        Reason(gettext("Decided by"), gettext("RFM snapshot %s") % seen["snapshot"], "/segments"),
    )


def find_quiet_ones(viewer: Viewer, at: datetime) -> Sequence[Finding]:
    """Regulars who have gone quiet, and new champions: each with what to do about it."""
    overview = read_overview(viewer)
    if overview is None:
        return []
    lines = {line.segment: line for line in overview.lines}
    currency = overview.snapshot.currency
    found = [_quiet(lines[RfmSegment.CANT_LOSE], currency, 90), _quiet(lines[RfmSegment.AT_RISK], currency, 80)]
    champions = lines[RfmSegment.CHAMPIONS]
    if champions.change and champions.change > 0:
        template = ngettext(
            "%s customer more is a champion than a month ago.",
            "%s customers more are champions than a month ago.",
            champions.change,
        )
        found.append(Finding(template % format_number(champions.change), gettext("See who"), champions.href, 30))
    return [finding for finding in found if finding]


def _quiet(line: Line, currency: str, weight: float) -> Finding | None:
    count = line.now.customers
    if not count:
        return None
    sentences = {
        RfmSegment.AT_RISK: ngettext(
            "%(n)s regular has gone quiet, and has spent %(worth)s so far.",
            "%(n)s regulars have gone quiet. Together they have spent %(worth)s.",
            count,
        ),
        RfmSegment.CANT_LOSE: ngettext(
            "%(n)s of your best customers has not ordered for long, and has spent %(worth)s so far.",
            "%(n)s of your best customers have not ordered for long. Together they have spent %(worth)s.",
            count,
        ),
    }
    sentence = sentences[line.segment] % {
        "n": format_number(count),
        "worth": format_money_short(line.now.monetary_minor, currency),
    }
    return Finding(
        sentence,
        gettext("Win them back"),
        line.href,
        weight,
        count,
        line.customers_href,
        {"advice": str(WORDS[line.segment].advice)},
    )


def find_deviations(viewer: Viewer, at: datetime) -> Sequence[Finding]:
    """Segments of which the checks of the last week found members wrong: a defect, to be reported."""
    rows = queries.deviations(at - _TOLD, viewer.store_ids).order_by()
    found = (
        rows.values_list("segment__key", "segment__name").annotate(count=Count("id")).order_by("-count", "segment__key")
    )
    return [
        Finding(f"{name}: {deviations_in_words(count)}", gettext("See whose"), f"/segments/{key}", 70, count)
        for key, name, count in found[:3]
    ]


def find_uses_of_lists() -> list[UseOfList]:
    """Segments whose conditions name lists."""
    return [
        UseOfList(key, gettext("Segment"), one.name, f"/segments/{one.key}")
        for one in Segment.objects.filter(kind=SegmentKind.CONDITIONS, is_archived=False)
        for key in list_keys(condition_of(one.definition))
    ]


def find_uses_of_property(field: str) -> Sequence[UseOfProperty]:
    """Segments whose conditions ask for a declared property, also archived ones, which may come back."""
    written = Segment.objects.annotate(written=Cast("definition", TextField()))
    asking = written.filter(kind=SegmentKind.CONDITIONS, written__contains=f'"{field}"').order_by("name")
    return [UseOfProperty(gettext("Segment"), one.name, f"/segments/{one.key}") for one in asking]


NAVIGATION.register(
    "segments", NavigationEntry(Group.CUSTOMERS, _("Segments"), "segments", "chart-pie", "segments.view", order=20)
)
SEARCH.register("segments", SearchSource(_("Segments"), "segments.view", find_segments, "/segments", order=30))
TIMELINE.register(
    "segment",
    TimelineKind(_("Segments"), "chart-pie", "segments.view", load_moves, order=40, opens=_("Open the segment")),
)
FINDINGS.register("segments.deviations", FindingSource("segments.view", find_deviations))
FINDINGS.register("rfm", FindingSource("segments.view", find_quiet_ones))
USES_OF_LISTS.register("segments", find_uses_of_lists)
USES_OF_PROPERTIES.register("segments", find_uses_of_property)
