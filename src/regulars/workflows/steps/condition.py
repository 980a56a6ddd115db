"""Condition: ask one fact and go by the answer. What is not known is said, and takes the edge that the definition names for it.

The fact may be a condition of the language of segments, which stands under ``matches``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.foundation.facts import Answer, Question
from regulars.workflows.steps.kinds import STEPS, Ask, Go, Names, Outcome, Reason, StepProblem, name_of, refuse_unknown

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "is": lambda value, wanted: value == wanted,
    "is_not": lambda value, wanted: value != wanted,
    "at_least": lambda value, wanted: value >= wanted,
    "at_most": lambda value, wanted: value <= wanted,
    "one_of": lambda value, wanted: value in wanted,
}
_WORDS = {"is": "is", "is_not": "is not", "at_least": "is at least", "at_most": "is at most", "one_of": "is one of"}


MATCHES = "matches"


@dataclass(frozen=True)
class ConditionStep:
    """Compares the answer with ``wanted``; an unknown answer goes ``if_unknown`` ('yes' or 'no')."""

    question: Question
    test: str
    wanted: Any
    if_unknown: str

    def take(self, since: datetime, facts: Mapping[Question, Answer], now: datetime) -> Outcome:
        answer = facts.get(self.question)
        if answer is None:
            return Ask((self.question,))
        seen = (Reason(*one) for one in answer.seen)
        return Go(self._edge(answer), (Reason(in_words(self.question), answer.value, answer.source), *seen))

    def _edge(self, answer: Answer) -> str:
        if answer.value is None:
            return self.if_unknown
        try:
            return "yes" if _TESTS[self.test](answer.value, self.wanted) else "no"
        except TypeError:  # a word compared with a number: as good as not known
            return self.if_unknown

    def describe(self, names: Names) -> str:
        if self.question.fact == "segment.member" and self.test == "is" and self.wanted is True:
            return f"check that they are still in {name_of(names, 'segment', self.question.argument('segment'))}"
        if self.question.fact == MATCHES:
            return f"check whether {name_of(names, MATCHES, self.question.argument('condition'))}"
        return f"check whether {in_words(self.question)} {_WORDS[self.test]} {self.wanted}"


def asks_whether(definition: Any) -> Question:
    """The question that a definition of the condition language is, in the one way in which it can be written."""
    return Question.of(MATCHES, condition=json.dumps(definition, sort_keys=True))


def in_words(question: Question) -> str:
    """'segment.member (segment at-risk)'"""
    if question.fact == MATCHES:
        return MATCHES
    given = ", ".join(f"{name} {value}" for name, value in question.arguments)
    return f"{question.fact} ({given})" if given else question.fact


class ConditionKind:
    """``{"kind": "condition", "fact": "segment.member", "with": {"segment": "at-risk"}, "is": true, "yes": ..., "no": ...}``, or with
    ``"matches": {"version": 1, "where": ...}`` in place of the fact.
    """

    name = "condition"
    label = "Check"
    icon = "filter"
    edges = ("yes", "no")
    waits = False

    def parse(self, settings: Mapping[str, Any]) -> ConditionStep:
        if MATCHES in settings:
            refuse_unknown(settings, MATCHES)
            return ConditionStep(asks_whether(settings[MATCHES]), "is", True, "no")
        refuse_unknown(settings, "fact", "with", "if_unknown", MATCHES, *_TESTS)
        fact, arguments = settings.get("fact"), settings.get("with", {})
        if not isinstance(fact, str) or not fact:
            raise StepProblem('needs the name of a fact, such as "fact": "segment.member"')
        if not isinstance(arguments, Mapping) or not all(isinstance(v, bool | int | str) for v in arguments.values()):
            raise StepProblem('needs plain arguments, such as "with": {"segment": "at-risk"}')
        tests = [name for name in _TESTS if name in settings]
        if len(tests) != 1:
            raise StepProblem(f"needs exactly one comparison out of {', '.join(_TESTS)}")
        wanted = settings[tests[0]]
        _check_wanted(tests[0], wanted)
        if settings.get("if_unknown", "no") not in {"yes", "no"}:
            raise StepProblem("'if_unknown' must be yes or no")
        return ConditionStep(
            Question.of(fact, **arguments), tests[0], _frozen(wanted), settings.get("if_unknown", "no")
        )


def _check_wanted(test: str, wanted: Any) -> None:
    if test == "one_of":
        if not isinstance(wanted, list) or not wanted or not all(isinstance(v, int | str) for v in wanted):
            raise StepProblem("'one_of' needs a list of words or numbers")
    elif not isinstance(wanted, bool | int | str):
        raise StepProblem(f"'{test}' needs a word, a whole number, true or false")


def _frozen(wanted: Any) -> Any:
    return tuple(wanted) if isinstance(wanted, list) else wanted


STEPS.register("condition", ConditionKind())
