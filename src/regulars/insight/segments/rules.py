"""Definitions of segments, read and checked. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from regulars.foundation.errors import InvalidInput
from regulars.foundation.relations import EVERY_KIND, RELATIONS, ZONE_SOURCES, RelationKind
from regulars.insight.conditions import language
from regulars.insight.conditions.language import Rows, asks_for_zones, leaves, relations_of, rows_of
from regulars.insight.conditions.narrowing import texts_in
from regulars.insight.conditions.reading import read_definition
from regulars.insight.rfm.rules import RfmSegment

OF_SEGMENTS = frozenset(
    {"memberships", "segment_entries", "segment_exits"}
)  # relations whose rows are other segments' memberships
OF_LISTS = frozenset({"lists", "list_entries", "list_exits"})


class InvalidDefinition(InvalidInput):
    """This definition of a segment cannot be used."""

    code = "invalid-segment"


@dataclass(frozen=True)
class InRfmSegment:
    """The newest RFM snapshot puts the customer into this one of the eleven."""

    segment: RfmSegment


Condition = InRfmSegment  # the leaves and groups of a condition language join here


def parse_definition(data: Any) -> Condition:
    """``{"rfm": {"segment": "champions"}}``. Raises InvalidDefinition."""
    if not isinstance(data, dict) or set(data) != {"rfm"} or not isinstance(data["rfm"], dict):
        raise InvalidDefinition('A segment is defined like {"rfm": {"segment": "champions"}}.')
    try:
        return InRfmSegment(RfmSegment(data["rfm"]["segment"]))
    except (KeyError, ValueError) as error:
        raise InvalidDefinition(f"There is no RFM segment '{data['rfm'].get('segment', '')}'.") from error


def definition_of(segment: RfmSegment) -> dict[str, Any]:
    return {"rfm": {"segment": segment.value}}


def condition_of(definition: Any) -> language.Condition:
    """Of a segment of kind 'conditions'. Raises InvalidCondition."""
    return _read(json.dumps(definition, sort_keys=True))


@lru_cache(1_000)
def _read(definition: str) -> language.Condition:
    return read_definition(json.loads(definition))


def event_kinds(condition: language.Condition) -> list[str]:
    """Kinds of events after which somebody may come in or go out; EVERY_KIND where any may do that.

    Where days are the person's own, also those after which she may live in another zone.
    """
    kinds = {kind for leaf in leaves(condition) for rows in rows_of(leaf) for kind in _kinds(rows)}
    if asks_for_zones(condition):
        kinds |= {kind for _, source in ZONE_SOURCES.items() for kind in source.rises_with}
    return sorted(kinds)


def _kinds(rows: Rows) -> Sequence[str]:
    """Where rows are events themselves, the kinds that a filter lets through."""
    rises_with = RELATIONS[rows.of].rises_with
    return (texts_in(rows, "kind") or rises_with) if EVERY_KIND in rises_with else rises_with


def kinds_for_all(condition: language.Condition) -> set[str]:
    """Kinds of events about nobody in particular after which anybody may come in or go out."""
    return {"import.undone"} | {kind for name in relations_of(condition) for kind in RELATIONS[name].changes_with}


def is_by_snapshot(condition: language.Condition) -> bool:
    """Whether scores that are published for all at once decide it."""
    return any(RELATIONS[name].kind is RelationKind.SNAPSHOT for name in relations_of(condition))


def segment_keys(condition: language.Condition) -> list[str]:
    """Keys of the segments that it names. Raises InvalidDefinition where it asks for segments without naming them."""
    asked = [rows for leaf in leaves(condition) for rows in rows_of(leaf) if rows.of in OF_SEGMENTS]
    return sorted({key for rows in asked for key in _named(rows)})


def _named(rows: Rows) -> tuple[str, ...]:
    keys = texts_in(rows, "segment")
    if not keys:
        raise InvalidDefinition("Say which segment is meant: a condition on segments names one with 'segment' 'is'.")
    return keys


def list_keys(condition: language.Condition) -> set[str]:
    """Keys of the lists that it names, whatever it asks of them."""
    filters = [one for leaf in leaves(condition) for rows in rows_of(leaf) if rows.of in OF_LISTS for one in rows.where]
    values = [one.test.value for one in filters if one.field == "list"]
    return {str(key) for value in values for key in (value if isinstance(value, tuple) else (value,))}


def circle(key: str, names: Mapping[str, list[str]]) -> list[str]:
    """The way from a segment through those that it names back to itself; empty where there is none."""
    ways = [[key, name] for name in names.get(key, [])]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == key:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, name] for name in names.get(way[-1], [])]
    return []
