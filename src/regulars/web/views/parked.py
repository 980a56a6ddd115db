"""Events that a reader of the log could not handle: which, why, since when; and handling them again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import NotAllowed, NotFound
from regulars.foundation.pages import bulk
from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import BulkAction, Choices, Column, Empty, Filter, ListPage, ListQuery
from regulars.record.customers.named import describe_customer
from regulars.record.customers.queries import customers_of
from regulars.record.events.kinds import EVENT_KINDS
from regulars.record.events.operations import replay
from regulars.record.events.queries import list_parked
from regulars.record.events.readers import READERS
from regulars.web.queries.parked import SORTS, ParkedRow, parked_visible, present_parked


def _readers(viewer: Viewer) -> Choices:
    names = {*READERS, *(one.reader for one in list_parked())}
    return [(name, name) for name in sorted(names)]


def _sentence(query: ListQuery, viewer: Viewer) -> str:
    return gettext("Each could not be handled three times, or waits behind one of the same customer that could not.")


def _replay(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    if viewer.store_ids is not None:
        raise NotAllowed(gettext("Only members of staff who see all stores may replay events."))
    return replay(ids, at)


def _say_replayed(changed: int, form: Mapping[str, str]) -> str:
    words = ngettext(
        "%s event was handled. What failed again stays in the list.",
        "%s events were handled. What failed again stays in the list.",
        changed,
    )
    return words % format_number(changed)


REPLAY = BulkAction("replay", _("Replay"), "refresh", "events.replay", _replay, _say_replayed)
PARKED = ListPage(
    name="parked",
    title=_("Parked events"),
    search=_("Search by customer"),
    columns=[
        Column("kind", _("Event"), "strong"),
        Column("reader", _("Reader"), value=lambda one: one.row.reader),
        Column("customer", _("Customer"), "template", template="web/owner_cell.html", in_export=False),
        Column("reason", _("Reason"), value=lambda one: one.row.reason, on_phone=False),
        Column("attempts", _("Attempts"), "number", value=lambda one: one.row.attempts, sort="attempts"),
        Column("since", _("Since"), "when", value=lambda one: one.row.parked_at, sort="since"),
    ],
    filters=[
        Filter("reader", _("Reader"), choices=_readers),
        Filter("customer", _("Customer"), "hidden", describe_to=describe_customer),
    ],
    default_sort="-since",
    sentence=_sentence,
    rows=parked_visible,
    sorts=SORTS,
    present=present_parked,
    href=lambda one: f"/settings/parked/{one.id}",
    unit=lambda n: ngettext("%s event", "%s events", n) % format_number(n),
    empty=Empty(
        _("Nothing is parked"),
        _("Every event was handled: one that fails three times is put aside here until somebody replays it."),
        icon="circle-check",
    ),
    actions=[REPLAY],
)


@requires("events.replay", post="events.replay")
def parked(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, PARKED)


@requires("events.replay", post="events.replay")
def one_parked(request: HttpRequest, parked_id: int) -> HttpResponse:
    viewer = viewer_of(request)
    row = parked_visible(ListQuery(), viewer).filter(pk=parked_id).first()
    if row is None:
        raise NotFound(gettext("This event is not parked any more."))
    [one] = present_parked([row], viewer)
    groups = _groups(one, viewer)
    if request.method == "POST":
        query = groups.get(request.POST.get("what", ""), ListQuery())
        ids = PARKED.ids(query, viewer) if query.choices else [row.pk]
        messages.success(request, bulk.do(PARKED, REPLAY, ids, {}, viewer, clock.now()))
        return redirect("parked")
    context = {
        "title": one.kind or gettext("An event that the log has dropped"),
        "one": one,
        "meaning": EVENT_KINDS[one.kind].meaning if one.kind in EVENT_KINDS else "",
        "groups": [(what, parked_visible(query, viewer).count(), _address(query)) for what, query in groups.items()],
    }
    return render(request, "web/parked.html", context)


def _groups(one: ParkedRow, viewer: Viewer) -> dict[str, ListQuery]:
    """What can be replayed together with this event: its customer's for this reader, and all of this reader."""
    found = {"reader": ListQuery(choices={"reader": (one.row.reader,)})}
    owner = customers_of([one.row.profile_id]).get(one.row.profile_id) if one.row.profile_id else None
    if owner is not None:
        found = {"customer": ListQuery(choices={"reader": (one.row.reader,), "customer": (str(owner),)})} | found
    return found


def _address(query: ListQuery) -> str:
    return "/settings/parked?" + "&".join(f"{name}={value}" for name, (value,) in query.choices.items())
