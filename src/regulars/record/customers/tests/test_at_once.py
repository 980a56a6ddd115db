"""What two connections do to one person at the same moment: links, erasure, edits."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, connections
from django.db.transaction import atomic
from django.test import Client

from regulars.foundation import retrying
from regulars.foundation.access.models import ApiToken
from regulars.foundation.access.tokens import create_token
from regulars.foundation.access.viewer import everything
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.retrying import Overtaken
from regulars.foundation.sealing import CannotOpen
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault import keys
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import (
    ContactVersion,
    Customer,
    Identity,
    IdentityKind,
    IdentityLink,
    Note,
    PossibleDuplicate,
    Profile,
    TagEntry,
    Trust,
)
from regulars.record.customers.operations import add_note, edit_contact, ensure_profiles, set_tag
from regulars.record.customers.operations.erasure import SomebodyElse, erase_customer
from regulars.record.customers.operations.staff import AddressOfAnother
from regulars.record.customers.operations.undo import undo_people
from regulars.record.customers.queries import customer_of, customers_of, find_by_identity
from regulars.record.events.log import transaction

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
Work = Callable[[], object]


def number(value: str) -> IdentityInput:
    return IdentityInput(IdentityKind.STORE_CUSTOMER, value, "uk")


def mail(value: str) -> IdentityInput:
    return IdentityInput(IdentityKind.EMAIL, value)


def ensure(*identities: IdentityInput, trust: Trust = Trust.CONFIRMED, **more: object) -> int:
    with transaction("import", "imp") as log:
        [profile] = ensure_profiles([PersonInput(identities, AT, trust=trust, **more)], log)  # type: ignore[arg-type]
    return profile


def while_open(first: Work, second: Work) -> list[object]:
    """``first`` has done its work and holds its transaction open; ``second`` begins, waits for it, and goes on after its commit.

    What the second returned, or raised.
    """
    results: list[object] = []

    def run() -> None:
        try:
            results.append(second())
        except Exception as error:  # noqa: BLE001  judged by the test
            results.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction("test"):
        first()
        # Else whoever holds a row that is checked at the commit only waits for us, and we for them.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        thread.start()
        _until_somebody_waits()
    thread.join(20)
    return results


def _until_somebody_waits() -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waited")


def test_two_who_confirm_what_was_only_claimed_meet() -> None:
    claimed = ensure(number("9"), mail("a@x.example"), trust=Trust.CLAIMED)
    one, other = ensure(number("1")), ensure(number("2"))
    [result] = while_open(
        lambda: ensure(number("1"), mail("a@x.example")),
        lambda: ensure(number("2"), mail("a@x.example")),
    )
    assert result == other
    owners = customers_of([one, other, claimed])
    assert owners[one] == owners[other] != owners[claimed]


def test_a_write_that_waits_for_the_erasure_of_the_same_person_makes_somebody_new() -> None:
    old = ensure(number("1"), mail("a@x.example"), contact=ContactCard(name="Old Name"))
    token = _token()
    customer = customer_of(old)
    body = {"email": "a@x.example", "first_name": "New", "store_customer_id": "1", "store": "uk"}

    def write() -> object:
        sent = Client().post(
            "/api/v1/customers", body, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
        )
        return sent.status_code, sent.json().get("name")

    [result] = while_open(lambda: erase_customer(customer, SYSTEM, AT), write)
    assert result == (201, "New")
    [fresh] = find_by_identity(mail("a@x.example"))
    assert fresh != customer
    assert keys.still_held([old]) == set()
    assert not IdentityLink.objects.filter(profile=old).exists()
    assert not ContactVersion.objects.filter(profile=old).exists()
    assert Profile.objects.count() == 2


def _token() -> str:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    _, text = create_token("t", ["customers:write"], everything(), AT)
    assert ApiToken.objects.count() == 1
    return text


def test_what_staff_write_about_somebody_being_erased_is_refused_and_leaves_nothing() -> None:
    works: list[Callable[[int], object]] = [
        lambda customer: add_note(customer, "a word", 1, AT),
        lambda customer: edit_contact(customer, ContactCard(name="Ann", country="GB"), 1, AT),
        lambda customer: set_tag([customer], "VIP", True, 1, AT),
    ]
    for place, work in enumerate(works):
        customer = customer_of(ensure(number(str(place + 1)), mail(f"{place}@x.example")))
        [result] = while_open(
            lambda customer=customer: erase_customer(customer, SYSTEM, AT),  # type: ignore[misc]
            lambda work=work, customer=customer: work(customer),  # type: ignore[misc]
        )
        assert isinstance(result, CannotOpen) or result == 0, result
    assert (Note.objects.count(), ContactVersion.objects.count(), TagEntry.objects.count()) == (0, 0, 0)


def test_an_identity_that_is_being_linked_survives_the_erasure_of_the_other_who_had_it() -> None:
    one = ensure(number("1"))
    gone = customer_of(ensure(number("3"), mail("b@x.example")))
    [result] = while_open(
        lambda: ensure(number("1"), mail("b@x.example"), trust=Trust.CLAIMED),
        lambda: erase_customer(gone, SYSTEM, AT),
    )
    assert not isinstance(result, Exception), result
    assert set(IdentityLink.objects.values_list("profile_id", "identity__kind")) == {
        (one, "store_customer"),
        (one, "email"),
    }


def test_who_was_joined_with_another_meanwhile_is_not_erased_unseen() -> None:
    one = ensure(number("1"))
    gone = customer_of(ensure(number("3"), mail("b@x.example")))
    [result] = while_open(
        lambda: ensure(number("1"), mail("b@x.example")),
        lambda: erase_customer(gone, SYSTEM, AT),
    )
    assert isinstance(result, SomebodyElse)
    assert len(keys.still_held(Profile.objects.values_list("id", flat=True))) == 2
    assert find_by_identity(mail("b@x.example")) == [customer_of(one)]


def test_an_address_that_staff_write_down_leads_to_the_customer() -> None:
    customer = customer_of(ensure(number("1")))
    edit_contact(customer, ContactCard(email="Ann@X.example", phone="020 7946 0000", country="GB"), 1, AT)
    assert find_by_identity(mail("ann@x.example")) == [customer]
    assert find_by_identity(IdentityInput(IdentityKind.PHONE, "+442079460000")) == [customer]
    assert set(IdentityLink.objects.filter(evidence="staff").values_list("trust", flat=True)) == {Trust.CONFIRMED}
    again = ensure(mail("ann@x.example"))
    assert customer_of(again) == customer  # an order by this address is theirs


def test_an_address_of_another_customer_is_no_silent_merge() -> None:
    other = customer_of(ensure(number("1"), mail("ann@x.example")))
    customer = customer_of(ensure(number("2"), contact=ContactCard(name="Bea")))
    links, versions = IdentityLink.objects.count(), ContactVersion.objects.count()
    with pytest.raises(AddressOfAnother):
        edit_contact(customer, ContactCard(name="Bea", email="ann@x.example"), 1, AT)
    assert (IdentityLink.objects.count(), ContactVersion.objects.count()) == (links, versions)
    assert Customer.objects.filter(customerprofile__until_batch=None).distinct().count() == 2
    assert find_by_identity(mail("ann@x.example")) == [other]


def test_who_does_not_see_the_other_customer_is_not_told_of_them() -> None:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    uk, de = (Store.objects.create(code=c, name=c, brand=brand, currency="EUR") for c in ("uk", "de"))
    other = customer_of(ensure(number("1"), mail("ann@x.example"), store_id=de.pk))
    customer = customer_of(ensure(number("2"), store_id=uk.pk))
    edit_contact(customer, ContactCard(email="ann@x.example"), 1, AT, [uk.pk])
    assert find_by_identity(mail("ann@x.example")) == [other]
    assert ContactVersion.objects.count() == 1


def test_two_who_write_down_one_address_at_once() -> None:
    one, other = customer_of(ensure(number("1"))), customer_of(ensure(number("2")))
    card = ContactCard(email="ann@x.example")
    [result] = while_open(lambda: edit_contact(one, card, 1, AT), lambda: edit_contact(other, card, 2, AT))
    assert isinstance(result, AddressOfAnother)
    assert find_by_identity(mail("ann@x.example")) == [one]
    assert Identity.objects.filter(kind=IdentityKind.EMAIL).count() == 1


def test_an_api_write_that_others_lock_out_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A true deadlock: the write holds the profile and waits for the identity, the other holds that and asks for the profile."""
    token = _token()
    profile = ensure(mail("a@x.example"), store_id=Store.objects.get().pk)
    claimed = ensure(number("1"), trust=Trust.CLAIMED)
    begun_again = []
    monkeypatch.setattr(retrying.log, "info", lambda *said, **more: begun_again.append(more["reason"]))
    body = {"email": "a@x.example", "store_customer_id": "1", "store": "uk"}
    sent = []

    def write() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        sent.append(Client().post("/api/v1/customers", body, content_type="application/json", headers=headers))
        connections.close_all()

    thread = threading.Thread(target=write)
    with atomic():
        list(Identity.objects.select_for_update().filter(kind=IdentityKind.STORE_CUSTOMER))
        thread.start()
        _until_somebody_waits()
        list(Profile.objects.select_for_update().filter(pk=profile))
    thread.join(20)
    assert sent[0].status_code == 200
    assert begun_again == ["DeadlockDetected"]
    assert IdentityLink.objects.filter(profile=profile, identity__kind="store_customer", trust="confirmed").count() == 1
    assert customer_of(profile) != customer_of(claimed)


