"""Event properties: what arrived is shown with its types, declared on the page, asked by a segment, and withdrawn."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.connections.tracking.properties import list_own_events
from regulars.connections.tracking.tests.shop import AT, Shop, events
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.viewer import everything
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.learning import forget, learn
from regulars.foundation.shop.models import Store
from regulars.insight.conditions import asking
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.schema import schema
from regulars.insight.segments.models import Segment, SegmentKind
from regulars.insight.warehouse import operations as warehouse
from regulars.record.own_events.models import DeclaredProperty
from regulars.record.own_events.rules import OWN_KINDS
from regulars.record.own_events.tests.carrying_out import carry_out

pytestmark = pytest.mark.django_db
PAGE = "/settings/tracking/properties"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def page(shop: Shop) -> Shop:
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    shop.client.force_login(member)
    return shop


def declare(shop: Shop, name: str, type_: str, plain: str = "on") -> Any:
    form = {"event": "Quiz Finished", "name": name, "type": type_} | ({"plain": plain} if plain else {})
    return shop.client.post(PAGE, form)


def quiz(shop: Shop, number: int, **properties: Any) -> None:
    shop.at += timedelta(seconds=1)
    call = {"event": "Quiz Finished", "userId": f"u{number}", "messageId": f"q{number}", "properties": properties}
    assert shop.post("t", call, shop.server).status_code == 200
    shop.read()


def test_what_arrived_is_shown_with_its_types(page: Shop) -> None:
    quiz(page, 1, score=7, style="boho", mail="ada@b.example", tags=["a"])
    quiz(page, 2, score="8", style="plain", mail="bo@b.example")
    quiz(page, 3, score="many", style="boho")
    [event] = list_own_events(everything())
    found = {
        one.name: (one.count, one.different, one.usual, [(str(s.type), s.percent) for s in one.shares])
        for one in event.properties
    }
    assert (event.name, event.count) == ("Quiz Finished", 3)
    assert found == {
        "score": (3, 3, "number", [("number", 67), ("text", 33)]),
        "style": (3, 2, "text", [("text", 100)]),
        "mail": (2, 2, "", [("something else", 100)]),
        "tags": (1, 1, "", [("something else", 100)]),
    }
    shown = page.client.get(PAGE).content.decode()
    assert "Quiz Finished" in shown
    assert "boho" not in shown  # values may be personal until somebody says that they are not


def test_declared_ones_are_asked_together_on_every_engine_and_withdrawn_when_nobody_asks(page: Shop) -> None:
    quiz(page, 1, score=7, style="boho")
    quiz(page, 2, score="9.5", style="plain")
    assert declare(page, "score", "number", plain="").status_code == 400
    assert [declare(page, *one).status_code for one in (("score", "number"), ("style", "text"))] == [302, 302]
    assert "being read from" in page.client.get(PAGE).content.decode()
    quiz(page, 3, score=8, style="boho")
    quiz(page, 4, score=9, style="boho")
    carry_out(page.at)
    fields = {one.name: one.field for one in DeclaredProperty.objects.all()}
    assert fields == {"score": "p_quiz_finished_score", "style": "p_quiz_finished_style"}
    pinned = warehouse.sync(page.at)
    style = {"field": fields["style"], "op": "is", "value": "boho"}
    both = {"of": "own_events", "where": [style, {"field": fields["score"], "op": "ge", "value": 8}]}
    top = {"of": "own_events", "where": [style], "measure": {"max": fields["score"]}, "op": "ge", "value": 8}
    for condition in map(read_condition, (both, top)):
        counts = {engine: asking.count(condition, pinned, page.at, engine=engine).count for engine in Engine}
        assert counts == dict.fromkeys(Engine, 2)
    assert fields["score"] in json.dumps(schema())  # which the API serves
    segment = Segment.objects.create(
        key="boho", name="Boho", kind=SegmentKind.CONDITIONS, definition={"version": 1, "where": both}, created_at=AT
    )
    declared = DeclaredProperty.objects.get(name="score")
    refused = page.client.post(f"{PAGE}/{declared.pk}/withdraw")
    assert (refused.status_code, "Segment &#x27;Boho&#x27;" in refused.content.decode()) == (409, True)
    segment.delete()
    assert page.client.post(f"{PAGE}/{declared.pk}/withdraw").status_code == 302
    declared.refresh_from_db()
    assert declared.withdrawn_at is not None


def test_a_snapshot_without_the_column_knows_no_values(page: Shop) -> None:
    quiz(page, 1, score=7)
    pinned = warehouse.sync(page.at)
    declare(page, "score", "number")
    carry_out(page.at)
    page.client.get(PAGE)  # every request learns what is declared
    condition = read_condition({"of": "own_events", "where": [{"field": "p_quiz_finished_score", "op": "set"}]})
    for engine, count in ((Engine.DUCKDB, 0), (Engine.CLICKHOUSE, 0), (Engine.POSTGRES, 1)):
        assert asking.count(condition, pinned, page.at, engine=engine).count == count
    assert asking.count(condition, warehouse.sync(page.at), page.at).count == 1
    quiz(page, 2, score=8)
    warehouse.sync(page.at)
    forget()  # a process that has not learnt yet leaves no column out when it makes one file of several
    compacted = warehouse.compact(page.at)
    learn()
    assert len(compacted.paths("own_events")) == 1
    assert asking.count(condition, compacted, page.at).count == 2


def test_who_sees_some_stores_only_declares_nothing(page: Shop) -> None:
    quiz(page, 1, score=7)
    Store.objects.create(code="de", name="DE", brand=page.store.brand, currency="EUR")
    member, _ = create_staff("uk@shop.example", "manager", SYSTEM, AT, stores=[page.store.pk])
    page.client.force_login(member)
    assert "Declare it" not in page.client.get(PAGE).content.decode()
    assert (declare(page, "score", "number").status_code, DeclaredProperty.objects.count()) == (400, 0)


def test_own_kinds_are_those_that_there_are(page: Shop) -> None:
    quiz(page, 1)
    assert {one.kind for one in events("tracked.event")} == {OWN_KINDS[0]}
