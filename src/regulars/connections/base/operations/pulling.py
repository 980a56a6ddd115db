"""Pulling a shop: page by page into the inbox, each committed together with where the next begins.

The same pull serves history (everything, which triggers nothing) and reconciliation (what changed since, to find what no webhook told).
Reading what was pulled is the inbox's; how much of it was news is counted there, on the pull.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from regulars.connections.base.accounts import account_of
from regulars.connections.base.client import TryLater, Unreachable
from regulars.connections.base.models import Connection, ConnectionState, Pull, PullKind, PullState
from regulars.connections.base.platforms import PLATFORMS, Page, Platform, Refused, Why
from regulars.connections.base.readings import KIND, PATH, path_of
from regulars.foundation.crash import crash_point, declare
from regulars.foundation.inbox.queries import count_waiting
from regulars.foundation.inbox.receiving import Arrival, receive
from regulars.foundation.outbound import OutboundError
from regulars.foundation.work.operations import enqueue, fail, finish, progress, start_task

JOB = "connections.pull"
TURN_SECONDS = 20.0  # after which a job makes room for others and is asked for anew
MOST_UNREAD = 20  # pages of one pull that may wait in the inbox
MOST_TRIES = 40  # of a look without an answer: most of a day
STUCK_TRIES = 9  # of a history, after more than an hour: no look waits for it any longer
MOST_WAIT, REFUSED_WAIT = 1800.0, 300.0  # seconds between two tries; who got a new key does not wait long for its use
FETCHED = declare("pull.fetched", "a page of a shop is here, it is not in the inbox")
STORED = declare("pull.stored", "a page is in the inbox and the next is known, nothing is committed")

SPANS = {PullKind.QUARTER: timedelta(minutes=25), PullKind.NIGHT: timedelta(days=7), PullKind.HAND: timedelta(days=7)}
Clock = Callable[[], datetime]
_ENDED = (PullState.DONE, PullState.FAILED)


class GoneOn(Exception):
    """Another worker goes on with this pull."""


def begin_pull(row: Connection, kind: PullKind, at: datetime, staff_id: int | None = None) -> Pull | None:
    """Asks for a pull; None where one of this kind is on its way."""
    topics = [topic.name for topic in PLATFORMS[row.platform].topics if kind == PullKind.HISTORY or topic.is_reconciled]
    since = None if kind == PullKind.HISTORY else _since(row, kind, at)
    try:
        with transaction.atomic():
            pull = Pull.objects.create(connection=row, kind=kind, since=since, topics=topics, begun_at=at)
            if kind == PullKind.HISTORY:
                title = gettext("History of %s") % row.name
                link = f"/settings/connections/{row.public_id}"
                pull.task_id = start_task("connection", title, at, staff_id=staff_id, unit="", link=link)
                pull.save(update_fields=["task"])
            ask_for(pull, at)
    except IntegrityError:
        if not Pull.objects.filter(connection=row, kind=kind).exclude(state__in=_ENDED).exists():
            raise
        return None
    return pull


def _since(row: Connection, kind: PullKind, at: datetime) -> datetime:
    """What changed since then is asked for: long enough to overlap with the last pull that came to its end, however long ago."""
    floor = at - SPANS[kind]
    ended = Pull.objects.filter(connection=row, state=PullState.DONE).order_by("-begun_at").first()
    return min(floor, ended.begun_at - timedelta(minutes=10)) if ended else floor


def ask_for(pull: Pull, at: datetime) -> None:
    enqueue(JOB, lock=f"connection:{pull.connection_id}", once=f"pull:{pull.pk}", at=at, pull_id=pull.pk)


def pull_on(pull_id: int, clock: Clock) -> None:
    """Goes on with a pull for a while, then asks for the rest. Does nothing for one that is over."""
    pull = Pull.objects.select_related("connection__store", "task").filter(pk=pull_id).first()
    if pull is None or pull.state in (PullState.DONE, PullState.FAILED):
        return
    if pull.connection.state == ConnectionState.OVER:
        _fail(pull, gettext("The connection has ended."), clock())
        return
    try:
        wait = _go_on(pull, clock)
    except TryLater as error:
        wait = error.seconds
    except (Unreachable, OutboundError) as error:
        wait = _try_again(pull, error.sentence, clock())
    except GoneOn:
        return
    except Refused as error:
        wait = _refused(pull, error.sentence, clock())
    if wait is not None:
        ask_for(pull, clock() + timedelta(seconds=wait))


def _go_on(pull: Pull, clock: Clock) -> float | None:
    """Seconds until the rest should be asked for; None where there is none."""
    platform, account = PLATFORMS[pull.connection.platform], account_of(pull.connection, clock())
    until = monotonic() + TURN_SECONDS
    while monotonic() < until:
        _show(pull, clock())
        if not pull.topics:
            return None if end_if_read(pull, clock()) else 1.0
        if count_waiting(_source(pull), MOST_UNREAD) >= MOST_UNREAD:
            return 1.0
        page = platform.fetch(account, pull.topics[0], pull.cursor, pull.since, clock())
        crash_point(FETCHED)
        _store(pull, platform, page, clock())
        note_success(pull.connection)
        if page.wait:
            return page.wait
    return 0.0


def _store(pull: Pull, platform: Platform, page: Page, at: datetime) -> None:
    """One transaction: the page in the inbox, and where the next begins. A page that was stored is known by its place; one that another
    worker went past meanwhile (this one stood still) is let go: raises GoneOn.
    """
    topic, place = pull.topics[0], f"pull:{pull.pk}:{pull.topics[0]}:{pull.cursor}"
    with transaction.atomic():
        same = Pull.objects.select_for_update().filter(pk=pull.pk, topics=pull.topics, cursor=pull.cursor)
        if not same.exclude(state__in=(PullState.DONE, PullState.FAILED)).exists():
            raise GoneOn
        if page.body:
            why = Why.HISTORY if pull.kind == PullKind.HISTORY else Why.RECONCILE
            path = path_of(why, topic, pull.pk)
            receive([_arrival(pull, page, path, place)], at)
        _count(pull, topic, page)
        pull.cursor = page.cursor
        if not page.cursor:
            pull.topics = pull.topics[1:]
        pull.state = PullState.RUNNING if pull.topics else PullState.FETCHED
        pull.worked_at, pull.tries, pull.problem = at, 0, ""
        pull.save(update_fields=["cursor", "topics", "state", "worked_at", "tries", "problem"])
        crash_point(STORED)


def _arrival(pull: Pull, page: Page, path: str, place: str) -> Arrival:
    """History has a source of its own, so that a long one does not hold up what happens now."""
    return Arrival(_source(pull), KIND, page.body, {PATH: path}, pull.connection.store_id, own_id=place)


def _source(pull: Pull) -> str:
    row = pull.connection
    return f"{row.source}:history" if pull.kind == PullKind.HISTORY else row.source


def _count(pull: Pull, topic: str, page: Page) -> None:
    """Reading counts on the same row meanwhile, so only the own words of the document are changed, under the row's lock."""
    counts = Pull.objects.select_for_update().values_list("counts", flat=True).get(pk=pull.pk)
    one = counts.setdefault(topic, {})
    one["fetched"] = one.get("fetched", 0) + page.count
    if page.total is not None:
        one["total"] = page.total
    Pull.objects.filter(pk=pull.pk).update(counts=counts)
    pull.counts = counts


