"""One turn of the loop: claim, decide, write. What fails in a batch is tried run by run, and what fails alone is counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import connection

from regulars.foundation.crash import crash_point, declare
from regulars.foundation.retrying import retried
from regulars.record.events import log
from regulars.workflows.runs.claiming import PATIENCE, Claimed, Pace, claim_due
from regulars.workflows.runs.deciding import decide
from regulars.workflows.runs.writing import write

logger = structlog.get_logger()
DECIDED = declare("runs.decided", "the engine decided, nothing is written")
COMMITTED = declare("runs.committed", "the batch is committed")
_BACK_OFF = timedelta(minutes=1)
_FAILED = """
UPDATE workflows_run
SET state = CASE WHEN failures >= %(patience)s THEN 'stuck' ELSE state END, problem = %(problem)s, lease_owner = '', lease_until = NULL,
    wake_at = %(again)s * interval '1 second' * power(4, failures) * (0.9 + 0.2 * random()) + %(at)s
WHERE id = %(id)s AND fence = %(fence)s AND state = 'active'
"""


def step_runs(owner: str, at: datetime, pace: Pace = Pace()) -> int:  # noqa: B008  frozen
    """Advances the due runs of one batch as far as they go at ``at``. Returns the steps taken plus the runs moved; 0: nothing was due."""
    claimed = claim_due(owner, at, pace)
    if not claimed:
        return 0
    try:
        done = _carry_out(claimed, at)
    except Exception:  # whatever a fact or an action raises must not stop the others
        logger.exception("a batch of runs failed", runs=len(claimed))
        done = sum(_carry_out_alone(run, at) for run in claimed)
    crash_point(COMMITTED)
    return max(done, 1)


def work_off(owner: str, at: datetime, pace: Pace = Pace()) -> int:  # noqa: B008  frozen
    """Advances everything that is due at ``at``; for the simulated clock, commands and tests. Returns the steps taken."""
    total = 0
    while done := step_runs(owner, at, pace):
        total += done
    return total


@retried
def _carry_out(claimed: Sequence[Claimed], at: datetime) -> int:
    with log.transaction("workflow") as entries:
        decisions = decide(claimed, at)
        crash_point(DECIDED)
        kept = write(decisions, entries, at)
    return sum(len(d.result.steps) for d in kept)


def _carry_out_alone(run: Claimed, at: datetime) -> int:
    try:
        return _carry_out([run], at)
    except Exception as error:  # as above; counted, shown, and in the end put aside
        logger.exception("run failed", run=run.id, failures=run.failures)
        _count_failure(run, f"{type(error).__name__}: {error}"[:500], at)
        return 0


def _count_failure(run: Claimed, problem: str, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _FAILED,
            {
                "patience": PATIENCE,
                "problem": problem,
                "again": _BACK_OFF.total_seconds(),
                "at": at,
                "id": run.id,
                "fence": run.fence,
            },
        )
