"""Leases on due messages: at most 20 in one connection's hands, so that a crash leaves at most 20 in doubt."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from regulars.foundation.crash import crash_point, declare
from regulars.messages.models import Message

CLAIMED = declare("messages.claimed", "due messages are leased, nothing is rendered or checked")
AT_A_TIME = 20
MOST_ATTEMPTS = 15

_CLAIM = """
WITH due AS (
    SELECT id FROM outbox_message planned
    WHERE state = 'planned' AND due_at <= %(at)s AND (lease_until IS NULL OR lease_until < clock_timestamp())
        AND (expires_at <= %(at)s OR NOT EXISTS (  -- a code that the shop does not have yet is not written about
            SELECT 1 FROM coupons_wantedcode w WHERE w.run_id = planned.run_id AND w.state <> 'made'
        ))
    ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE outbox_message m
SET lease_owner = %(owner)s, lease_until = clock_timestamp() + %(lease)s * interval '1 second', fence = fence + 1
FROM due WHERE m.id = due.id RETURNING m.id, m.fence
"""
_BEAT = """
UPDATE outbox_message m SET lease_until = clock_timestamp() + %s * interval '1 second'
FROM unnest(%s::bigint[], %s::bigint[]) AS v(id, fence)
WHERE m.id = v.id AND m.fence = v.fence AND m.state = 'sending' RETURNING m.id
"""


@dataclass
class Lease:
    """Messages in one worker's hands, by id with their fences; ``beat`` must have succeeded lately before anything leaves the house."""

    owner: str
    length: timedelta
    fences: dict[int, int]
    taken: float = field(default_factory=time.monotonic)

    def hold_on(self, ids: Sequence[int]) -> set[int]:
        """Which of ``ids`` are still ours; asks the database only when a third of the lease has gone by."""
        if time.monotonic() - self.taken < self.length.total_seconds() / 3:
            return set(ids)
        with connection.cursor() as cursor:
            cursor.execute(_BEAT, [self.length.total_seconds(), list(ids), [self.fences[i] for i in ids]])
            kept = {row[0] for row in cursor.fetchall()}
        self.taken = time.monotonic()
        return kept


def claim_due(owner: str, at: datetime, length: timedelta) -> tuple[Lease, list[Message]]:
    """Up to 20 due messages that nobody holds, oldest first. Commits."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"at": at, "limit": AT_A_TIME, "owner": owner, "lease": length.total_seconds()})
        fences = dict(cursor.fetchall())
    messages = list(
        Message.objects.filter(id__in=fences).select_related("brand", "template__live").order_by("due_at", "id")
    )
    if messages:
        crash_point(CLAIMED)
    return Lease(owner, length, fences), messages