def test_an_api_write_that_never_gets_its_turn_says_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(*args: object, **more: object) -> list[int]:
        raise Overtaken

    monkeypatch.setattr("regulars.record.customers.api.customers.ensure_profiles", overtaken)
    headers = {"Authorization": f"Bearer {_token()}", "Idempotency-Key": "k"}
    for _ in range(2):  # a refusal is not kept under the key
        sent = Client().post(
            "/api/v1/customers", {"email": "a@x.example"}, content_type="application/json", headers=headers
        )
        assert (sent.status_code, sent.headers["Retry-After"], sent.json()["code"]) == (503, "1", "busy")
        assert sent.json()["detail"].endswith("so nothing was changed: try again in a second.")
    assert Customer.objects.count() == 0


def test_an_undone_import_leaves_no_token_of_whom_it_brought() -> None:
    ensure(number("1"))
    with transaction("import", "imp") as log:
        ensure_profiles([PersonInput((number("2"), mail("b@x.example")), AT)], log)
        ensure_profiles([PersonInput((number("1"), mail("a@x.example")), AT)], log)
    with transaction("undo") as undo:
        assert len(undo_people(log.batch_id, undo, AT, lambda profiles: set())) == 1
    assert Identity.objects.count() == Profile.objects.count() == 1


def test_who_becomes_a_buyer_while_another_is_joined_with_them_is_seen() -> None:
    """Nobody is connected when the first is told to have an order: whoever joins them at that moment waits until it stands."""
    ann, bob = ContactCard(name="Ann Lee"), ContactCard(name="Bob Lee")
    one = ensure(number("1"), mail("a@x.example"), contact=ann)
    other = ensure(number("2"))

    def order(number: IdentityInput, contact: ContactCard, *more: IdentityInput) -> None:
        person = PersonInput((number, *more), AT, contact=contact)
        with transaction("import", "imp") as log:
            ensure_profiles([person], log, buying={id(person)})

    while_open(lambda: order(number("1"), ann), lambda: order(number("2"), bob, mail("a@x.example")))
    owners = customers_of([one, other])
    assert owners[one] != owners[other]
    assert PossibleDuplicate.objects.values_list("low_id", "high_id", "reason").get() == (one, other, "names")


