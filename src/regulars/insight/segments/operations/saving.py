"""Making, changing and putting away segments of conditions; and what a change would do, before it is saved."""

import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import IntegrityError, connection, transaction

from regulars.foundation.errors import Conflict, InvalidInput
from regulars.foundation.work import operations as work
from regulars.insight.conditions import asking
from regulars.insight.conditions.language import Condition
from regulars.insight.conditions.writing import write_definition
from regulars.insight.segments import rules
from regulars.insight.segments.models import Segment, SegmentKind, SegmentVersion
from regulars.insight.segments.operations.changing import hold_for_change
from regulars.insight.segments.uses import Use, uses_of
from regulars.insight.warehouse.queries import pin
from regulars.record.customers.events import CREATED

_EXAMPLES = 5
_RESERVED = frozenset({"movement", "thresholds"})  # addresses of pages
_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class SegmentExists(Conflict):
    """There is a segment with this key already: choose another name."""

    code = "segment-exists"


class SegmentInUse(Conflict):
    """Something that is on needs this segment."""

    code = "segment-in-use"


class NotByConditions(Conflict):
    """This segment is one of the RFM segments: its thresholds decide it, not conditions."""

    code = "segment-not-by-conditions"


@dataclass(frozen=True)
class Plan:
    """What a definition would do. ``entering`` and ``leaving`` are numbers of customers, with the ids of some of each.

    ``uses`` are what would notice. Asked of the newest snapshot of the warehouse, a minute behind at most.
    """

    members: int
    entering: int
    leaving: int
    examples_entering: tuple[int, ...]
    examples_leaving: tuple[int, ...]
    uses: tuple[Use, ...]


def key_of(name: str) -> str:
    """The key that a name gives: 'Big spenders!' → 'big-spenders'. Raises InvalidInput where no letter or digit is left."""
    key = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:60].strip("-")
    if not key:
        raise InvalidInput("A segment's name needs a letter or a digit.", field="name")
    return key


def create_segment(
    name: str, condition: Condition, staff_id: int | None, at: datetime, *, key: str = "", description: str = ""
) -> Segment:
    """A new segment, which is computed in the background; those who are in it then start no workflow. Raises SegmentExists, InvalidInput,
    InvalidDefinition."""
    key = key or key_of(name)
    key = f"{key}-segment" if key in _RESERVED else key
    if not _KEY.fullmatch(key) or len(key) > 60:
        raise InvalidInput("A key is made of small letters, digits and hyphens, at most 60.", field="key")
    segment = Segment(key=key, name=_name(name), description=description, kind=SegmentKind.CONDITIONS, created_at=at)
    try:
        with transaction.atomic():
            hold_for_change()
            _define(segment, condition)
            segment.save(force_insert=True)
            _keep_version(segment, staff_id, at, starts_workflows=False)
            _compute(segment)
    except IntegrityError as error:
        raise SegmentExists from error
    return segment


def change_segment(
    segment: Segment,
    condition: Condition,
    staff_id: int | None,
    at: datetime,
    *,
    version: int,
    starts_workflows: bool = False,
) -> Segment:
    """Gives it another definition, as its next version; the same one changes nothing. Who enters by it starts workflows only where that is
    asked for. ``version`` is the one that the change was made from: raises Conflict where there is a newer, and where it is archived.
    Raises InvalidDefinition.
    """
    with transaction.atomic():
        hold_for_change()
        held = Segment.objects.select_for_update().get(pk=segment.pk)
        _check_changeable(held)
        if held.version != version:
            raise Conflict("Somebody else changed this segment meanwhile: load it again.")
        if held.is_archived:
            raise Conflict("This segment is in the archive: restore it first.")
        if held.definition == write_definition(condition):
            return held
        _define(held, condition)
        held.version += 1
        held.save()
        _keep_version(held, staff_id, at, starts_workflows=starts_workflows)
        _compute(held)
    return held


def rename_segment(segment: Segment, name: str, description: str) -> None:
    """Its key stays."""
    Segment.objects.filter(pk=segment.pk).update(name=_name(name), description=description)


def archive_segment(segment: Segment) -> None:
    """Nobody enters or leaves any more, and lists do not show it; its ledger stays. Raises SegmentInUse."""
    _check_changeable(segment)
    with transaction.atomic():
        hold_for_change()
        _check_unused(segment)
        Segment.objects.filter(pk=segment.pk).update(is_archived=True)


