"""A split by conditions of the language of segments: since entering, for a whole batch at once, with the reasons in the trace."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.tokens import create_token
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM
from regulars.insight.segments.models import Segment, SegmentKind
from regulars.insight.segments.uses import uses_of
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations.recording import HappeningInput, record_happening
from regulars.record.events.readers import READERS, catch_up
from regulars.record.own_events.facts import know
from regulars.record.own_events.models import DeclaredProperty
from regulars.record.own_events.operations import StillUsed, withdraw
from regulars.record.own_events.queries import offered
from regulars.workflows.definition import InvalidDefinition
from regulars.workflows.models import Run, RunStep, Workflow, WorkflowVersion
from regulars.workflows.operations import save_version, switch_on
from regulars.workflows.runs.driving import work_off
from regulars.workflows.tests.factories import AT, DAY, enter, make_people, make_shop

pytestmark = pytest.mark.django_db
QUIZ = {"of": "own_events", "where": [{"field": "name", "op": "is", "value": "Quiz Finished"}], "window": "since_entry"}


def definition(condition: Any, days: int = 1, segment: str = "at-risk") -> dict[str, Any]:
    return {
        "format": 1,
        "name": "Ask again",
        "trigger": {"kind": "segment.entered", "segment": segment},
        "start": "wait",
        "nodes": {
            "wait": {"kind": "wait", "for": {"days": days}, "next": "split"},
            "split": {"kind": "condition", "matches": {"version": 1, "where": condition}, "yes": "in", "no": "out"},
            "in": {"kind": "exit", "reason": "matched"},
            "out": {"kind": "exit", "reason": "did not match"},
        },
    }


def begin(condition: Any, key: str = "ask", **more: Any) -> Workflow:
    workflow = save_version(key, definition(condition, **more), None, AT).workflow
    switch_on(workflow, AT)
    return workflow


def read(at: datetime = AT) -> None:
    catch_up([READERS["workflows.entries"]], at)


def finish_quiz(number: int, at: datetime, **properties: Any) -> None:
    person = PersonInput((IdentityInput(IdentityKind.EMAIL, f"person{number}@people.example"),), at)
    record_happening(HappeningInput("Quiz Finished", person, at, properties), "tests")


def outcomes() -> dict[int, str]:
    return dict(Run.objects.values_list("customer_id", "outcome"))


def test_what_happened_since_entering_parts_the_ways_and_is_told_why() -> None:
    people = make_people(2, make_shop())
    (one, _), (two, _) = people
    finish_quiz(2, AT - DAY)
    begin(QUIZ)
    enter(people, AT)
    read()
    finish_quiz(1, AT + timedelta(hours=1))
    work_off("w", AT)
    work_off("w", AT + DAY)
    assert outcomes() == {one: "matched", two: "did not match"}
    trace = {s.run.customer_id: (s.decision, s.values) for s in RunStep.objects.filter(node="split")}
    said = "has own events since entering the workflow, where name of the event is “Quiz Finished”"
    [event] = [values[1][2] for decision, values in trace.values() if decision == "yes"]
    assert trace == {
        one: ("yes", [["matches", True, ""], [said, "1", event]]),
        two: ("no", [["matches", False, ""], [said, "0", ""]]),
    }
    assert event.startswith("own_events ")


def test_a_batch_is_decided_at_once() -> None:
    people = make_people(12, make_shop())
    begin({"all": [QUIZ, {"of": "orders", "op": "is", "value": 0}]})
    counts = []
    for some in (people[:2], people[2:]):
        enter(some, AT)
        read()
        work_off("w", AT)
        with CaptureQueriesContext(connection) as asked:
            work_off("w", AT + DAY)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert list(outcomes().values()) == ["did not match"] * 12


def test_two_runs_of_one_customer_each_know_when_they_began() -> None:
    people = make_people(1, make_shop())
    begin(QUIZ, "first", days=3)
    begin(QUIZ, "second", days=1, segment="champions")
    enter(people, AT)
    read()
    work_off("w", AT)
    finish_quiz(1, AT + DAY)
    enter(people, AT + 2 * DAY, "champions")
    read(AT + 2 * DAY)
    work_off("w", AT + 2 * DAY)
    work_off("w", AT + 3 * DAY)  # both are due now, in one batch
    found = dict(Run.objects.values_list("workflow__key", "outcome"))
    assert found == {"first": "matched", "second": "did not match"}


def test_conditions_that_cannot_be_meant_are_refused_and_nothing_is_kept() -> None:
    city = {"of": "contacts", "where": [{"field": "city", "op": "is", "value": "Bremen"}]}
    for condition, sentence in (
        ({"of": "nothing"}, "nothing is called"),
        ({"of": "own_events", "op": "ge"}, "value"),
        ({"of": "memberships"}, "which segment"),
        ({"of": "memberships", "where": [{"field": "segment", "op": "is", "value": "none"}]}, "no segment 'none'"),
        (city, "by a segment"),
    ):
        with pytest.raises(InvalidDefinition, match=sentence):
            save_version("ask", definition(condition), None, AT)
    both = definition(QUIZ)
    both["nodes"]["split"]["fact"] = "segment.member"
    with pytest.raises(InvalidDefinition, match="fact"):
        save_version("ask", both, None, AT)
    assert (Workflow.objects.count(), WorkflowVersion.objects.count()) == (0, 0)


def test_what_it_names_is_in_use_and_what_cannot_be_read_any_more_holds_nobody_else_up() -> None:
    score = DeclaredProperty.objects.create(
        event="Quiz Finished", name="score", type="number", field="p_quiz_score", declared_at=AT, ready_at=AT
    )
    Segment.objects.create(
        key="fans",
        name="Fans",
        kind=SegmentKind.CONDITIONS,
        definition={"version": 1, "where": {"of": "orders"}},
        created_at=AT,
    )
    know(offered())
    high = QUIZ | {"where": [{"field": "p_quiz_score", "op": "ge", "value": 8}]}
    member = {"of": "memberships", "where": [{"field": "segment", "op": "is", "value": "fans"}]}
    begin({"any": [high, member]}, "high")
    begin(QUIZ, "any")
    assert [(use.name, use.begins) for use in uses_of("fans")] == [("Ask again", False)]
    staff = Viewer(None, frozenset())
    with pytest.raises(StillUsed, match="Ask again"):
        withdraw(score.pk, staff, AT)
    (one, two) = make_people(2, make_shop())
    enter([one, two], AT)
    read()
    finish_quiz(1, AT + timedelta(hours=1), score=9)
    finish_quiz(2, AT + timedelta(hours=1), score="7.9")
    work_off("w", AT)
    know(())  # as if its edition were gone
    at = AT + DAY
    for _ in range(4):
        work_off("w", at)
        at += timedelta(hours=12)
    states = dict(Run.objects.filter(customer=one[0]).values_list("workflow__key", "state"))
    assert states == {"high": "stuck", "any": "ended"}
    assert "p_quiz_score" in Run.objects.filter(workflow__key="high")[0].problem
    know(offered())
    Run.objects.filter(state="stuck").update(state="active", wake_at=at, failures=0)
    work_off("w", at)
    found = dict(Run.objects.filter(workflow__key="high").values_list("customer_id", "outcome"))
    assert found == {one[0]: "matched", two[0]: "did not match"}


YAML = """
format: 1
name: Ask again
trigger: {kind: segment.entered, segment: at-risk}
start: wait
nodes:
  wait: {kind: wait, for: {days: 1}, next: split}
  split:
    kind: condition
    matches:
      version: 1
      where:
        of: own_events
        where: [{field: name, op: is, value: Quiz Finished}]
        window: since_entry
    yes: in
    no: out
  in: {kind: exit, reason: matched}
  out: {kind: exit, reason: did not match}
