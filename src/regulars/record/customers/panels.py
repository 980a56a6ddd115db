"""Customers in the navigation, the search and the timeline."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.queries import names_of_staff
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.registries import (
    NAVIGATION,
    SEARCH,
    TIMELINE,
    Group,
    NavigationEntry,
    SearchHit,
    SearchSource,
    TimelineEntry,
    TimelineKind,
)
from regulars.foundation.shop.models import Store
from regulars.record.customers import events
from regulars.record.customers.models import Customer
from regulars.record.customers.queries import (
    found_by,
    parse_search,
    profiles_of,
    read_cards,
    read_notes,
    visible_cards,
)
from regulars.record.events.models import Event

_CHANGES = (
    events.CREATED,
    events.CONTACT_CHANGED,
    events.ATTRIBUTE_SET,
    events.TAGGED,
    events.UNTAGGED,
    events.MERGED,
    events.SPLIT,
)


def find_customers(text: str, viewer: Viewer, limit: int) -> list[SearchHit]:
    """By exact identity first, then by the beginnings of names and mails."""
    codes = list(Store.objects.values_list("code", flat=True))
    exact = parse_search(text, codes, viewer.store_ids).customer_ids
    rows = visible_cards(viewer.store_ids).select_related("customer")
    found = list(rows.filter(pk__in=exact)[:limit])
    if len(found) < limit:
        known = [card.pk for card in found]
        found += rows.filter(found_by(text, viewer.store_ids)).exclude(pk__in=known)[: limit - len(found)]
    cards = read_cards([card.pk for card in found], viewer.store_ids)
    return [_hit(card.customer, cards[card.pk].full_name, cards[card.pk].email) for card in found]


def _hit(customer: Customer, name: str, email: str) -> SearchHit:
    public_id = to_public(Customer.PREFIX, customer.uid)
    return SearchHit(name or email or public_id, email if name else "", f"/customers/{public_id}", "user")


def load_changes(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    """What changed in what we know of them."""
    profiles = profiles_of([customer_id], viewer.store_ids).get(customer_id, [])
    rows = Event.objects.filter(profile_id__in=profiles, kind__in=_CHANGES)
    if before:
        rows = rows.filter(occurred_at__lt=before)
    return [_entry(row) for row in rows.order_by("-occurred_at", "-position")[:limit]]


def _entry(event: Event) -> TimelineEntry:
    title, detail = _words(event)
    return TimelineEntry(f"event-{event.position}", "profile", event.occurred_at, title, detail)


def _words(event: Event) -> tuple[str, str]:
    data = event.data
    words = {
        events.CREATED: gettext("First seen"),
        events.MERGED: gettext("Found to be one person with another record"),
        events.SPLIT: gettext("Found to be two different persons"),
    }
    match event.kind:
        case events.CONTACT_CHANGED:
            return gettext("Contact data changed"), ", ".join(
                str(name).replace("_", " ") for name in data.get("fields", [])
            )
        case events.ATTRIBUTE_SET:
            return gettext("Property '%s' set") % data.get("name", ""), str(data.get("clear") or "")
        case events.TAGGED:
            return gettext("Tagged '%s'") % data.get("tag", ""), ""
        case events.UNTAGGED:
            return gettext("Tag '%s' taken off") % data.get("tag", ""), ""
    return words.get(event.kind, event.kind), ""


def load_notes(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    """What staff wrote."""
    notes = [
        note for note in read_notes(customer_id, viewer.store_ids) if before is None or note.row.occurred_at < before
    ][:limit]
    names = names_of_staff({note.row.staff_id for note in notes})
    return [
        TimelineEntry(
            f"note-{note.row.pk}",
            "note",
            note.row.occurred_at,
            gettext("Note"),
            note.text,
            by=names.get(note.row.staff_id, ""),
        )
        for note in notes
    ]


NAVIGATION.register(
    "customers",
    NavigationEntry(
        Group.CUSTOMERS, _("People"), "customers", "users", "customers.view", order=10, at_hand=True, by_store=True
    ),
)
SEARCH.register("customers", SearchSource(_("Customers"), "customers.view", find_customers, "/customers", order=10))
TIMELINE.register("profile", TimelineKind(_("Profile"), "id", "customers.view", load_changes, order=60))
TIMELINE.register("note", TimelineKind(_("Notes"), "note", "customers.view", load_notes, order=50))
