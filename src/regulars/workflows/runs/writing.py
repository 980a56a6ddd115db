"""Writes what the engine decided: state, trace and effects of a batch, all in one transaction, under the fences of the leases."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from regulars.foundation.crash import crash_point, declare
from regulars.record.events.log import LogTransaction
from regulars.workflows import events
from regulars.workflows.engine import effect_key
from regulars.workflows.models import Workflow
from regulars.workflows.runs.deciding import Decision, definition_of
from regulars.workflows.steps.action import CARRIERS, Intent

MOVED = declare("runs.moved", "states are written, traces and effects are not, nothing is committed")
PLANNED = declare("runs.planned", "everything of the batch is written, nothing is committed")

_MOVE = """
UPDATE workflows_run r
SET state = v.state, outcome = v.outcome, node = v.node, since = v.since, steps = v.steps, visits = v.visits::jsonb, wake_at = v.wake_at,
    ended_at = v.ended_at, lease_owner = '', lease_until = NULL, failures = 0, problem = ''
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::int[], %s::text[], %s::timestamptz[],
    %s::timestamptz[]) AS v(id, fence, state, outcome, node, since, steps, visits, wake_at, ended_at)
WHERE r.id = v.id AND r.fence = v.fence AND r.state = 'active'
RETURNING r.id
"""
_TRACE = "COPY workflows_runstep (run_id, number, node, kind, decision, values, at, batch_id) FROM STDIN"
_EFFECTS = """
INSERT INTO workflows_effect (key, run_id, step, node, action, at)
SELECT * FROM unnest(%s::bytea[], %s::bigint[], %s::int[], %s::text[], %s::text[], %s::timestamptz[])
ON CONFLICT (key) DO NOTHING RETURNING key
"""


def write(decisions: Sequence[Decision], log: LogTransaction, at: datetime) -> list[Decision]:
    """Writes those decisions whose lease is still this worker's, and returns them; of the others nothing is written."""
    kept_ids = _move([_row(d, at) for d in sorted(decisions, key=lambda d: d.run.id)])
    crash_point(MOVED)
    kept = [d for d in decisions if d.run.id in kept_ids]
    _write_trace(kept, log.batch_id)
    _plan(_intents(kept))
    _append_ends(kept, log, at)
    crash_point(PLANNED)
    return kept


def _row(decision: Decision, at: datetime) -> tuple[Any, ...]:
    run, result = decision.run, decision.result
    state = result.state
    over = state.is_over
    return (
        run.id,
        run.fence,
        "ended" if over else "active",
        state.outcome,
        state.node,
        state.since,
        state.steps,
        json.dumps(dict(state.visits)),
        result.wake_at,
        at if over else None,
    )


def _move(rows: list[tuple[Any, ...]]) -> set[int]:
    """Ids of the runs that were still ours."""
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [list(column) for column in zip(*rows, strict=True)])
        return {row[0] for row in cursor.fetchall()}


def _write_trace(decisions: Sequence[Decision], batch_id: int) -> None:
    with connection.cursor() as cursor, cursor.copy(_TRACE) as copy:
        for decision in decisions:
            for step in decision.result.steps:
                values = json.dumps([[r.label, r.value, r.source] for r in step.reasons])
                copy.write_row(
                    (decision.run.id, step.number, step.node, step.kind, step.decision, values, step.at, batch_id)
                )


def _intents(decisions: Sequence[Decision]) -> list[tuple[str, int, Intent]]:
    """Action, step number and intent of every effect."""
    found = []
    for decision in decisions:
        run = decision.run
        nodes = definition_of(run.version_id).nodes if decision.result.effects else {}
        for effect in decision.result.effects:
            key = effect_key(str(run.workflow_id), run.uid, effect.node, effect.index)
            settings, at = nodes[effect.node].settings, decision.result.steps[0].at
            intent = Intent(key, run.id, run.workflow_id, run.customer_id, run.profile_id, effect.node, settings, at)
            found.append((effect.action, effect.step, intent))
    return found


def _plan(found: list[tuple[str, int, Intent]]) -> None:
    """Puts the effects down and hands the new ones to the modules that carry them out."""
    if not found:
        return
    columns = [[i.key, i.run_id, step, i.node, action, i.at] for action, step, i in found]
    with connection.cursor() as cursor:
        cursor.execute(_EFFECTS, [list(column) for column in zip(*columns, strict=True)])
        new = {bytes(row[0]) for row in cursor.fetchall()}
    by_action: dict[str, list[Intent]] = defaultdict(list)
    for action, _, intent in found:
        if intent.key in new:
            by_action[action].append(intent)
    for action, intents in by_action.items():
        CARRIERS[action].plan(intents)


def _append_ends(decisions: Sequence[Decision], log: LogTransaction, at: datetime) -> None:
    over = [d for d in decisions if d.result.state.is_over]
    keys = (
        dict(Workflow.objects.filter(id__in={d.run.workflow_id for d in over}).values_list("id", "key")) if over else {}
    )
    for d in over:
        log.append(
            events.run_ended(
                d.run.id, d.run.customer_id, d.run.profile_id, keys[d.run.workflow_id], d.result.state.outcome, at
            )
        )
