"""The editor of RFM thresholds: ordered rules, with the plan of a change before it is saved."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.settings import read_setting
from regulars.insight.rfm import operations as rfm_operations
from regulars.insight.rfm import queries as rfm
from regulars.insight.rfm.rules import (
    DEFAULT_POLICY,
    SCALES,
    SEGMENTS,
    InvalidPolicy,
    RfmSegment,
    Rule,
    parse_rules,
    rules_as_json,
    unreachable,
)
from regulars.insight.segments import operations
from regulars.insight.segments.words import WORDS

SPARE = 2
MOST_RULES = 60
AXES = ("r", "f", "m")
_RULE = re.compile(r"segment-(0|[1-9][0-9]{0,2})")


@dataclass(frozen=True)
class Move:
    """How many would go from one segment to another."""

    before: Any
    after: Any
    customers: int


@requires("segments.view", post="segments.edit")
def thresholds(request: HttpRequest) -> HttpResponseBase:
    """Looks, shows the plan of a change (``action=preview``), or saves it (``action=save``)."""
    scale = _scale(request.POST if request.method == "POST" else request.GET)
    if request.method != "POST":
        shown = DEFAULT_POLICY if "default" in request.GET else rfm.current_policy()
        return _page(request, scale, rules_as_json(shown.rules[scale]))
    entries = _entries(request.POST)
    try:
        rules = parse_rules(entries, scale)
    except InvalidPolicy as error:
        return _page(request, scale, entries, {"problem": error.sentence}, status=422)
    if request.POST.get("action") != "save":
        return _page(request, scale, entries, _plan(rules, scale))
    viewer = viewer_of(request)
    operations.change_thresholds({str(scale): entries}, scale, viewer.staff_id or 0, clock.now())
    messages.success(request, gettext("Saved. Customers are being sorted anew; nobody is written to because of it."))
    return redirect("/segments")


def _page(
    request: HttpRequest,
    scale: int,
    entries: Sequence[dict[str, Any]],
    more: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    numbered = list(enumerate([_row(entry) for entry in entries], start=1))
    spare = [
        (len(numbered) + n, _row({"segment": "", "r": [1, scale], "f": [1, scale], "m": [1, scale]}))
        for n in range(1, SPARE + 1)
    ]
    last = [] if not numbered else numbered[-1:]
    current = rfm.current_policy()
    context = {
        "title": gettext("Thresholds"),
        "scale": scale,
        "scales": SCALES,
        "in_use": int(read_setting("rfm.scale")),
        "version": current.version,
        "rows": [*numbered[:-1], *spare, *last],
        "scores": list(range(1, scale + 1)),
        "choices": [(s.value, WORDS[s].name) for s in SEGMENTS],
        "may_edit": viewer_of(request).may("segments.edit"),
        "sentence": gettext(
            "Who is in which segment: the first rule that fits counts, and the last one takes everybody who is left."
        ),
    }
    return render(request, "segments/thresholds.html", context | (more or {}), status=status)


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    return {"segment": entry.get("segment", ""), "ranges": [(axis, entry[axis][0], entry[axis][1]) for axis in AXES]}


def _plan(rules: Sequence[Rule], scale: int) -> dict[str, Any]:
    """What the change would do: moves, the most first, how many stay, and segments that nobody could be in."""
    snapshot = rfm.latest_snapshot()
    found = rfm_operations.preview_policy(snapshot, rules, scale) if snapshot else {}
    moves = [Move(WORDS[SEGMENTS[b]].name, WORDS[SEGMENTS[a]].name, n) for (b, a), n in found.items() if b != a]
    return {
        "plan": sorted(moves, key=lambda move: -move.customers),
        "moving": sum(move.customers for move in moves),
        "staying": sum(n for (b, a), n in found.items() if b == a),
        "unreachable": [WORDS[segment].name for segment in unreachable(rules, scale)],
        "is_plan": True,
    }


def _entries(form: QueryDict) -> list[dict[str, Any]]:
    """Rules as they were typed, those without a segment left out. Raises InvalidInput."""
    numbers = sorted(int(found[1]) for name in form if (found := _RULE.fullmatch(name)))
    if len(numbers) > MOST_RULES:
        raise InvalidInput(gettext("More than %d rules nobody could follow.") % MOST_RULES)
    ordered = sorted(numbers, key=lambda n: (_number(form, f"place-{n}"), n))
    return [
        {
            "segment": form[f"segment-{n}"],
            **{axis: [_number(form, f"{axis}-low-{n}"), _number(form, f"{axis}-high-{n}")] for axis in AXES},
        }
        for n in ordered
        if form[f"segment-{n}"] in set(RfmSegment)
    ]


def _number(form: QueryDict, name: str) -> int:
    text = form.get(name, "").strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 3:
        raise InvalidInput(gettext("Every field of a rule must be a whole number."))
    return int(text)


def _scale(form: QueryDict) -> int:
    text = form.get("scale", "") or str(read_setting("rfm.scale"))
    if text not in {str(n) for n in SCALES}:
        raise InvalidInput(gettext("There are scales of 3, 4 and 5 scores."))
    return int(text)
