"""What the home page shows: sales against the previous period, findings, the RFM map, what happened last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.registries import FINDINGS, Finding
from regulars.foundation.shop.settings import read_setting
from regulars.insight.rfm import queries as rfm
from regulars.insight.rfm.models import RfmSnapshot
from regulars.insight.rfm.rules import RfmSegment
from regulars.messages.models import Message
from regulars.record.customers.models import Profile
from regulars.record.customers.named import Name, names_of
from regulars.record.customers.queries import customers_of
from regulars.record.events.models import Event
from regulars.record.orders.models import Order, Refund
from regulars.record.orders.sales import PeopleOverTime, SalesOverTime, Span, people_over_time, sales_over_time
from regulars.web.queries.periods import Period

LAST = 8
OF_A_KIND = 3


def read_sales(period: Period, viewer: Viewer) -> SalesOverTime:
    return sales_over_time(_span(period), viewer)


def read_people(period: Period, viewer: Viewer) -> PeopleOverTime:
    return people_over_time(_span(period), viewer)


def _span(period: Period) -> Span:
    return Span(period.first, period.since, period.until, read_setting("shop.time_zone"), period.step)


@dataclass(frozen=True)
class RfmMap:
    """The newest snapshot: rows of the map from the best frequency down, and the eleven with their counts."""

    snapshot: RfmSnapshot
    rows: Sequence[tuple[int, Sequence[tuple[int, rfm.Tally]]]]
    tallies: Sequence[tuple[RfmSegment, rfm.Tally]]
    fullest: int
    customers: int


def read_rfm_map(viewer: Viewer) -> RfmMap | None:
    """None before the first snapshot."""
    snapshot = rfm.latest_snapshot()
    if snapshot is None:
        return None
    cells = rfm.grid(snapshot, viewer.store_ids)
    scores = range(1, snapshot.scale + 1)
    rows = [(f, [(r, cells[r, f]) for r in scores]) for f in reversed(scores)]
    tallies = list(rfm.tallies(snapshot, viewer.store_ids).items())
    fullest = max((tally.customers for tally in cells.values()), default=0)
    return RfmMap(snapshot, rows, tallies, fullest, sum(tally.customers for _, tally in tallies))


def list_findings(viewer: Viewer, at: datetime) -> list[Finding]:
    """What there is to say, the weightiest first."""
    found = [one for _, source in FINDINGS.items() if viewer.may(source.permission) for one in source.find(viewer, at)]
    return sorted(found, key=lambda finding: -finding.weight)


@dataclass(frozen=True)
class Moment:
    """Something that happened in the shop, with who it was about; no customer for a guest. Words are made by the view."""

    kind: str
    at: datetime
    customer: Name | None
    data: dict[str, object]
    href: str


# Kinds that say something to a person who opens the house in the morning.
TOLD = (
    "order.placed",
    "order.refunded",
    "segment.entered",
    "message.sent",
    "consent.do_not_contact",
    "customer.note_added",
)


def list_last_moments(viewer: Viewer, at: datetime) -> list[Moment]:
    """The newest of each kind, merged; what is dated in the future waits."""
    events: list[Event] = []
    for kind in TOLD if viewer.may("segments.view") else [kind for kind in TOLD if not kind.startswith("segment.")]:
        told = _seen_by(viewer).filter(kind=kind, occurred_at__lte=at)
        told = told if kind.startswith("order.") else told.filter(is_history=False)
        events += told.order_by("-occurred_at", "-position")[: LAST if kind == "order.placed" else OF_A_KIND]
    events.sort(key=lambda event: (event.occurred_at, event.position), reverse=True)
    events = events[:LAST]
    owners = customers_of(event.profile_id for event in events if event.profile_id)
    names = names_of(set(owners.values()), viewer)
    hrefs = _hrefs(events)
    return [_moment(event, names.get(owners.get(event.profile_id or 0, 0)), hrefs) for event in events]


def _seen_by(viewer: Viewer) -> QuerySet[Event]:
    """Whoever is limited to some stores reads of what these know only."""
    if viewer.store_ids is None:
        return Event.objects.all()
    return Event.objects.filter(profile_id__in=Profile.objects.filter(store__in=viewer.store_ids).values("pk"))


def _moment(event: Event, customer: Name | None, hrefs: dict[tuple[str, int], str]) -> Moment:
    return Moment(
        event.kind,
        event.occurred_at,
        customer,
        event.data,
        hrefs.get((event.kind, event.subject_id or 0), ""),
    )


def _hrefs(events: Sequence[Event]) -> dict[tuple[str, int], str]:
    """Where orders and refunds open; a refund opens its order."""
    placed = [event.subject_id or 0 for event in events if event.kind == "order.placed"]
    refunded = [event.subject_id or 0 for event in events if event.kind == "order.refunded"]
    found = {
        ("order.placed", pk): _order_href(uid)
        for pk, uid in Order.objects.filter(pk__in=placed).values_list("pk", "uid")
    }
    sent = [event.subject_id or 0 for event in events if event.kind == "message.sent"]
    mails = Message.objects.filter(pk__in=sent).values_list("pk", "uid")
    found |= {("message.sent", pk): f"/messages/{to_public(Message.PREFIX, uid)}" for pk, uid in mails}
    returns = Refund.objects.filter(pk__in=refunded, order__isnull=False).values_list("pk", "order__uid")
    return found | {("order.refunded", pk): _order_href(uid) for pk, uid in returns}


def _order_href(uid: object) -> str:
    return f"/orders/{to_public(Order.PREFIX, uid)}"  # type: ignore[arg-type]
