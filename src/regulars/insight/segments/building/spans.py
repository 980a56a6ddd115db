"""Spans of time and windows. A unit and the calendar by which it is counted are one choice, since hours have no calendar."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from regulars.insight.conditions.language import Days, Unit
from regulars.insight.segments.building.forms import CHANGED, Choice, Form, choices, text
from regulars.insight.segments.building.words import UNITS, WINDOWS
from regulars.insight.segments.drafting import Node

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOURS = {Unit.HOURS: 1, Unit.DAYS: 24, Unit.WEEKS: 168}
_USUAL: dict[str, Node] = {
    "last": {"last": {"days": 30}},
    "ago": {"ago": [{"days": 60}, {"days": 30}]},
}


@dataclass(frozen=True)
class Window:
    """``first`` and ``second`` are numbers of units (last, ago) or days (after, before, between); '' where there is none."""

    prefix: str
    kinds: tuple[Choice, ...]
    kind: str
    first: str
    second: str
    units: tuple[Choice, ...]

    @property
    def first_type(self) -> str:
        """'' where the window has no day."""
        return input_type(self.first) if self.kind in ("after", "before", "between") else ""

    @property
    def second_type(self) -> str:
        return input_type(self.second)


def units(said: str, *, has_hours: bool = True, has_rolling: bool = True, has_days: bool = True) -> tuple[Choice, ...]:
    """Ways to count, without those that do not fit here."""
    fitting = {
        value: words
        for value, words in UNITS.items()
        if (has_hours or not value.startswith(Unit.HOURS))
        and (has_rolling or ":" in value)
        and (has_days or ":" not in value)
    }
    return choices(fitting, said if said in fitting else next(iter(fitting)))


def unit_of(span: Any, days: Any) -> str:
    """'days:shop' of ``{"days": 30}`` by the shop's days."""
    name = next(iter(span)) if isinstance(span, dict) and span else Unit.DAYS.value
    return f"{name}:{days}" if days in (Days.SHOP, Days.PERSON) else str(name)


def count_of(span: Any) -> str:
    return str(next(iter(span.values()))) if isinstance(span, dict) and len(span) == 1 else ""


def span_of(count: str, unit: str) -> Node:
    """What cannot be a number stays as it was typed, for the refusal."""
    name = unit.partition(":")[0]
    number: int | str = int(count) if count.isascii() and count.isdecimal() and len(count) < 10 else count
    return {name if name in set(Unit) else Unit.DAYS.value: number}


def days_of(unit: str) -> Node:
    """The calendar of a unit as JSON; nothing for hours of the clock."""
    days = unit.partition(":")[2]
    return {"days": days} if days in (Days.SHOP, Days.PERSON) else {}


def show_window(said: Any, prefix: str, *, has_entry: bool) -> Window:
    """``has_entry``: a workflow asks, so that the moment of entering it can be meant."""
    kind = _kind(said)
    window: Mapping[str, Any] = said if isinstance(said, dict) else {}
    first, second, unit = _ends(window, kind)
    kinds = {name: words for name, words in WINDOWS.items() if name != "since_entry" or has_entry or kind == name}
    return Window(prefix, choices(kinds, kind), kind, first, second, units(unit))


def read_window(form: Form) -> Node:
    """``{"window": ...}``; nothing for 'at any time'."""
    kind, unit = text(form, "kind"), text(form, "unit")
    first, second = text(form, "first"), text(form, "second")
    if kind in _USUAL and (form.get(CHANGED) == "kind" or "first" not in form):
        return {"window": _USUAL[kind]}
    match kind:
        case "last":
            return {"window": {"last": span_of(first, unit)} | days_of(unit)}
        case "ago":
            return {"window": {"ago": [span_of(first, unit), span_of(second, unit)]} | days_of(unit)}
        case "after" | "before":
            return {"window": {kind: first if form.get(CHANGED) != "kind" else ""}}
        case "between":
            return {"window": {"after": first, "before": second}}
    return {"window": "since_entry"} if kind == "since_entry" else {}


def input_type(value: str) -> str:
    """Of the input of a day: what a browser would not show as one, such as a moment with its clock time, stays text."""
    return "date" if not value or (_DAY.fullmatch(value) and _is_day(value)) else "text"


def _is_day(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value))
    except ValueError:
        return False


def _kind(said: Any) -> str:
    if not isinstance(said, dict):
        return "since_entry" if said == "since_entry" else "ever"
    if "after" in said and "before" in said:
        return "between"
    return next((name for name in ("last", "ago", "after", "before") if name in said), "ever")


def _ends(window: Mapping[str, Any], kind: str) -> tuple[str, str, str]:
    """First and second as shown, and the unit of both."""
    if kind == "ago":
        since, to = of_one_unit(window["ago"])
        return count_of(since), count_of(to), unit_of(since, window.get("days"))
    if kind == "last":
        return count_of(window["last"]), "", unit_of(window["last"], window.get("days"))
    ends = [str(window.get(name, "")) for name in ("after", "before")]
    return (ends[1], "", "") if kind == "before" else (ends[0], ends[1], "")


def of_one_unit(said: Any) -> tuple[Any, Any]:
    """Two spans in the same unit, the smaller of theirs: two weeks to three days ago are 14 to 3 days."""
    spans = [one for one in said if isinstance(one, dict) and len(one) == 1] if isinstance(said, list) else []
    named = [(Unit(name), count) for one in spans for name, count in one.items() if name in set(Unit)]
    if len(named) != 2:
        return {}, {}
    least = min((unit for unit, _ in named), key=_HOURS.__getitem__)
    first, second = (
        {least.value: count * (_HOURS[unit] // _HOURS[least]) if isinstance(count, int) else count}
        for unit, count in named
    )
    return first, second
