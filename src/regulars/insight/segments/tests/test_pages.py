"""The pages of segments over HTTP: what they say, that every number opens exactly its rows, and who may do what."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import everything
from regulars.foundation.clock import now
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import read_setting
from regulars.foundation.work.models import Task
from regulars.insight.rfm import queries as rfm
from regulars.insight.rfm.models import RfmPolicy
from regulars.insight.rfm.rules import DEFAULT_POLICY, rules_as_json
from regulars.insight.segments import operations
from regulars.insight.segments.models import Membership
from regulars.insight.segments.panels import load_moves
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.models import CustomerProfile
from regulars.record.customers.operations import refresh_cards
from regulars.record.customers.queries import customers_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
DOOR = re.compile(
    r'<a[^>]*data-door data-count="(\d+)"[^>]*href="([^"]+)"|<a[^>]*href="([^"]+)"[^>]*data-door data-count="(\d+)"'
)
TOTAL = re.compile(r'data-total="(\d+)"')


def sign_in(client: Client, role: str = "owner") -> StaffMember:
    member = StaffMember.objects.create(email=f"{role}@shop.example", name=role, role=role)
    client.force_login(member)
    return member


@pytest.fixture(scope="module")
def forty(making_once: Path) -> list[int]:
    """Customers over a year, two refreshes a month apart with movement between them; their customer ids."""
    store = shop.make_store()
    at = now().replace(microsecond=0)
    people = shop.make_people(store, 40, at - 400 * DAY)
    history = [
        (f"h{n}-{k}", p, at - (9 * n + 33 + k) * DAY, 900 * (41 - n))
        for n, p in enumerate(people)
        for k in range(1 + (40 - n) // 4)
    ]
    shop.add_orders(store, [*history, ("guest", None, at - 50 * DAY, 4200)], is_history=True)
    refresh_cards(CustomerProfile.objects.values_list("customer_id", flat=True))
    operations.refresh(at - 31 * DAY)
    shop.add_orders(store, [(f"n{n}", people[n], at - n * DAY, 70_000) for n in (1, 5, 20, 30, 39)])
    operations.refresh(at - DAY)
    owners = customers_of(people)
    return [owners[p] for p in people]


@pytest.fixture(autouse=True)
def lively(forty: list[int], made_once: None) -> list[int]:
    return forty


def doors_of(html: str) -> set[tuple[int, str]]:
    found = set()
    for count, href, other_href, other_count in DOOR.findall(html):
        found.add((int(count or other_count), unescape(href or other_href)))
    return found


PAGES = [
    "/segments",
    "/segments/movement",
    "/segments/champions",
    "/segments/lost",
    "/segments/at-risk",
    "/segments/new",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_number_opens_exactly_the_rows_that_it_counts(client: Client, lively: list[int], path: str) -> None:
    sign_in(client)
    response = client.get(path)
    assert response.status_code == 200
    doors = doors_of(response.content.decode())
    assert doors
    for count, href in sorted(doors):
        opened = client.get(href)
        assert opened.status_code == 200, href
        assert TOTAL.findall(opened.content.decode()) == [str(count)], href


def test_the_overview_says_what_is_the_case(client: Client, lively: list[int]) -> None:
    sign_in(client)
    html = client.get("/segments").content.decode()
    snapshot = rfm.latest_snapshot()
    assert snapshot is not None
    assert "used to order often" in html
    assert "They ordered lately, order often and spend the most." in html
    assert (40, "/customers?" + "&".join(f"rfm={s}" for s in rfm.tallies(snapshot))) in doors_of(html)
    assert snapshot.left_out_orders == 1


def test_the_ledger_filters_sorts_and_exports(client: Client, lively: list[int]) -> None:
    sign_in(client)
    key = Membership.objects.filter(is_initial=False).order_by("id").values_list("segment__key", flat=True)[0]
    rows = Membership.objects.filter(segment__key=key)
    for query, expected in (
        ("", rows.count()),
        ("?state=now", rows.filter(left_at=None).count()),
        ("?state=past", rows.exclude(left_at=None).count()),
        ("?came=moved", rows.filter(is_initial=False).count()),
        ("?came=initial&sort=left", rows.filter(is_initial=True).count()),
    ):
        html = client.get(f"/segments/{key}/members{query}").content.decode()
        assert TOTAL.findall(html) == [str(expected)], query
    exported = client.post(f"/segments/{key}/members?came=moved", {"action": "export"})
    assert exported.streaming
    lines = b"".join(getattr(exported, "streaming_content")).decode().strip().splitlines()  # noqa: B009  the test's response hides it
    assert len(lines) == 1 + rows.filter(is_initial=False).count()
    assert client.get(f"/segments/{key}/members?entered_from=nonsense").status_code == 400


def form_of(scale: int, /, **changes: str) -> dict[str, str]:
    """The editor's fields as they stand for the published default."""
    fields = {"scale": str(scale)}
    for number, rule in enumerate(rules_as_json(DEFAULT_POLICY.rules[scale]), start=1):
        fields |= {f"place-{number}": str(number), f"segment-{number}": rule["segment"]}
        for axis in ("r", "f", "m"):
            fields |= {f"{axis}-low-{number}": str(rule[axis][0]), f"{axis}-high-{number}": str(rule[axis][1])}
    return fields | changes


