"""Drafts: begun, changed, undone and done again; saved as a segment or left. Their states hold personal words sealed."""

import json
from datetime import datetime, timedelta
from hashlib import blake2b

from django.db import transaction

from regulars.foundation.errors import Conflict, InvalidInput, NotFound
from regulars.foundation.ids import from_public
from regulars.insight.conditions.hiding import hide
from regulars.insight.conditions.reading import DEEPEST, MOST_GROUPS, MOST_LEAVES, read_condition
from regulars.insight.segments.drafting import EVERYBODY, Node, extent, group_name, is_denied
from regulars.insight.segments.models import Segment, SegmentDraft
from regulars.insight.segments.operations import saving

_MOST_STATES = 100
_KEPT = timedelta(days=90)


class NoSuchDraft(NotFound):
    """This draft is gone: it was saved, or left for months."""

    code = "no-such-draft"


class StalePage(Conflict):
    """The draft was changed elsewhere meanwhile, in another tab perhaps. Nothing was done: here it is as it stands now."""

    code = "stale-page"


class NoDraft(InvalidInput):
    """This cannot be shown as a definition."""

    code = "no-draft"


def begin_draft(
    staff_id: int,
    at: datetime,
    *,
    segment: Segment | None = None,
    where: Node | None = None,
    name: str = "",
    description: str = "",
) -> SegmentDraft:
    """Of a segment, the draft of it that this member of staff has open already; else a new one. Old drafts go."""
    SegmentDraft.objects.filter(changed_at__lt=at - _KEPT).delete()
    if segment is not None:
        found = SegmentDraft.objects.filter(staff_id=staff_id, segment=segment, version=segment.version).first()
        if found:
            return found
        name, description, where = segment.name, segment.description, segment.definition["where"]
    return SegmentDraft.objects.create(
        staff_id=staff_id, segment=segment, version=segment.version if segment else 0, name=name, description=description,
        states=[hide(as_group(where or EVERYBODY))], changed_at=at,
    )  # fmt: skip


def as_group(node: Node) -> Node:
    """The whole of a draft is a group that is not denied."""
    return node if group_name(node) and not is_denied(node) else {"all": [node]}


def find_draft(public_id: str, staff_id: int, *, is_held: bool = False) -> SegmentDraft:
    """One's own; held, until the transaction ends nobody else changes it. Raises NoSuchDraft."""
    try:
        uid = from_public(SegmentDraft.PREFIX, public_id)
    except NotFound as error:
        raise NoSuchDraft from error
    rows = SegmentDraft.objects.filter(uid=uid, staff_id=staff_id).select_related("segment")
    found = (rows.select_for_update(of=("self",)) if is_held else rows).first()
    if found is None:
        raise NoSuchDraft
    return found


def shown(draft: SegmentDraft) -> Node:
    """The definition as it stands now."""
    node: Node = draft.states[draft.place]
    return node


def state_of(draft: SegmentDraft) -> str:
    """Names what is shown now: equal names are equal definitions."""
    return blake2b(json.dumps(shown(draft), sort_keys=True).encode(), digest_size=8).hexdigest()


def check_state(draft: SegmentDraft, seen: str) -> None:
    """Raises StalePage where a form was made for another state; '' was made for any."""
    if seen and seen != state_of(draft):
        raise StalePage


def record(draft: SegmentDraft, node: Node, at: datetime, *, goes_on: bool = False) -> None:
    """One more state; what had been undone is gone then. The same state again is none, and what goes on with the newest (the next letter
    of a word) takes its place. Raises NoDraft.
    """
    _check(node)
    node = hide(node)
    if node != shown(draft):
        is_newest = draft.place == len(draft.states) - 1
        kept = draft.states[: draft.place if goes_on and is_newest and draft.place else draft.place + 1]
        draft.states = [*kept, node][-_MOST_STATES:]
        draft.place = len(draft.states) - 1
    draft.changed_at = at
    draft.save()


def _check(node: Node) -> None:
    """A draft may lack something, but it can be shown."""
    try:
        count, depth = extent(node)
    except ValueError as error:
        raise NoDraft("A group is a list of conditions, each such as {of: orders}.") from error
    if count > MOST_LEAVES + MOST_GROUPS or depth > DEEPEST:
        raise NoDraft(
            f"A definition has at most {MOST_LEAVES} conditions in {MOST_GROUPS} groups, nested at most {DEEPEST} deep."
        )


def describe(draft: SegmentDraft, name: str, description: str, at: datetime) -> None:
    """Keeps what it is to be called, as it is typed."""
    draft.name, draft.description, draft.changed_at = name[:120], description[:10_000], at
    draft.save()


def step(draft: SegmentDraft, by: int, at: datetime) -> None:
    """Undoes (-1) or does again (+1), as far as there are states."""
    draft.place = min(max(draft.place + by, 0), len(draft.states) - 1)
    draft.changed_at = at
    draft.save()


def save_draft(draft: SegmentDraft, name: str, description: str, at: datetime, *, starts_workflows: bool) -> Segment:
    """Makes the segment, or its next version; the draft goes. Raises InvalidCondition, InvalidInput and what ``saving`` raises."""
    condition = read_condition(shown(draft))
    with transaction.atomic():
        segment = draft.segment
        if segment is None:
            segment = saving.create_segment(name, condition, draft.staff_id, at, description=description)
        else:
            segment = saving.change_segment(
                segment, condition, draft.staff_id, at, version=draft.version, starts_workflows=starts_workflows
            )
            saving.rename_segment(segment, name, description)
        draft.delete()
    return segment
