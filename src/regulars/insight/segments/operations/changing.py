"""Who enters and who leaves a segment of conditions: decided for a few people at a time, and written into the ledger.

Everybody who changes a segment comes through here, whatever the cause. Deciding and writing happen in one transaction under a lock of the
customers' shards, so that nothing older is written over something newer.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, transaction

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.errors import RegularsError
from regulars.insight.conditions import asking
from regulars.insight.conditions.asking import Decision, Question
from regulars.insight.segments import events
from regulars.insight.segments.models import Segment, SegmentVersion
from regulars.insight.segments.rules import condition_of
from regulars.record.events.log import SHARDS, LogTransaction

logger = structlog.get_logger(__name__)
HORIZON = timedelta(
    hours=50
)  # wakes further ahead are found by the nightly refresh; one that fails leaves a day for the next
_LOCK = 0x5345_474D_0000  # 'SEGM', and the shard
_DEFINITIONS = 0x5345_4744  # 'SEGD'
_CUSTOMER = 0x5345_4743  # 'SEGC', and the customer
_FEW = 1_000  # locks that one transaction takes: PostgreSQL has room for some thousand in all


class Cause(StrEnum):
    """Why a membership was decided when it was. It stands in the ledger and in the event."""

    FIRST = "first"  # the segment's first computation
    DEFINITION = "definition"  # its conditions were changed
    EVENT = "event"
    TIME = "time"
    SNAPSHOT = "snapshot"  # scores were published anew
    RECORD = (
        "record"  # many people's rows were changed at once: an import undone, a product moved, money worked out anew
    )
    REFRESH = "refresh"  # a full refresh found it wrong


# Whom the day's cap keeps out does not enter by these either: the refresh lets them in.
_OF_ONE_PERSON = (Cause.EVENT, Cause.TIME)


@dataclass(frozen=True)
class Moved:
    """Customers who entered and left; of the entries, ``initial`` are those that start no workflow."""

    entered: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()
    initial: int = 0
    postponed: frozenset[int] = frozenset()  # who would have entered, but for the most that may

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(
            self.entered | other.entered,
            self.left | other.left,
            self.initial + other.initial,
            self.postponed | other.postponed,
        )


def hold_definitions() -> None:
    """Until the transaction ends no definition changes: segments that are loaded after this are what their people are decided by.

    It is taken before any customers are held. Many hold it at once; whoever changes a definition waits for all of them, so that whoever
    computes the new one afterwards finds what the old one decided.
    """
    fetch("SELECT pg_advisory_xact_lock_shared(%s)", [_DEFINITIONS])


def hold_for_change() -> None:
    """Until the transaction ends nobody decides by any definition."""
    fetch("SELECT pg_advisory_xact_lock(%s)", [_DEFINITIONS])


def hold(customers: Collection[int]) -> None:
    """Until the transaction ends nobody else decides for these customers, and no definition changes.

    A few are locked one by one, so that others are decided beside them; many by their shards, of which each of the few is told. Locks are
    taken in order, those of shards first.
    """
    hold_definitions()
    shards = sorted({_LOCK + customer % SHARDS for customer in customers})
    if len(customers) > _FEW:
        fetch("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [shards])
        return
    fetch("SELECT pg_advisory_xact_lock_shared(key) FROM unnest(%s::bigint[]) AS key", [shards])
    few = sorted({customer % (2**31 - 1) for customer in customers})  # two customers may share a lock
    fetch("SELECT pg_advisory_xact_lock(%s, id) FROM unnest(%s::int[]) AS id", [_CUSTOMER, few])


def is_quiet(segment: Segment) -> bool:
    """Whether entries start nothing now: it is computed for the first time, or its definition is new and was not to start workflows."""
    if segment.computed_at is None:
        return True
    starting = SegmentVersion.objects.filter(segment=segment, number=segment.version, starts_workflows=True)
    return segment.decided != segment.version and not starting.exists()


@dataclass(frozen=True)
class Turn:
    """Whom to decide in one segment, ascending. Entries of ``quiet`` customers are initial: they start no workflow. ``heard``: by customer
    the position of the event that lets them be decided. At most ``most_entering`` enter.
    """

    segment: Segment
    customers: Sequence[int]
    quiet: Collection[int] = ()
    heard: Mapping[int, int] = field(default_factory=dict)
    most_entering: int | None = None


@dataclass(frozen=True)
class _Move:
    """Somebody who enters or leaves a segment."""

    turn: Turn
    customer: int

    @property
    def row(self) -> tuple[int, int, int, bool, int | None]:
        """For ``_MOVES``."""
        segment, customer = self.turn.segment, self.customer
        return segment.pk, customer, segment.version, customer in self.turn.quiet, self.turn.heard.get(customer)


def settle(turns: Sequence[Turn], log: LogTransaction, at: datetime, cause: Cause) -> list[Moved]:
    """Decides customers, whom the caller holds, as of ``at``, and brings the ledger in line; all in a few statements, whatever the number
    of segments. Events: segment.entered, segment.left.
    """
    if not turns:
        return []
    customers = sorted({customer for turn in turns for customer in turn.customers})
    decided = asking.decide_all([Question(condition_of(turn.segment.definition), turn.customers) for turn in turns], at)
    of_these = [[turn.segment.pk for turn in turns], customers]
    inside = set(fetch(_INSIDE, of_these))
    held_back = set(fetch(_POSTPONED, of_these)) if cause in _OF_ONE_PERSON else set()
    entering, leaving, postponed = [], [], []
    for turn, verdicts in zip(turns, decided, strict=True):
        pk = turn.segment.pk
        is_in = {c for c in turn.customers if c in verdicts and verdicts[c].is_in}
        was_in = {c for c in turn.customers if (pk, c) in inside}
        wanted = [_Move(turn, c) for c in sorted(is_in - was_in) if (pk, c) not in held_back]
        entering += wanted[: turn.most_entering]
        postponed.append(frozenset(m.customer for m in wanted[len(wanted[: turn.most_entering]) :]))
        leaving += [_Move(turn, c) for c in sorted(was_in - is_in)]
    _remember(turns, decided, at)
    left, entered = _written(_LEAVE, leaving, log, at, cause), _written(_ENTER, entering, log, at, cause)
    _tell(turns, left, entered, log, at, cause)
    return [
        Moved(
            frozenset(row.customer for row in entered if row.segment == turn.segment.pk),
            frozenset(row.customer for row in left if row.segment == turn.segment.pk),
            sum(row.is_initial for row in entered if row.segment == turn.segment.pk),
            late,
        )
        for turn, late in zip(turns, postponed, strict=True)
    ]


def settle_each(turns: Sequence[Turn], log: LogTransaction, at: datetime, cause: Cause) -> None:
    """As ``settle``, but a segment that cannot be decided keeps no other from it: its refresh, which is tried again, is left to put it right.
    Until then it has a problem, and is decided by nothing else.
    """
    try:
        with transaction.atomic():
            settle(turns, log, at, cause)
    except (OperationalError, InterfaceError):
        raise  # the database is away or asks for another try
    except Exception as error:  # whatever is wrong with one definition
        if len(turns) > 1:
            for turn in turns:
                settle_each([turn], log, at, cause)
            return
        logger.exception("a segment cannot be decided", segment=turns[0].segment.key)
        note_problem(turns[0].segment, error)


def note_problem(segment: Segment, error: Exception) -> None:
    """Why it cannot be decided, as a sentence for staff."""
    sentence = error.sentence if isinstance(error, RegularsError) else f"It cannot be decided ({type(error).__name__})."
    Segment.objects.filter(pk=segment.pk).update(problem=sentence)


class _Row(NamedTuple):
    """Of a membership that was written."""

    segment: int
    membership: int
    profile: int
    customer: int
    is_initial: bool
    heard: int | None


def _written(sql: str, moves: Sequence[_Move], log: LogTransaction, at: datetime, cause: Cause) -> list[_Row]:
    """Who is in already enters no second time."""
    if not moves:
        return []
    segments, customers, versions, quiet, heard = map(list, zip(*(move.row for move in moves), strict=True))
    bound = {"segments": segments, "customers": customers, "versions": versions, "quiet": quiet, "heard": heard}
    return [_Row(*row) for row in fetch(sql, bound | {"at": at, "batch": log.batch_id, "cause": cause.value})]


def _tell(
    turns: Sequence[Turn],
    left: Sequence[_Row],
    entered: Sequence[_Row],
    log: LogTransaction,
    at: datetime,
    cause: Cause,
) -> None:
    segments = {turn.segment.pk: turn.segment for turn in turns}
    for kind, rows in ((events.LEFT, left), (events.ENTERED, entered)):
        for row in rows:
            segment = segments[row.segment]
            data = {
                "segment": segment.key,
                "membership": row.membership,
                "version": segment.version,
                "cause": cause.value,
            }
            if row.heard is not None:
                data["position"] = row.heard
            log.append(events.changed(kind, segment.pk, row.profile, row.customer, at, data, row.is_initial))


def _remember(turns: Sequence[Turn], decided: Sequence[Mapping[int, Decision]], at: datetime) -> None:
    """When time alone may change it next, for those within the horizon. What happens to somebody seldom changes that."""
    until = at + HORIZON
    wakes: dict[tuple[int, int], datetime | None] = {}
    for turn, decisions in zip(turns, decided, strict=True):
        pk = turn.segment.pk
        for customer in turn.customers:
            decision = decisions.get(customer)
            wakes_at = decision.wakes_at if decision else None
            wakes[pk, customer] = wakes_at if wakes_at and wakes_at <= until else None
    if not wakes:
        return
    known = {(pk, customer): wakes_at for pk, customer, wakes_at in fetch(_KNOWN, _columns(wakes))}
    if stale := [pair for pair, wakes_at in known.items() if wakes[pair] != wakes_at]:
        execute(_FORGET, _columns(stale))
    if soon := [(*pair, wakes_at) for pair, wakes_at in wakes.items() if wakes_at and known.get(pair) != wakes_at]:
        execute(_WAKE, _columns(soon))


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


_INSIDE = """
SELECT segment_id, customer_id FROM segments_membership WHERE segment_id = ANY(%s) AND customer_id = ANY(%s) AND left_at IS NULL
"""
_POSTPONED = (
    "SELECT segment_id, customer_id FROM segments_postponed WHERE segment_id = ANY(%s) AND customer_id = ANY(%s)"
)
_MOVES = """
unnest(%(segments)s::bigint[], %(customers)s::bigint[], %(versions)s::int[], %(quiet)s::boolean[], %(heard)s::bigint[])
    AS w(segment_id, customer_id, version, is_quiet, heard)
