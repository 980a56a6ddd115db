"""Reads the facts that runs ask for, one query for each different question, and lets the engine decide."""

from collections import Counter, defaultdict
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
    facts: dict[int, dict[Question, Answer]] = defaultdict(dict)  # by run: two of one customer entered at two moments
    decided: dict[int, Advanced] = {}
    for _ in range(_ROUNDS):
        asked: dict[Question, list[Claimed]] = defaultdict(list)
        for run in runs:
            if run.id in decided:
                continue
            result = advance(definition_of(run.version_id), run.state, facts[run.id], at)
            if isinstance(result, Needs):
                for question in result.questions:
                    asked[question].append(run)
            else:
                decided[run.id] = result
        if not asked:
            break
        _answer(asked, facts, at)
    return [Decision(run, decided[run.id]) for run in runs]


def _answer(asked: dict[Question, list[Claimed]], facts: dict[int, dict[Question, Answer]], at: datetime) -> None:
    for question, runs in asked.items():
        fact = FACTS.get(question.fact)
        if fact is None:
            raise UnknownFact(f"no module offers the fact '{question.fact}'")
        for some in _with_each_customer_once(runs):
            entered = {run.customer_id: run.started_at for run in some}
            answers = fact.read(list(entered), question, Moment(at, entered=entered))
            for run in some:
                facts[run.id][question] = answers.get(run.customer_id, UNKNOWN)


def _with_each_customer_once(runs: Sequence[Claimed]) -> list[list[Claimed]]:
    found: list[list[Claimed]] = []
    count: Counter[int] = Counter()
    for run in runs:
        if count[run.customer_id] == len(found):
            found.append([])
        found[count[run.customer_id]].append(run)
        count[run.customer_id] += 1
    return found
