"""The builder: a draft that is changed move by move, undone after a reload, counted while it grows, and saved."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.clock import now
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments.models import Segment, SegmentDraft, SegmentVersion
from regulars.insight.segments.operations import refreshing, saving
from regulars.insight.segments.ready_made import READY_MADE
from regulars.insight.segments.uses import Use
from regulars.insight.warehouse.operations import sync
from regulars.insight.warehouse.tests import shop

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def marketer(making_once: Path) -> StaffMember:
    """Of a shop with three customers, whose spending the warehouse knows."""
    store, at = shop.make_store(), now() - timedelta(days=5)
    people = shop.make_people(store, 3, at)
    shop.add_orders(store, [(str(n), person, at, 4000 * n) for n, person in enumerate(people)])
    sync(at)
    return StaffMember.objects.create(email="mo@shop.example", name="Mo", role="marketer")


@pytest.fixture(autouse=True)
def client(marketer: StaffMember, made_once: None) -> Client:
    client = Client()
    client.force_login(marketer)
    return client


def begin(client: Client, **what: str) -> str:
    answer = client.post("/segment-drafts/begin", what)
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def do(client: Client, address: str, do: str, place: str = "", **form: str) -> Any:
    return client.post(address, {"do": do, "place": place, **form}, headers={"HX-Request": "true"})


def tree() -> Any:
    draft = SegmentDraft.objects.get()
    return draft.states[draft.place]


SPENT: dict[str, str] = {"row": "figure", "of": "orders", "measure": "sum:total", "op": "ge", "value": "50",
                         "window.kind": "last", "window.first": "30", "window.unit": "days"}  # fmt: skip
SPENT_AS_JSON = {
    "of": "orders",
    "measure": {"sum": "total"},
    "op": "ge",
    "value": 5000,
    "window": {"last": {"days": 30}},
}


def test_a_segment_is_built_counted_saved_and_changed(client: Client) -> None:
    address = begin(client)
    assert do(client, address, "set", "0", **SPENT).status_code == 200
    assert tree() == {"all": [SPENT_AS_JSON]}
    page = client.get(f"{address}/count").content.decode()
    assert '<span class="num">1</span>' in page
    assert "of 3 customers" in page
    answer = client.post(address, {"do": "save", "name": "Big spenders", "description": "Those who matter"})
    assert (answer.status_code, answer["Location"]) == (302, "/segments/big-spenders")
    segment = Segment.objects.get()
    assert (segment.definition["where"], SegmentDraft.objects.count()) == ({"all": [SPENT_AS_JSON]}, 0)
    refreshing.refresh(segment, now)
    page = client.get("/segments/big-spenders").content.decode()
    assert "Those who matter" in page
    assert "The sum of total over orders that count in the last 30 days is at least £50.00" in page
    who = page.partition("/segments/big-spenders/why/")[2].partition('"')[0]
    explained = client.get(f"/segments/big-spenders/why/{who}").content.decode()
    assert "is in Big spenders" in explained
    assert "£80.00" in explained
    again = begin(client, segment="big-spenders")
    do(client, again, "set", "0", **SPENT | {"value": "30"})
    plan = client.get(f"{again}/count").content.decode().partition("What saving does")[2]
    assert re.findall(r'<span class="num">(\d+)</span>', plan) == ["1", "0"]
    assert "No workflow starts." in plan
    assert begin(client, segment="big-spenders") == again
    client.post(again, {"do": "save", "name": "Big spenders", "description": ""})
    assert Segment.objects.get().version == 2


def test_the_plan_names_who_enters_and_leaves_and_what_starts(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    uses = [
        Use("Workflow", "Thank them", "/workflows/1", is_on=True, begins=True),
        Use("Workflow", "Ask them", "/workflows/2", is_on=True),
        Use("Workflow", "Old one", "/workflows/3", is_on=False, begins=True),
    ]
    monkeypatch.setattr(saving, "uses_of", lambda key: uses)
    client.force_login(StaffMember.objects.create(email="ow@shop.example", name="Ow", role="owner"))
    refreshing.refresh(saving.create_segment("Spenders", read_condition(SPENT_AS_JSON), None, now()), now)
    address = begin(client, segment="spenders")
    plan = client.get(f"{address}/count").content.decode().partition("What saving does")[2]
    assert "Nobody enters or leaves." in plan
    assert "starts-workflows" not in plan
    do(client, address, "set", "0", **SPENT | {"op": "lt"})
    plan = client.get(f"{address}/count").content.decode().partition("What saving does")[2]
    assert re.findall(r'<span class="num">(\d+)</span>', plan) == ["2", "1"]
    assert len(set(re.findall(r'href="(/customers/[^"]+)"', plan))) == 3
    tick, _, others = plan.partition("Without the tick no workflow starts.")
    assert re.findall(r"/workflows/\d", tick) == ["/workflows/1"]
    assert re.findall(r"/workflows/\d", others) == ["/workflows/2", "/workflows/3"]
    client.post(address, {"do": "save", "name": "Spenders", "starts-workflows": "on"})
    assert [one.starts_workflows for one in SegmentVersion.objects.order_by("number")] == [False, True]


def test_size_over_time_begins_when_the_segment_was_made(client: Client) -> None:
    segment = saving.create_segment("Spenders", read_condition(SPENT_AS_JSON), None, now())
    refreshing.refresh(segment, now)
    assert "Size over time" not in client.get("/segments/spenders").content.decode()
    Segment.objects.update(created_at=now() - timedelta(days=3))
    page = client.get("/segments/spenders").content.decode()
    assert re.search(r"Size over time.*1 now, 0 on \d", page, re.DOTALL)
    [chart] = re.findall(r'<script id="[^"]+" type="application/json">(.*?)</script>', page)
    assert len(json.loads(chart)["labels"]) == 4


def test_every_move_can_be_undone_and_done_again_after_a_reload(client: Client) -> None:
    address = begin(client)
    for move, place in (
        ("add-figure", ""),
        ("add-group", ""),
        ("negate", "0"),
        ("inward", "1"),
        ("toggle", ""),
        ("up", "1"),
        ("remove", "0"),
    ):
        assert do(client, address, move, place).status_code == 200
    states = SegmentDraft.objects.get().states
    assert len(states) == 8
    for expected in reversed(states[:-1]):
        do(client, address, "undo")
        assert tree() == expected
    assert "disabled" in client.get(address).content.decode().partition("data-undo")[2][:20]
    for expected in states[1:]:
        do(client, address, "redo")
        assert tree() == expected


def test_rows_are_moved_as_by_a_mouse(client: Client) -> None:
    address = begin(client)
    do(client, address, "write", "", text="all: [{of: orders}, {any: [{of: refunds}, {of: tags}]}]")
    do(client, address, "move", "0", to="1", number="1")
    assert tree() == {"all": [{"any": [{"of": "refunds"}, {"of": "orders"}, {"of": "tags"}]}]}
    assert "not there any more" in do(client, address, "move", "5", to="0", number="0").content.decode()
    assert "no such move" in do(client, address, "dance").content.decode()


ABROAD: dict[str, str] = {"row": "figure", "of": "contacts", "measure": "last:country", "op": "not_in",
                          "value.0.text": "DE", "value.more": "AT, CH"}  # fmt: skip


def test_what_is_missing_is_said_at_its_row_with_the_count_of_both(client: Client) -> None:
    address = begin(client)
    do(client, address, "add-figure", "")
    do(client, address, "set", "1", row="figure", of="orders", measure="count", op="between", value="3")
    page = do(client, address, "set", "0", **ABROAD).content.decode()
    assert re.findall(r'role="status">(?:<svg.*?</svg>)?([^<]+)</p>', page, re.DOTALL) == [
        "Choose what becomes of those without a value.",
        "Fill in what to compare with.",
    ]
    counted = client.get(f"{address}/count").content.decode()
    assert "the row says what is missing" in counted
    assert '<span id="both-0-" hx-swap-oob="innerHTML">3 with them, 0 without</span>' in counted
    answer = client.post(address, {"do": "save", "name": "Abroad"})
    assert (answer.status_code, Segment.objects.count()) == (422, 0)
    do(client, address, "set", "0", **ABROAD, missing="in")
    assert tree()["all"][0]["value"] == ["DE", "AT", "CH"]


def test_a_circle_of_segments_is_said_at_its_row(client: Client) -> None:
    saving.create_segment("Spenders", read_condition(SPENT_AS_JSON), None, now())
    address = begin(client, segment="spenders")
    itself = {
        "row": "figure",
        "of": "memberships",
        "op": "ge",
        "value": "1",
        "where.0.field": "segment",
        "where.0.op": "is",
    }
    page = do(client, address, "set", "0", **itself, **{"where.0.value": "spenders"}).content.decode()
    assert "Segments must not go round in circles: spenders → spenders." in page.partition('class="node leaf')[2]
    assert "note-error" not in page
    assert "the row says what is missing" in client.get(f"{address}/count").content.decode()
    answer = client.post(address, {"do": "save", "name": "Spenders"})
    assert (answer.status_code, Segment.objects.get().version) == (422, 1)


def test_filters_are_added_changed_and_taken_away(client: Client) -> None:
    address = begin(client)
    do(client, address, "set", "0", of="orders", measure="count", op="ge", value="1", **{"where.add": "1"})
    assert tree()["all"][0]["where"] == [{"field": "total", "op": "ge"}]
    row = {"of": "orders", "measure": "count", "op": "ge", "value": "1", "where.0.field": "channel"}
    do(client, address, "set", "0", **row, changed="where.0.field")
    assert tree()["all"][0]["where"] == [{"field": "channel", "op": "is"}]
    row |= {"where.0.op": "is", "where.0.value": "web"}
    do(client, address, "set", "0", **row, **{"where.1.field": "currency", "where.1.op": "set"})
    web = {"field": "channel", "op": "is", "value": "web"}
    assert tree()["all"][0]["where"] == [web, {"field": "currency", "op": "set"}]
    do(client, address, "set", "0", **row, **{"where.1.field": "currency", "where.1.op": "set", "where.0.drop": "1"})
    assert tree()["all"][0]["where"] == [{"field": "currency", "op": "set"}]


@pytest.mark.parametrize(
    ("changed", "op", "measure", "value", "kept"),
    [
        ("measure", "ge", "last:country", "1", None),
        ("op", "before", "last:at", "30", None),
        ("op", "after", "last:at", "2026-11-01", "2026-11-01"),
        ("op", "older_than", "last:at", "30", {"days": 30}),
        ("op", "in", "last:country", "DE", ["DE"]),
        ("op", "between", "count", "3", None),
        ("measure", "ge", "gap", "7", 7),
        ("value", "is", "last:country", "1", "1"),
    ],
)
def test_a_value_that_was_typed_for_something_else_goes(
    client: Client, changed: str, op: str, measure: str, value: str, kept: Any
) -> None:
    address = begin(client)
    row = {"row": "figure", "of": "contacts", "measure": measure, "op": op, "value": value, "unit": "days"}
    do(client, address, "set", "0", **row, changed=changed)
    assert tree()["all"][0].get("value") == kept


def test_another_relation_keeps_the_window_and_asks_for_a_name_where_there_are_names(client: Client) -> None:
    address = begin(client)
    row = SPENT | {"where.0.field": "channel", "where.0.op": "is", "where.0.value": "web", "changed": "of"}
    do(client, address, "set", "0", **row | {"of": "refunds"})
    kept = {"window": {"last": {"days": 30}}, "op": "ge", "value": 1}
    assert tree()["all"][0] == {"of": "refunds"} | kept
    do(client, address, "set", "0", **row | {"of": "memberships"})
    assert tree()["all"][0] == {"of": "memberships", "where": [{"field": "segment", "op": "is"}]} | kept


SEQUENCE = {"row": "sequence", "within": "3", "unit": "days", "sequence.0.of": "carts", "sequence.1.of": "orders",
            "sequence.1.absent": "yes", "sequence.2.of": "refunds"}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "steps"),
    [
        ({}, [("carts", False), ("orders", True), ("refunds", False)]),
        ({"sequence.2.up": "1"}, [("carts", False), ("refunds", False), ("orders", True)]),
        ({"sequence.0.down": "1"}, [("orders", False), ("carts", False), ("refunds", False)]),
        ({"sequence.2.to": "0"}, [("refunds", False), ("carts", False), ("orders", True)]),
        ({"sequence.1.drop": "1"}, [("carts", False), ("refunds", False)]),
        ({"sequence.add": "1"}, [("carts", False), ("orders", True), ("refunds", False), ("orders", False)]),
    ],
)
def test_steps_of_a_sequence_are_added_moved_and_taken_away(
    client: Client, more: dict[str, str], steps: list[tuple[str, bool]]
) -> None:
    address = begin(client)
    do(client, address, "add-sequence", "")
    do(client, address, "set", "1", **SEQUENCE, **more, **{"window.kind": "ago"})
    said = tree()["all"][1]
    assert [(step["of"], step.get("absent", False)) for step in said["sequence"]] == steps
    assert (said["within"], said["window"]) == ({"days": 3}, {"ago": [{"days": 60}, {"days": 30}]})


def test_a_ratio_is_a_row_and_so_is_a_share(client: Client) -> None:
    address = begin(client)
    do(client, address, "add-ratio", "")
    do(client, address, "add-share", "")
    ratio = {"row": "ratio", "ratio.0.of": "orders", "ratio.0.measure": "sum:discount", "ratio.0.window.kind": "last",
             "ratio.1.of": "orders", "ratio.1.measure": "sum:gross", "op": "ge", "value": "12.5"}  # fmt: skip
    do(client, address, "set", "1", **ratio)
    assert tree()["all"][1] == {
        "ratio": [
            {"of": "orders", "measure": {"sum": "discount"}, "window": {"last": {"days": 30}}},
            {"of": "orders", "measure": {"sum": "gross"}},
        ],
        "op": "ge",
        "value": "0.125",
    }
    do(client, address, "set", "1", **ratio | {"ratio.1.measure": "count", "value": "9.50"})
    assert tree()["all"][1]["value"] == 950  # amounts by numbers are amounts
    do(client, address, "set", "2", row="share", percent="2.5", salt="spring")
    assert tree()["all"][2] == {"share": {"percent": "2.5", "salt": "spring"}}
    assert "of 3 customers" in client.get(f"{address}/count").content.decode()


def test_what_is_typed_letter_by_letter_is_undone_at_once(client: Client) -> None:
    address = begin(client)
    for value, more in (("5", {}), ("50", {"goes-on": "yes"}), ("500", {"goes-on": "yes"})):
        do(client, address, "set", "0", **SPENT | {"value": value}, **more)
    assert [state["all"][0]["value"] for state in SegmentDraft.objects.get().states] == [1, 50_000]
    do(client, address, "undo")
    do(client, address, "set", "0", **SPENT | {"value": "7"}, **{"goes-on": "yes"})
    assert [state["all"][0]["value"] for state in SegmentDraft.objects.get().states] == [1, 700]


@pytest.mark.parametrize("key", READY_MADE)
def test_each_that_comes_ready_made_opens_and_can_be_used(client: Client, key: str) -> None:
    address = begin(client, **{"ready-made": key})
    page = client.get(address).content.decode()
    ready = READY_MADE[key]
    assert str(ready.name) in page.replace("&#x27;", "'")
    needs_choice = "field-error" in page
    assert needs_choice == bool(ready.choose)
    assert "<textarea" not in page.partition('id="text"')[0]
    if not ready.choose:
        assert "of 3 customers" in client.get(f"{address}/count").content.decode()


def test_values_come_from_the_data_and_drafts_are_ones_own(client: Client) -> None:
    assert 'value="GBP"' in client.get("/segment-drafts/values?of=orders.currency").content.decode()
    assert client.get("/segment-drafts/values?of=orders.nothing").status_code == 404
    address = begin(client)
    other = Client()
    other.force_login(StaffMember.objects.create(email="di@shop.example", name="Di", role="marketer"))
    assert other.get(address).status_code == 404
    reader = Client()
    reader.force_login(StaffMember.objects.create(email="rea@shop.example", name="Rea", role="read_only"))
    assert reader.get(address).status_code == 403
    assert reader.get("/segment-drafts/new").status_code == 403
    assert "Cart abandoners" in client.get("/segment-drafts/new").content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "all: [1]",
        "all: 5",
        "any: [{not: 1}, {of: orders}]",
        "{all: [" + "{all: []}, " * 601 + "]}",
        "{any: [" * 41 + "{of: orders}" + "]}" * 41,
    ],
)
def test_what_cannot_be_shown_as_a_definition_changes_nothing(client: Client, text: str) -> None:
    address = begin(client)
    before = tree()
    answer = do(client, address, "write", "", text=text)
    assert answer.status_code == 200
    assert (
        "A group is a list of conditions" in answer.content.decode()
        or "nested at most 40 deep" in answer.content.decode()
    )
    assert tree() == before


def test_groups_nested_forty_deep_are_built(client: Client) -> None:
    address = begin(client)
    do(client, address, "write", "", text="{any: [" * 40 + "{of: orders}" + "]}" * 40)
    assert "problem" not in client.get(f"{address}/count").content.decode()
    assert client.get(address).status_code == 200
    assert client.post(address, {"do": "save", "name": "Deep"}).status_code == 302
