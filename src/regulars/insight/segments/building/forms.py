"""Flat forms as nested ones, and options of selects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from regulars.insight.segments.drafting import Node

Form = Mapping[str, Any]  # values are texts or Forms
CHANGED = "changed"  # names the field that was just changed, so that what hung on its old value goes


@dataclass(frozen=True)
class Choice:
    """One option of a select."""

    value: str
    text: Any
    is_chosen: bool


def choices(words: Mapping[str, Any], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, text, value == chosen) for value, text in words.items())


def nest(flat: Mapping[str, str]) -> Form:
    """``{"where.0.op": "is"}`` as ``{"where": {"0": {"op": "is"}}}``; ``changed`` goes to where the field that it names stands."""
    way, _, last = flat.get(CHANGED, "").rpartition(".")
    named = {name: text for name, text in flat.items() if name != CHANGED}
    root: dict[str, Any] = {}
    for name, text in (named | {f"{way}.{CHANGED}".lstrip("."): last}).items():
        *path, end = name.split(".")
        place = root
        for part in path:
            held = place.setdefault(part, {})
            place = held if isinstance(held, dict) else {}
        place.setdefault(end, text)
    return root


def text(form: Form, name: str) -> str:
    """'' for what is not there, or is no text."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def part(form: Form, name: str) -> Form:
    value = form.get(name)
    return value if isinstance(value, Mapping) else {}


def items(form: Form, name: str) -> list[Form]:
    """The parts of a list as its buttons leave it: without the one with ``drop``, those with ``up``, ``down`` or ``to`` (before the part of
    that number) elsewhere. An empty one stands for ``add``."""
    held = part(form, name)
    numbered = [(int(key), one) for key, one in held.items() if _is_number(key) and isinstance(one, Mapping)]
    kept = sorted(((_place(number, one), number, one) for number, one in numbered if "drop" not in one), key=_order)
    return [one for _, _, one in kept] + ([{}] if "add" in held else [])


def _order(entry: tuple[float, int, Form]) -> tuple[float, int]:
    return entry[:2]


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 6


def _place(number: int, one: Form) -> float:
    if _is_number(to := text(one, "to")):
        return int(to) - 0.5
    return number - 1.5 * ("up" in one) + 1.5 * ("down" in one)


def maps(said: Any) -> Iterable[Node]:
    """The objects of a list that may be anything."""
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