def test_who_becomes_a_buyer_beside_somebody_connected_is_seen_too() -> None:
    """While the second waits to change the map, the first joins somebody with one of those of whom it tells."""
    ann, bob = ContactCard(name="Ann Lee"), ContactCard(name="Bob Lee")
    one, other = ensure(number("1"), mail("a@x.example"), contact=ann), ensure(number("2"))
    for value in ("3", "4"):
        ensure(number(value), mail("c@x.example"))

    def order(*people: PersonInput) -> None:
        with transaction("import", "imp") as log:
            ensure_profiles(people, log, buying=set(map(id, people)))

    while_open(
        lambda: order(PersonInput((number("2"), mail("a@x.example")), AT, contact=bob)),
        lambda: order(PersonInput((number("1"),), AT, contact=ann), PersonInput((number("3"),), AT, contact=ann)),
    )
    owners = customers_of([one, other])
    assert owners[one] != owners[other]
    assert PossibleDuplicate.objects.values_list("low_id", "high_id", "reason").get() == (one, other, "names")


def test_whoever_tells_of_somebody_new_keeps_nobody_waiting() -> None:
    """Two who did, and then join people, would wait for each other."""
    ensure(number("1"), mail("a@x.example"))

    def join() -> None:
        ensure(number("2"), mail("a@x.example"))
        connections.close_all()

    thread = threading.Thread(target=join)
    with transaction("test"):
        ensure(number("3"))
        thread.start()
        thread.join(20)
        has_waited = thread.is_alive()
    thread.join(20)
    assert not has_waited
    assert Customer.objects.filter(customerprofile__until_batch=None).distinct().count() == 2
