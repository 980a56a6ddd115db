"""Segments in a file and by API: planned, applied, counted; what is wrong is said with its place and changes nothing."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client

from regulars.foundation.access import tokens
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.clock import now
from regulars.foundation.errors import InvalidInput
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments.files import Change, apply_file, plan_file, read_file
from regulars.insight.segments.models import Segment, SegmentVersion
from regulars.insight.warehouse.operations import sync
from regulars.insight.warehouse.queries import pin
from regulars.insight.warehouse.tests import shop

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, tzinfo=UTC)
FILE = """
segments:
  - name: Not big
    where: {not: {of: memberships, where: [{field: segment, op: is, value: big-spenders}]}}
  - key: big-spenders
    name: Big spenders
    description: At least 50 since the year began
    where:
      of: orders
      measure: {sum: total}
      window: {after: 2026-01-01}
      op: ge
      value: 5000
"""
AS_JSON = {"of": "orders", "measure": {"sum": "total"}, "window": {"after": "2026-01-01"}, "op": "ge", "value": 5000}


@pytest.fixture(scope="module")
def people(making_once: Path) -> None:
    store = shop.make_store()
    people = shop.make_people(store, 3, NOW)
    shop.add_orders(store, [(str(n), person, NOW, 4000 * n) for n, person in enumerate(people)])
    sync(NOW)


@pytest.fixture(autouse=True)
def _as_made(people: None, made_once: None) -> None:
    """Each test begins with these people."""


def planned(text: str) -> list[tuple[str, str, tuple[int, int] | None]]:
    found = plan_file(read_file(text), NOW)
    return [(p.wanted.key, p.change.value, (p.plan.entering, p.plan.leaving) if p.plan else None) for p in found]


def test_a_file_is_planned_applied_and_then_unchanged() -> None:
    assert planned(FILE) == [("not-big", "new", None), ("big-spenders", "new", (1, 0))]
    assert [one.after for one in plan_file(read_file(FILE), NOW)] == [("big-spenders",), ()]
    assert not Segment.objects.exists()
    assert apply_file(read_file(FILE), None, NOW) == [("not-big", Change.NEW), ("big-spenders", Change.NEW)]
    assert Segment.objects.get(key="big-spenders").definition == {"version": 1, "where": AS_JSON}
    assert [change for _, change, _ in planned(FILE)] == ["unchanged", "unchanged"]
    renamed = FILE.replace("name: Big spenders", "name: Great spenders")
    assert [change for _, change, _ in planned(renamed)] == ["unchanged", "renamed"]
    assert planned(FILE.replace("5000", "3000"))[1] == ("big-spenders", "changed", (2, 0))
    assert SegmentVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("segments: [", "This is not YAML that can be used at line 1, column 12."),
        ("- a", "A file of segments is 'segments:' with a list"),
        ("segments: [{name: X}]", "Segment 1 of the file: it has name and where"),
        ("segments: [{name: [X], where: {of: orders}}]", "its name is not a text"),
        ("segments: [{name: '!!', where: {of: orders}}]", "A segment's name needs a letter or a digit."),
        ("segments: [{name: X, where: {of: rockets}}]", "Segment 'x': At 'where.of': nothing is called 'rockets'"),
        (FILE + FILE.split("segments:")[1], "stands there twice"),
        ("a: &a [*a]", "This is not YAML that can be used at line 1, column 8."),
        ("a: &a [b]\nc: [*a, *a]", "This is not YAML that can be used at line 2, column 5."),
        ("a: !!set {b}", "This is not YAML that can be used at line 1, column 4."),
        ("a: " + "9" * 5000, "This is not YAML that can be used."),
        ("[" * 5000, "This is not YAML that can be used."),
        ("[" * 121 + "]" * 121, "nested more than 120 deep"),
        ("a: 0x" + "9" * 30, "A whole number does not fit into 64 bits."),
        ("a: .nan", "NaN is not a number in JSON."),
        ('a: "\\0"', "This JSON holds the character NUL."),
        ('a: "\\ud800"', "This JSON holds text that is not Unicode."),
        (
            "segments: [{name: X, where: {of: orders, op: ge, value: 0x" + "9" * 5000 + "}}]",
            "This is not YAML that can be used.",
        ),
        ("segments: [{name: X, where: {of: orders, 1: 2, a: 3}}]", "there is no '1' here"),
        ("!!python/object:os.system x", "This is not YAML"),
    ],
)
def test_a_file_that_is_wrong_says_where(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_file(text)
    assert sentence in refused.value.sentence


@pytest.mark.parametrize("name", ["nobody", "not-big"])  # one that is not there, and a circle
def test_a_file_is_applied_whole_or_not_at_all_and_its_plan_refuses_what_applying_does(name: str) -> None:
    broken = read_file(
        FILE.replace(
            "of: orders", f"of: memberships\n      where: [{{field: segment, op: is, value: {name}}}]"
        ).replace("      measure: {sum: total}\n", "")
    )
    for act in (plan_file, lambda wanted, at: apply_file(wanted, None, at)):
        with pytest.raises(InvalidInput, match="no segment 'nobody'" if name == "nobody" else "circles"):
            act(broken, NOW)
        assert not Segment.objects.exists()


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("segments", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_plans_applies_and_counts(tmp_path: Path) -> None:
    file, one = tmp_path / "segments.yaml", tmp_path / "one.json"
    file.write_text(FILE)
    one.write_text(json.dumps(AS_JSON))
    assert command("plan", str(file)).splitlines()[1] == "new       big-spenders: 1 enter, 0 leave"
    assert command("apply", str(file)).splitlines() == ["new       not-big", "new       big-spenders"]
    for engine in ("duckdb", "postgres", "clickhouse"):
        found = json.loads(
            command("count", str(one), "--as-of", "2026-06-01T00:00:00+00:00", "--engine", engine, "--json")
        )
        assert (found["count"], found["total"], len(found["first"])) == (1, 3, 1)
    assert command("count", str(one), "--as-of", "2026-04-01T00:00:00+00:00").splitlines() == ["0 of 3"]
    assert command("count", str(one), "--known-at", "0") == "0 of 0\n"
    for wrong in (
        ["--known-at", "-1"],
        ["--known-at", str(2**63)],
        ["--known-at", str(pin().position + 1)],
        ["--known-at", "1", "--engine", "postgres"],
        ["--as-of", "0001-01-01"],
        ["--as-of", "9999-12-31T23:59:59-14:00"],
        ["--as-of", "yesterday"],
    ):
        with pytest.raises(CommandError):
            command("count", str(one), *wrong)
    one.write_text("{of: rockets}")
    with pytest.raises(CommandError, match="nothing is called 'rockets'"):
        command("count", str(one))
    with pytest.raises(CommandError, match="cannot be read"):
        command("plan", str(tmp_path / "none.yaml"))


def call(method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    _, text = tokens.create_token("t", ["segments:read", "segments:write"], SYSTEM, now())
    client = Client(headers={"Authorization": f"Bearer {text}"})
    answer = getattr(client, method)(f"/api/v1/segments{path}", body, content_type="application/json")
    return answer.status_code, answer.json() if answer.content else None


def nested(groups: int) -> dict[str, Any]:
    """A leaf with all its lists, in so many groups."""
    step = {"of": "orders", "where": [{"field": "currency", "op": "in", "value": ["EUR"]}]}
    node: dict[str, Any] = {"sequence": [step, {"of": "orders"}], "within": {"days": 1}}
    for n in range(groups):
        node = {"any": [node]} if n % 2 else {"all": [node]}
    return node


def test_every_face_takes_groups_forty_deep(tmp_path: Path) -> None:
    one = tmp_path / "one.yaml"
    for groups, is_taken in ((40, True), (41, False)):
        status, said = call("post", "/conditions/count", {"definition": {"version": 1, "where": nested(groups)}})
        assert status == (200 if is_taken else 400)
        assert is_taken or "groups are nested deeper than 40" in said["detail"]
        one.write_text(yaml.safe_dump(nested(groups)) if is_taken else json.dumps(nested(groups)))
        if is_taken:
            assert command("count", str(one)) == "0 of 3\n"
        else:
            with pytest.raises(CommandError, match="nested deeper than 40"):
                command("count", str(one))


def test_the_api_makes_plans_changes_counts_and_archives() -> None:
    definition = {"version": 1, "where": AS_JSON}
    status, made = call("post", "", {"name": "Big spenders", "definition": definition})
    assert (status, made["key"], made["version"], made["decided"]) == (201, "big-spenders", 1, 0)
    assert call("post", "", {"name": "Big spenders", "definition": definition})[0] == 409
    smaller = {"version": 1, "where": AS_JSON | {"value": 3000}}
    status, plan = call("post", "/conditions/plan", {"definition": smaller, "segment": "big-spenders"})
    assert (status, plan["members"], plan["entering"], len(plan["examples_entering"])) == (200, 2, 2, 2)
    assert call("patch", "/big-spenders", {"definition": smaller, "version": 1})[1]["version"] == 2
    assert call("patch", "/big-spenders", {"definition": definition, "version": 1})[0] == 409
    assert call("patch", "/big-spenders", {"definition": definition, "version": 2, "name": "   "})[0] == 400
    assert call("get", "/big-spenders")[1]["version"] == 2
    other = {"version": 1, "where": {"of": "memberships", "where": [{"field": "segment", "op": "is", "value": "none"}]}}
    assert call("post", "/conditions/plan", {"definition": other})[0] == 400
    assert call("patch", "/big-spenders", {"name": "Spenders"})[1]["name"] == "Spenders"
    counted = call("post", "/conditions/count", {"definition": smaller})[1]
    assert (counted["count"], counted["total"]) == (2, 3)
    status, problem = call("post", "/conditions/count", {"definition": {"version": 1, "where": {"of": "x"}}})
    assert (status, problem["detail"][:36]) == (400, "At 'where.of': nothing is called 'x'")
    assert call("delete", "/big-spenders")[0] == 204
    assert Segment.objects.get().is_archived
    assert call("get", "/conditions/schema")[1]["title"] == "A condition of Regulars"
    assert read_condition(AS_JSON)
