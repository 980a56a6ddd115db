"""What a row cannot show faithfully is text; what was changed elsewhere, or cannot be shown at all, changes nothing."""

from typing import Any

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.clock import now
from regulars.foundation.ids import to_public
from regulars.foundation.vault.words import open_word
from regulars.insight.segments.building.figures import House
from regulars.insight.segments.building.forms import nest
from regulars.insight.segments.building.rows import read_row, show_row
from regulars.insight.segments.building.sending import faithful_row
from regulars.insight.segments.models import SegmentDraft
from regulars.insight.segments.operations import drafts
from regulars.insight.segments.tests.test_builder import SPENT, begin, do, tree
from regulars.insight.segments.tests.test_building import sent_of

pytestmark = pytest.mark.django_db
HOUSE = House("EUR")
ORDERS = {"of": "orders", "op": "ge", "value": 1}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(StaffMember.objects.create(email="mo@shop.example", name="Mo", role="marketer"))
    return client


def channel(**test: Any) -> dict[str, Any]:
    return ORDERS | {"where": [{"field": "channel"} | test]}


def row_of(node: Any) -> dict[str, str]:
    """Its form, without where it stands."""
    return {name: text for name, text in sent_of(node).items() if name not in ("do", "place", "state", "")}


ODD: list[Any] = [
    {"all": "abc"},
    {"all": [1]},
    {"all": None},
    {"all": [], "any": []},
    {"not": 5},
    {"of": "orders", "op": ["a"]},
    {"of": "orders", "where": [{"field": ["a"]}]},
    {"of": "orders", "where": "abc"},
    {"of": "orders", "where": [1], "op": "ge", "value": 1},
    {"of": "orders", "window": {"ago": 5}, "op": "ge", "value": 1},
    {"of": "orders", "measure": {"sum": [1]}, "op": "ge", "value": 1},
    {"of": "no-such-thing"},
    {"of": ["orders"]},
    {"ratio": [5]},
    {"sequence": 4, "within": 3},
    {"share": 5},
    {"of": "orders", "measure": {"last": "at"}, "op": "within_last", "value": {"days": [1]}, "days": [1]},
    channel(op="is", value=" a "),
    channel(op="in", value=["a", " b"]),
    channel(op="in", value=["a", {"b": 1}]),
    channel(op="contains", value="a\nb"),
    channel(op="in", value=["a\nb"]),
    {"share": {"percent": 5, "salt": "a\nb"}},
]


def test_what_a_row_would_change_is_edited_as_text(client: Client) -> None:
    """Also where it stands in a draft from before such was refused: undo and the text are offered."""
    deep: Any = ORDERS
    for _ in range(100):
        deep = {"all": [deep]}
    for node in ODD:
        assert faithful_row(node, HOUSE) is None, node
    for odd, texts in (({"all": ODD}, len(ODD)), (deep, 1), (ODD[0], 1)):
        staff = StaffMember.objects.get().pk
        draft = SegmentDraft.objects.create(staff_id=staff, states=[{"all": [ORDERS]}, odd], place=1, changed_at=now())
        address = f"/segment-drafts/{to_public(SegmentDraft.PREFIX, draft.uid)}"
        answer = client.get(address)
        rows, whole = answer.content.decode().split('id="text"')
        assert (answer.status_code, rows.count("Use this text"), whole.count("Use this text")) == (200, texts, 1)
        assert client.get(f"{address}/count").status_code == 200
        assert do(client, address, "undo").status_code == 200
        draft.refresh_from_db()
        assert draft.place == 0


@pytest.mark.parametrize(
    "node",
    [
        channel(op="in", value=["a, b", "c"]),
        channel(op="in", value=[f"{n}, and more" for n in range(50)]),
        ORDERS | {"window": {"after": "2026-01-01T09:00:00+01:00", "before": "2026-06-01"}},
        {"of": "orders", "measure": {"last": "at"}, "op": "after", "value": "2026-01-01T09:00:00+01:00"},
        {"of": "orders", "measure": {"sum": "total"}, "op": "ge", "value": "1e99999999"},
        {"of": "orders", "op": "ge", "value": "1,000"},
        {"of": "orders", "op": "between"},
        channel(op="not_in"),
    ],
)
def test_what_a_row_shows_is_sent_back_as_it_was(node: Any) -> None:
    assert faithful_row(node, HOUSE) is not None
    assert read_row(nest(row_of(node)), HOUSE) == node


