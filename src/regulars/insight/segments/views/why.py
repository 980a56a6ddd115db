"""Why somebody is in a segment, or not: each condition with the value seen, where it came from, and what would change it."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import NotAllowed
from regulars.foundation.shop.settings import read_setting
from regulars.insight.conditions.asking import clock_at
from regulars.insight.conditions.language import Leaf, Sequence, Share
from regulars.insight.conditions.persons import read_person
from regulars.insight.conditions.why import Group, Reason, Why, why
from regulars.insight.conditions.words import Words, type_of_figure
from regulars.insight.segments import queries
from regulars.insight.segments.models import Membership, SegmentKind
from regulars.insight.segments.operations.saving import NotByConditions
from regulars.insight.segments.rules import condition_of
from regulars.insight.segments.words import CAUSES
from regulars.record.customers.named import names_of
from regulars.record.customers.queries import get_customer


@dataclass(frozen=True)
class Line:
    """A condition or a group as the page shows it."""

    holds: bool
    group: str
    parts: tuple["Line", ...] = ()
    sentence: str = ""
    value: str = ""
    newest: datetime | None = None
    rows: int = 0
    changes: tuple[str, ...] = ()


@requires("customers.view")
def explain(request: HttpRequest, name: str, customer_id: str) -> HttpResponse:
    """Asked of the record as it is now."""
    viewer = viewer_of(request)
    segment = queries.get_segment(name)
    if segment.kind != SegmentKind.CONDITIONS:
        raise NotByConditions
    if viewer.store_ids is not None:
        raise NotAllowed(gettext("The reasons speak of all stores; your account sees some of them only."))
    customer = get_customer(customer_id)
    at = clock_at(clock.now())
    condition = condition_of(segment.definition)
    explained = why(condition, read_person(condition, customer.pk), at)
    stays = Membership.objects.filter(segment=segment, customer=customer).order_by("-entered_at", "-id")
    return render(
        request,
        "segments/why.html",
        {
            "title": gettext("Why?"),
            "segment": segment,
            "who": names_of([customer.pk], viewer)[customer.pk],
            "line": _line(
                explained, Words(str(read_setting("shop.reporting_currency")), shows_words=viewer.may("customers.view"))
            ),
            "stays": [(stay, CAUSES.get(stay.reason.get("cause", ""), "")) for stay in stays[:10]],
        },
    )


def _line(explained: Why, words: Words) -> Line:
    if isinstance(explained, Group):
        parts = tuple(_line(part, words) for part in explained.parts)
        return Line(explained.holds, explained.joined.value, parts)
    return Line(
        explained.holds,
        "",
        sentence=words.leaf(explained.leaf),
        value=_value(explained, words),
        newest=explained.rows[0].at if explained.rows else None,
        rows=explained.row_count,
        changes=tuple(words.change(change, explained.leaf) for change in explained.changes),
    )


def _value(reason: Reason, words: Words) -> str:
    match reason.leaf:
        case Leaf(figure):
            return words.value(reason.value, type_of_figure(figure))
        case Sequence() | Share():
            return ""
