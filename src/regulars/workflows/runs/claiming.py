"""Leases on due runs: taken in batches, each take-over with a higher fence.

A take counts as a failure until the run is written, so that a run which kills its worker cannot do so for ever. Runs of a batch that died
are taken in small batches next, and then one by one, so that the innocent are cleared quickly and the guilty is found.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from regulars.foundation.crash import crash_point, declare
from regulars.workflows.engine import State

CLAIMED = declare("runs.claimed", "due runs are leased, nothing is decided")
PATIENCE = 3  # failures of its own before a run is stuck


@dataclass(frozen=True)
class Pace:
    """How much one turn takes, and for how long it may hold it."""

    batch: int = 500
    lease: timedelta = timedelta(seconds=30)


@dataclass(frozen=True)
class Claimed:
    """One run in this worker's hands. Everything it writes carries ``fence``."""

    id: int
    uid: str
    workflow_id: int
    version_id: int
    customer_id: int
    profile_id: int
    state: State
    fence: int
    failures: int
    started_at: datetime


_CLAIM = """
WITH due AS (
    SELECT id FROM workflows_run
    WHERE state = 'active' AND wake_at <= %(at)s AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND {suspicion}
    ORDER BY wake_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE workflows_run r
SET lease_owner = %(owner)s, lease_until = clock_timestamp() + %(lease)s * interval '1 second', fence = fence + 1, failures = failures + 1
FROM due WHERE r.id = due.id
RETURNING r.id, r.uid, r.workflow_id, r.version_id, r.customer_id, r.profile_id, r.node, r.since, r.steps, r.visits, r.fence, r.failures,
    r.started_at
"""
_FRESH = _CLAIM.format(suspicion="failures = 0")
_SUSPECTS = _CLAIM.format(suspicion="failures = 1")
_ALONE = _CLAIM.format(suspicion="failures > 1")
_GIVE_UP = """
UPDATE workflows_run SET state = 'stuck', lease_owner = '', lease_until = NULL,
    problem = CASE WHEN problem = '' THEN 'The worker died each time that it took this run' ELSE problem END
WHERE state = 'active' AND wake_at <= %s AND failures > %s AND lease_until < clock_timestamp()
"""


def claim_due(owner: str, at: datetime, pace: Pace) -> list[Claimed]:
    """Up to ``pace.batch`` due runs that nobody holds, oldest first; fewer, or one alone, of those that failed before. Commits."""
    claimed = _take(_FRESH, owner, at, pace.batch, pace.lease) or _claim_suspects(owner, at, pace)
    if claimed:
        crash_point(CLAIMED)
    return claimed


def _claim_suspects(owner: str, at: datetime, pace: Pace) -> list[Claimed]:
    """Runs that failed before. Gives up on those whose worker died more than PATIENCE times."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_UP, [at, PATIENCE])
    few = max(pace.batch // 25, 5)
    return _take(_SUSPECTS, owner, at, few, pace.lease) or _take(_ALONE, owner, at, 1, pace.lease)


def _take(statement: str, owner: str, at: datetime, limit: int, lease: timedelta) -> list[Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"at": at, "owner": owner, "limit": limit, "lease": lease.total_seconds()})
        return [_claimed(row) for row in cursor.fetchall()]


def _claimed(row: tuple[Any, ...]) -> Claimed:
    (
        run_id,
        uid,
        workflow_id,
        version_id,
        customer_id,
        profile_id,
        node,
        since,
        steps,
        visits,
        fence,
        failures,
        began,
    ) = row
    state = State(node, since, steps, parse_visits(visits))
    return Claimed(run_id, uid.hex, workflow_id, version_id, customer_id, profile_id, state, fence, failures, began)


def parse_visits(value: Any) -> dict[str, int]:
    """Visits as PostgreSQL gives them: Django's connection leaves jsonb as text."""
    return dict(json.loads(value)) if isinstance(value, str) else dict(value)
