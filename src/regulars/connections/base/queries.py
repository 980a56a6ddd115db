"""What can be asked of connections."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from regulars.connections.base.models import (
    Connection,
    ConnectionState,
    PlatformRequest,
    Pull,
    PullKind,
    PullState,
    Tell,
)
from regulars.connections.base.platforms import PLATFORMS, Topic
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.pages.registries import Text
from regulars.foundation.shop.models import Store
from regulars.record.customers.models import Profile

MISSED_SHARE = 0.001  # of what was looked at: more is an alarm
_SHOWN = 12


def list_connections(viewer: Viewer) -> QuerySet[Connection]:
    """Those of the viewer's stores, newest first, without the ended."""
    rows = Connection.objects.exclude(state=ConnectionState.OVER).select_related("store").order_by("-created_at")
    return rows if viewer.store_ids is None else rows.filter(store__in=viewer.store_ids)


def list_stores(viewer: Viewer) -> QuerySet[Store]:
    """Those that a shop can be."""
    rows = Store.objects.order_by("name")
    return rows if viewer.store_ids is None else rows.filter(pk__in=viewer.store_ids)


def websites_of(viewer: Viewer) -> list[tuple[str, str]]:
    """Names of the viewer's stores whose web shop has an address, with that address; never one that would run as a script."""
    rows = list_stores(viewer).values_list("name", "brand__website")
    return [(name, address) for name, address in rows if address.startswith(("https://", "http://"))]


def quarantined_of(row: Connection) -> int:
    """How much of what it told could not be read."""
    return Item.objects.filter(source__in=(row.source, f"{row.source}:history"), state=ItemState.QUARANTINED).count()


@dataclass(frozen=True)
class Share:
    """How far one topic of a pull is; ``missed`` is what no webhook had told (of history: what is new)."""

    title: Text
    fetched: int
    total: int | None
    missed: int
    is_at_work: bool
    is_over: bool


def shares_of(pull: Pull) -> list[Share]:
    """By topic, in the order of the pull."""
    topics = PLATFORMS[pull.connection.platform].topics
    return [_share(pull, topic) for topic in topics if pull.kind == PullKind.HISTORY or topic.is_reconciled]


def _share(pull: Pull, topic: Topic) -> Share:
    said = pull.counts.get(topic.name, {})
    is_over = topic.name not in pull.topics
    return Share(
        topic.title,
        said.get("fetched", 0),
        said.get("total"),
        said.get("new", 0) + said.get("changed", 0),
        pull.topics[:1] == [topic.name],
        is_over,
    )


@dataclass(frozen=True)
class Reconciliation:
    """One look for what webhooks missed."""

    pull: Pull
    seen: int
    missed: int

    @property
    def is_alarming(self) -> bool:
        return self.missed > max(1, self.seen * MISSED_SHARE)


def history_of(row: Connection) -> Pull | None:
    return (
        Pull.objects.filter(connection=row, kind=PullKind.HISTORY)
        .select_related("connection", "task")
        .order_by("-begun_at")
        .first()
    )


def reconciliations_of(row: Connection, limit: int = _SHOWN) -> list[Reconciliation]:
    """The newest, running ones too."""
    pulls = Pull.objects.filter(connection=row).exclude(kind=PullKind.HISTORY).order_by("-begun_at")[:limit]
    return [_reconciled(pull) for pull in pulls]


def _reconciled(pull: Pull) -> Reconciliation:
    topics = pull.counts.values()
    missed = sum(one.get("new", 0) + one.get("changed", 0) for one in topics)
    return Reconciliation(pull, sum(one.get("fetched", 0) for one in topics), missed)


def alarming_reconciliations(rows: Sequence[Connection], at: datetime) -> list[tuple[Connection, Reconciliation]]:
    """The newest ended one of each connection within two days, where it found too much."""
    found = []
    for row in rows:
        ended = Pull.objects.filter(connection=row, state=PullState.DONE, ended_at__gt=at - timedelta(days=2))
        pull = ended.exclude(kind=PullKind.HISTORY).order_by("-begun_at").first()
        if pull and (one := _reconciled(pull)).is_alarming:
            found.append((row, one))
    return found


def tells_of(row: Connection) -> dict[str, int]:
    """How many consents wait to be told, were told, were refused."""
    rows = Tell.objects.filter(connection=row).values_list("state")
    return dict(rows.annotate(count=Count("id")).order_by())


def first_requests(viewer: Viewer) -> QuerySet[PlatformRequest]:
    """Of each connection of the viewer's stores, ended ones too, the open request that is due first."""
    rows = PlatformRequest.objects.filter(done_at=None).order_by("connection_id", "due_at").distinct("connection_id")
    rows = rows if viewer.store_ids is None else rows.filter(connection__store__in=viewer.store_ids)
    return rows.select_related("connection")


def requests_of(row: Connection) -> QuerySet[PlatformRequest]:
    """What its platform asked in people's names, what is open first."""
    return PlatformRequest.objects.filter(connection=row).select_related("connection").order_by("done_at", "due_at")


def profile_of(request: PlatformRequest) -> int | None:
    """Whom an open request is about: known when it came, or come with the history since then."""
    if request.profile_id or request.token is None or request.done_at:
        return request.profile_id
    named = Profile.objects.filter(store=request.connection.store_id, named_by__token=request.token)
    return named.values_list("pk", flat=True).first()
