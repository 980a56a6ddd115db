"""Rows of the builder: whatever the language says can be shown as a row, and what the row's form sends back means the same."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.insight.conditions.language import (
    DENYING,
    Ago,
    Condition,
    Leaf,
    Measured,
    Ratio,
    Sequence,
    Span,
    Unit,
    Window,
    leaves,
)
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.tests.catalog import registered
from regulars.insight.conditions.tests.strategies import conditions
from regulars.insight.conditions.tests.worlds import make_world
from regulars.insight.conditions.writing import write_condition
from regulars.insight.segments.building.comparisons import Chip
from regulars.insight.segments.building.figures import House
from regulars.insight.segments.building.forms import items, nest
from regulars.insight.segments.building.rows import NEW, denials, read_row, show_row
from regulars.insight.segments.building.tree import show_tree
from regulars.insight.segments.files import read_yaml
from regulars.insight.segments.models import Segment, SegmentKind

pytestmark = pytest.mark.django_db  # values that are keys are called by their names
HOUSE = House("EUR", has_entry=True)
CATALOG = registered()
WORLD = make_world(CATALOG, 7, 3, 1, [3] * len(CATALOG.shapes))


class _Form(HTMLParser):
    """What a browser would send of the fields that it is fed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given_ = {name: value or "" for name, value in attrs}
        name = given_.get("name", "")
        if tag == "input":
            self.sent[name] = given_.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in given_ or self._select not in self.sent):
            self.sent[self._select] = given_["value"]
        elif tag == "textarea":
            self._area, self.sent[name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] += data


def sent_of(node: dict[str, object]) -> dict[str, str]:
    """The form of a row as it stands, untouched."""
    shown = replace(show_tree({"all": [node]}, HOUSE).parts[0], problem=None)
    form = _Form()
    form.feed(render_to_string("segments/builder_node.html", {"node": shown, "draft_id": "dft_1"}))
    return form.sent


@settings(max_examples=120)
@given(st.data())
def test_a_row_that_nobody_touched_means_what_it_meant(data: st.DataObject) -> None:
    with CATALOG.offered():
        condition = data.draw(conditions(WORLD, depth=0))
        node = write_condition(condition)
        sent = sent_of(node)
        assert ("text" not in sent) == is_as_typed(node)
        read = read_yaml(sent["text"]) if "text" in sent else read_row(nest(sent), HOUSE)
        assert in_one_unit(read_condition(read)) == in_one_unit(condition)


def is_as_typed(said: object) -> bool:
    """What is typed has no blanks around it; what has is edited as text."""
    if isinstance(said, dict | list):
        return all(map(is_as_typed, said.values() if isinstance(said, dict) else said))
    return not isinstance(said, str) or said == said.strip()


def in_one_unit(condition: Condition) -> Condition:
    """Both ends of 'between two and one ago' are shown in the smaller of their units."""
    match condition:
        case Sequence():
            return replace(condition, window=_window(condition.window))
        case Leaf(Ratio(top, bottom)):
            return replace(condition, figure=Ratio(_measured(top), _measured(bottom)))
        case Leaf(Measured() as figure):
            return replace(condition, figure=_measured(figure))
    return condition


def _measured(figure: Measured) -> Measured:
    return replace(figure, rows=replace(figure.rows, window=_window(figure.rows.window)))


def _window(window: Window) -> Window:
    if not isinstance(window, Ago):
        return window
    hours = {Unit.HOURS: 1, Unit.DAYS: 24, Unit.WEEKS: 168}
    least = min((window.since.unit, window.to.unit), key=hours.__getitem__)
    since, to = (Span(one.count * hours[one.unit] // hours[least], least) for one in (window.since, window.to))
    return Ago(since, to, window.days)


@settings(max_examples=60)
@given(st.data())
def test_each_denial_is_offered_with_and_without_those_who_have_no_value(data: st.DataObject) -> None:
    with CATALOG.offered():
        condition = data.draw(conditions(WORLD, depth=0))
        node = write_condition(condition)
        found = list(denials(node))
        assert len(found) == json.dumps(node).count('"missing"')
        for _, included, left_out in found:
            assert read_condition(included) != read_condition(left_out)
            assert condition in (read_condition(included), read_condition(left_out)) or len(found) > 1
            assert len(list(leaves(read_condition(included)))) == 1
    assert {op.value for op in DENYING} >= {"is_not", "not_in"}


def test_what_is_new_can_be_used_at_once() -> None:
    for node in NEW.values():
        assert read_condition(read_row(nest(sent_of(node)), HOUSE)) == read_condition(node)


def test_values_that_are_keys_are_chosen_by_what_they_are_called() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    for key, name in (("fans", "Fans of tea"), ("gone", "Gone")):
        Segment.objects.create(key=key, name=name, kind=SegmentKind.CONDITIONS, definition={}, created_at=at)
    node = {
        "of": "memberships",
        "where": [{"field": "segment", "op": "is", "value": "was-there"}],
        "op": "is",
        "value": 0,
    }
    row = show_row(node, HOUSE)
    assert row is not None
    chosen = row.figures[0].rows.filters[0].comparison
    said = [
        ("", "choose", False),
        ("fans", "Fans of tea", False),
        ("gone", "Gone", False),
        ("was-there", "was-there", True),
    ]
    assert (chosen.shape, [(one.value, str(one.text), one.is_chosen) for one in chosen.choices]) == ("choice", said)
    node["where"] = [{"field": "segment", "op": "in", "value": ["gone", "was-there"]}]
    several = show_row(node, HOUSE)
    assert several is not None
    assert several.figures[0].rows.filters[0].comparison.chips == [Chip("gone", "Gone"), Chip("was-there", "was-there")]


def test_lists_in_forms_are_changed_by_their_buttons() -> None:
    form = {"a.0.x": "0", "a.1.x": "1", "a.10.x": "10", "a.2.x": "2"}

    def order(**button: str) -> list[str]:
        return [str(one.get("x", "new")) for one in items(nest(form | button), "a")]

    assert order() == ["0", "1", "2", "10"]
    assert order(**{"a.2.up": "1"}) == ["0", "2", "1", "10"]
    assert order(**{"a.0.up": "1"}) == ["0", "1", "2", "10"]
    assert order(**{"a.0.down": "1"}) == ["1", "0", "2", "10"]
    assert order(**{"a.1.drop": "1"}) == ["0", "2", "10"]
    assert order(**{"a.0.to": "2"}) == ["1", "0", "2", "10"]
    assert order(**{"a.add": "1"}) == ["0", "1", "2", "10", "new"]
    assert order(**{"a": "text", "a.0": "text", "a.x.y.z": "1", "a.99999999.x": "far"}) == ["0", "1", "2", "10"]


def test_scores_and_events_are_called_by_their_names() -> None:
    for of, name, key, called in (
        ("rfm", "segment", "cant-lose", "Can't Lose"),
        ("events", "kind", "cart.abandoned", "A cart was left in silence"),
    ):
        row = show_row({"of": of, "where": [{"field": name, "op": "is", "value": key}], "op": "ge", "value": 1}, HOUSE)
        assert row is not None
        test = row.figures[0].rows.filters[0].comparison
        assert test.shape == "choice"
        assert [(one.value, str(one.text)) for one in test.choices if one.is_chosen] == [(key, called)]
        values = {one.value for one in test.choices}
        assert not any(value.startswith(("segment.", "run.")) for value in values)
