"""The engine: decides, and does nothing else.

``advance`` takes one run as far as it can go at a moment. It returns the new state with the trace of every step and the effects that
the steps leave behind, or says which facts it still needs. Reading facts, writing rows and carrying out effects is the shell's (``runs``).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from regulars.foundation.facts import Answer, Question
from regulars.workflows.definition import Definition
from regulars.workflows.steps.kinds import Ask, End, Go, Reason, Sleep

Facts = Mapping[Question, Answer]


class EndlessWorkflow(Exception):
    """A run went round without ever waiting; the definition's check should have refused that."""


@dataclass(frozen=True)
class State:
    """Where a run is: the node, since when, how many steps it took, and how often it passed each node that has effects."""

    node: str
    since: datetime
    steps: int = 0
    visits: Mapping[str, int] = field(default_factory=dict)
    outcome: str = ""  # why it ended; empty while it goes on

    @property
    def is_over(self) -> bool:
        return bool(self.outcome)


@dataclass(frozen=True)
class Step:
    """One line of the trace: which node decided what, from which values, at which moment."""

    number: int
    node: str
    kind: str
    decision: str
    reasons: tuple[Reason, ...]
    at: datetime


@dataclass(frozen=True)
class Effect:
    """What a step wants done in the world. Its key is the meaning, not the attempt: node and loop index."""

    step: int
    node: str
    action: str
    index: int


@dataclass(frozen=True)
class Advanced:
    """The run went on, and now sleeps until ``wake_at`` or is over (None)."""

    state: State
    steps: tuple[Step, ...]
    effects: tuple[Effect, ...]
    wake_at: datetime | None


@dataclass(frozen=True)
class Needs:
    """The run cannot be decided before these questions are answered."""

    questions: tuple[Question, ...]


def begin(definition: Definition, at: datetime) -> State:
    """State of a run that has just entered."""
    return State(definition.start, at)


def advance(definition: Definition, state: State, facts: Facts, now: datetime) -> Advanced | Needs:
    """Pure: the same arguments give the same result, and a run advanced twice at one moment stands still the second time.

    Raises EndlessWorkflow, which the definition's check makes impossible.
    """
    steps: list[Step] = []
    effects: list[Effect] = []
    for _ in range(2 * len(definition.nodes) + 1):
        if state.is_over:
            return Advanced(state, tuple(steps), tuple(effects), None)
        node = definition.nodes[state.node]
        outcome = node.step.take(state.since, facts, now)
        if isinstance(outcome, Ask):
            return Needs(outcome.questions)
        if isinstance(outcome, Sleep):
            return Advanced(state, tuple(steps), tuple(effects), outcome.until)
        step = Step(state.steps + 1, node.key, node.kind, _decision(outcome), outcome.reasons, now)
        steps.append(step)
        if isinstance(outcome, Go) and outcome.action:
            effects.append(Effect(step.number, node.key, outcome.action, state.visits.get(node.key, 0)))
            state = replace(state, visits={**state.visits, node.key: state.visits.get(node.key, 0) + 1})
        state = _moved(state, outcome, node.exits, now)
    raise EndlessWorkflow(f"workflow goes round at '{state.node}' without waiting")


def effect_key(workflow: str, run: str, node: str, index: int) -> bytes:
    """16 bytes that stand for one intent: hash of workflow, run, step and loop index; never of the attempt."""
    return hashlib.blake2b("\x1f".join((workflow, run, node, str(index))).encode(), digest_size=16).digest()


def questions_of(needs: Sequence[Needs]) -> set[Question]:
    """Every different question that a batch of runs asks."""
    return {question for need in needs for question in need.questions}


def _decision(outcome: Go | End) -> str:
    return outcome.edge if isinstance(outcome, Go) else outcome.outcome


def _moved(state: State, outcome: Go | End, exits: Mapping[str, str], now: datetime) -> State:
    if isinstance(outcome, End):
        return replace(state, steps=state.steps + 1, outcome=outcome.outcome)
    return replace(state, node=exits[outcome.edge], since=now, steps=state.steps + 1)
