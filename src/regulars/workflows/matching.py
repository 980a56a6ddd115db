"""Conditions of the language of segments, asked of customers on their way through a workflow: all those of a batch at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any as Anything

from django.utils.translation import gettext as _

from regulars.foundation.facts import Answer, Moment, Question
from regulars.foundation.relations import RELATIONS, FieldType
from regulars.foundation.shop.settings import read_setting
from regulars.insight.conditions import asking
from regulars.insight.conditions.language import All, Any, Condition, Leaf, Measured, Not, leaves, rows_of
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.persons import read_people
from regulars.insight.conditions.reading import InvalidCondition, read_definition
from regulars.insight.conditions.why import Look, look
from regulars.insight.conditions.windows import Clock
from regulars.insight.conditions.words import Words, type_of_figure
from regulars.insight.segments.models import Segment
from regulars.insight.segments.rules import InvalidDefinition, segment_keys


def read(customer_ids: Sequence[int], question: Question, moment: Moment) -> Mapping[int, Answer]:
    """Who fulfils the condition, with each part of it and what was seen there. Raises InvalidCondition."""
    condition = condition_of(question)
    verdicts = asking.decide(condition, customer_ids, moment.at, entries=moment.entered)
    clock, words = asking.clock_at(moment.at), Words(str(read_setting("shop.reporting_currency")))
    people = read_people(condition, customer_ids)
    return {
        customer: Answer(verdict.is_in, "", moment.at, _seen(condition, people[customer], clock, moment, words))
        for customer, verdict in verdicts.items()
    }


def _seen(
    condition: Condition, person: Person, clock: Clock, moment: Moment, words: Words
) -> tuple[tuple[str, bool | str, str], ...]:
    entered = replace(clock, entered_at=moment.entered.get(person.customer_id))
    return tuple((words.leaf(one.leaf), *_value(one, words)) for one in look(condition, person, entered))


def _value(one: Look, words: Words) -> tuple[bool | str, str]:
    """The figure, and the newest row that it came from; of what has no figure whether it is so."""
    source = f"{one.newest.table} {one.newest.key}" if one.newest else ""
    if not isinstance(one.leaf, Leaf):
        return one.holds, source
    return words.value(one.value, type_of_figure(one.leaf.figure)), source


def check(question: Question) -> str:
    """Why it cannot be asked; '' where it can."""
    try:
        condition = condition_of(question)
        named = segment_keys(condition)
    except (InvalidCondition, InvalidDefinition) as error:
        return error.sentence
    known = set(Segment.objects.filter(key__in=named).values_list("key", flat=True))
    if missing := [key for key in named if key not in known]:
        return f"there is no segment '{missing[0]}'"
    if _asks_for_personal_words(condition):
        return "contact data is asked by a segment: name that segment here"
    return ""


def _asks_for_personal_words(condition: Condition) -> bool:
    """Definitions of workflows are read by whoever sees workflows, so no name or address stands in them."""
    fields = {(rows.of, one.field) for leaf in leaves(condition) for rows in rows_of(leaf) for one in rows.where}
    fields |= {
        (leaf.figure.rows.of, leaf.figure.field)
        for leaf in leaves(condition)
        if isinstance(leaf, Leaf) and isinstance(leaf.figure, Measured)
    }
    found = (RELATIONS[of].fields.get(name) for of, name in fields)
    return any(field is not None and field.type is FieldType.TOKEN for field in found)


def condition_of(question: Question) -> Condition:
    """Raises InvalidCondition."""
    return _read(str(question.argument("condition")))


@lru_cache(1_000)
def _read(definition: str) -> Condition:
    return read_definition(json.loads(definition))


def in_words(definition: str) -> str:
    """One sentence's part: 'has no orders since entering the workflow and is on the list “VIP”'."""
    try:
        condition = _read(definition)
    except InvalidCondition:
        return _("conditions hold that cannot be read any more")
    return _joined(condition, Words(str(read_setting("shop.reporting_currency"))))


def _joined(condition: Condition, words: Words, *, is_part: bool = False) -> str:
    match condition:
        case All(parts) | Any(parts):
            said = [_joined(part, words, is_part=True) for part in parts]
            text = (_(" and ") if isinstance(condition, All) else _(" or ")).join(said) or _("everything holds")
            return f"({text})" if is_part and len(said) > 1 else text
        case Not(part):
            return _("not (%(part)s)") % {"part": _joined(part, words)}
        case _:
            return words.leaf(condition)


def conditions_in(definition: Anything) -> list[str]:
    """The definitions of conditions that stand in a workflow's, as JSON."""
    nodes = definition.get("nodes", {}).values() if isinstance(definition, dict) else ()
    return [json.dumps(node["matches"], sort_keys=True) for node in nodes if "matches" in node]
