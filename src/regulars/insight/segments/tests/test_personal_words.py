"""Segments that ask for names and addresses: by words in clear, which are stored sealed, and forgotten with the only one who had them."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from regulars.foundation.access import tokens
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.clock import now
from regulars.insight.conditions.asking import count, decide
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments.files import apply_file, plan_file, read_file
from regulars.insight.segments.models import Segment, SegmentDraft, SegmentVersion
from regulars.insight.warehouse.operations import sync
from regulars.insight.warehouse.queries import pin
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.operations.erasure import erase_customer
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import transaction

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, tzinfo=UTC)
PEOPLE = (
    ContactCard(name="Änne Müller", first_name="Änne", last_name="Müller", email="anne@shop.example", city="Frankfurt am Main"),
    ContactCard(first_name="ANNE", last_name="Zacharias", email="zach@shop.example", phone="+4930901820", city="Bremen"),
    ContactCard(name="Bo", company="Müller & Co", street="Hafenstraße 1"),
    ContactCard(country="DE"),
)  # fmt: skip


@pytest.fixture
def customers(settings: Any, tmp_path: Path) -> list[int]:
    settings.HOME = tmp_path
    store = shop.make_store()
    people = [
        PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, f"1785{n}", "main"),), NOW, store.id, contact=card)
        for n, card in enumerate(PEOPLE)
    ]
    with transaction("import") as log:
        profiles = ensure_profiles(people, log)
    sync(NOW)
    owners = customers_of(profiles)
    return [owners[one] for one in profiles]


ASKED: list[tuple[str, dict[str, Any], list[int]]] = [
    ("first_name", {"op": "is", "value": "anne"}, [0, 1]),
    ("first_name", {"op": "starts", "value": "Än"}, [0, 1]),
    ("first_name", {"op": "is_not", "value": "Anne", "missing": "in"}, [2, 3]),
    ("first_name", {"op": "is_not", "value": "Anne", "missing": "out"}, []),
    ("last_name", {"op": "in", "value": ["Zacharias", "MULLER"]}, [0, 1]),
    ("last_name", {"op": "not_in", "value": ["Zacharias", "Meier"], "missing": "out"}, [0]),
    ("last_name", {"op": "is", "value": "Zachar"}, []),
    ("full_name", {"op": "set"}, [0, 1, 2]),
    ("full_name", {"op": "is", "value": " anne  zacharias"}, [1]),
    ("email", {"op": "is", "value": "Anne@Shop.example"}, [0]),
    ("phone", {"op": "starts", "value": "+49 30"}, [1]),
    ("city", {"op": "starts", "value": "Frankf"}, [0]),
    ("city", {"op": "not_starts", "value": "Br", "missing": "in"}, [0, 2, 3]),
    ("company", {"op": "not_set"}, [0, 1, 3]),
    ("street", {"op": "starts", "value": "hafenstr"}, [2]),
]  # fmt: skip


def test_every_engine_finds_people_by_their_words(customers: list[int]) -> None:
    pinned = pin()
    for field, test, places in ASKED:
        condition = read_condition({"of": "contacts", "measure": {"last": field}} | test)
        expected = [customers[place] for place in places]
        decided = decide(condition, customers, NOW)
        assert [one for one in customers if decided[one].is_in] == expected, (field, test)
        for engine in (Engine.DUCKDB, Engine.CLICKHOUSE):
            assert count(condition, pinned, NOW, engine=engine).first_ids == expected, (field, test, engine)


FILE = """
segments:
  - name: Someone
    where:
      any:
        - {of: contacts, where: [{field: last_name, op: in, value: [Zacharias, Müller]}]}
        - {of: contacts, measure: {last: first_name}, op: starts, value: Ann}
"""


def stored() -> str:
    rows = [
        *Segment.objects.values_list("definition", flat=True),
        *SegmentVersion.objects.values_list("definition", flat=True),
    ]
    return json.dumps([*rows, *SegmentDraft.objects.values_list("states", flat=True)], ensure_ascii=False)  # fmt: skip


def test_a_file_with_words_in_clear_is_applied_sealed_and_then_unchanged(customers: list[int], tmp_path: Path) -> None:
    apply_file(read_file(FILE), None, NOW)
    assert [one.change.value for one in plan_file(read_file(FILE), NOW)] == ["unchanged"]
    assert SegmentVersion.objects.count() == 1
    assert "sealed" in stored()
    assert not any(word in stored() for word in ("Zacharias", "Müller", "Ann"))
    (tmp_path / "one.yaml").write_text("{of: contacts, where: [{field: city, op: is, value: bremen}]}")
    out = StringIO()
    call_command("segments", "count", str(tmp_path / "one.yaml"), "--json", stdout=out)
    assert json.loads(out.getvalue())["count"] == 1


def test_the_api_tells_words_to_those_only_who_may_read_customers(customers: list[int], client: Client) -> None:
    apply_file(read_file(FILE), None, NOW)

    def told(*scopes: str) -> Any:
        _, text = tokens.create_token("tests", scopes, SYSTEM, now())
        answer = client.get("/api/v1/segments/someone", headers={"Authorization": f"Bearer {text}"})
        return answer.json()["definition"]["where"]["any"][1]["value"]

    assert told("segments:read", "customers:read") == "Ann"
    assert set(told("segments:read")) == {"sealed"}


def test_a_word_is_forgotten_with_the_only_one_who_had_it(customers: list[int]) -> None:
    apply_file(read_file(FILE), None, NOW)
    before = Segment.objects.get().definition["where"]["any"]
    SegmentDraft.objects.create(staff_id=1, states=[Segment.objects.get().definition["where"]], changed_at=NOW)
    erase_customer(customers[1], SYSTEM, NOW)
    zacharias, mueller = before[0]["where"][0]["value"]
    after = Segment.objects.get().definition["where"]["any"]
    assert after[0]["where"] == [{"field": "last_name", "op": "in", "value": [{"sealed": ""}, mueller]}]
    assert after[1] == before[1]
    assert zacharias["sealed"] not in stored()
    assert stored().count(mueller["sealed"]) == 3
    sync(NOW)
    assert count(read_condition({"any": after}), pin(), NOW).first_ids == [customers[0]]
