"""What an attempt to connect leaves behind: nothing, until the shop has agreed."""

import pytest
from django.test import Client

from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.operations.connecting import begin_connection
from regulars.connections.base.operations.stores import choose_store, forget_beginning
from regulars.connections.base.tests.toy import Toy
from regulars.foundation import clock
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role, permissions_of
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.shop.models import Brand, Store

pytestmark = pytest.mark.django_db
NEW = {"address": "toys.example", "store": "new"}


@pytest.fixture
def ada() -> StaffMember:
    return StaffMember.objects.create(email="ada@toys.net", name="Ada", role=Role.MANAGER.value)


@pytest.fixture
def manager(client: Client, store: Store, ada: StaffMember) -> Client:
    client.force_login(ada)
    return client


def _rows() -> tuple[int, int, int]:
    return Connection.objects.count(), Store.objects.count(), Brand.objects.count()


def test_a_key_that_does_not_work_leaves_nothing_behind(toy: Toy, manager: Client) -> None:
    before = _rows()
    answer = manager.post("/settings/connections/new/toy", NEW | {"key": "wrong"})
    assert (answer.status_code, _rows()) == (400, before)
    assert manager.post("/settings/connections/new/toy", NEW | {"key": "right"}).status_code == 302
    assert Brand.objects.get(name="The Toy Box").from_name == "The Toy Box"
    assert Store.objects.get(name="The Toy Box").brand.name == "The Toy Box"


def test_what_the_shop_never_agreed_to_is_forgotten_with_the_store_that_was_made_for_it(
    toy: Toy, manager: Client, ada: StaffMember
) -> None:
    before, at = _rows(), clock.now()
    viewer = Viewer(ada.pk, permissions_of(Role.MANAGER))
    row = begin_connection("toy", choose_store("new", "toys.example", viewer, at), "toys.example", viewer, at)
    assert _rows() == tuple(count + 1 for count in before)
    assert "Forget it" in manager.get(f"/settings/connections/{row.public_id}").content.decode()
    assert manager.post(f"/settings/connections/{row.public_id}/end").status_code == 302
    assert _rows() == before


def test_shops_on_one_host_are_stores_of_their_own(toy: Toy, ada: StaffMember) -> None:
    viewer, at = Viewer(ada.pk, permissions_of(Role.MANAGER)), clock.now()
    addresses = ("toys.example/uk", "https://toys.example/de/", "toys.example")
    stores = [choose_store("new", address, viewer, at) for address in addresses]
    assert [one.code for one in stores] == ["toys-example-uk", "toys-example-de", "toys-example"]
    assert choose_store("new", "toys.example/uk/", viewer, at) == stores[0]
    long = choose_store("new", "toys.example/" + "far-away/" * 15, viewer, at)
    begun = begin_connection("toy", long, "toys.example/" + "far-away/" * 15, viewer, at)
    forget_beginning(begun, viewer, at)
    assert not Store.objects.filter(pk=long.pk).exists()


def test_a_store_that_was_there_before_stays(toy: Toy, manager: Client, store: Store, ada: StaffMember) -> None:
    row = begin_connection("toy", store, "toys.example", Viewer(ada.pk, permissions_of(Role.MANAGER)), clock.now())
    manager.post(f"/settings/connections/{row.public_id}/end")
    assert (Connection.objects.exists(), Store.objects.get()) == (False, store)


def test_a_connection_that_works_is_ended_and_kept(toy: Toy, manager: Client) -> None:
    manager.post("/settings/connections/new/toy", NEW | {"key": "right"})
    row = Connection.objects.get()
    manager.post(f"/settings/connections/{row.public_id}/end")
    assert Connection.objects.get().state == ConnectionState.OVER
    assert Store.objects.filter(name="The Toy Box").exists()