"""


def test_it_is_written_in_the_browser_and_by_the_api(client: Client) -> None:
    workflow = begin({"of": "orders"})
    owner, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    client.force_login(owner)
    page = f"/workflows/{workflow.key}/edit"
    assert "window: since_entry" in client.get(page).content.decode()
    text = json.dumps(definition(QUIZ))
    checked = client.post(page, {"definition": text, "do": "check"}).content.decode()
    assert "check whether has own events since entering the workflow" in checked
    broken = client.post(page, {"definition": text.replace("own_events", "none"), "do": "save"})
    assert (broken.status_code, "nodes.split" in broken.content.decode()) == (400, True)
    assert client.post(page, {"definition": "a: [", "do": "save"}).status_code == 400
    assert workflow.versions.count() == 1
    assert client.post(page, {"definition": YAML, "do": "save"}).status_code == 302
    shown = client.get(page).content.decode()
    places = [shown.index(f"\n  {node}:") for node in ("wait", "split", "in", "out")]
    assert places == sorted(places)
    assert "has own events since entering" in client.get(f"/workflows/{workflow.key}").content.decode()
    assert [v.definition for v in workflow.versions.order_by("number")][1] == definition(QUIZ)
    token = create_token("programs", ["workflows:write", "workflows:read"], SYSTEM, AT)[1]
    headers = {"Authorization": f"Bearer {token}"}
    address = f"/api/v1/workflows/{workflow.key}/definition"
    body = {"definition": definition({"of": "none"})}
    assert client.put(address, body, content_type="application/json", headers=headers).status_code == 400
    body = {"definition": definition({"of": "orders", "window": "since_entry"})}
    answer = client.put(address, body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["version"]) == (200, 3)
