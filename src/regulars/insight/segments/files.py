"""Segments as a YAML file, to be kept in git: read, compared with what there is, and brought in line.

::

    segments:
      - key: big-spenders
        name: Big spenders
        description: At least 500 in a year
        where:
          of: orders
          measure: {sum: total}
          window: {last: {days: 365}}
          op: ge
          value: 50000
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import yaml
from django.db import transaction

from regulars.foundation.api.parsing import BadJson, BodyTooLarge, parse_json
from regulars.foundation.errors import InvalidInput
from regulars.insight.conditions.language import Condition
from regulars.insight.conditions.reading import InvalidCondition, read_condition
from regulars.insight.conditions.writing import write_definition
from regulars.insight.segments.models import Segment, SegmentKind
from regulars.insight.segments.operations import saving
from regulars.insight.segments.operations.saving import Plan
from regulars.insight.segments.rules import InvalidDefinition, circle, segment_keys

_FIELDS = {"key", "name", "description", "where"}


class InvalidFile(InvalidInput):
    """This file does not describe segments."""

    code = "invalid-segments-file"


class Change(StrEnum):
    """What applying a file does with one segment."""

    NEW = "new"
    DEFINITION = "changed"
    WORDS = "renamed"
    RESTORED = "restored"
    NONE = "unchanged"


_MOVING = frozenset({Change.NEW, Change.DEFINITION, Change.RESTORED})  # what lets customers enter or leave


@dataclass(frozen=True)
class Wanted:
    """A segment as the file wants it."""

    key: str
    name: str
    description: str
    condition: Condition


@dataclass(frozen=True)
class Planned:
    """What a file would do with one segment; the plan only where members may change, and not where that waits for ``after``: segments that
    the file makes or changes first."""

    wanted: Wanted
    change: Change
    plan: Plan | None
    after: tuple[str, ...] = ()


class _Loader(yaml.SafeLoader):
    """YAML that says what JSON says: days and moments stay text, and there are no aliases, of which a few lines make millions, and no tags."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            raise yaml.composer.ComposerError(None, None, "aliases and tags are not used", event.start_mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str) -> Any:
    """What JSON could say, with texts as keys. Raises InvalidFile with the place of what cannot be read, or is of no use here (aliases,
    tags, and what ``parse_json`` refuses).
    """
    try:
        return parse_json(json.dumps(_Loader(text).get_single_data()).encode())
    except (BadJson, BodyTooLarge) as error:
        raise InvalidFile(error.sentence) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: of a number with thousands of digits
        where = getattr(error, "problem_mark", None)
        place = f" at line {where.line + 1}, column {where.column + 1}" if where else ""
        raise InvalidFile(f"This is not YAML that can be used{place}.") from error


def read_file(text: str) -> list[Wanted]:
    """Raises InvalidFile, with the segment that is to blame."""
    data = read_yaml(text)
    if not isinstance(data, dict) or set(data) != {"segments"} or not isinstance(data["segments"], list):
        raise InvalidFile("A file of segments is 'segments:' with a list of them.")
    wanted = [_wanted(entry, place) for place, entry in enumerate(data["segments"], start=1)]
    keys = [one.key for one in wanted]
    for key in keys:
        if keys.count(key) > 1:
            raise InvalidFile(f"The segment '{key}' stands there twice.")
    return wanted


def _wanted(entry: Any, place: int) -> Wanted:
    if not isinstance(entry, dict) or not {"name", "where"} <= set(entry) <= _FIELDS:
        raise InvalidFile(f"Segment {place} of the file: it has name and where, and may have key and description.")
    texts = {name: entry.get(name, "") for name in ("name", "key", "description")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise InvalidFile(f"Segment {place} of the file: its {name} is not a text.")
    key = texts["key"] or saving.key_of(texts["name"])
    try:
        return Wanted(key, texts["name"], texts["description"].strip(), read_condition(entry["where"], "where"))
    except InvalidCondition as error:
        raise InvalidFile(f"Segment '{key}': {error.sentence}") from error


def plan_file(wanted: list[Wanted], at: datetime) -> list[Planned]:
    """What applying it would do, in the file's order. Changes nothing, and raises what applying it would raise."""
    with transaction.atomic():
        changes = dict(apply_file(wanted, None, at))
        transaction.set_rollback(True)
    known = {segment.key: segment for segment in Segment.objects.filter(key__in=changes)}
    moving = {key for key, change in changes.items() if change in _MOVING}
    return [_planned(one, changes[one.key], known.get(one.key), moving, at) for one in wanted]


def _planned(wanted: Wanted, change: Change, segment: Segment | None, moving: set[str], at: datetime) -> Planned:
    after = tuple(key for key in segment_keys(wanted.condition) if key in moving and key != wanted.key)
    has_plan = change in _MOVING and not after
    return Planned(wanted, change, saving.plan(wanted.condition, at, segment) if has_plan else None, after)


def _change(wanted: Wanted, segment: Segment | None) -> Change:
    if segment is None:
        return Change.NEW
    if segment.kind != SegmentKind.CONDITIONS:
        raise saving.NotByConditions(f"'{segment.key}' is one of the RFM segments: its thresholds decide it.")
    if segment.definition != write_definition(wanted.condition):
        return Change.DEFINITION
    if segment.is_archived:
        return Change.RESTORED
    is_renamed = (segment.name, segment.description) != (wanted.name, wanted.description)
    return Change.WORDS if is_renamed else Change.NONE


def apply_file(wanted: list[Wanted], staff_id: int | None, at: datetime) -> list[tuple[str, Change]]:
    """Makes and changes segments as the file wants them, all or none, and says what was done with each. Segments that it does not name
    stay.

    A file may name segments in any order: those that others name are made first. Raises what ``operations.saving`` raises.
    """
    done = {}
    with transaction.atomic():
        for one in _in_order(wanted):
            segment = Segment.objects.filter(key=one.key).first()
            done[one.key] = _change(one, segment)
            try:
                _apply(one, segment, staff_id, at)
            except InvalidDefinition as error:
                raise InvalidFile(f"Segment '{one.key}': {error.sentence}") from error
    return [(one.key, done[one.key]) for one in wanted]


def _apply(wanted: Wanted, segment: Segment | None, staff_id: int | None, at: datetime) -> None:
    if segment is None:
        saving.create_segment(
            wanted.name, wanted.condition, staff_id, at, key=wanted.key, description=wanted.description
        )
        return
    if segment.is_archived:
        saving.restore_segment(segment)
    saving.change_segment(segment, wanted.condition, staff_id, at, version=segment.version)
    saving.rename_segment(segment, wanted.name, wanted.description)


def _in_order(wanted: list[Wanted]) -> list[Wanted]:
    """Those that name others of the file after them. Raises InvalidFile where they go round in circles."""
    names_of = {one.key: segment_keys(one.condition) for one in wanted}
    for one in wanted:
        if way := circle(one.key, names_of):
            raise InvalidFile(f"Segment '{one.key}': segments must not go round in circles: {' → '.join(way)}.")
    waiting, ordered = list(wanted), []
    while waiting:
        names = {one.key for one in waiting}
        free = [one for one in waiting if names.isdisjoint(names_of[one.key])]
        ordered += free
        waiting = [one for one in waiting if one not in free]
    return ordered
