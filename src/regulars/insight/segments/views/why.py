"""Why somebody is in a segment, or not: each condition with the value seen, the rows it came from, and what would change it.

Whoever sees some stores only is not told what rests on what was said in others: of such a condition it says so, and nothing else.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import NotFound
from regulars.foundation.shop.settings import read_setting
from regulars.insight.conditions.asking import clock_at
from regulars.insight.conditions.language import Leaf, Sequence, Share, rows_of
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.persons import read_person
from regulars.insight.conditions.why import Group, Reason, Seen, Why, reasons, why
from regulars.insight.conditions.words import Words, type_of_figure
from regulars.insight.segments import queries
from regulars.insight.segments.models import Membership, SegmentKind
from regulars.insight.segments.operations.saving import NotByConditions
from regulars.insight.segments.rules import condition_of
from regulars.insight.segments.views.seen import Opened, events_at, opened
from regulars.insight.segments.words import CAUSES
from regulars.record.customers.models import CustomerProfile
from regulars.record.customers.named import names_of
from regulars.record.customers.queries import get_customer


@dataclass(frozen=True)
class Line:
    """A condition or a group as the page shows it. ``holds``: None where that is withheld. ``others``: rows that are not shown."""

    holds: bool | None
    group: str
    parts: tuple["Line", ...] = ()
    sentence: str = ""
    value: str = ""
    rows: tuple[Opened, ...] = ()
    others: int = 0
    changes: tuple[str, ...] = ()
    is_withheld: bool = False


@requires("customers.view")
def explain(request: HttpRequest, name: str, customer_id: str) -> HttpResponse:
    """Asked of the record as it is now."""
    viewer = viewer_of(request)
    segment = queries.get_segment(name)
    if segment.kind != SegmentKind.CONDITIONS:
        raise NotByConditions
    customer = get_customer(customer_id)
    unseen = _unseen_profiles(customer.pk, viewer)
    at = clock_at(clock.now())
    condition = condition_of(segment.definition)
    person = read_person(condition, customer.pk)
    explained = why(condition, person, at)
    shown = opened(row for reason in reasons(explained) for row in reason.rows[:_MOST_ROWS])
    words = Words(str(read_setting("shop.reporting_currency")), shows_words=viewer.may("customers.view"))
    line = _Page(words, shown, _from_elsewhere(person, unseen)).line(explained)
    stays = Membership.objects.filter(segment=segment, customer=customer).order_by("-entered_at", "-id")
    return render(
        request,
        "segments/why.html",
        {
            "title": gettext("Why?"),
            "segment": segment,
            "who": names_of([customer.pk], viewer)[customer.pk],
            "line": line if line.holds is not None else replace(line, holds=explained.holds),
            "stays": _stays(stays[:10]),
        },
    )


_MOST_ROWS = 5


@dataclass(frozen=True)
class Stay:
    """A time in the segment, with why it began and the event that it began by: what happened, and where that opens."""

    row: Membership
    cause: str
    event: str = ""
    href: str = ""


def _stays(rows: Collection[Membership]) -> list[Stay]:
    events = events_at([row.reason["position"] for row in rows if "position" in row.reason])
    return [
        Stay(
            row, str(CAUSES.get(row.reason.get("cause", ""), "")), *events.get(row.reason.get("position", 0), ("", ""))
        )
        for row in rows
    ]


def _unseen_profiles(customer_id: int, viewer: Viewer) -> frozenset[int]:
    """Profiles of other stores than the viewer's. Raises NotFound for a customer of whom there is none in the viewer's."""
    if viewer.store_ids is None:
        return frozenset()
    stores = dict(
        CustomerProfile.objects.filter(customer=customer_id, until_batch=None).values_list(
            "profile_id", "profile__store_id"
        )
    )
    unseen = frozenset(profile for profile, store in stores.items() if not viewer.sees_store(store))
    if len(unseen) == len(stores):
        raise NotFound
    return unseen


def _from_elsewhere(person: Person, unseen: Collection[int]) -> frozenset[str]:
    """Relations of which some row was said in a store that the viewer does not see."""
    return frozenset(name for name, rows in person.rows.items() if any(row["profile_id"] in unseen for row in rows))


@dataclass(frozen=True)
class _Page:
    words: Words
    opened: Mapping[Seen, Opened]
    elsewhere: Collection[str]

    def line(self, explained: Why) -> Line:
        if isinstance(explained, Group):
            parts = tuple(map(self.line, explained.parts))
            is_told = all(part.holds is not None for part in parts)
            return Line(explained.holds if is_told else None, explained.joined.value, parts)
        sentence = self.words.leaf(explained.leaf)
        if any(rows.of in self.elsewhere for rows in rows_of(explained.leaf)):
            return Line(None, "", sentence=sentence, is_withheld=True)
        shown = tuple(self.opened[row] for row in explained.rows[:_MOST_ROWS])
        return Line(
            explained.holds,
            "",
            sentence=sentence,
            value=_value(explained, self.words),
            rows=shown,
            others=explained.row_count - len(shown),
            changes=tuple(self.words.change(change, explained.leaf) for change in explained.changes),
        )


def _value(reason: Reason, words: Words) -> str:
    match reason.leaf:
        case Leaf(figure):
            return words.value(reason.value, type_of_figure(figure))
        case Sequence() | Share():
            return ""
