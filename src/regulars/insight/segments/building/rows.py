"""The four kinds of rows: a figure, a ratio of two, a sequence of steps, and a share by chance."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from regulars.insight.conditions.language import DENYING, Missing
from regulars.insight.segments.building.comparisons import (
    Comparison,
    Figure,
    read_comparison,
    show_comparison,
)
from regulars.insight.segments.building.figures import (
    House,
    Measured,
    Rows,
    measured_figure,
    ratio_figure,
    read_measured,
    read_rows,
    show_measured,
    show_rows,
)
from regulars.insight.segments.building.forms import CHANGED, Choice, Form, choices, items, maps, part, text
from regulars.insight.segments.building.spans import (
    Window,
    count_of,
    read_window,
    show_window,
    span_of,
    unit_of,
    units,
)
from regulars.insight.segments.building.words import STEPS
from regulars.insight.segments.drafting import Node


@dataclass(frozen=True)
class Step:
    """``absent`` chooses whether it must not happen; none for the first, which must."""

    rows: Rows
    absent: tuple[Choice, ...]
    number: int


@dataclass(frozen=True)
class Row:
    """A leaf as choices. ``kind`` says which of the parts it has: figure (figures[0], test), ratio (two figures, test), sequence (steps,
    within, units, window) or share (percent, salt)."""

    kind: str
    figures: tuple[Measured, ...] = ()
    test: Comparison | None = None
    steps: tuple[Step, ...] = ()
    within: str = ""
    units: tuple[Choice, ...] = ()
    window: Window | None = None
    percent: str = ""
    salt: str = ""

    @property
    def template(self) -> str:
        return f"segments/row_{self.kind}.html"


NEW: dict[str, Node] = {
    "figure": {"of": "orders", "op": "ge", "value": 1},
    "ratio": {
        "ratio": [{"of": "orders", "measure": {"sum": "discount"}}, {"of": "orders", "measure": {"sum": "gross"}}],
        "op": "ge",
        "value": "0.2",
    },
    "sequence": {"sequence": [{"of": "carts"}, {"of": "orders", "absent": True}], "within": {"days": 1}},
    "share": {"share": {"percent": 10, "salt": "sample"}},
}


def kind_of(node: Node) -> str:
    """'' for a leaf that no row can show, which is edited as text."""
    if isinstance(node.get("share"), dict):
        return "share"
    if isinstance(node.get("sequence"), list):
        return "sequence"
    if isinstance(node.get("ratio"), list):
        return "ratio"
    return "figure" if isinstance(node.get("of"), str) else ""


def show_row(node: Node, house: House) -> Row | None:
    match kind_of(node):
        case "figure":
            node = node if {"op", "value", "measure"} & set(node) else node | {"op": "ge", "value": 1}
            test = show_comparison(node, measured_figure(node, house), "")
            return Row("figure", (show_measured(node, "", house),), test)
        case "ratio":
            both = _both(node)
            figures = tuple(show_measured(one, f"ratio.{n}.", house) for n, one in enumerate(both))
            return Row("ratio", figures, show_comparison(node, _ratio_figure(both, house), ""))
        case "sequence":
            return _show_sequence(node, house)
        case "share":
            share = node["share"]
            return Row("share", percent=str(share.get("percent", "")), salt=str(share.get("salt", "")))
    return None


def read_row(form: Form, house: House) -> Node:
    """The leaf that a form means."""
    match text(form, "row"):
        case "ratio":
            both = [read_measured(one, house) for one in _numbered(form, "ratio")]
            return {"ratio": both} | read_comparison(form, _ratio_figure(both, house))
        case "sequence":
            return _read_sequence(form, house)
        case "share":
            return {"share": {"percent": _percent(text(form, "percent")), "salt": text(form, "salt")}}
    node = read_measured(form, house)
    if form.get(CHANGED) == "of":
        return node | {"op": "ge", "value": 1}
    return node | read_comparison(form, measured_figure(node, house))


def denials(leaf: Node) -> Iterator[tuple[str, Node, Node]]:
    """Each comparison of a leaf that denies: the prefix of its form fields, and the leaf with those without a value, and without them."""
    for path, test in _tests(leaf, ()):
        if test.get("op") in list(DENYING):
            included, left_out = (_with(leaf, path, missing) for missing in (Missing.IN, Missing.OUT))
            yield "".join(f"{step}." for step in path), included, left_out


def _tests(said: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    if isinstance(said, dict):
        if "op" in said:
            yield path, said
        for name in ("ratio", "sequence", "where"):
            yield from _tests(said.get(name), (*path, name))
    elif isinstance(said, list):
        for number, one in enumerate(said):
            yield from _tests(one, (*path, number))


def _with(leaf: Node, path: tuple[str | int, ...], missing: Missing) -> Node:
    other: Any = deepcopy(leaf)
    place = other
    for step in path:
        place = place[step]
    place["missing"] = missing.value
    return dict(other)


def _both(node: Node) -> list[Node]:
    return [*maps(node["ratio"]), {}, {}][:2]


def _ratio_figure(both: list[Node], house: House) -> Figure:
    top, bottom = (measured_figure(one, house) for one in both)
    return ratio_figure(top, bottom)


def _numbered(form: Form, name: str) -> list[Form]:
    """The two figures of a ratio, whatever the form lacks."""
    held = part(form, name)
    return [part(held, "0"), part(held, "1")]


def _show_sequence(node: Node, house: House) -> Row:
    within = node.get("within")
    return Row(
        "sequence",
        steps=tuple(
            Step(
                show_rows(step, f"sequence.{n}.", house),
                choices(STEPS, "yes" if step.get("absent") is True else "") if n else (),
                n,
            )
            for n, step in enumerate(maps(node["sequence"]))
        ),
        within=count_of(within),
        units=units(unit_of(within, ""), has_days=False),
        window=show_window(node.get("window"), "window.", has_entry=house.has_entry),
    )


def _read_sequence(form: Form, house: House) -> Node:
    steps = [
        read_rows(one, house) | ({"absent": True} if number and text(one, "absent") else {})
        for number, one in enumerate(items(form, "sequence"))
    ]
    return {"sequence": steps, "within": span_of(text(form, "within"), text(form, "unit"))} | read_window(
        part(form, "window")
    )


def _percent(typed: str) -> int | str:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else typed.replace(",", ".")
