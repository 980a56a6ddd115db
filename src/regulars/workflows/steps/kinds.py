"""What a step is: it looks at when the run arrived, at facts and at the time, and says what follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from regulars.foundation.facts import Answer, Question, Value
from regulars.foundation.registry import Registry


class StepProblem(Exception):
    """A step's settings cannot be used; the sentence says which and why."""


@dataclass(frozen=True)
class Reason:
    """One value that a step looked at, with where it came from, in a form that is kept in the trace."""

    label: str
    value: Value
    source: str = ""


@dataclass(frozen=True)
class Go:
    """Leave by this edge; ``action`` names what is to be done in the world, if anything."""

    edge: str
    reasons: tuple[Reason, ...] = ()
    action: str = ""


@dataclass(frozen=True)
class Sleep:
    """Stay here until then."""

    until: datetime


@dataclass(frozen=True)
class Ask:
    """These questions must be answered first."""

    questions: tuple[Question, ...]


@dataclass(frozen=True)
class End:
    """The run is over, and this is why."""

    outcome: str
    reasons: tuple[Reason, ...] = ()


Outcome = Go | Sleep | Ask | End


Names = Mapping[tuple[str, str], str]  # ('segment', 'at-risk') -> 'At Risk'


def name_of(names: Names, what: str, key: object) -> str:
    """What people call a thing; its key where nobody named it."""
    try:
        return names[what, str(key)]
    except KeyError:
        return str(key)


class Step(Protocol):
    """One node's parsed settings."""

    def take(self, since: datetime, facts: Mapping[Question, Answer], now: datetime) -> Outcome:
        """Decides, purely. ``since`` is when the run arrived at this node."""
        ...

    def describe(self, names: Names) -> str:
        """The step in words, without a full stop: 'wait 3 days'. ``names`` turns keys into what people call them."""
        ...


class StepKind(Protocol):
    """A kind of node: which edges leave it, and how its settings are read. ``parse`` raises StepProblem."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def edges(self) -> tuple[str, ...]: ...
    @property
    def waits(self) -> bool: ...

    def parse(self, settings: Mapping[str, Any]) -> Step: ...


STEPS: Registry[StepKind] = Registry("workflow step")


def refuse_unknown(settings: Mapping[str, Any], *known: str) -> None:
    """A setting that nobody reads is a mistake, not a remark."""
    for name in settings:
        if name not in known:
            raise StepProblem(f"does not know the setting '{name}'; it knows {', '.join(known)}")
