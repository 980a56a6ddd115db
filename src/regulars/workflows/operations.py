"""What can be done to workflows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from django.db import IntegrityError, transaction

from regulars.foundation.errors import Conflict, InvalidInput
from regulars.foundation.facts import FACTS, Question
from regulars.foundation.retrying import retried
from regulars.workflows.definition import Definition, InvalidDefinition, Problem, parse_definition
from regulars.workflows.models import Run, RunState, Workflow, WorkflowVersion
from regulars.workflows.runs.deciding import definition_of
from regulars.workflows.runs.starting import Arrival, start_runs, without_known
from regulars.workflows.steps.condition import ConditionStep
from regulars.workflows.steps.kinds import StepProblem
from regulars.workflows.triggers import TRIGGERS

_AT_ONCE = 2_000  # beginnings in one transaction, which must not last


class NothingLive(InvalidInput):
    """This workflow has no version that could be switched on."""

    code = "nothing-live"


def check_definition(raw: Any) -> Definition:
    """The definition, checked against what this house offers: trigger, facts, actions. Raises InvalidDefinition with every problem."""
    if not _can_be_kept(raw):
        raise InvalidDefinition(
            [Problem("definition", "must be JSON: names and texts, numbers, true, false, lists, objects")]
        )
    definition = parse_definition(raw)
    problems = [*_trigger_problems(definition.trigger), *_fact_problems(definition)]
    if problems:
        raise InvalidDefinition(problems)
    return definition


def _can_be_kept(raw: Any) -> bool:
    try:
        text = json.dumps(raw, ensure_ascii=False, allow_nan=False)
        return json.loads(text) == raw and b"\\u0000" not in text.encode()
    except (TypeError, ValueError, RecursionError):  # of YAML, and signs that are no text
        return False


def save_version(key: str, raw: Mapping[str, Any], staff_id: int | None, at: datetime) -> WorkflowVersion:
    """Keeps a definition as the next version of the workflow ``key`` and makes it the live one; runs on their way keep theirs.

    A definition equal to the live one makes no new version. Raises InvalidDefinition.
    """
    definition = check_definition(raw)
    with transaction.atomic():
        workflow, _ = Workflow.objects.select_for_update().get_or_create(
            key=key, defaults={"name": definition.name, "created_at": at}
        )
        if workflow.live is not None and workflow.live.definition == raw:
            return workflow.live
        number = workflow.versions.count() + 1
        version = WorkflowVersion.objects.create(
            workflow=workflow, number=number, definition=raw, staff_id=staff_id, created_at=at
        )
        workflow.live, workflow.name = version, definition.name
        workflow.save(update_fields=["live", "name"])
    return version


@dataclass(frozen=True)
class Switched:
    """What a switch did: runs begun for those already there, and runs that go on where they stood."""

    begun: int = 0
    resumed: int = 0
    paused: int = 0


@retried
def switch_off(workflow: Workflow, at: datetime) -> Switched:
    """No new entries, those on their way stand still where they are until it is on again, and what they planned does not leave."""
    with transaction.atomic():
        _switch(workflow, is_on=False, at=at)
        paused = Run.objects.filter(workflow=workflow, state=RunState.ACTIVE).update(state=RunState.PAUSED)
    return Switched(paused=paused)


class Who(StrEnum):
    """Which of those who are there already get a run when a workflow is switched on."""

    NONE = "none"
    SAMPLE = "sample"
    ALL = "all"


@dataclass(frozen=True)
class Already:
    """The answer to 'what about those already there?': ``per_hour`` spreads their beginnings."""

    who: Who = Who.NONE
    sample: int = 25
    per_hour: int = 200


def count_already_there(workflow: Workflow, at: datetime) -> int:
    """How many a switch-on with ``Who.ALL`` would begin a run for; those who have had one for the same entry are left out."""
    return len(_already_there(workflow, at))


def switch_on(workflow: Workflow, at: datetime, already: Already = Already()) -> Switched:
    """Entries from now on begin runs, paused runs go on, and those already there begin as asked. Raises NothingLive, Conflict.

    The sample is drawn by hash, so that the same people are in it whoever asks. Many begin in several short transactions.
    """
    there = _already_there(workflow, at) if already.who is not Who.NONE else []
    chosen = sorted(there, key=lambda a: blake2b(a.key.encode(), digest_size=8).digest())
    chosen = chosen[: already.sample] if already.who is Who.SAMPLE else chosen
    pause = timedelta(hours=1) / max(already.per_hour, 1)
    spread = [replace(a, begins_at=at + number * pause) for number, a in enumerate(chosen)]
    resumed = _resume(workflow, at)
    begun = sum(start_runs(workflow, spread[n : n + _AT_ONCE], at) for n in range(0, len(spread), _AT_ONCE))
    return Switched(begun=begun, resumed=resumed)


@retried
def _resume(workflow: Workflow, at: datetime) -> int:
    if workflow.live_id is None:
        raise NothingLive
    with transaction.atomic():
        _switch(workflow, is_on=True, at=at)
        return Run.objects.filter(workflow=workflow, state=RunState.PAUSED).update(state=RunState.ACTIVE)


def _already_there(workflow: Workflow, at: datetime) -> list[Arrival]:
    if workflow.live_id is None:
        raise NothingLive
    settings = definition_of(workflow.live_id).trigger
    return without_known(workflow, TRIGGERS[settings["kind"]].already_there(settings, at))


def _switch(workflow: Workflow, *, is_on: bool, at: datetime) -> None:
    changed = Workflow.objects.filter(id=workflow.id, is_on=not is_on).update(is_on=is_on, switched_at=at)
    if not changed:
        raise Conflict(f"'{workflow.name}' is {'on' if is_on else 'off'} already")
    workflow.is_on, workflow.switched_at = is_on, at


@retried
def retry_stuck(run: Run, at: datetime) -> bool:
    """Lets a stuck run try again from where it stands; while its workflow is off it stands still there.

    False when it was not stuck any more. Raises Conflict when the customer is on the way through the workflow again.
    """
    try:
        with transaction.atomic():
            workflow = Workflow.objects.select_for_update(no_key=True).get(id=run.workflow_id)
            return bool(
                Run.objects.filter(id=run.id, state=RunState.STUCK).update(
                    state=RunState.ACTIVE if workflow.is_on else RunState.PAUSED,
                    failures=0,
                    problem="",
                    wake_at=at,
                    lease_owner="",
                    lease_until=None,
                )
            )
    except IntegrityError as error:  # one_active_run_a_slot
        raise Conflict("This customer has entered it again meanwhile, and that run is on its way") from error


def _trigger_problems(settings: Mapping[str, Any]) -> list[Problem]:
    trigger = TRIGGERS.get(settings["kind"])
    if trigger is None:
        return [Problem("trigger.kind", f"must be one of {', '.join(TRIGGERS)}")]
    try:
        trigger.check(settings)
    except StepProblem as problem:
        return [Problem("trigger", str(problem))]
    return []


def _fact_problems(definition: Definition) -> list[Problem]:
    problems = []
    for node in definition.nodes.values():
        if isinstance(node.step, ConditionStep) and (sentence := _question_problem(node.step.question)):
            problems.append(Problem(f"nodes.{node.key}", sentence))
    return problems


def _question_problem(question: Question) -> str:
    fact = FACTS.get(question.fact)
    if fact is None:
        return f"asks for '{question.fact}', which nobody offers; there is {', '.join(FACTS) or 'nothing yet'}"
    for name, _ in question.arguments:
        if name not in fact.arguments:
            return f"'{question.fact}' has no argument '{name}'"
    return fact.check(question)
