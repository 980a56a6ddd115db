"""What the form of a row sends back where nobody touches it; and by that, whether a row can show a condition without changing it.

The names are those of the templates ``row_*.html``; tests render these and compare.
"""

from typing import Any

from regulars.insight.conditions.reading import InvalidCondition, read_condition
from regulars.insight.segments.building.comparisons import Chip, Comparison
from regulars.insight.segments.building.figures import FilterRow, House, Measured, Rows
from regulars.insight.segments.building.forms import Choice, nest
from regulars.insight.segments.building.rows import Row, Step, read_row, show_row
from regulars.insight.segments.building.spans import Window, of_one_unit
from regulars.insight.segments.drafting import Node

Flat = dict[str, str]


def faithful_row(node: Node, house: House) -> Row | None:
    """The row of a leaf; None where its form would mean something else: that is edited as text."""
    row = show_row(node, house)
    return row if row and _is_same(read_row(nest(form_of(row)), house), _as_shown(node)) else None


def form_of(row: Row) -> Flat:
    sent = {"row": row.kind}
    places = ("ratio.0.", "ratio.1.") if row.kind == "ratio" else ("",)
    for prefix, figure in zip(places, row.figures, strict=False):
        sent |= _of_measured(figure, prefix)
    for step in row.steps:
        sent |= _of_step(step)
    if row.kind == "sequence" and row.window:
        sent |= {"within": row.within, "unit": _chosen(row.units)} | _of_window(row.window)
    if row.kind == "share":
        sent |= {"percent": row.percent, "salt": _line(row.salt)}
    return sent | (_of_comparison(row.test) if row.test else {})


def _of_measured(figure: Measured, prefix: str) -> Flat:
    measures = [one for _, options in figure.measures for one in options]
    return {f"{prefix}measure": _chosen(measures)} | _of_rows(figure.rows) | _of_window(figure.window)


def _of_step(step: Step) -> Flat:
    return {f"{step.rows.prefix}absent": _chosen(step.absent)} | _of_rows(step.rows)


def _of_rows(rows: Rows) -> Flat:
    sent = {f"{rows.prefix}of": _chosen(rows.relations)}
    for one in rows.filters:
        sent |= _of_filter(one)
    return sent


def _of_filter(one: FilterRow) -> Flat:
    return {f"{one.prefix}field": _chosen(one.fields)} | _of_comparison(one.comparison)


def _of_window(window: Window) -> Flat:
    sent = {
        "kind": _chosen(window.kinds),
        "first": window.first,
        "second": window.second,
        "unit": _chosen(window.units),
    }
    return {f"{window.prefix}{name}": value for name, value in sent.items()}


def _of_comparison(test: Comparison) -> Flat:
    sent = {"op": _chosen(test.ops)}
    if test.units:
        sent["unit"] = _chosen(test.units)
    if test.missing:
        sent["missing"] = _chosen(test.missing)
    if test.shape == "chips":
        sent |= {f"value.{n}.{_kind(one)}": _line(one.value) for n, one in enumerate(test.chips)}
    elif test.shape == "lines":
        sent["value"] = "\n".join(test.values)
    elif test.shape != "none":
        sent |= {"value": _line(test.value), "value-to": test.value_to} | (
            {} if test.word is None else {"sealed": test.word}
        )
    return {f"{test.prefix}{name}": value for name, value in sent.items()}


def _kind(chip: Chip) -> str:
    return "sealed" if chip.is_sealed else "text"


def _line(value: str) -> str:
    """An input has but one line."""
    return "".join(value.splitlines())


def _chosen(options: "tuple[Choice, ...] | list[Choice]") -> str:
    """As browsers do: the first where none is chosen."""
    return next((one.value for one in options if one.is_chosen), options[0].value if options else "")


def _is_same(one: Node, other: Node) -> bool:
    """What is not complete has to be the very same."""
    if one == other:
        return True
    try:
        return read_condition(one) == read_condition(other)
    except InvalidCondition:
        return False


def _as_shown(said: Any) -> Any:
    """Both ends of 'between two and one ago' are shown in the smaller of their units."""
    if isinstance(said, list):
        return [_as_shown(one) for one in said]
    if not isinstance(said, dict):
        return said
    return {name: list(of_one_unit(one)) if name == "ago" else _as_shown(one) for name, one in said.items()}
