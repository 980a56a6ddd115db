"""Events that a reader of the log put aside, with whom they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order
from regulars.record.customers.models import CustomerProfile, Profile
from regulars.record.customers.named import Name, with_owners
from regulars.record.customers.queries import found_by, visible_cards
from regulars.record.events.models import Event, ParkedEvent
from regulars.record.events.queries import events_at, parked_matching

SORTS = {"since": Order("parked_at"), "attempts": Order("attempts")}


@dataclass(frozen=True)
class ParkedRow:
    """One event; ``event`` is None once its month of the log was dropped."""

    row: ParkedEvent
    customer: Name | None
    event: Event | None

    @property
    def id(self) -> int:
        return self.row.pk

    @property
    def kind(self) -> str:
        return self.event.kind if self.event else ""


def parked_visible(query: ListQuery, viewer: Viewer) -> QuerySet[ParkedEvent]:
    """Filters ``reader`` and ``customer`` (its number), and what was typed to find a customer."""
    rows = parked_matching(query.choices.get("reader", ()))
    if viewer.store_ids is not None:
        rows = rows.filter(profile_id__in=Profile.objects.filter(store__in=viewer.store_ids).values("pk"))
    members = CustomerProfile.objects.filter(until_batch=None)
    if query.text:
        found = visible_cards(viewer.store_ids).filter(found_by(query.text, viewer.store_ids)).values("pk")
        rows = rows.filter(profile_id__in=members.filter(customer__in=found).values("profile_id"))
    if query.one("customer"):
        rows = rows.filter(profile_id__in=members.filter(customer=query.row_id("customer")).values("profile_id"))
    return rows


def count_parked(viewer: Viewer) -> int:
    return parked_visible(ListQuery(), viewer).count()


def present_parked(rows: Sequence[ParkedEvent], viewer: Viewer) -> list[ParkedRow]:
    """Set-wise: as many queries for one as for fifty."""
    events = events_at([row.position for row in rows])
    return [ParkedRow(one.row, one.customer, events.get(one.row.position)) for one in with_owners(rows, viewer)]