"""
_REASON = "jsonb_strip_nulls(jsonb_build_object('version', w.version, 'cause', %(cause)s::text, 'position', w.heard))"
_LEAVE = f"""
UPDATE segments_membership m SET left_at = greatest(%(at)s, m.entered_at), until_batch_id = %(batch)s, left_reason = {_REASON}
FROM {_MOVES} WHERE m.segment_id = w.segment_id AND m.customer_id = w.customer_id AND m.left_at IS NULL
RETURNING m.segment_id, m.id, m.profile_id, m.customer_id, false, w.heard
"""
_ENTER = f"""
INSERT INTO segments_membership (segment_id, profile_id, customer_id, entered_at, is_initial, reason, batch_id)
    SELECT w.segment_id, p.id, w.customer_id, %(at)s, w.is_quiet, {_REASON}, %(batch)s
    FROM {_MOVES} JOIN LATERAL (
        SELECT min(m.profile_id) AS id FROM customers_customerprofile m WHERE m.customer_id = w.customer_id AND m.until_batch_id IS NULL
    ) p ON p.id IS NOT NULL
    ORDER BY w.segment_id, w.customer_id
    ON CONFLICT (segment_id, customer_id) WHERE left_at IS NULL DO NOTHING
    RETURNING segment_id, id, profile_id, customer_id, is_initial, (reason ->> 'position')::bigint
"""
_KNOWN = """
SELECT k.segment_id, k.customer_id, k.at FROM segments_wake k
JOIN unnest(%s::bigint[], %s::bigint[]) AS w(segment_id, customer_id) ON k.segment_id = w.segment_id AND k.customer_id = w.customer_id
"""
_FORGET = """
DELETE FROM segments_wake k USING unnest(%s::bigint[], %s::bigint[]) AS w(segment_id, customer_id)
WHERE k.segment_id = w.segment_id AND k.customer_id = w.customer_id
"""
_WAKE = """
INSERT INTO segments_wake (segment_id, customer_id, at)
SELECT c.segment_id, c.customer_id, c.at FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) c(segment_id, customer_id, at)
WHERE EXISTS (SELECT 1 FROM customers_customer k WHERE k.id = c.customer_id)
ORDER BY c.segment_id, c.customer_id
ON CONFLICT (segment_id, customer_id) DO UPDATE SET at = least(segments_wake.at, excluded.at)
"""
