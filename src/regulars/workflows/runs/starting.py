"""Begins runs: once for each entry, never a second beside one that is still on its way."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from regulars.foundation.crash import crash_point, declare
from regulars.foundation.ids import new_uid
from regulars.foundation.retrying import retried
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction
from regulars.workflows import events
from regulars.workflows.engine import begin
from regulars.workflows.models import Run, Workflow
from regulars.workflows.runs.deciding import definition_of

STARTED = declare("entries.started", "runs are written, the reader's position is not, nothing is committed")
FRESH = timedelta(days=7)  # an entry older than that when it is read begins nothing
STORM = 20  # entries of one customer into one workflow within a day: more is a loop that feeds itself
ALREADY, STALE, STORMING = "already on the way", "entered too long ago", "entered too often within a day"


@dataclass(frozen=True)
class Arrival:
    """One entry of one customer: ``key`` names it for ever, ``entry`` says why (clear values only), ``begins_at`` may be later than now."""

    customer_id: int
    profile_id: int
    key: str
    occurred_at: datetime
    entry: dict[str, Any] = field(default_factory=dict)
    begins_at: datetime | None = None


_INSERT = """
INSERT INTO workflows_run (uid, workflow_id, version_id, customer_id, profile_id, entry_key, entry, slot, state, outcome, node, since, steps,
    visits, wake_at, started_at, ended_at, lease_owner, fence, failures, problem, batch_id)
SELECT v.uid, %(workflow)s, %(version)s, v.customer, v.profile, v.key, v.entry::jsonb, '', %(state)s, %(outcome)s, %(node)s, v.begins, 0,
    '{}', CASE WHEN %(state)s = 'active' THEN v.begins END, %(at)s, %(ended)s, '', 0, 0, '', %(batch)s
FROM unnest(%(uids)s::uuid[], %(customers)s::bigint[], %(profiles)s::bigint[], %(keys)s::text[], %(entries)s::text[], %(begins)s::timestamptz[])
    AS v(uid, customer, profile, key, entry, begins)
ON CONFLICT DO NOTHING RETURNING id, customer_id, profile_id, entry_key
"""


@retried
def start_runs(workflow: Workflow, arrivals: Sequence[Arrival], at: datetime) -> int:
    """Begins a run of the live version for each arrival that has none yet. Returns how many are on their way now.

    While the workflow is off, nothing begins. Who is already on the way, entered too long ago or too often gets a run that ended at once
    and says so. Event: run.started.
    """
    if not arrivals or workflow.live_id is None:
        return 0
    arrivals = sorted(without_known(workflow, arrivals), key=lambda a: (a.customer_id, a.key))
    by_outcome = _sort_out(arrivals, _storming(workflow, arrivals, at), at)
    with event_log.transaction("workflow", workflow.key) as log:
        if not _is_on(workflow):
            return 0
        begun = _insert(workflow, by_outcome[""], log, at)
        begun_keys = {(customer, key) for _, customer, _, key in begun}
        by_outcome[ALREADY] = [a for a in by_outcome.pop("") if (a.customer_id, a.key) not in begun_keys]
        for outcome, refused in by_outcome.items():
            _insert(workflow, refused, log, at, outcome)
        for run_id, customer, profile, _ in begun:
            log.append(events.run_started(run_id, customer, profile, workflow.key, at))
        crash_point(STARTED)
    return len(begun)


def _is_on(workflow: Workflow) -> bool:
    """Asked in the very transaction that begins runs, and held until its end: switching off waits, and then finds them all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_on FROM workflows_workflow WHERE id = %s FOR SHARE", [workflow.id])
        return bool(cursor.fetchone()[0])


def _sort_out(arrivals: Sequence[Arrival], storming: set[int], at: datetime) -> dict[str, list[Arrival]]:
    """Arrivals by why they are refused; '' is welcome."""
    found: dict[str, list[Arrival]] = {"": [], STALE: [], STORMING: []}
    for a in arrivals:
        outcome = STALE if at - a.occurred_at > FRESH else STORMING if a.customer_id in storming else ""
        found[outcome].append(a)
    return found


def without_known(workflow: Workflow, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Arrivals of which nothing is written yet: a replay changes nothing."""
    keys, customers = [a.key for a in arrivals], [a.customer_id for a in arrivals]
    rows = Run.objects.filter(workflow=workflow, customer_id__in=customers, entry_key__in=keys)
    known = set(rows.values_list("customer_id", "entry_key"))
    return [a for a in arrivals if (a.customer_id, a.key) not in known]


def _storming(workflow: Workflow, arrivals: Sequence[Arrival], at: datetime) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id FROM workflows_run WHERE workflow_id = %s AND customer_id = ANY(%s) AND started_at > %s"
            " GROUP BY customer_id HAVING count(*) >= %s",
            [workflow.id, [a.customer_id for a in arrivals], at - timedelta(days=1), STORM],
        )
        return {row[0] for row in cursor.fetchall()}


def _insert(
    workflow: Workflow, arrivals: Sequence[Arrival], log: LogTransaction, at: datetime, outcome: str = ""
) -> list[tuple[int, int, int, str]]:
    """Rows written: (run, customer, profile, entry key). With an ``outcome`` the runs are over before they began."""
    if not arrivals or workflow.live_id is None:
        return []
    state = begin(definition_of(workflow.live_id), at)
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "workflow": workflow.id,
                "version": workflow.live_id,
                "state": "ended" if outcome else "active",
                "outcome": outcome,
                "node": state.node,
                "at": at,
                "ended": at if outcome else None,
                "batch": log.batch_id,
                "uids": [new_uid() for _ in arrivals],
                "customers": [a.customer_id for a in arrivals],
                "profiles": [a.profile_id for a in arrivals],
                "keys": [a.key for a in arrivals],
                "entries": [json.dumps(a.entry) for a in arrivals],
                "begins": [a.begins_at or at for a in arrivals],
            },
        )
        return [tuple(row) for row in cursor.fetchall()]