def test_two_ends_of_a_window_stay_as_far_apart() -> None:
    row = faithful_row(ORDERS | {"window": {"ago": [{"weeks": 8}, {"days": 30}]}}, HOUSE)
    assert row is not None
    assert (row.figures[0].window.first, row.figures[0].window.second) == ("56", "30")


def test_only_a_value_that_is_a_day_is_shown_as_one() -> None:
    def type_of(value: str) -> str:
        row = show_row({"of": "orders", "measure": {"last": "at"}, "op": "after", "value": value}, HOUSE)
        assert row is not None
        assert row.test is not None
        return row.test.day_type

    values = ("", "2026-11-22", "2026-02-30", "2026-W01-1", "2026-01-01T09:00:00+01:00")
    assert [type_of(one) for one in values] == ["date", "date", "text", "text", "text"]


def test_a_number_that_can_be_meant_in_two_ways_is_asked_for_again(client: Client) -> None:
    address = begin(client)
    page = do(client, address, "set", "0", **SPENT | {"value": "1,000"}).content.decode()
    assert tree()["all"][0]["value"] == "1,000"
    assert "Fill in a number, without marks between thousands" in page


def test_a_value_with_a_comma_stays_one_when_it_becomes_one_of_several(client: Client) -> None:
    address = begin(client)
    row = {"row": "figure", "of": "contacts", "measure": "last:country", "op": "in", "value": "a, b"}
    do(client, address, "set", "0", **row, changed="op")
    assert tree()["all"][0]["value"] == ["a, b"]


def test_a_form_of_an_older_state_changes_nothing_and_shows_the_newest(client: Client) -> None:
    address = begin(client)
    seen = drafts.state_of(SegmentDraft.objects.get())
    assert do(client, address, "add-share", "", state=seen).status_code == 200
    newest = tree()
    for move in ({"do": "remove", "place": "0"}, {"do": "set", "place": "0", **SPENT}, {"do": "undo"},
                 {"do": "write", "text": "all: []"}, {"do": "save", "name": "Old"}):  # fmt: skip
        answer = do(client, address, **{"place": "", **move}, state=seen)
        page = answer.content.decode()
        assert (answer.status_code, tree()) == (409, newest)
        assert "changed elsewhere meanwhile" in page
        assert 'value="share"' in page
        assert f'name="state" value="{drafts.state_of(SegmentDraft.objects.get())}"' in page
        assert seen not in page
    assert do(client, address, "describe", name="Kept", state=seen).status_code == 200


def test_what_was_written_and_cannot_be_used_stays_to_be_mended(client: Client) -> None:
    address = begin(client)
    page = do(client, address, "write", "", text="all: 5 # mine").content.decode()
    assert "all: 5 # mine" in page.partition('id="as-text"')[2]


@pytest.mark.parametrize("move", ["add-figure", "add-group", "add-share", "toggle", "move"])
def test_a_condition_takes_no_parts(client: Client, move: str) -> None:
    address = begin(client)
    do(client, address, "add-share", "")
    before = tree()
    page = do(client, address, move, "0", to="1", number="0").content.decode()
    assert "not there any more" in page
    assert tree() == before


def test_who_may_not_see_customers_keeps_the_words_of_others(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Viewer, "may", lambda viewer, permission: permission != "customers.view")
    word = "{of: contacts, measure: {last: first_name}, op: is, value: Anne}"
    words = "{of: contacts, where: [{field: last_name, op: in, value: [Meier, Abel]}], op: ge, value: 1}"
    address = begin(client)
    do(client, address, "write", "", text=f"all: [{word}, {words}]")
    one, two = tree()["all"]
    page = client.get(address).content.decode()
    assert page.count("a personal word") == 1 + 2 * 2  # a chip is named by its button too
    assert not any(name in page for name in ("Anne", "Meier", "Abel"))
    do(client, address, "set", "0", **row_of(one) | {"op": "is_not", "missing": "in"})
    do(
        client,
        address,
        "set",
        "1",
        **row_of(two) | {"value": "3", "where.0.value.0.drop": "1", "where.0.value.more": "Zorn"},
    )
    assert tree()["all"][0] == one | {"op": "is_not", "missing": "in"}
    kept = tree()["all"][1]["where"][0]["value"]
    assert kept[0] == two["where"][0]["value"][1]
    assert [open_word(each["sealed"]) for each in kept] == ["Abel", "Zorn"]
    do(client, address, "set", "0", **row_of(one) | {"value": "Bo"})
    assert open_word(tree()["all"][0]["value"]["sealed"]) == "Bo"
    do(client, address, "set", "0", **row_of(one) | {"measure": "last:country", "changed": "measure"})
    assert "value" not in tree()["all"][0]
