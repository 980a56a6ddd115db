"""The builder of segments: a draft on the server, changed move by move, each of which can be undone; the count follows every change."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from regulars.insight.conditions.hiding import reveal
from regulars.insight.conditions.language import Condition
from regulars.insight.conditions.reading import InvalidCondition, read_condition
from regulars.insight.segments import drafting, queries
from regulars.insight.segments.building.figures import House
from regulars.insight.segments.building.forms import nest
from regulars.insight.segments.building.rows import NEW, denials, read_row
from regulars.insight.segments.building.tree import as_text, problem_of, show_tree
from regulars.insight.segments.drafting import Node, Place
from regulars.insight.segments.files import read_yaml
from regulars.insight.segments.models import SegmentDraft, SegmentKind
from regulars.insight.segments.operations import drafts, saving
from regulars.insight.segments.ready_made import GROUPS, READY_MADE
from regulars.insight.segments.rules import InvalidDefinition
from regulars.insight.warehouse.queries import Pinned, pin
from regulars.record.customers.named import names_of

_EXAMPLES = 5
_MOST_DENIALS = 12  # of which both counts are shown


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
    return _to(drafts.begin_draft(staff, at, where={"all": [NEW["figure"]]}))


@requires("segments.edit", post="segments.edit")
def build(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The builder; a POST is one move (``do``), and gives the tree anew."""
    staff, problem, focus, status = viewer_of(request).staff_id or 0, "", None, 200
    if request.method == "POST":
        try:
            with transaction.atomic():  # of two moves at once the second waits, and starts from what the first has made
                done = _act(drafts.find_draft(public_id, staff, is_held=True), request)
        except (RegularsError, ValueError, LookupError) as error:
            problem = (
                error.sentence if isinstance(error, RegularsError) else gettext("That place is not there any more.")
            )
            status = 409 if isinstance(error, drafts.StalePage) else 422
        else:
            if isinstance(done, HttpResponseBase):
                return done
            focus = done
    draft = drafts.find_draft(public_id, staff)
    root = drafts.shown(draft)
    root = reveal(root) if viewer_of(request).may("customers.view") else root
    context = _context(draft, root, problem) | {"focus": None if focus is None else drafting.text_of(focus)}
    if problem and request.POST.get("do") == "write" and not request.POST.get("place"):
        context["text"] = request.POST.get("text", "")  # what was written stays, to be mended
    is_part = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
    template = "segments/builder_tree.html" if is_part else "segments/builder.html"
    return render(request, template, context, status=200 if is_part and status == 422 else status)


@dataclass(frozen=True)
class Both:
    """How many a row means that denies something: with those without a value, and without them. ``slug`` ends the id of its element."""

    slug: str
    included: int
    left_out: int


@requires("segments.edit")
def count(request: HttpRequest, public_id: str) -> HttpResponse:
    """How many the draft means now, and some of them; of one that is changed, what saving would do; and both counts of every denial."""
    viewer = viewer_of(request)
    draft = drafts.find_draft(public_id, viewer.staff_id or 0)
    at, pinned, root = clock.now(), pin(), drafts.shown(draft)
    context: dict[str, Any] = {"both": list(_both(root, pinned, at)), "total": asking.total_of(pinned)}
    shown: dict[str, Sequence[int]] = {}
    try:
        condition = read_condition(root)
        saving.check(condition, draft.segment)
    except (InvalidCondition, InvalidDefinition):
        return render(request, "segments/builder_count.html", context)
    if draft.segment:
        plan = saving.plan(condition, at, draft.segment)
        firing = [use for use in plan.uses if use.is_on and use.begins and plan.entering]
        context |= {"count": plan.members, "plan": plan, "firing": firing}
        context["asking"] = [use for use in plan.uses if use not in firing]
        shown |= {"entering": plan.examples_entering, "leaving": plan.examples_leaving}
    else:
        counted = asking.count(condition, pinned, at)
        context["count"] = counted.count
        shown["some"] = counted.first_ids[:_EXAMPLES]
    if context["total"]:
        context["share"] = context["count"] / context["total"]
    if viewer.may("customers.view"):
        names = names_of({one for ids in shown.values() for one in ids}, viewer)
        context["names"] = {name: [names[one] for one in ids if one in names] for name, ids in shown.items()}
    return render(request, "segments/builder_count.html", context)


def _both(root: Node, pinned: Pinned, at: datetime) -> Iterator[Both]:
    """Also while something else is missing still, the choice itself for instance."""
    found = [(place, *one) for place, leaf in drafting.leaves(root) for one in denials(leaf)]
    for place, prefix, included, left_out in found[:_MOST_DENIALS]:
        try:
            both = [asking.count(read_condition(one), pinned, at).count for one in (included, left_out)]
        except InvalidCondition:
            continue
        yield Both(f"{drafting.text_of(place)}-{prefix}".replace(".", "-"), *both)