def _check_unused(segment: Segment) -> None:
    users = [use.name for use in uses_of(segment.key) if use.is_on]
    users += Segment.objects.filter(segment_keys__contains=[segment.key], is_archived=False).values_list(
        "name", flat=True
    )
    if users:
        raise SegmentInUse(f"'{users[0]}' needs this segment: change or switch that off first.")


def restore_segment(segment: Segment) -> None:
    """Takes it out of the archive and computes it anew: whoever enters by that starts no workflow. Raises InvalidDefinition where it names a
    segment that is in the archive."""
    with transaction.atomic():
        hold_for_change()
        held = Segment.objects.select_for_update().get(pk=segment.pk)
        _check_names(held.key, held.segment_keys)
        held.is_archived, held.computed_at = False, None
        held.save()
        _compute(held)


def plan(condition: Condition, at: datetime, segment: Segment | None = None) -> Plan:
    """What this definition would change of a segment's members; of a new one all members enter. Raises InvalidDefinition."""
    inside = asking.members(condition, pin(), at)["customer_id"].combine_chunks()
    present = _members_of(segment) if segment else pa.array([], pa.int64())
    entering = inside.filter(pc.invert(pc.is_in(inside, present)))
    leaving = present.filter(pc.invert(pc.is_in(present, inside)))
    first, last = (tuple(some.slice(0, _EXAMPLES).to_pylist()) for some in (entering, leaving))
    uses = tuple(uses_of(segment.key)) if segment else ()
    return Plan(len(inside), len(entering), len(leaving), first, last, uses)


def _members_of(segment: Segment) -> pa.Array:
    """Ids of those who are in. Read as bytes: of a million, an object for each would take longer than the question."""
    with connection.cursor() as cursor, cursor.copy(_MEMBERS, [segment.pk]) as copy:
        rows = b"".join(bytes(block) for block in copy)
    columns = np.dtype([("columns", ">i2"), ("length", ">i4"), ("id", ">i8")])
    found = np.frombuffer(rows, columns, (len(rows) - _HEADER - _TRAILER) // columns.itemsize, _HEADER)
    return pa.array(found["id"].astype(np.int64))


_HEADER, _TRAILER = 19, 2  # bytes of COPY's binary form
_MEMBERS = """
COPY (SELECT customer_id FROM segments_membership WHERE segment_id = %s AND left_at IS NULL ORDER BY 1) TO STDOUT (FORMAT BINARY)
"""


def check(condition: Condition, segment: Segment | None) -> None:
    """Whether it may become this segment's definition, or a new one's. Raises InvalidDefinition."""
    _check_names(segment.key if segment else "", rules.segment_keys(condition))


def _define(segment: Segment, condition: Condition) -> None:
    """While definitions are held. Raises InvalidDefinition. Who is new is decided whatever is asked: having done nothing may be it."""
    segment.definition = write_definition(condition)
    segment.event_kinds = sorted({CREATED, *rules.event_kinds(condition)})
    segment.segment_keys = rules.segment_keys(condition)
    _check_names(segment.key, segment.segment_keys)


def _check_names(key: str, names: list[str]) -> None:
    """Raises InvalidDefinition for a segment that is not there, and for a circle."""
    known = dict(Segment.objects.filter(is_archived=False).values_list("key", "segment_keys"))
    unknown = [name for name in names if name not in known and name != key]
    if unknown:
        raise rules.InvalidDefinition(f"There is no segment '{unknown[0]}'.")
    way = rules.circle(key, known | {key: names})
    if way:
        raise rules.InvalidDefinition(f"Segments must not go round in circles: {' → '.join(way)}.")


def _keep_version(segment: Segment, staff_id: int | None, at: datetime, *, starts_workflows: bool) -> None:
    SegmentVersion.objects.create(
        segment=segment, number=segment.version, definition=segment.definition, starts_workflows=starts_workflows,
        staff_id=staff_id, saved_at=at,
    )  # fmt: skip


def _compute(segment: Segment) -> None:
    work.enqueue("segments.compute", lock=f"segment-{segment.pk}", segment_id=segment.pk)


def _check_changeable(segment: Segment) -> None:
    if segment.kind != SegmentKind.CONDITIONS:
        raise NotByConditions


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise InvalidInput("A name has one to 120 letters.", field="name")
    return name
