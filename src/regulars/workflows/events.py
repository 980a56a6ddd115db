"""Events that workflows append."""

from datetime import datetime

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

RUN_STARTED = register("run.started", "A customer entered a workflow", "run", workflow="key of the workflow")
RUN_ENDED = register(
    "run.ended",
    "A customer's way through a workflow ended",
    "run",
    workflow="key of the workflow",
    outcome="why it ended",
)

RUN_RESUMED = register(
    "run.resumed",
    "A way through a workflow that had ended in a merge goes on after the split",
    "run",
    workflow="key of the workflow",
)


def run_started(run_id: int, customer_id: int, profile_id: int, workflow: str, at: datetime) -> Entry:
    return Entry(RUN_STARTED, at, profile_id, customer_id, run_id, {"workflow": workflow})


def run_ended(run_id: int, customer_id: int, profile_id: int, workflow: str, outcome: str, at: datetime) -> Entry:
    return Entry(RUN_ENDED, at, profile_id, customer_id, run_id, {"workflow": workflow, "outcome": outcome})


def run_resumed(run_id: int, customer_id: int, profile_id: int, workflow: str, at: datetime) -> Entry:
    return Entry(RUN_RESUMED, at, profile_id, customer_id, run_id, {"workflow": workflow})