@requires("segments.edit")
def suggest(request: HttpRequest) -> HttpResponse:
    """Values of a field as the data has them, the most frequent first."""
    relation, _, field = request.GET.get("of", "").partition(".")
    known = RELATIONS.get(relation)
    if known is None or field not in known.fields:
        raise NotFound(gettext("There is no such field."))
    found = values.frequent(known, field, request.GET.get("starts", "")[:100], pin())
    return render(request, "segments/builder_values.html", {"values": found})


def _act(draft: SegmentDraft, request: HttpRequest) -> HttpResponseBase | Place | None:
    """Carries out one move. A response where it leads away, else the place that was moved or made."""
    form, at = request.POST, clock.now()
    name, description = form.get("name", ""), form.get("description", "")
    if form.get("do") not in ("describe", "leave"):
        drafts.check_state(draft, form.get("state", ""))
    match form.get("do", ""):
        case "save":
            segment = drafts.save_draft(draft, name, description, at, starts_workflows="starts-workflows" in form)
            messages.success(
                request, gettext("Saved. Its members are being worked out; you will see them here in a moment.")
            )
            return redirect(f"/segments/{segment.key}")
        case "leave":
            back = f"/segments/{draft.segment.key}" if draft.segment else "/segments"
            draft.delete()
            return redirect(back)
        case "describe":
            drafts.describe(draft, name, description, at)
        case "undo" | "redo" as way:
            drafts.step(draft, -1 if way == "undo" else 1, at)
        case move:
            return _move(draft, move, form, at)
    return None


def _move(draft: SegmentDraft, do: str, form: QueryDict, at: datetime) -> Place | None:
    if do not in _MOVES:
        raise InvalidInput(gettext("There is no such move."))
    before, place = drafts.shown(draft), drafting.place_of(form.get("place", ""))
    after = _MOVES[do](before, place, form)
    drafts.record(draft, after, at, goes_on=form.get("goes-on") == "yes")
    if do in ("set", "write"):
        return None
    if do.startswith("add-"):
        return (*place, len(drafting.parts(drafting.find(before, place))))
    return drafting.place_after(after, drafting.find(before, place))


def _set(root: Node, place: Place, form: QueryDict) -> Node:
    node = drafting.find(root, place)
    leaf = read_row(nest(form.dict()), _house())  # type: ignore[arg-type]
    return drafting.put(root, place, {"not": leaf} if drafting.is_denied(node) else leaf)


def _write(root: Node, place: Place, form: QueryDict) -> Node:
    """A condition, or the whole, as text."""
    node = read_yaml(form.get("text", ""))
    if not isinstance(node, dict):
        raise InvalidInput(gettext("A condition as text is YAML such as 'of: orders'."))
    return drafting.put(root, place, node if place else drafts.as_group(node))


def _to_place(root: Node, place: Place, form: QueryDict) -> Node:
    return drafting.move(root, place, drafting.place_of(form.get("to", "")), int(form.get("number", "0")))


def _adding(new: Node) -> Callable[[Node, Place, QueryDict], Node]:
    return lambda root, place, form: drafting.add(root, place, new)


def _plain(move: Callable[[Node, Place], Node]) -> Callable[[Node, Place, QueryDict], Node]:
    return lambda root, place, form: move(root, place)


_MOVES: dict[str, Callable[[Node, Place, QueryDict], Node]] = {
    "set": _set,
    "write": _write,
    "move": _to_place,
    "remove": _plain(drafting.remove),
    "toggle": _plain(drafting.toggle),
    "negate": _plain(drafting.negate),
    "unwrap": _plain(drafting.unwrap),
    "up": _plain(drafting.up),
    "down": _plain(drafting.down),
    "inward": _plain(drafting.inward),
    "add-group": _adding({"any": [NEW["figure"]]}),
    **{f"add-{kind}": _adding(new) for kind, new in NEW.items()},
}


def _context(draft: SegmentDraft, root: Node, problem: str) -> dict[str, Any]:

    def check(condition: Condition) -> None:
        saving.check(condition, draft.segment)

    whole = problem_of(root, check)
    tree = show_tree(root, _house(), check)
    if whole and not problem and not tree.has_problem:
        problem = whole.sentence
    return {
        "title": draft.segment.name if draft.segment else gettext("New segment"),
        "draft": draft,
        "state": drafts.state_of(draft),
        "draft_id": to_public(SegmentDraft.PREFIX, draft.uid),
        "tree": tree,
        "problem": problem,
        "can_undo": draft.place > 0,
        "can_redo": draft.place < len(draft.states) - 1,
        "text": as_text(root),
    }


def _house() -> House:
    return House(str(read_setting("shop.reporting_currency")))


def _to(draft: SegmentDraft) -> HttpResponse:
    return redirect(f"/segment-drafts/{to_public(SegmentDraft.PREFIX, draft.uid)}")
