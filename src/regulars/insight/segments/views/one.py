"""One segment, and its ledger of members."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.pages.charts import Chart, Series, day_labels
from regulars.foundation.pages.formats import format_money, format_number, today
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Column, Empty, Filter, ListPage, ListQuery, Pill
from regulars.foundation.pages.paging import Order
from regulars.insight.rfm import queries as rfm
from regulars.insight.rfm.rules import RfmSegment
from regulars.insight.segments import ledger, queries
from regulars.insight.segments.models import Membership, Segment, SegmentKind
from regulars.insight.segments.overview import (
    Line,
    MovementRow,
    customers_href,
    ledger_href,
    read_history,
    read_movement,
    read_overview,
)
from regulars.insight.segments.rules import parse_definition
from regulars.insight.segments.views import own
from regulars.insight.segments.words import CAUSES
from regulars.record.customers.named import Named, with_names

RECENT = timedelta(days=30)
NEWEST = 8


@requires("segments.view")
def one_segment(request: HttpRequest, name: str) -> HttpResponse:
    """Reached by key or public id."""
    segment = queries.get_segment(name)
    if segment.kind == SegmentKind.CONDITIONS:
        return own.show(request, segment)
    viewer = viewer_of(request)
    chosen = parse_definition(segment.definition).segment
    overview = read_overview(viewer)
    line = next((entry for entry in overview.lines if entry.segment == chosen), None) if overview else None
    context: dict[str, Any] = {"title": segment.name, "segment": segment, "overview": overview, "line": line}
    if overview and line:
        context |= _figures(segment, viewer) | {"chart": _chart(chosen, line, viewer)}
        moves = read_movement(overview.snapshot, overview.before, viewer) if overview.before else []
        context |= {"came_from": _came_from(chosen, moves), "went_to": _went_to(chosen, moves)}
        context |= {"rules": _rules_in_words(chosen, overview.snapshot.policy_version, overview.snapshot.scale)}
    if viewer.may("customers.view"):
        newest = ledger.rows_of(segment, ListQuery(choices={"state": ("now",)}), viewer).order_by("-entered_at", "-id")
        context["newest"] = _present(list(newest[:NEWEST]), viewer)
    return render(request, "segments/one.html", context)


def _figures(segment: Segment, viewer: Viewer) -> dict[str, Any]:
    """Members, and who entered and left in the last days; each with the address of exactly those rows."""
    day = today(clock.now()) - RECENT
    asked = {
        "members": ({"state": "now"}, {}),
        "entered": ({"came": "moved"}, {"entered": (day, None)}),
        "left": ({}, {"left": (day, None)}),
    }
    found: dict[str, Any] = {}
    for name, (choices, dates) in asked.items():
        query = ListQuery(choices={key: (value,) for key, value in choices.items()}, dates=dates)
        address = choices | {f"{key}_from": first.isoformat() for key, (first, _last) in dates.items()}
        found[name] = (ledger.rows_of(segment, query, viewer).count(), ledger_href(segment, **address))
    return found


def _chart(chosen: RfmSegment, line: Line, viewer: Viewer) -> Chart:
    points = read_history(chosen, viewer)
    counts = [point.tally.customers for point in points]
    hrefs = [""] * (len(points) - 1) + [customers_href(rfm=[chosen.value])]
    summary = gettext("%(now)s now") % {"now": format_number(counts[-1])}
    if line.change is not None:
        summary = f"{summary}, {_change_in_words(line.change)}."
    days = [timezone.localtime(point.at).date() for point in points]
    return Chart(
        "members",
        gettext("Customers over time"),
        summary,
        day_labels(days),
        [Series(str(line.words.name), counts, hrefs=hrefs)],
    )


def _change_in_words(change: int) -> str:
    if not change:
        return gettext("as many as a month ago")
    template = gettext("%s more than a month ago") if change > 0 else gettext("%s fewer than a month ago")
    return template % format_number(abs(change))


def _came_from(chosen: RfmSegment, rows: Sequence[MovementRow]) -> list[dict[str, Any]]:
    """Where those who are in it now were a month before, the most first; those who stayed left out."""
    found = []
    for row in rows:
        flow = next(f for f, target in zip(row.flows, RfmSegment, strict=True) if target == chosen)
        if flow.customers and not flow.is_same:
            found.append(
                {"name": row.words.name if row.words else gettext("Their first order"), "key": row.before, "flow": flow}
            )
    return sorted(found, key=lambda entry: -entry["flow"].customers)


def _went_to(chosen: RfmSegment, rows: Sequence[MovementRow]) -> list[dict[str, Any]]:
    """Where those who were in it a month before are now, the most first; those who stayed left out."""
    own = next((row for row in rows if row.before == chosen), None)
    if own is None:
        return []
    names = {row.before: row.words.name for row in rows if row.words}
    found = [
        {"name": names[target], "key": target, "flow": flow}
        for target, flow in zip(RfmSegment, own.flows, strict=True)
        if flow.customers and not flow.is_same
    ]
    return sorted(found, key=lambda entry: -entry["flow"].customers)


def _rules_in_words(chosen: RfmSegment, version: int, scale: int) -> list[str]:
    """The ranges of scores that lead here, unless an earlier rule takes them."""
    texts = []
    for rule in rfm.policy_of(version).rules[scale]:
        if rule.segment == chosen:
            ranges = [
                f"{r.low}" if r.low == r.high else f"{r.low}–{r.high}"
                for r in (rule.recency, rule.frequency, rule.monetary)
            ]
            texts.append(
                gettext("recency %(r)s, frequency %(f)s, monetary %(m)s") % dict(zip("rfm", ranges, strict=True))
            )
    return texts


@requires("segments.view", post="segments.view")
def members(request: HttpRequest, name: str) -> HttpResponseBase:
    """The ledger: every stay of every customer in this segment."""
    segment = queries.get_segment(name)
    page = replace(
        LEDGER,
        title=gettext("%(segment)s: members") % {"segment": segment.name},
        rows=partial(ledger.rows_of, segment),
        name=f"segment-{segment.key}",
        tabs=[
            (gettext("The segment"), f"/segments/{segment.key}"),
            (gettext("In it now"), ledger_href(segment, state="now")),
            (gettext("Every stay"), ledger_href(segment)),
        ],
    )
    return show_list(request, page)


def _present(rows: Sequence[Membership], viewer: Viewer) -> list[Named]:
    """Stays with the names of their customers, and why they began."""
    snapshot = rfm.latest_snapshot()
    currency = snapshot.currency if snapshot else ""
    return [replace(one, words=say_why(one.row.reason, currency)) for one in with_names(rows, viewer)]


def say_why(reason: dict[str, Any], currency: str) -> str:
    """The values that decided, in words; of segments of conditions, what it was that made them decided."""
    if "r" not in reason:
        return str(CAUSES.get(reason.get("cause", ""), ""))
    days, orders = int(reason["recency_days"]), int(reason["frequency"])
    last = ngettext("last order %s day before", "last order %s days before", days) % format_number(days)
    bought = ngettext("%s order", "%s orders", orders) % format_number(orders)
    spent = format_money(int(reason["monetary_minor"]), currency) if currency else ""
    return ", ".join(part for part in (last, bought, spent) if part) + f" ({reason['r']}-{reason['f']}-{reason['m']})"


def _state(one: Named) -> Pill:
    return Pill(_("In it"), "green") if one.row.left_at is None else Pill(_("Left"))


LEDGER = ListPage(
    name="segment-members",
    title=_("Members"),
    columns=[
        Column("public_id", _("Customer id"), value=lambda one: one.customer.public_id, on_page=False),
        Column("name", _("Customer"), "strong"),
        Column("state", _("State"), "pill", value=_state),
        Column("entered_at", _("Entered"), "when", value=lambda one: one.row.entered_at, sort="entered"),
        Column("left_at", _("Left"), "when", value=lambda one: one.row.left_at, sort="left", on_phone=False),
        Column("came", _("From the start"), value=lambda one: one.row.is_initial, on_page=False),
        Column("words", _("Why"), on_phone=False),
    ],
    filters=[
        Filter("state", _("State"), choices=lambda viewer: [("now", _("In it now")), ("past", _("Left"))]),
        Filter(
            "came",
            _("How they came"),
            choices=lambda viewer: [("moved", _("By what they did")), ("initial", _("There from the start"))],
        ),
        Filter("entered", _("Entered"), "date"),
        Filter("left", _("Left"), "date"),
    ],
    default_sort="-entered",
    sorts={"entered": Order("entered_at"), "left": Order("left_at", nullable=True)},
    present=_present,
    href=lambda one: one.customer.href,
    unit=lambda n: ngettext("%s stay", "%s stays", n) % format_number(n),
    empty=Empty(
        _("Nobody was ever in this segment"),
        _("Who enters it stands here, with the day and the reason."),
        _("All segments"),
        "/segments",
        "chart-pie",
    ),
    export_permission="customers.export",
)
