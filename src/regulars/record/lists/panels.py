"""Lists in the navigation, the search and on the customer's page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.registries import (
    CUSTOMER_PANELS,
    NAVIGATION,
    SEARCH,
    TIMELINE,
    CustomerPanel,
    Group,
    NavigationEntry,
    SearchHit,
    SearchSource,
    TimelineEntry,
    TimelineKind,
)
from regulars.record.customers.models import Customer
from regulars.record.lists.authors import Author, authors_of
from regulars.record.lists.models import CustomerList, ListMember
from regulars.record.lists.queries import list_lists, lists_of, stays_of


def find_lists(text: str, viewer: Viewer, limit: int) -> Sequence[SearchHit]:
    """Live lists whose name has the text in it."""
    rows = list_lists().filter(name__icontains=text)[:limit]
    return [SearchHit(row.name, gettext("List"), _href(row), "list") for row in rows]


def _href(row: CustomerList) -> str:
    return f"/lists/{to_public(CustomerList.PREFIX, row.uid)}"


def show(customer_id: int, viewer: Viewer) -> dict[str, Any] | None:
    """Which lists the customer is on, and onto which staff may put them; nothing where there are no lists."""
    on = lists_of(customer_id)
    may_edit = viewer.may("lists.edit")
    others = list_lists().exclude(pk__in=[row.list_id for row in on]) if may_edit else CustomerList.objects.none()
    if not on and not others:
        return None
    public_id = to_public(Customer.PREFIX, Customer.objects.values_list("uid", flat=True).get(pk=customer_id))
    rows = [(row, _href(row.list)) for row in on]
    return {"rows": rows, "others": others, "may_edit": may_edit, "customer": public_id}


def load_moves(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    """When they were put on lists and taken off, newest first."""
    rows = list(stays_of(customer_id, before).order_by("-added_at", "-id")[: 2 * limit])
    began = authors_of([(row.batch.source, row.batch.reference) for row in rows])
    ended = authors_of([(b.source, b.reference) if (b := row.until_batch) else ("", "") for row in rows])
    entries = [
        _entry(row, row.added_at, gettext("Put on the list %s"), by) for row, by in zip(rows, began, strict=True)
    ]
    entries += [
        _entry(row, row.removed_at, gettext("Taken off the list %s"), by)
        for row, by in zip(rows, ended, strict=True)
        if row.removed_at
    ]
    shown = [entry for entry in entries if before is None or entry.at < before]
    return sorted(shown, key=lambda entry: entry.at, reverse=True)[:limit]


def _entry(row: ListMember, at: datetime, title: str, by: Author) -> TimelineEntry:
    key = f"list-{row.pk}-{'on' if at == row.added_at else 'off'}"
    return TimelineEntry(key, "list", at, title % row.list.name, href=_href(row.list), by=by.text)


NAVIGATION.register("lists", NavigationEntry(Group.CUSTOMERS, _("Lists"), "lists", "list", "lists.view", order=22))
SEARCH.register("lists", SearchSource(_("Lists"), "lists.view", find_lists, "/lists", order=32))
TIMELINE.register(
    "list", TimelineKind(_("Lists"), "list", "lists.view", load_moves, order=42, opens=_("Open the list"))
)
CUSTOMER_PANELS.register("lists", CustomerPanel(_("Lists"), "lists/panel.html", "lists.view", show, order=5))
