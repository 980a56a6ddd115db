"""Who enters and who leaves a segment of conditions: decided for a few people at a time, and written into the ledger.

Everybody who changes a segment comes through here, whatever the cause. Deciding and writing happen in one transaction under a lock of the
customers' shards, so that nothing older is written over something newer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from regulars.foundation.bulk import execute, fetch
from regulars.insight.conditions import asking
from regulars.insight.conditions.asking import Decision
from regulars.insight.segments import events
from regulars.insight.segments.models import Segment
from regulars.insight.segments.rules import condition_of
from regulars.record.events.log import SHARDS, LogTransaction

HORIZON = timedelta(
    hours=50
)  # wakes further ahead are found by the nightly refresh; one that fails leaves a day for the next
_LOCK = 0x5345_474D_0000  # 'SEGM', and the shard
_DEFINITIONS = 0x5345_4744  # 'SEGD'


class Cause(StrEnum):
    """Why a membership was decided when it was. It stands in the ledger and in the event."""

    FIRST = "first"  # the segment's first computation
    DEFINITION = "definition"  # its conditions were changed
    EVENT = "event"
    TIME = "time"
    SNAPSHOT = "snapshot"  # scores were published anew
    REFRESH = "refresh"  # a full refresh found it wrong


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
    """Until the transaction ends nobody else decides for these customers, and no definition changes. Locks are taken in order."""
    hold_definitions()
    shards = sorted({customer % SHARDS for customer in customers})
    fetch("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [[_LOCK + shard for shard in shards]])


def settle(
    segment: Segment,
    customers: Sequence[int],
    log: LogTransaction,
    at: datetime,
    cause: Cause,
    *,
    quiet: Collection[int] = (),
    most_entering: int | None = None,
) -> Moved:
    """Decides these customers, whom the caller holds, as of ``at``, and brings the ledger in line.

    Entries of ``quiet`` customers are initial: they start no workflow. Events: segment.entered, segment.left.
    """
    decided = asking.decide(condition_of(segment.definition), customers, at)
    inside = {row[0] for row in fetch(_INSIDE, [segment.pk, list(customers)])}
    entering = [c for c in customers if c in decided and decided[c].is_in and c not in inside]
    leaving = [c for c in customers if c in inside and not (c in decided and decided[c].is_in)]
    _remember(segment, customers, decided, at)
    moved = move(segment, entering[:most_entering], leaving, log, at, cause, quiet=quiet)
    late = entering[most_entering:] if most_entering is not None else []
    return replace(moved, postponed=frozenset(late))


def move(
    segment: Segment,
    entering: Sequence[int],
    leaving: Sequence[int],
    log: LogTransaction,
    at: datetime,
    cause: Cause,
    *,
    quiet: Collection[int] = (),
) -> Moved:
    """Writes what was decided. Who is in already enters no second time."""
    bound = {"segment": segment.pk, "at": at, "batch": log.batch_id, "version": segment.version, "cause": cause.value}
    left = fetch(_LEAVE, bound | {"customers": leaving}) if leaving else []
    entered = fetch(_ENTER, bound | {"customers": entering, "quiet": sorted(quiet)}) if entering else []
    for kind, rows in ((events.LEFT, left), (events.ENTERED, entered)):
        for membership, profile, customer, is_initial in rows:
            data = {"segment": segment.key, "membership": membership, "version": segment.version, "cause": cause.value}
            log.append(events.changed(kind, segment.pk, profile, customer, at, data, is_initial))
    return Moved(
        frozenset(row[2] for row in entered), frozenset(row[2] for row in left), sum(row[3] for row in entered)
    )


def _remember(segment: Segment, customers: Sequence[int], decided: dict[int, Decision], at: datetime) -> None:
    """When time alone may change it next, for those within the horizon."""
    execute("DELETE FROM segments_wake WHERE segment_id = %s AND customer_id = ANY(%s)", [segment.pk, list(customers)])
    soon = [(c, d.wakes_at) for c, d in decided.items() if d.wakes_at and d.wakes_at <= at + HORIZON]
    if soon:
        execute(_WAKE, [segment.pk, [c for c, _ in soon], [moment for _, moment in soon]])


_INSIDE = (
    "SELECT customer_id FROM segments_membership WHERE segment_id = %s AND customer_id = ANY(%s) AND left_at IS NULL"
)
_LEAVE = """
UPDATE segments_membership SET left_at = greatest(%(at)s, entered_at), until_batch_id = %(batch)s,
       left_reason = jsonb_build_object('version', %(version)s::int, 'cause', %(cause)s::text)
WHERE segment_id = %(segment)s AND customer_id = ANY(%(customers)s) AND left_at IS NULL
RETURNING id, profile_id, customer_id, false
"""
_ENTER = """
INSERT INTO segments_membership (segment_id, profile_id, customer_id, entered_at, is_initial, reason, batch_id)
SELECT %(segment)s, min(m.profile_id), m.customer_id, %(at)s, m.customer_id = ANY(%(quiet)s::bigint[]),
       jsonb_build_object('version', %(version)s::int, 'cause', %(cause)s::text), %(batch)s
FROM customers_customerprofile m WHERE m.customer_id = ANY(%(customers)s) AND m.until_batch_id IS NULL
GROUP BY m.customer_id ORDER BY m.customer_id
ON CONFLICT (segment_id, customer_id) WHERE left_at IS NULL DO NOTHING
RETURNING id, profile_id, customer_id, is_initial
"""
_WAKE = """
INSERT INTO segments_wake (segment_id, customer_id, at)
SELECT %s, c.customer_id, c.at FROM unnest(%s::bigint[], %s::timestamptz[]) c(customer_id, at)
WHERE EXISTS (SELECT 1 FROM customers_customer k WHERE k.id = c.customer_id)
ON CONFLICT (segment_id, customer_id) DO UPDATE SET at = least(segments_wake.at, excluded.at)
"""
