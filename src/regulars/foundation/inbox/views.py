"""What came in from outside: a list to filter, one input opened, one or all read again."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import NotFound
from regulars.foundation.inbox import operations, queries
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.sources import names_of_sources
from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import BulkAction, Column, Empty, Filter, ListPage, ListQuery, Pill
from regulars.foundation.sealing import CannotOpen

MOST_SHOWN = 100_000  # characters of a body on the page
_STATES = {
    ItemState.RECEIVED: (_("waits to be read"), "grey"),
    ItemState.PARSED: (_("read"), "green"),
    ItemState.QUARANTINED: (_("could not be read"), "red"),
}


@dataclass(frozen=True)
class Shown:
    """An input, and what its source is called."""

    item: Item
    source: str

    @property
    def id(self) -> int:
        return self.item.pk


def _named(items: Sequence[Item], viewer: Viewer) -> list[Shown]:
    names = names_of_sources(viewer)
    return [Shown(item, names.get(item.source, item.source)) for item in items]


def state_pill(item: Item) -> Pill:
    return Pill(*_STATES[ItemState(item.state)])


def _sentence(query: ListQuery, viewer: Viewer) -> str:
    count = queries.count_quarantined(viewer)
    if not count:
        is_any = queries.items_matching(ListQuery(), viewer).exists()
        return gettext("Everything that came in could be read.") if is_any else ""
    words = ngettext("%s input could not be read.", "%s inputs could not be read.", count)
    return (
        words % format_number(count)
        + " "
        + gettext("Nothing of it is lost: mend its cause, then let it be read again.")
    )


def _replay(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    return operations.replay(ids, viewer, at)


def _say_replayed(count: int, form: Mapping[str, str]) -> str:
    return ngettext("%s input will be read again.", "%s inputs will be read again.", count) % format_number(count)


INBOX = ListPage(
    name="inbox",
    title=_("Inbox"),
    back=(_("Settings"), "/settings"),
    columns=[
        Column("received", _("Came in"), "when", value=lambda one: one.item.received_at, sort="received"),
        Column("source", _("From"), "strong", value=lambda one: one.source),
        Column("state", _("State"), "pill", value=lambda one: state_pill(one.item)),
        Column("reason", _("Why"), value=lambda one: one.item.reason, on_phone=False),
        Column("size", _("Bytes"), "number", value=lambda one: one.item.size, on_phone=False),
        Column("attempts", _("Attempts"), "number", value=lambda one: one.item.attempts, is_optional=True),
    ],
    filters=[
        Filter(
            "state", _("State"), choices=lambda viewer: [(state, label) for state, (label, _tone) in _STATES.items()]
        ),
        Filter("source", _("From"), choices=lambda viewer: list(names_of_sources(viewer).items())),
        Filter("kind", _("Kind"), "hidden", describe=str),
        Filter("received", _("Came in"), "date"),
    ],
    rows=queries.items_matching,
    present=_named,
    sorts=queries.SORTS,
    default_sort="-received",
    sentence=_sentence,
    actions=[BulkAction("replay", _("Read again"), "refresh", "inbox.replay", _replay, _say_replayed)],
    href=lambda one: f"/settings/inbox/{one.id}",
    unit=lambda n: ngettext("%s input", "%s inputs", n) % format_number(n),
    empty=Empty(
        _("Nothing came in yet"),
        _("What shops and trackers send is kept here as it came, until it is read and for a while after."),
        _("Where things come from"),
        "/settings/connections",
        "stack-2",
    ),
)


@requires("inbox.view", post="inbox.replay")
def inbox(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, INBOX)


@requires("inbox.view")
def one_input(request: HttpRequest, number: int) -> HttpResponse:
    """What is known of an input; its body only for those who may, and only when they ask (``?open=1``), which is audited."""
    viewer = viewer_of(request)
    if number >= 2**63:
        raise NotFound
    item = queries.get_item(number, viewer)
    is_open = request.GET.get("open") == "1" and viewer.may("inbox.read")
    headers, text, problem = _opened(item, viewer) if is_open else ({}, "", "")
    context = {
        "title": gettext("Input %s") % item.pk,
        "item": item,
        "source": names_of_sources(viewer).get(item.source, item.source),
        "pill": state_pill(item),
        "is_open": is_open,
        "may_open": viewer.may("inbox.read") and item.body is not None,
        "may_replay": viewer.may("inbox.replay") and item.body is not None and item.state != ItemState.RECEIVED,
        "headers": sorted((name.lstrip(":"), value) for name, value in headers.items()),
        "text": text,
        "problem": problem,
    }
    return render(request, "inbox/one.html", context)


def _opened(item: Item, viewer: Viewer) -> tuple[dict[str, str], str, str]:
    try:
        _item, headers, body = operations.read_body(item.pk, viewer, clock.now())
    except CannotOpen as error:
        return {}, "", error.sentence
    # NUL and lone halves of characters cannot be shown: they stand as the mark for 'no character'
    return headers, _unpacked(body).decode("utf-8", "replace")[:MOST_SHOWN].replace("\x00", "\ufffd"), ""


def _unpacked(body: bytes) -> bytes:
    """The body in clear where it came compressed, as much of it as is shown at most: however little was sent, it may become endless."""
    if body[:2] != b"\x1f\x8b":
        return body
    try:
        return zlib.decompressobj(wbits=31).decompress(body, 4 * MOST_SHOWN)
    except zlib.error:
        return body


@requires(post="inbox.replay")
def replay_one(request: HttpRequest, number: int) -> HttpResponse:
    if number >= 2**63:
        raise NotFound
    viewer = viewer_of(request)
    queries.get_item(number, viewer)
    messages.success(request, _say_replayed(operations.replay([number], viewer, clock.now()), {}))
    return redirect("input", number=number)
