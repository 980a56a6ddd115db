"""States of workflows and runs, and the values that their steps saw, in words."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from regulars.foundation.facts import FACTS
from regulars.foundation.pages.formats import format_full
from regulars.foundation.pages.lists import Pill
from regulars.record.events.kinds import EVENT_KINDS
from regulars.workflows.models import Run, Workflow

RUN_STATES: dict[str, str] = {"active": "on the way", "paused": "paused", "ended": "ended", "stuck": "stuck"}
_TONES = {"active": "accent", "paused": "amber", "stuck": "red"}


def run_pill(run: Run) -> Pill:
    return Pill(RUN_STATES[run.state].capitalize(), _TONES.get(run.state, "grey"))


def workflow_pill(workflow: Workflow) -> Pill:
    return Pill("On", "green") if workflow.is_on else Pill("Off", "grey")


def question_in_words(label: str) -> str:
    """'segment.member (segment at-risk)' as 'Is in this segment (segment at-risk)'."""
    name, _, rest = label.partition(" ")
    fact = FACTS.get(name)
    return f"{fact.meaning} {rest}".strip() if fact else label[:1].upper() + label[1:]


def in_words(value: Any) -> Any:
    """A value of a trace: yes and no, moments in the reader's zone, event kinds by their meaning."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if not isinstance(value, str):
        return value
    if kind := EVENT_KINDS.get(value):
        return kind.meaning
    try:
        return format_full(datetime.fromisoformat(value)) if "T" in value else value
    except ValueError:
        return value