def test_a_change_of_thresholds_shows_its_plan_and_saves_nothing(client: Client, lively: list[int]) -> None:
    sign_in(client)
    assert (
        "Nobody would move" in client.post("/segments/thresholds", form_of(5) | {"action": "preview"}).content.decode()
    )
    snapshot = rfm.latest_snapshot()
    assert snapshot is not None
    lost = rfm.tallies(snapshot)
    html = client.post(
        "/segments/thresholds", form_of(5, **{"segment-1": "lost"}) | {"action": "preview"}
    ).content.decode()
    champions = next(t.customers for s, t in lost.items() if s == "champions")
    assert f"{champions} customers would move" in html
    assert "No scores lead to Champions" in html
    assert RfmPolicy.objects.count() == 0


def test_saved_thresholds_sort_anew_and_start_nothing(
    client: Client, lively: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    member = sign_in(client, "marketer")
    response = client.post("/segments/thresholds", form_of(3) | {"action": "save"})
    assert (response.status_code, response["Location"]) == (302, "/segments")
    assert (RfmPolicy.objects.get().staff_id, read_setting("rfm.scale")) == (member.pk, 3)
    task = Task.objects.get(kind="segments.refresh")
    before = Membership.objects.count()
    operations.recompute(task.pk, now())
    snapshot = rfm.latest_snapshot()
    assert snapshot is not None
    assert (snapshot.scale, snapshot.policy_version) == (3, RfmPolicy.objects.get().id)
    assert Membership.objects.count() > before
    assert set(Membership.objects.order_by("id")[before:].values_list("is_initial", flat=True)) == {True}
    task.refresh_from_db()
    assert (task.state, "moved to another segment" in task.sentence) == ("done", True)


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"r-low-13": "2"}, 422, "last rule must take everybody"),
        ({"r-low-1": "5", "r-high-1": "4"}, 422, "not a range from 1 to 5"),
        ({"r-low-1": "many"}, 400, "whole number"),
        ({"scale": "7"}, 400, "3, 4 and 5"),
    ],
)
def test_thresholds_that_cannot_be_used_are_refused(
    client: Client, lively: list[int], changes: dict[str, str], status: int, sentence: str
) -> None:
    sign_in(client)
    response = client.post("/segments/thresholds", form_of(5, **changes) | {"action": "save"})
    assert response.status_code == status
    assert sentence in unescape(response.content.decode())
    assert (RfmPolicy.objects.count(), Task.objects.count(), read_setting("rfm.scale")) == (0, 0, 5)


@pytest.mark.parametrize("name", ["segment-" + "9" * 5000, "segment-\u0663", "segment-007"])
def test_a_field_that_no_form_of_ours_has_is_no_rule(client: Client, lively: list[int], name: str) -> None:
    sign_in(client)
    given = urlencode(form_of(5) | {name: "champions", "action": "preview"})
    response = client.post("/segments/thresholds", given, "application/x-www-form-urlencoded")
    assert response.status_code == 200
    assert "Nobody would move" in response.content.decode()


def test_who_may_look_may_not_change(client: Client, lively: list[int]) -> None:
    sign_in(client, "read_only")
    html = client.get("/segments/thresholds").content.decode()
    assert 'value="preview"' not in html
    assert client.post("/segments/thresholds", form_of(5) | {"action": "save"}).status_code == 403
    assert RfmPolicy.objects.count() == 0


def test_segments_are_of_all_stores_and_not_shown_to_staff_of_one(client: Client) -> None:
    member = sign_in(client, "manager")
    member.stores.add(Store.objects.create(code="other", name="Other", brand=Brand.objects.get(), currency="GBP"))
    for address in ("/segments", "/segments/champions", "/segments/champions/members"):
        assert client.get(address).status_code == 403


def test_a_customers_timeline_tells_moves_with_reasons(client: Client, lively: list[int]) -> None:
    sign_in(client)
    moved = Membership.objects.filter(is_initial=False).order_by("id").select_related("customer", "segment")[0]
    entries = load_moves(moved.customer_id, everything(), None, 10)
    assert [e.at for e in entries] == sorted((e.at for e in entries), reverse=True)
    assert entries[0].title.startswith("Moved from ")
    assert entries[0].title.endswith(f" to {moved.segment.name}")
    assert entries[-1].title.startswith("Was put into ")
    assert len(entries[0].why) == 5
    assert load_moves(moved.customer_id, everything(), entries[-1].at, 10) == []


def test_pages_ask_a_fixed_number_of_queries(
    client: Client, lively: list[int], django_assert_max_num_queries: Any
) -> None:
    sign_in(client)
    for path, most in (
        ("/segments", 14),
        ("/segments/movement", 14),
        ("/segments/lost", 26),
        ("/segments/lost/members", 16),
    ):
        client.get(path)
        with django_assert_max_num_queries(most):
            client.get(path)
