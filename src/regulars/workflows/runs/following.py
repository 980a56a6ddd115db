"""Runs follow the map of who is who: after a merge of two runs of one workflow the further one stays, the other ends as 'merged'."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from regulars.record.events import log as event_log
from regulars.workflows import events

MERGED = "merged"

_END_BEHIND = """
UPDATE workflows_run r SET state = 'ended', outcome = %(outcome)s, ended_at = %(at)s, wake_at = NULL, lease_owner = '', lease_until = NULL
FROM (
    SELECT x.id, m.customer_id AS now,
        row_number() OVER (PARTITION BY x.workflow_id, m.customer_id, x.slot ORDER BY x.steps DESC, x.started_at, x.id) AS place
    FROM workflows_run x JOIN customers_customerprofile m ON m.profile_id = x.profile_id AND m.until_batch_id IS NULL
    WHERE x.state IN ('active', 'paused') AND x.customer_id = ANY(%(customers)s)
) ranked, workflows_workflow w
WHERE r.id = ranked.id AND ranked.place > 1 AND w.id = r.workflow_id
RETURNING r.id, ranked.now, r.profile_id, w.key
"""
_FOLLOW = """
UPDATE workflows_run r SET customer_id = m.customer_id
FROM customers_customerprofile m
WHERE m.profile_id = r.profile_id AND m.until_batch_id IS NULL AND r.customer_id <> m.customer_id AND r.customer_id = ANY(%(customers)s)
"""


def follow_map(customer_ids: Iterable[int], at: datetime) -> int:
    """Hands the runs of customers who were merged or split to whom their profiles belong to now. Runs ended. Event: run.ended."""
    bound: dict[str, Any] = {"customers": sorted(set(customer_ids)), "at": at, "outcome": MERGED}
    with event_log.transaction("workflow", "merge") as log, connection.cursor() as cursor:
        cursor.execute(_END_BEHIND, bound)
        ended = cursor.fetchall()
        cursor.execute(_FOLLOW, bound)
        for run, customer, profile, key in ended:
            log.append(events.run_ended(run, customer, profile, key, MERGED, at))
    return len(ended)
