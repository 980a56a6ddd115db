"""Lists by API: made, filled, emptied, archived; each write once."""

from typing import Any

import pytest

from regulars.config.tests.test_api import Caller, problem_of
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.shop.models import Brand, Store
from regulars.record.consent.models import ConsentEntry
from regulars.record.customers.models import Customer
from regulars.record.lists.models import CustomerList, ListMember


@pytest.fixture
def uk(db: None) -> Store:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


@pytest.fixture
def api(uk: Store) -> Caller:
    return Caller()


@pytest.fixture
def fair(api: Caller) -> str:
    made: dict[str, Any] = api.send("POST", "/lists", {"name": "Fair in May"}).json()
    assert (made["key"], made["members"], made["is_archived"]) == ("fair-in-may", 0, False)
    return str(made["id"])


def test_a_list_is_made_once_renamed_and_archived(api: Caller, fair: str) -> None:
    problem_of(api.send("POST", "/lists", {"name": "fair in may"}), 409)
    sent = [api.send("POST", "/lists", {"name": "Other"}, Idempotency_Key="k1") for _ in range(2)]
    assert [one.status_code for one in sent] == [201, 201]
    assert sent[0].json() == sent[1].json()
    changed = api.send("PATCH", "/lists/fair-in-may", {"name": "Fair"}).json()
    assert (changed["id"], changed["name"], changed["key"]) == (fair, "Fair", "fair-in-may")
    assert [one["name"] for one in api.send("GET", "/lists").json()["items"]] == ["Fair", "Other"]
    assert api.send("DELETE", f"/lists/{fair}").status_code == 204
    assert [one["name"] for one in api.send("GET", "/lists").json()["items"]] == ["Other"]
    assert len(api.send("GET", "/lists?archived=true").json()["items"]) == 2
    people = {"people": [{"email": "ann@ourmail.net"}], "makes_new": True}
    assert problem_of(api.send("POST", f"/lists/{fair}/members", people), 409)["code"] == "list-archived"
    assert (ListMember.objects.count(), Customer.objects.count(), CustomerList.objects.count()) == (0, 0, 2)


def test_people_are_put_on_and_taken_off(api: Caller, fair: str) -> None:
    ann = api.send("POST", "/customers", {"email": "ann@ourmail.net"}).json()["id"]
    people = [{"email": "Ann@ourmail.net"}, {"email": "zed@ourmail.net"}, {"customer": ann}]
    first = api.send("POST", f"/lists/{fair}/members", {"people": people}).json()
    assert first == {"changed": 1, "made": 0, "unknown": [1]}
    again = api.send("POST", f"/lists/{fair}/members", {"people": people, "makes_new": True}).json()
    assert again == {"changed": 1, "made": 1, "unknown": []}
    assert (Customer.objects.count(), ConsentEntry.objects.count()) == (2, 0)
    shown = api.send("GET", f"/lists/{fair}/members").json()["items"]
    assert shown[0]["customer"] == ann
    assert api.send("GET", f"/lists/{fair}").json()["members"] == len(shown) == 2
    off = api.send("POST", f"/lists/{fair}/members/remove", {"people": people[1:2]}).json()
    assert off == {"changed": 1, "made": 0, "unknown": []}
    assert api.send("GET", f"/lists/{fair}").json()["members"] == 1
    actions = list(AuditEntry.objects.filter(action__startswith="list.").values_list("action", "details"))
    assert ("list.removed", {"customers": 1}) in actions


def test_what_cannot_be_meant_changes_nothing(uk: Store, api: Caller, fair: str) -> None:
    for body, status in (
        ({"people": [{"email": "no mail"}]}, 422),
        ({"people": [{"customer": "cus_0"}]}, 404),
        ({"people": []}, 422),
        ({"people": [{"email": "ann@ourmail.net"}], "consent": True}, 422),
    ):
        assert problem_of(api.send("POST", f"/lists/{fair}/members", body), status)
    problem_of(api.send("GET", "/lists/nowhere"), 404)
    reader = Caller("lists:read")
    problem_of(reader.send("POST", f"/lists/{fair}/members", {"people": [{"email": "ann@ourmail.net"}]}), 403)
    assert not ListMember.objects.exists()