def _show(pull: Pull, at: datetime) -> None:
    if pull.task_id:
        done = sum(one.get("fetched", 0) for one in pull.counts.values())
        totals = [one.get("total") for one in pull.counts.values()]
        total = None if None in totals or pull.topics[1:] else sum(total or 0 for total in totals)
        progress(pull.task_id, at, done=done, total=total)


def count_read(pull_id: int, found: dict[str, dict[str, int]]) -> None:
    """Reading has come through pages of a pull; ``found`` says by topic how much of them was new or changed. In its transaction."""
    pull = Pull.objects.select_for_update().filter(pk=pull_id).first()
    if pull is None:
        return
    for topic, gained in found.items():
        one = pull.counts.setdefault(topic, {})
        for name, count in gained.items():
            one[name] = one.get(name, 0) + count
    Pull.objects.filter(pk=pull_id).update(counts=pull.counts)


def end_if_read(pull: Pull, at: datetime) -> bool:
    """Ends a pull of which everything was fetched, once nothing that came before its last page waits to be read any more: it is in
    the record by then, or in quarantine, where it is seen."""
    with transaction.atomic():
        row = Pull.objects.select_for_update().get(pk=pull.pk)
        if row.topics or count_waiting(_source(pull), 1, until=row.worked_at):
            return False
        Pull.objects.filter(pk=pull.pk).update(state=PullState.DONE, ended_at=at)
        if row.task_id:
            finish(row.task_id, at, gettext("Everything is here."))
    return True


def _refused(pull: Pull, problem: str, at: datetime) -> float | None:
    """A history waits until somebody sees to it at the shop: nothing else brings the rest of it. A look ends, for the next reaches as far
    back."""
    if pull.kind == PullKind.HISTORY:
        return _try_again(pull, problem, at, REFUSED_WAIT)
    note_failure(pull.connection, problem, at)
    _fail(pull, problem, at)
    return None


def _try_again(pull: Pull, problem: str, at: datetime, most: float = MOST_WAIT) -> float | None:
    """Waits that grow. A look is given up in the end, and the next reaches as far back; a history never is."""
    pull.tries += 1
    note_failure(pull.connection, problem, at)
    if pull.tries >= MOST_TRIES and pull.kind != PullKind.HISTORY:
        _fail(pull, problem, at)
        return None
    Pull.objects.filter(pk=pull.pk).update(tries=pull.tries, problem=problem, worked_at=at)
    return min(most, 5.0 * float(2 ** min(pull.tries, STUCK_TRIES)))


def _fail(pull: Pull, problem: str, at: datetime) -> None:
    Pull.objects.filter(pk=pull.pk).update(state=PullState.FAILED, problem=problem, ended_at=at)
    if pull.task_id:
        fail(pull.task_id, at, problem)


def note_failure(row: Connection, problem: str, at: datetime) -> None:
    """The connection is shown as failing, with what to do."""
    working = Connection.objects.filter(pk=row.pk).exclude(state=ConnectionState.OVER)
    working.filter(state=ConnectionState.ACTIVE).update(state=ConnectionState.FAILING, failing_since=at)
    working.update(problem=problem)


def note_success(row: Connection) -> None:
    failing = Connection.objects.filter(pk=row.pk, state=ConnectionState.FAILING)
    failing.update(state=ConnectionState.ACTIVE, failing_since=None, problem="")
