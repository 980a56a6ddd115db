"""The whole definition as the page shows it: groups, their rows, and at each what is missing or wrong."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from regulars.insight.conditions.language import Condition
from regulars.insight.conditions.reading import DEEPEST, InvalidCondition, read_condition
from regulars.insight.segments import drafting
from regulars.insight.segments.building.figures import House
from regulars.insight.segments.building.rows import Row
from regulars.insight.segments.building.sending import faithful_row
from regulars.insight.segments.building.words import EMPTY_GROUP, OPS_IN_WORDS, asks_for
from regulars.insight.segments.drafting import Node, Place
from regulars.insight.segments.rules import InvalidDefinition, segment_keys


@dataclass(frozen=True)
class Problem:
    """``is_open``: something is to be filled in still, rather than wrong."""

    sentence: Any
    is_open: bool = False


@dataclass(frozen=True)
class Shown:
    """A node. ``row`` is None for a group, and for what no row can show: ``text`` is that then, as YAML."""

    place: str
    parent: str
    number: int
    is_denied: bool
    group: str
    parts: tuple["Shown", ...]
    row: Row | None
    text: str
    problem: Problem | None

    @property
    def has_problem(self) -> bool:
        """It, or a part of it."""
        return self.problem is not None or any(part.has_problem for part in self.parts)

    @property
    def slug(self) -> str:
        """For ids of elements."""
        return self.place.replace(".", "-")


Check = Callable[[Condition], Any]


def show_tree(root: Node, house: House, check: Check = segment_keys) -> Shown:
    """``check`` raises InvalidDefinition for a condition that can be read and yet not be used, such as a circle of segments."""
    return _shown(root, (), house, check)


def problem_of(root: Node, check: Check = segment_keys) -> Problem | None:
    """Why it cannot be used as it stands. Of whole definitions also what no single row is to blame for."""
    try:
        check(read_condition(root))
    except InvalidCondition as error:
        sentence = error.sentence.partition("': ")[2] or error.sentence
        asked = asks_for(sentence)
        return Problem(asked or _in_words(sentence), bool(asked))
    except InvalidDefinition as error:
        return Problem(error.sentence)
    return None


def as_text(node: Node) -> str:
    try:
        return yaml.safe_dump(node, allow_unicode=True, sort_keys=False, width=100)
    except RecursionError:  # nested hundreds deep, from before drafts were measured: YAML all the same
        return json.dumps(node, ensure_ascii=False)


def _shown(node: Node, place: Place, house: House, check: Check) -> Shown:
    inner, group = drafting.bare(node), drafting.group_name(node) if len(place) <= DEEPEST else ""
    row = None if group else faithful_row(inner, house)
    return Shown(
        place=drafting.text_of(place),
        parent=drafting.text_of(place[:-1]),
        number=place[-1] if place else 0,
        is_denied=drafting.is_denied(node),
        group=group,
        parts=tuple(
            _shown(one, (*place, number), house, check) for number, one in enumerate(inner[group] if group else ())
        ),
        row=row,
        text="" if row or group else as_text(inner),
        problem=_of_group(inner) if group else problem_of(inner, check),
    )


def _of_group(group: Node) -> Problem | None:
    return Problem(EMPTY_GROUP, is_open=True) if group.get("any") == [] else None


def _in_words(sentence: str) -> str:
    """A refusal with comparisons as the rows call them."""
    for op, words in OPS_IN_WORDS.items():
        sentence = sentence.replace(f"'{op}'", f"'{words}'")
    return sentence[:1].upper() + sentence[1:]
