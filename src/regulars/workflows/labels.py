"""States of workflows and runs, in words."""

from regulars.foundation.pages.lists import Pill
from regulars.workflows.models import Run, Workflow

RUN_STATES: dict[str, str] = {"active": "on the way", "paused": "paused", "ended": "ended", "stuck": "stuck"}
_TONES = {"active": "accent", "paused": "amber", "stuck": "red"}


def run_pill(run: Run) -> Pill:
    return Pill(RUN_STATES[run.state].capitalize(), _TONES.get(run.state, "grey"))


def workflow_pill(workflow: Workflow) -> Pill:
    return Pill("On", "green") if workflow.is_on else Pill("Off", "grey")
