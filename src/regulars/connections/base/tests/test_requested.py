"""What platforms ask in people's names, done: whom it may meet, by whose word, and what holds up nobody else."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.test import Client

from regulars.connections.base.errors import InUse
from regulars.connections.base.models import Connection, ConnectionState, PlatformRequest, PullKind, RequestKind
from regulars.connections.base.operations import requested
from regulars.connections.base.operations.connecting import begin_connection, end_connection
from regulars.connections.base.operations.requested import AGREED, carry_out_requests, erase_shop
from regulars.connections.base.tests.contract import pull
from regulars.connections.base.tests.toy import Toy, order
from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM, System
from regulars.foundation.errors import NotAllowed
from regulars.foundation.vault import keys
from regulars.foundation.work.loops import Stop
from regulars.record.customers.identifiers import canonical, identity_token
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind, Profile
from regulars.record.customers.operations.erasure import erase_profiles

pytestmark = pytest.mark.django_db
MAY = frozenset({"connections.view", "connections.manage", "customers.erase"})


@pytest.fixture
def people(toy: Toy, row: Connection) -> list[int]:
    """Three of a shop, by their numbers c0 to c2."""
    toy.shop.orders = {str(n): order(n) for n in range(3)}
    pull(row, PullKind.HISTORY)
    return sorted(Profile.objects.filter(store=row.store_id).values_list("pk", flat=True))


def _asked(row: Connection, kind: RequestKind, number: str = "", due: int = 30, **more: object) -> PlatformRequest:
    known = canonical(IdentityInput(IdentityKind.STORE_CUSTOMER, number, row.store.code)) if number else None
    at = clock.now()
    return PlatformRequest.objects.create(
        connection=row,
        kind=kind,
        token=identity_token(keys.key_ring(), known) if known else None,
        reference=f"{kind} {number} {due}",
        asked_at=at,
        due_at=at + timedelta(days=due),
        **more,
    )


def test_requests_that_wait_for_staff_hold_up_no_other(row: Connection, people: list[int]) -> None:
    for due in range(60):
        _asked(row, RequestKind.ERASE, due=due)
    last = _asked(row, RequestKind.ERASE, "c1", due=99)
    carry_out_requests(Stop(), clock.now())
    last.refresh_from_db()
    assert last.outcome == "Erased."
    assert len(keys.still_held(people)) == 2
    assert PlatformRequest.objects.filter(done_at=None).count() == 60


def test_a_shop_is_erased_by_those_only_who_see_all_stores(row: Connection, people: list[int]) -> None:
    Connection.objects.update(state=ConnectionState.FAILING)
    asked = _asked(row, RequestKind.ERASE_SHOP)
    for viewer in (Viewer(1, MAY, store_ids=frozenset({row.store_id})), Viewer(1, MAY - {"customers.erase"})):
        with pytest.raises(NotAllowed):
            erase_shop(row, asked.pk, viewer, clock.now())
    carry_out_requests(Stop(), clock.now())
    asked.refresh_from_db()
    assert (asked.outcome, keys.still_held(people)) == ("", set(people))


def test_nobody_is_erased_while_a_shop_is_connected_for_the_store(row: Connection, people: list[int]) -> None:
    asked, owner = _asked(row, RequestKind.ERASE_SHOP), Viewer(None, MAY)
    with pytest.raises(InUse):  # the app was installed again
        erase_shop(row, asked.pk, owner, clock.now())
    end_connection(row, SYSTEM, clock.now())
    other = begin_connection("toy", row.store, "https://other.example", SYSTEM, clock.now())
    for state in (ConnectionState.ACTIVE, ConnectionState.FAILING):
        Connection.objects.filter(pk=other.pk).update(state=state)
        with pytest.raises(InUse):
            erase_shop(row, asked.pk, owner, clock.now())
    PlatformRequest.objects.update(outcome=AGREED)  # before the other was connected
    carry_out_requests(Stop(), clock.now())
    asked.refresh_from_db()
    assert (asked.outcome, asked.done_at, keys.still_held(people)) == ("", None, set(people))
    end_connection(other, SYSTEM, clock.now())
    erase_shop(row, asked.pk, owner, clock.now())
    carry_out_requests(Stop(), clock.now())
    asked.refresh_from_db()
    assert (asked.outcome, keys.still_held(people)) == ("Everybody of this shop was erased.", set())


def test_a_large_shop_is_erased_in_parts_and_one_who_cannot_be_holds_up_nobody(
    row: Connection, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def erase(customer: int, part: Sequence[int], by: System, at: datetime) -> None:
        if people[0] in part:
            raise ValueError
        erase_profiles(customer, part, by, at)

    monkeypatch.setattr(requested, "erase_profiles", erase)
    monkeypatch.setattr(requested, "MOST_AT_ONCE", 2)
    Connection.objects.update(state=ConnectionState.FAILING)
    asked = _asked(row, RequestKind.ERASE_SHOP, outcome=AGREED)
    assert not carry_out_requests(Stop(), clock.now())  # others read meanwhile
    assert keys.still_held(people) == {people[0], people[2]}
    carry_out_requests(Stop(), clock.now())
    asked.refresh_from_db()
    assert (asked.outcome, keys.still_held(people)) == (AGREED, {people[0]})


def test_a_copy_is_of_whoever_came_with_the_history_after_it_was_asked_for(
    toy: Toy, row: Connection, client: Client
) -> None:
    member, _ = create_staff("owner@toys.net", "owner", SYSTEM, clock.now())
    client.force_login(member)
    _asked(row, RequestKind.EXPORT, "c1")

    def page() -> str:
        return client.get(f"/settings/connections/{row.public_id}").content.decode()

    assert "Nobody of this number is known here yet: the history of the shop is still arriving." in page()
    toy.shop.orders = {str(n): order(n) for n in range(2)}
    pull(row, PullKind.HISTORY)
    assert re.search(r'href="/customers/\w+/privacy"', page())
    assert "Nobody of this number" not in page()
