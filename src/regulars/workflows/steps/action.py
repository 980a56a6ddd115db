"""Action: leave an effect behind and go on. What the effect is, and how it is carried out, belongs to the module that offers the action.

A module registers its action in its door ``actions.py``: :func:`register` puts the step into the engine's registry and the carrier into
the shell's. The engine knows nothing but the action's name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.facts import Answer, Question
from regulars.foundation.registry import Registry
from regulars.workflows.steps.kinds import STEPS, Go, Names, Outcome


@dataclass(frozen=True)
class Intent:
    """One effect to be planned: who for, in which run, under which key, with the node's settings."""

    key: bytes
    run_id: int
    workflow_id: int
    customer_id: int
    profile_id: int
    node: str
    settings: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True)
class NodeFigure:
    """One number on a node's card, and the list that shows what was counted."""

    label: str
    count: int
    href: str


@dataclass(frozen=True)
class NodeOutcome:
    """What became of one effect, in words, and where it opens."""

    words: str
    href: str
    tone: str = "grey"


class Carrier(Protocol):
    """Takes over effects of one action. ``plan`` runs inside the transaction that writes the runs: set-wise, to the database only."""

    def names(self) -> Names:
        """What people call the things that this action's settings name."""
        ...

    def plan(self, intents: Sequence[Intent]) -> None: ...

    def figures(self, workflow_key: str, workflow_id: int, viewer: Viewer) -> Mapping[str, Sequence[NodeFigure]]:
        """What became of the effects, by node, for the page of the workflow."""
        ...

    def outcomes(self, run_id: int) -> Mapping[str, NodeOutcome]:
        """What became of one run's effects, by node, for the page of the run."""
        ...


CARRIERS: Registry[Carrier] = Registry("action")


@dataclass(frozen=True)
class ActionStep:
    action: str
    words: Callable[[Names], str]

    def take(self, since: datetime, facts: Mapping[Question, Answer], now: datetime) -> Outcome:
        return Go("next", (), self.action)

    def describe(self, names: Names) -> str:
        return self.words(names)


@dataclass(frozen=True)
class ActionKind:
    """An action as a step. ``check`` raises StepProblem for settings that cannot be used; ``words`` describes them."""

    name: str
    label: str
    icon: str
    check: Callable[[Mapping[str, Any]], None]
    words: Callable[[Mapping[str, Any], Names], str]
    edges: tuple[str, ...] = ("next",)
    waits: bool = False

    def parse(self, settings: Mapping[str, Any]) -> ActionStep:
        self.check(settings)
        return ActionStep(self.name, partial(self.words, dict(settings)))


def register(kind: ActionKind, carrier: Carrier) -> None:
    """Makes an action known to the engine and to the shell."""
    STEPS.register(kind.name, kind)
    CARRIERS.register(kind.name, carrier)
