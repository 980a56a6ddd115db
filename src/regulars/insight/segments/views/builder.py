"""The builder of segments: a draft on the server, changed move by move, each of which can be undone; the count follows every change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import InvalidInput, NotFound, RegularsError
from regulars.foundation.ids import to_public
from regulars.foundation.relations import RELATIONS
from regulars.foundation.shop.settings import read_setting
from regulars.insight.conditions import asking, values
from regulars.insight.conditions.language import Leaf, Sequence, Share
from regulars.insight.conditions.reading import InvalidCondition, read_condition
from regulars.insight.conditions.words import Words
from regulars.insight.segments import drafting, queries
from regulars.insight.segments.building import Row, is_row, leaf_of, new_leaf, row_of
from regulars.insight.segments.building_words import OPS_IN_WORDS
from regulars.insight.segments.drafting import Node, Place
from regulars.insight.segments.files import read_yaml
from regulars.insight.segments.models import SegmentDraft, SegmentKind
from regulars.insight.segments.operations import drafts, saving
from regulars.insight.segments.ready_made import GROUPS, READY_MADE
from regulars.insight.warehouse.queries import pin
from regulars.record.customers.named import names_of

_EXAMPLES = 5


@dataclass(frozen=True)
class Shown:
    """A node as the page shows it. ``row`` is None for a group, and for a leaf that is edited as text; then ``text`` is that."""

    place: str
    parent: str
    number: int
    depth: int
    is_denied: bool
    group: str
    parts: tuple["Shown", ...]
    row: Row | None
    text: str
    sentence: str
    problem: str
    is_first: bool
    is_last: bool


@requires("segments.edit")
def choose(request: HttpRequest) -> HttpResponse:
    """Where a new segment begins: with nothing, or with one that comes ready made."""
    groups = [(name, [one for one in READY_MADE.values() if one.group is group]) for group, name in GROUPS.items()]
    return render(request, "segments/choose.html", {"title": gettext("New segment"), "groups": groups})


@requires(post="segments.edit")
def begin(request: HttpRequest) -> HttpResponseBase:
    """Opens a draft: of a segment that there is, of one that comes ready made, or an empty one."""
    staff, at = viewer_of(request).staff_id or 0, clock.now()
    if name := request.POST.get("segment"):
        segment = queries.get_segment(name)
        if segment.kind != SegmentKind.CONDITIONS:
            raise saving.NotByConditions
        return _to(drafts.begin_draft(staff, at, segment=segment))
    if key := request.POST.get("ready-made"):
        if key not in READY_MADE:
            raise NotFound(gettext("There is no such ready-made segment."))
        ready = READY_MADE[key]
        return _to(
            drafts.begin_draft(staff, at, where=ready.where, name=str(ready.name), description=str(ready.meaning))
        )
    return _to(drafts.begin_draft(staff, at, where={"all": [new_leaf()]}))


@requires("segments.edit", post="segments.edit")
def build(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The builder; a POST is one move (``do``), and gives the tree anew."""
    staff, problem = viewer_of(request).staff_id or 0, ""
    if request.method == "POST":
        try:
            with transaction.atomic():  # of two moves at once the second waits, and starts from what the first has made
                done = _act(drafts.find_draft(public_id, staff, is_held=True), request)
        except (RegularsError, ValueError, LookupError) as error:
            problem = (
                error.sentence if isinstance(error, RegularsError) else gettext("That place is not there any more.")
            )
        else:
            if done is not None:
                return done
    draft = drafts.find_draft(public_id, staff)
    context = _context(draft) | {"problem": problem}
    is_part = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
    template = "segments/builder_tree.html" if is_part else "segments/builder.html"
    return render(request, template, context, status=422 if problem and not is_part else 200)


@requires("segments.edit")
def count(request: HttpRequest, public_id: str) -> HttpResponse:
    """How many the draft means now, and some of them."""
    viewer = viewer_of(request)
    draft = drafts.find_draft(public_id, viewer.staff_id or 0)
    try:
        condition = read_condition(drafts.shown(draft))
    except InvalidCondition:
        return render(request, "segments/builder_count.html", {"draft_id": public_id})
    at = clock.now()
    counted = asking.count(condition, pin(), at)
    context: dict[str, Any] = {"draft_id": public_id, "counted": counted, "missing": sum(counted.missing.values())}
    context["share"] = counted.count / counted.total if counted.total else None
    if viewer.may("customers.view"):
        context["examples"] = list(names_of(counted.first_ids[:_EXAMPLES], viewer).values())
    if draft.segment:
        context["plan"] = saving.plan(condition, at, draft.segment)
    return render(request, "segments/builder_count.html", context)


@requires("segments.edit")
def suggest(request: HttpRequest) -> HttpResponse:
    """Values of a field as the data has them, the most frequent first."""
    relation, _, field = request.GET.get("of", "").partition(".")
    known = RELATIONS.get(relation)
    if known is None or field not in known.fields:
        raise NotFound(gettext("There is no such field."))
    found = values.frequent(known, field, request.GET.get("starts", "")[:100], pin())
    return render(request, "segments/builder_values.html", {"values": found})


def _act(draft: SegmentDraft, request: HttpRequest) -> HttpResponseBase | None:
    """Carries out one move. A response only where it leads away."""
    form, at = request.POST, clock.now()
    do = form.get("do", "")
    if do == "save":
        segment = drafts.save_draft(
            draft, form.get("name", ""), form.get("description", ""), at, starts_workflows="starts-workflows" in form
        )
        messages.success(
            request, gettext("Saved. Its members are being worked out; you will see them here in a moment.")
        )
        return redirect(f"/segments/{segment.key}")
    if do == "leave":
        back = f"/segments/{draft.segment.key}" if draft.segment else "/segments"
        draft.delete()
        return redirect(back)
    if do in ("undo", "redo"):
        drafts.step(draft, -1 if do == "undo" else 1, at)
        return None
    if do not in _MOVES:
        raise InvalidInput(gettext("There is no such move."))
    drafts.record(draft, _MOVES[do](drafts.shown(draft), drafting.place_of(form.get("place", "")), form), at)
    return None


