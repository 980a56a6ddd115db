"""Home: what is the case, and what to do next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.pages.charts import Chart, Series, day_labels
from regulars.foundation.pages.formats import format_money_short, format_number, format_percent
from regulars.foundation.pages.lists import address
from regulars.foundation.pages.registries import Finding
from regulars.foundation.pages.stores import keep_store, store_choices, store_part, within_store
from regulars.foundation.pages.sums import sum_key
from regulars.foundation.shop.settings import read_setting
from regulars.record.orders.sales import People, PeopleOverTime, Sales, SalesOverTime
from regulars.web.labels import RFM
from regulars.web.queries.home import (
    Moment,
    RfmMap,
    list_findings,
    list_last_moments,
    read_people,
    read_rfm_map,
    read_sales,
)
from regulars.web.queries.periods import LENGTHS, Period, period_to


@requires("home.view")
def home(request: HttpRequest) -> HttpResponse:
    viewer, at = within_store(request), clock.now()
    given = request.GET.get("days", "")
    period = period_to(at, int(given) if given.isdecimal() and len(given) < 5 else 0)
    currency = read_setting("shop.reporting_currency")
    doors = Doors(currency, store_part(request))
    now, before = read_sales(period, viewer), read_sales(period.previous, viewer)
    people, people_before = read_people(period, viewer), read_people(period.previous.whole, viewer)
    findings = [_within(finding, request) for finding in list_findings(viewer, at)]
    sees_scores = viewer.may("segments.view")
    rfm_map = read_rfm_map(viewer) if sees_scores else None
    context = {
        "title": gettext("Home"),
        "sentence": _sentence(period, now.total, before.total, currency),
        "finding": findings[0] if findings else None,
        "further": findings[1:4],
        "figures": [
            *_figures(period, now.total, before.total, doors),
            *_people_figures(period, people.total, people_before.total, doors),
        ],
        "charts": [
            *_charts(period, now, before, doors),
            _people_chart(people, people_before.total, period.points(), doors),
        ],
        "lengths": [
            (address(request.GET, {"days": str(days)}), _length_name(days), days == period.days) for days in LENGTHS
        ],
        "sees_scores": sees_scores,
        "rfm": rfm_map,
        "rfm_rows": _map_rows(rfm_map) if rfm_map else [],
        "rfm_segments": [(key.value, RFM[key], tally) for key, tally in rfm_map.tallies] if rfm_map else [],
        "moments": [(moment, _words(moment)) for moment in list_last_moments(viewer, at)],
        "is_empty": rfm_map is None and not now.total.orders and not before.total.orders,
        "store_choices": store_choices(request, gettext("All stores")),
    }
    return render(request, "web/home.html", context)


def _within(finding: Finding, request: HttpRequest) -> Finding:
    """A finding that was counted in one store opens the rows of that store."""
    return replace(finding, count_href=keep_store(finding.count_href, request)) if finding.count_href else finding


@dataclass(frozen=True)
class Doors:
    """Where the figures of a period open: lists that are filtered as these were counted, ``store`` included."""

    currency: str
    store: str

    def sales(self, period: Period) -> str:
        return self.orders(period) + "&net=1"

    def orders(self, period: Period) -> str:
        return self._to("/orders", counts="1", placed_from=period.first, placed_to=period.last)

    def new(self, period: Period) -> str:
        return self._to("/customers", first_order_from=period.first, first_order_to=period.last)

    def again(self, period: Period) -> str:
        until = period.first - timedelta(days=1)
        return self._to("/customers", ordered_from=period.first, ordered_to=period.last, first_order_to=until)

    def _to(self, path: str, **asked: date | str) -> str:
        return f"{path}?{urlencode(asked)}{self.store}"


def _length_name(days: int) -> str:
    return (
        ngettext("%d day", "%d days", days) % days
        if days < 60
        else ngettext("%d week", "%d weeks", days // 7) % (days // 7)
    )


def _sentence(period: Period, now: Sales, before: Sales, currency: str) -> str:
    if not now.orders:
        return gettext("No orders in the last %d days.") % period.days
    amount = format_money_short(now.sales_minor, currency)
    change = _change(now.sales_minor, before.sales_minor)
    if change is None:
        return gettext("%(amount)s in the last %(days)d days.") % {"amount": amount, "days": period.days}
    words = gettext("%(amount)s in the last %(days)d days, %(change)s more than in the %(days)d before.")
    if change < 0:
        words = gettext("%(amount)s in the last %(days)d days, %(change)s less than in the %(days)d before.")
    return words % {"amount": amount, "days": period.days, "change": format_percent(abs(change))}


def _change(now: int | None, before: int | None) -> float | None:
    return (now - before) / before if now is not None and before else None


@dataclass(frozen=True)
class Figure:
    """One figure of the head, ready for the tag."""

    label: str
    value: str
    href: str
    count: int | None
    definition: str
    change: float | None
    before: str
    sum: str = ""


def _figures(period: Period, now: Sales, before: Sales, doors: Doors) -> list[Figure]:
    def money(label: str, means: str, href: str, one: int | None, was: int | None) -> Figure:
        value, said = (_money(amount, doors.currency) for amount in (one, was))
        return Figure(label, value, href, None, str(_MEANS[means]), _change(one, was), gettext("was %s") % said)

    sales = money(gettext("Sales"), "sales", doors.sales(period), now.sales_minor, before.sales_minor)
    average, was = now.average_minor, before.average_minor
    return [
        replace(sales, sum=sum_key((now.sales_minor, doors.currency))),
        _count(gettext("Orders"), "orders", doors.orders(period), now.orders, before.orders),
        money(gettext("Average order"), "average", doors.orders(period), average, was),
    ]


def _people_figures(period: Period, now: People, before: People, doors: Doors) -> list[Figure]:
    return [
        _count(gettext("New customers"), "new", doors.new(period), now.new, before.new),
        _count(gettext("Returning customers"), "again", doors.again(period), now.again, before.again),
    ]


def _count(label: str, means: str, href: str, one: int, was: int) -> Figure:
    said = gettext("was %s") % format_number(was)
    return Figure(label, format_number(one), href, one, str(_MEANS[means]), _change(one, was), said)


def _money(amount: int | None, currency: str) -> str:
    return "–" if amount is None else format_money_short(amount, currency)


_MEANS = {
    "sales": _("Totals of orders that count, less refunds given on these days."),
    "orders": _("Orders placed on these days, neither cancelled nor voided."),
    "average": _("Totals of these orders, before refunds, by their number."),
    "new": _("People whose first order ever lies within these days."),
    "again": _("People who ordered on these days and had ordered before them."),
}


def _charts(period: Period, now: SalesOverTime, before: SalesOverTime, doors: Doors) -> list[Chart]:
    points = period.points()
    labels = day_labels([point.first for point in points])

    def chart(
        name: str, title: str, value: Callable[[Sales], int | None], unit: str, href: Callable[[Period], str]
    ) -> Chart:
        series = [
            Series(gettext("Now"), [value(one) for one in now.points], hrefs=[href(point) for point in points]),
            Series(
                gettext("Before"),
                [value(one) for one in before.points],
                before=True,
                hrefs=[href(point) for point in period.previous.points()],
            ),
        ]
        return Chart(name, title, _compare(value(now.total), value(before.total), unit), labels, series, unit=unit)

    return [
        chart("sales", gettext("Sales"), lambda one: one.sales_minor, doors.currency, doors.sales),
        chart("orders", gettext("Orders"), lambda one: one.orders, "count", doors.orders),
        chart("average", gettext("Average order"), lambda one: one.average_minor, doors.currency, doors.orders),
    ]


def _people_chart(now: PeopleOverTime, before: People, points: Sequence[Period], doors: Doors) -> Chart:
    summary = gettext(
        "%(new)s bought for the first time, %(again)s came back; before: %(was_new)s and %(was_again)s."
    ) % {
        "new": format_number(now.total.new),
        "again": format_number(now.total.again),
        "was_new": format_number(before.new),
        "was_again": format_number(before.again),
    }
    series = [
        Series(gettext("Returning"), [one.again for one in now.points], hrefs=[doors.again(point) for point in points]),
        Series(gettext("New"), [one.new for one in now.points], hrefs=[doors.new(point) for point in points]),
    ]
    labels = day_labels([point.first for point in points])
    return Chart("people", gettext("New and returning customers"), summary, labels, series)


def _compare(now: int | None, before: int | None, unit: str) -> str:
    def text(value: int | None) -> str:
        if value is None:
            return "–"
        return format_number(value) if unit == "count" else format_money_short(value, unit)

    return gettext("%(now)s, %(before)s before") % {"now": text(now), "before": text(before)}


def _map_rows(rfm_map: RfmMap) -> list[tuple[int, list[dict[str, Any]]]]:
    """Rows of the map with a shade from 0 to 6 for each cell, by its share of the fullest."""
    rows = []
    for f, cells in rfm_map.rows:
        shaded = [
            {
                "r": r,
                "f": f,
                "count": tally.customers,
                "shade": -(-6 * tally.customers // rfm_map.fullest) if rfm_map.fullest else 0,
            }
            for r, tally in cells
        ]
        rows.append((f, shaded))
    return rows


def _words(moment: Moment) -> tuple[str, str]:
    """Icon and words of one line of 'what happened last'."""
    data = moment.data
    match moment.kind:
        case "order.placed":
            return "shopping-bag", gettext("ordered for %s") % _amount(data, "total_minor")
        case "order.refunded":
            return "arrow-back-up", gettext("got %s back") % _amount(data, "amount_minor")
        case "segment.entered":
            name = data.get("name") or RFM.get(str(data.get("segment", "")), data.get("segment", ""))
            return "chart-pie", gettext("is now in %s") % name
        case "message.sent":
            return "mail", gettext("got a mail")
        case "customer.note_added":
            return "note", gettext("got a note")
    return "hand-stop", gettext("is not to be contacted")


def _amount(data: dict[str, object], name: str) -> str:
    amount, currency = data.get(name), data.get("currency")
    return format_money_short(amount, currency) if isinstance(amount, int) and isinstance(currency, str) else ""
