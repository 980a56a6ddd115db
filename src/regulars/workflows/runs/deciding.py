"""Reads the facts that runs ask for, one query for each different question, and lets the engine decide."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regulars.foundation.facts import FACTS, UNKNOWN, Answer, Moment, Question
from regulars.workflows.definition import Definition, parse_definition
from regulars.workflows.engine import Advanced, Needs, advance
from regulars.workflows.models import WorkflowVersion
from regulars.workflows.runs.claiming import Claimed

_ROUNDS = 100  # a run asks at most once for each of its nodes
_definitions: dict[int, Definition] = {}


@dataclass(frozen=True)
class Decision:
    """What the engine decided for one run."""

    run: Claimed
    result: Advanced


class UnknownFact(Exception):
    """A workflow asks for a fact that no module offers."""


def definition_of(version_id: int) -> Definition:
    """The checked definition of a version; versions are immutable, so each process reads one once."""
    if version_id not in _definitions:
        _definitions[version_id] = parse_definition(WorkflowVersion.objects.get(id=version_id).definition)
    return _definitions[version_id]


def decide(runs: Sequence[Claimed], at: datetime) -> list[Decision]:
    """One decision for each run, in their order. Raises UnknownFact, and whatever a fact's reader raises."""
    facts: dict[int, dict[Question, Answer]] = defaultdict(dict)
    decided: dict[int, Advanced] = {}
    for _ in range(_ROUNDS):
        asked: dict[Question, list[int]] = defaultdict(list)
        for run in runs:
            if run.id in decided:
                continue
            result = advance(definition_of(run.version_id), run.state, facts[run.customer_id], at)
            if isinstance(result, Needs):
                for question in result.questions:
                    asked[question].append(run.customer_id)
            else:
                decided[run.id] = result
        if not asked:
            break
        _answer(asked, facts, at)
    return [Decision(run, decided[run.id]) for run in runs]


def _answer(asked: dict[Question, list[int]], facts: dict[int, dict[Question, Answer]], at: datetime) -> None:
    for question, customers in asked.items():
        fact = FACTS.get(question.fact)
        if fact is None:
            raise UnknownFact(f"no module offers the fact '{question.fact}'")
        answers = fact.read(customers, question, Moment(at))
        for customer in customers:
            facts[customer][question] = answers.get(customer, UNKNOWN)