def _set(root: Node, place: Place, form: QueryDict) -> Node:
    node = drafting.find(root, place)
    leaf = leaf_of(form.dict(), _currency())  # type: ignore[arg-type]
    return drafting.put(root, place, {"not": leaf} if drafting.is_denied(node) else leaf)


def _write(root: Node, place: Place, form: QueryDict) -> Node:
    """A condition, or the whole, as text."""
    node = read_yaml(form.get("text", ""))
    if not isinstance(node, dict):
        raise InvalidInput(gettext("A condition as text is YAML such as 'of: orders'."))
    return drafting.put(root, place, node if place else drafts.as_group(node))


def _move(root: Node, place: Place, form: QueryDict) -> Node:
    return drafting.move(root, place, drafting.place_of(form.get("to", "")), int(form.get("number", "0")))


def _up(root: Node, place: Place, form: QueryDict) -> Node:
    """Before the one above; the first of a group leaves it."""
    if not place:
        return root
    if place[-1]:
        return drafting.move(root, place, place[:-1], place[-1] - 1)
    return drafting.move(root, place, place[:-2], place[-2]) if len(place) > 1 else root


def _down(root: Node, place: Place, form: QueryDict) -> Node:
    """After the one below; the last of a group leaves it."""
    if not place:
        return root
    if place[-1] + 1 < len(drafting.parts(drafting.find(root, place[:-1]))):
        return drafting.move(root, place, place[:-1], place[-1] + 2)
    return drafting.move(root, place, place[:-2], place[-2] + 1) if len(place) > 1 else root


def _inward(root: Node, place: Place, form: QueryDict) -> Node:
    """Into the group above it, at its end; where there is none, into one of its own."""
    above = (*place[:-1], place[-1] - 1)
    if place and place[-1] and drafting.group_name(drafting.find(root, above)):
        return drafting.move(root, place, above, len(drafting.parts(drafting.find(root, above))))
    return drafting.wrap(root, place, "any")


_MOVES: dict[str, Callable[[Node, Place, QueryDict], Node]] = {
    "set": _set,
    "write": _write,
    "add": lambda root, place, form: drafting.add(root, place, new_leaf()),
    "add-group": lambda root, place, form: drafting.add(root, place, {"any": [new_leaf()]}),
    "add-share": lambda root, place, form: drafting.add(root, place, {"share": {"percent": 10, "salt": "sample"}}),
    "remove": lambda root, place, form: drafting.remove(root, place),
    "toggle": lambda root, place, form: drafting.toggle(root, place),
    "negate": lambda root, place, form: drafting.negate(root, place),
    "unwrap": lambda root, place, form: drafting.unwrap(root, place),
    "move": _move,
    "up": _up,
    "down": _down,
    "inward": _inward,
}


def _context(draft: SegmentDraft) -> dict[str, Any]:
    root = drafts.shown(draft)
    where, sentence = _problem(root)
    return {
        "title": draft.segment.name if draft.segment else gettext("New segment"),
        "draft": draft,
        "draft_id": to_public(SegmentDraft.PREFIX, draft.uid),
        "tree": _shown(root, (), where, sentence, 0, 1),
        "is_whole": not sentence,
        "can_undo": draft.place > 0,
        "can_redo": draft.place < len(draft.states) - 1,
        "text": _text(root),
    }


def _problem(root: Node) -> tuple[Place, str]:
    """Where it cannot be meant yet, and why."""
    try:
        read_condition(root)
    except InvalidCondition as error:
        path, _, sentence = error.sentence.partition("': ")
        return drafting.place_in(path.removeprefix("At '")), _in_words(sentence)
    return (), ""


def _shown(node: Node, place: Place, where: Place, problem: str, number: int, siblings: int) -> Shown:
    inner = drafting.bare(node)
    held = drafting.parts(node)
    row = row_of(inner, _currency()) if is_row(inner) else None
    return Shown(
        place=drafting.text_of(place),
        parent=drafting.text_of(place[:-1]),
        number=number,
        depth=len(place),
        is_denied=drafting.is_denied(node),
        group=drafting.group_name(node),
        parts=tuple(_shown(part, (*place, n), where, problem, n, len(held)) for n, part in enumerate(held)),
        row=row,
        text="" if row or drafting.group_name(node) else _text(inner),
        sentence="" if row or drafting.group_name(node) else _sentence(inner),
        problem=problem if problem and where == place else "",
        is_first=number == 0,
        is_last=number == siblings - 1,
    )


def _text(node: Node) -> str:
    return yaml.safe_dump(node, allow_unicode=True, sort_keys=False, width=100)


def _sentence(node: Node) -> str:
    """In words what is edited as text; '' while it cannot be read."""
    try:
        condition = read_condition(node)
    except InvalidCondition:
        return ""
    return Words(_currency()).leaf(condition) if isinstance(condition, Leaf | Sequence | Share) else ""


def _in_words(sentence: str) -> str:
    """A refusal with comparisons as the rows call them."""
    for op, words in OPS_IN_WORDS.items():
        sentence = sentence.replace(f"'{op}'", f"'{words}'")
    return sentence[:1].upper() + sentence[1:]


def _currency() -> str:
    return str(read_setting("shop.reporting_currency"))


def _to(draft: SegmentDraft) -> HttpResponse:
    return redirect(f"/segment-drafts/{to_public(SegmentDraft.PREFIX, draft.uid)}")
