"""Facts: what a condition may ask of a customer, as a relation (subject, at, known at).

Each module registers its own in its ``facts.py``; segments, workflow conditions and splits ask them by name. A fact is always read for
many customers at once, so that a batch of a thousand runs costs one query for each different question.

    FACTS.register("segment.member", Fact("segment.member", "Is in this segment", FactKind.LOCAL, {"segment": "key of the segment"}, read))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from regulars.foundation.registry import Registry

Value = bool | int | str | None


class FactKind(StrEnum):
    """LOCAL facts depend on one customer; SNAPSHOT facts (quantiles, ranks, predictions) score against published, versioned cut points."""

    LOCAL = "local"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class Question:
    """One fact with its arguments; equal questions are asked once. ``Question.of('segment.member', segment='at-risk')``."""

    fact: str
    arguments: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, fact: str, **arguments: Value) -> "Question":
        return cls(fact, tuple(sorted(arguments.items())))

    def argument(self, name: str) -> Value:
        """Value of one argument; None where it is not given."""
        return dict(self.arguments).get(name)


@dataclass(frozen=True)
class Answer:
    """A value and where it came from, so that a person can follow it: ``source`` is like 'event 4711', 'snapshot 12' or 'no entry'.

    ``seen``: what it was made of, where that is several things, each with what it is called, its value and its source. Nothing personal.
    """

    value: Value
    source: str = ""
    as_of: datetime | None = None
    seen: tuple[tuple[str, Value, str], ...] = ()


UNKNOWN = Answer(None, "nothing known")


@dataclass(frozen=True)
class Moment:
    """The two clocks of a question: the time in the world, and the log position up to which we may know (None: all that we know).

    ``entered``: of customers who are asked of from within a workflow, when they entered it.
    """

    at: datetime
    known_at: int | None = None
    entered: Mapping[int, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """A fact that a module offers. ``read(customer_ids, question, moment)`` gives answers by customer; who is left out is UNKNOWN.

    ``arguments`` maps each argument's name to its meaning; ``check(question)`` returns a sentence for arguments that cannot be meant, or ''.
    """

    name: str
    meaning: str
    kind: FactKind
    arguments: Mapping[str, str]
    read: Callable[[Sequence[int], Question, Moment], Mapping[int, Answer]]
    check: Callable[[Question], str] = field(default=lambda question: "")


FACTS: Registry[Fact] = Registry("fact")
