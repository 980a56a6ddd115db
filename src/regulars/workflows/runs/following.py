"""Runs follow the map of who is who: after a merge of two runs of one workflow the further one stays, the other ends as 'merged'.

A split returns each to its profile. A run that had ended as 'merged' goes on at the step where it stood, at once, and asks its conditions
anew, as one does whose workflow was switched off and on again; unless its customer has meanwhile begun another run of that workflow.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from regulars.record.events import log as event_log
from regulars.workflows import events

MERGED = "merged"

# A run may end, or be put aside, while this waits for its row: looked at again, it is left as it is.
_END_BEHIND = """
UPDATE workflows_run r SET state = 'ended', outcome = %(outcome)s, ended_at = %(at)s, wake_at = NULL, lease_owner = '', lease_until = NULL
FROM (
    SELECT x.id, m.customer_id AS now,
        row_number() OVER (PARTITION BY x.workflow_id, m.customer_id, x.slot ORDER BY x.steps DESC, x.started_at, x.id) AS place
    FROM workflows_run x JOIN customers_customerprofile m ON m.profile_id = x.profile_id AND m.until_batch_id IS NULL
    WHERE x.state IN ('active', 'paused') AND x.customer_id = ANY(%(customers)s)
) ranked, workflows_workflow w
WHERE r.id = ranked.id AND ranked.place > 1 AND w.id = r.workflow_id AND r.state IN ('active', 'paused')
RETURNING r.id, ranked.now, r.profile_id, w.key
"""
_FOLLOW = """
UPDATE workflows_run r SET customer_id = m.customer_id
FROM customers_customerprofile m
WHERE m.profile_id = r.profile_id AND m.until_batch_id IS NULL AND r.customer_id <> m.customer_id AND r.customer_id = ANY(%(customers)s)
"""
# Of the runs that ended for another which is somebody else's now, the furthest of each customer. One whose other run still is the same
# customer's stays ended. The fence rises, so that a worker that held the run before the merge writes nothing any more.
_COME_BACK = """
UPDATE workflows_run r SET state = CASE WHEN w.is_on THEN 'active' ELSE 'paused' END, outcome = '', ended_at = NULL, wake_at = %(at)s,
    fence = fence + 1, failures = 0, problem = ''
FROM (
    SELECT x.id, row_number() OVER (PARTITION BY x.workflow_id, x.customer_id, x.slot ORDER BY x.steps DESC, x.started_at, x.id) AS place
    FROM workflows_run x
    WHERE x.state = 'ended' AND x.outcome = %(outcome)s AND x.customer_id = ANY(%(parted)s) AND NOT EXISTS (
        SELECT 1 FROM workflows_run o
        WHERE o.workflow_id = x.workflow_id AND o.customer_id = x.customer_id AND o.slot = x.slot AND o.id <> x.id
            AND (o.state <> 'ended' OR (o.started_at <= x.ended_at
                AND (o.ended_at > x.ended_at OR (o.ended_at = x.ended_at AND o.outcome <> %(outcome)s))))
    )
) back, workflows_workflow w
WHERE r.id = back.id AND back.place = 1 AND w.id = r.workflow_id
RETURNING r.id, r.customer_id, r.profile_id, w.key
"""


def follow_map(customer_ids: Iterable[int], parted: Iterable[int], at: datetime) -> int:
    """Hands the runs of customers who were merged or split to whom their profiles belong to now; ``parted`` are those of splits.

    Runs ended or brought back. Events: run.ended, run.resumed.
    """
    bound: dict[str, Any] = {
        "customers": sorted(set(customer_ids)),
        "parted": sorted(set(parted)),
        "at": at,
        "outcome": MERGED,
    }
    with event_log.transaction("workflow", "merge") as log, connection.cursor() as cursor:
        cursor.execute(_END_BEHIND, bound)
        ended = cursor.fetchall()
        cursor.execute(_FOLLOW, bound)
        cursor.execute(_COME_BACK, bound)
        back = cursor.fetchall()
        for run, customer, profile, key in ended:
            log.append(events.run_ended(run, customer, profile, key, MERGED, at))
        for run, customer, profile, key in back:
            log.append(events.run_resumed(run, customer, profile, key, at))
    return len(ended) + len(back)
