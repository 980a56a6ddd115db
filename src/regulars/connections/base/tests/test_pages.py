"""The pages of connections, as staff use them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from regulars.connections.base.accounts import read_secrets
from regulars.connections.base.client import Unreachable
from regulars.connections.base.models import Connection, ConnectionState, PlatformRequest, Pull, PullKind, RequestKind
from regulars.connections.base.operations.connecting import begin_connection
from regulars.connections.base.operations.pulling import note_failure
from regulars.connections.base.panels import find
from regulars.connections.base.tests.contract import pull
from regulars.connections.base.tests.toy import Toy, order
from regulars.foundation import clock
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.shop.models import Brand, Store

pytestmark = pytest.mark.django_db
ALL = Viewer(None, frozenset({"connections.view", "connections.manage"}))


def make_staff(role: Role, email: str = "ada@toys.net") -> StaffMember:
    return StaffMember.objects.create(email=email, name="Ada", role=role.value)


@pytest.fixture
def manager(client: Client, store: Store) -> Client:
    client.force_login(make_staff(Role.MANAGER))
    return client


def _connect(client: Client, **form: str) -> Any:
    return client.post(
        "/settings/connections/new/toy", {"address": "toys.example", "store": "uk", "key": "right"} | form
    )


def test_a_shop_is_connected_and_its_history_is_watched(toy: Toy, manager: Client) -> None:
    toy.shop.orders = {str(n): order(n) for n in range(3)}
    answer = _connect(manager)
    row = Connection.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/settings/connections/{row.public_id}")
    assert "Its history is arriving" in manager.get(f"/settings/connections/{row.public_id}").content.decode()
    pull(row, PullKind.HISTORY)
    page = manager.get(f"/settings/connections/{row.public_id}").content.decode()
    assert "It may not read reviews." in page
    assert "right" not in page
    assert read_secrets(row).signing not in page
    assert "The Toy Box" in manager.get("/settings/connections").content.decode()


def test_a_new_store_is_named_as_the_shop(toy: Toy, manager: Client) -> None:
    _connect(manager, store="new")
    made = Store.objects.exclude(code="uk").get()
    assert (made.code, made.name, made.currency, made.time_zone) == (
        "toys-example",
        "The Toy Box",
        "GBP",
        "Europe/London",
    )


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"key": "wrong"}, "The shop does not know this key"),
        ({"address": "http://toys.example"}, "This is not the address of a shop"),
        ({"address": "https://toys.example/?a=1"}, "This is not the address of a shop"),
        ({"address": "https://user@toys.example"}, "This is not the address of a shop"),
        ({"store": "nowhere"}, "Choose one of your stores"),
    ],
)
def test_what_cannot_be_connected_says_why(toy: Toy, manager: Client, form: dict[str, str], sentence: str) -> None:
    answer = _connect(manager, **form)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Connection.objects.exclude(state=ConnectionState.NEW).exists()
    assert not Pull.objects.exists()


def test_a_shop_is_connected_once(toy: Toy, manager: Client) -> None:
    first = _connect(manager)["Location"]
    assert _connect(manager)["Location"] == first
    assert _connect(manager, key="wrong").status_code == 400
    assert read_secrets(Connection.objects.get()).credentials == {"key": "right"}
    Store.objects.create(code="de", name="DE", brand=Brand.objects.get(), currency="EUR")
    assert "connected already" in _connect(manager, store="de").content.decode()
    assert (Connection.objects.count(), Pull.objects.count()) == (1, 1)


def test_looking_renewing_and_ending(toy: Toy, manager: Client) -> None:
    _connect(manager)
    row = Connection.objects.get()
    pull(row, PullKind.HISTORY)
    before = read_secrets(row).signing
    for action in ("look", "renew", "end"):
        assert manager.post(f"/settings/connections/{row.public_id}/{action}").status_code == 302
        if action == "renew":
            row.refresh_from_db()
            assert read_secrets(row).former == before != read_secrets(row).signing
    row.refresh_from_db()
    assert row.state == ConnectionState.OVER
    assert Pull.objects.filter(kind=PullKind.HAND).count() == 1
    assert manager.post(f"/settings/connections/{row.public_id}/nonsense").status_code == 404


def test_who_may_only_look_connects_nothing(toy: Toy, store: Store, client: Client) -> None:
    client.force_login(make_staff(Role.ANALYST))
    assert client.get("/settings/connections").status_code == 200
    assert client.get("/settings/connections/new/toy").status_code == 403
    assert _connect(client).status_code == 403
    assert not Connection.objects.exists()


def test_a_shop_of_another_store_is_not_there(toy: Toy, manager: Client, client: Client) -> None:
    _connect(manager)
    row = Connection.objects.get()
    brand = Brand.objects.get()
    other = Store.objects.create(code="de", name="DE", brand=brand, currency="EUR")
    limited = make_staff(Role.MANAGER, email="limited@toys.net")
    limited.stores.set([other])
    client.force_login(limited)
    assert client.get(f"/settings/connections/{row.public_id}").status_code == 404
    assert "Toy Box" not in client.get("/settings/connections").content.decode()
    assert client.post(f"/settings/connections/{row.public_id}/end").status_code == 404
    row.refresh_from_db()
    assert row.state == ConnectionState.ACTIVE


def test_the_end_of_the_interface_that_is_spoken_is_told_a_quarter_of_a_year_before(
    toy: Toy, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Shopify ends each version of its own after a year: https://shopify.dev/docs/api/usage/versioning."""
    _connect(manager)
    monkeypatch.setattr(Toy, "served_until", date(2027, 10, 1))
    row = Connection.objects.get()
    page = manager.get(f"/settings/connections/{row.public_id}").content.decode()
    assert "1.0, served until 1 Oct 2027" in " ".join(page.split())
    at = [datetime(2027, month, day, 12, tzinfo=UTC) for month, day in ((7, 1), (7, 3), (10, 2))]
    said = [[one.sentence for one in find(ALL, one_at)] for one_at in at]
    assert said == [
        [],
        ["The Toy Box is spoken to in a version that is served until 1 Oct 2027: install a newer Regulars before."],
        ["The Toy Box is spoken to in a version that was served until 1 Oct 2027: install a newer Regulars."],
    ]


def test_the_home_page_says_what_somebody_should_look_at(toy: Toy, manager: Client) -> None:
    _connect(manager)
    row = Connection.objects.get()
    pull(row, PullKind.HISTORY)
    assert find(ALL, clock.now()) == []
    toy.shop.orders = {str(n): order(n) for n in range(4)}
    pull(row, PullKind.QUARTER)
    note_failure(row, Unreachable("The shop answers with the error 503.").sentence, clock.now())
    asked = PlatformRequest(
        connection=row, kind=RequestKind.EXPORT, reference="5", asked_at=clock.now(), due_at=clock.now()
    )
    asked.save()
    said = [one.sentence for one in find(ALL, clock.now())]
    assert said[0] == "The Toy Box cannot be read: The shop answers with the error 503."
    assert said[1] == "4 changes of The Toy Box came by no webhook and were fetched afterwards."
    assert said[2].startswith("The Toy Box asks in a customer's name: to be done by")
    other = begin_connection("toy", row.store, "other.example", ALL, clock.now())
    assert manager.post(f"/settings/connections/{other.public_id}/requests/{asked.pk}").status_code == 404
    assert manager.post(f"/settings/connections/{row.public_id}/requests/{asked.pk}").status_code == 302
    asked.refresh_from_db()
    assert asked.outcome == "Done by staff."
