"""What workers do for connections: read what shops tell, pull them, see to their webhooks, tell them what they should know."""

from datetime import datetime, timedelta

from django.db.models import Q

from regulars.connections.base.codes import ConnectedShops
from regulars.connections.base.models import Connection, ConnectionState, Pull, PullKind, PullState
from regulars.connections.base.operations.asking import ASK_JOB, ask_on
from regulars.connections.base.operations.checking import check_webhooks
from regulars.connections.base.operations.connecting import CHECK_JOB
from regulars.connections.base.operations.pulling import JOB, STUCK_TRIES, ask_for, begin_pull, pull_on
from regulars.connections.base.operations.requested import carry_out_requests
from regulars.connections.base.operations.telling import tell_shops
from regulars.connections.base.reading import read
from regulars.connections.base.readings import KIND
from regulars.foundation import clock
from regulars.foundation.inbox.parsers import Parser, register
from regulars.foundation.work.jobs import jobs
from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.foundation.work.operations import enqueue
from regulars.record.coupons.makers import MAKERS

MAKERS.register("connections", ConnectedShops())
register(Parser(KIND, "What connected shops tell", read, most_inputs=200, most_bytes=3_000_000))

QUARTER = timedelta(minutes=15)
NIGHT = timedelta(hours=24)
CHECK = timedelta(minutes=15)
FORGOTTEN = timedelta(minutes=10)  # a pull that nobody works at: its job is asked for again


@jobs.task(name=JOB)
def pull(pull_id: int) -> None:
    """A turn of a pull; safe to be run again after a kill."""
    pull_on(pull_id, clock.now)


@jobs.task(name=CHECK_JOB)
def check(connection_id: int) -> None:
    """One look at the webhooks of a connection."""
    check_webhooks(connection_id, clock.now)


@jobs.task(name=ASK_JOB)
def ask(connection_id: int, topic: str, key: str) -> None:
    """One thing that a webhook told in part only."""
    ask_on(connection_id, topic, key, clock.now)


def schedule(stop: Stop, at: datetime) -> bool:
    """Asks for the reconciliations and looks that are due."""
    for row in Connection.objects.filter(state__in=(ConnectionState.ACTIVE, ConnectionState.FAILING)):
        if stop.is_set():
            return False
        for kind, every in ((PullKind.NIGHT, NIGHT), (PullKind.QUARTER, QUARTER)):
            if _is_due(row, kind, every, at) and begin_pull(row, kind, at):
                break  # a night's pull covers the quarter of an hour
        if row.checked_at is None or at - row.checked_at >= CHECK:
            enqueue(CHECK_JOB, lock=f"connection:{row.pk}", once=f"check:{row.pk}", connection_id=row.pk)
    stale = Q(worked_at__lt=at - FORGOTTEN) | Q(worked_at__isnull=True, begun_at__lt=at - FORGOTTEN)
    for forgotten in Pull.objects.filter(stale).exclude(state__in=(PullState.DONE, PullState.FAILED)):
        ask_for(forgotten, at)
    return False


def _is_due(row: Connection, kind: PullKind, every: timedelta, at: datetime) -> bool:
    """By the beginning of the last one that asked for as much; nothing is due before all history is here, or long stuck."""
    pulls = Pull.objects.filter(connection=row)
    is_over_or_stuck = Q(state__in=(PullState.DONE, PullState.FAILED)) | Q(tries__gte=STUCK_TRIES)
    if not pulls.filter(is_over_or_stuck, kind=PullKind.HISTORY).exists():
        return False
    wider = (PullKind.NIGHT, PullKind.HAND) if kind == PullKind.NIGHT else tuple(PullKind)
    return not pulls.filter(kind__in=(*wider, PullKind.HISTORY), begun_at__gt=at - every).exists()


LOOPS.register(
    "connections.schedule",
    Loop(schedule, "Asks for reconciliations of connected shops", idle_seconds=20, is_exclusive=True),
)
LOOPS.register("connections.tell", Loop(tell_shops, "Tells shops about consent", idle_seconds=5))
LOOPS.register(
    "connections.requests",
    Loop(carry_out_requests, "Carries out what platforms ask in people's names", idle_seconds=30, is_exclusive=True),
)
