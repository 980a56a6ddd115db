"""A person's data handed out and erased in the browser."""

import zipfile
from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.foundation.vault import keys
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, Erasure, IdentityKind, Profile
from regulars.record.customers.operations import decide_link, ensure_profiles, set_tag
from regulars.record.customers.operations.erasure import erase_customer
from regulars.record.customers.queries import profiles_of, tags_of
from regulars.record.events.log import transaction
from regulars.record.events.models import Event

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def ann(db: None) -> str:
    with transaction("import") as log:
        identity = IdentityInput(IdentityKind.EMAIL, "ann@shop.example")
        ensure_profiles(
            [PersonInput((identity,), AT, contact=ContactCard(first_name="Ann", email="ann@shop.example"))], log
        )
    return to_public(Customer.PREFIX, Customer.objects.get().uid)


def signed_in(role: str) -> Client:
    member, _ = create_staff(f"{role}@shop.example", role, SYSTEM, AT)
    client = Client()
    client.force_login(member)
    return client


def test_the_zip_holds_the_person(ann: str) -> None:
    client = signed_in("manager")
    assert b"Download" in client.get(f"/customers/{ann}/privacy").content
    answer = client.post(f"/customers/{ann}/privacy/export")
    assert answer["Content-Disposition"] == f'attachment; filename="{ann}.zip"'
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert "ann@shop.example" in archive.read("export.json").decode()
    assert AuditEntry.objects.latest("sequence").action == "customer.exported"


def test_erasing_asks_for_the_word(ann: str) -> None:
    client = signed_in("manager")
    assert client.post(f"/customers/{ann}/privacy", {"word": "yes"}).status_code == 400
    assert not Erasure.objects.exists()
    assert client.post(f"/customers/{ann}/privacy", {"word": "erase"}).status_code == 302
    page = client.get(f"/customers/{ann}").content.decode()
    assert "ann@shop.example" not in page
    assert "Ann" not in page
    assert client.post(f"/customers/{ann}/note", {"text": "hello"}).status_code == 410


def test_agents_may_not(ann: str) -> None:
    client = signed_in("agent")
    assert client.get(f"/customers/{ann}/privacy").status_code == 403
    assert client.post(f"/customers/{ann}/privacy/export").status_code == 403
    assert "/privacy" not in client.get(f"/customers/{ann}").content.decode()


def test_the_page_of_who_was_erased_says_so_and_offers_nothing_else(ann: str) -> None:
    client = signed_in("manager")
    customer = Customer.objects.get()
    [profile] = profiles_of([customer.pk])[customer.pk]
    set_tag([customer.pk], "vip", True, 1, AT)
    erase_customer(customer.pk, SYSTEM, AT)
    page = client.get(f"/customers/{ann}").content.decode()
    assert "Erased on 1 Mar 2026" in page
    main = page[page.index('id="content"') :]
    assert f"/customers/{ann}/" not in main.replace(f"/customers/{ann}/timeline", "")
    assert "<form" not in main
    assert "Has not ordered yet" not in page
    before = Event.objects.count()
    for address, given in (
        ("tag", {"text": "vip"}),
        ("untag", {"text": "vip"}),
        ("note", {"text": "hello"}),
        ("remove-note", {"note": "x"}),
        ("leave-alone", {}),
        ("may-contact", {}),
        ("edit", {"first_name": "Ann"}),
        ("privacy", {"word": "erase"}),
        ("privacy/export", {}),
    ):
        answer = client.post(f"/customers/{ann}/{address}", given)
        assert answer.status_code == 410, address
        assert "was erased on 1 Mar 2026" in answer.content.decode(), address
    assert client.get(f"/customers/{ann}/edit").status_code == 410
    assert "was erased on 1 Mar 2026" in client.get(f"/customers/{ann}/privacy").content.decode()
    assert (Event.objects.count(), Erasure.objects.count(), tags_of(customer.pk)) == (before, 1, [])
    assert keys.still_held([profile]) == set()


def test_who_was_joined_with_somebody_still_known_is_not_called_erased(ann: str) -> None:
    erase_customer(Customer.objects.get().pk, SYSTEM, AT)
    [gone] = Profile.objects.all()
    with transaction("import") as log:
        [bob] = ensure_profiles([PersonInput((IdentityInput(IdentityKind.EMAIL, "bob@shop.example"),), AT)], log)
    decide_link(gone.pk, bob, "must-link", 1, AT)
    page = signed_in("manager").get(f"/customers/{ann}").content.decode()
    assert "Erased on" not in page
    assert "/edit" in page


def test_erasing_again_is_refused_by_command_too(ann: str) -> None:
    erase_customer(Customer.objects.get().pk, SYSTEM, AT)
    with pytest.raises(CommandError, match="This person was erased on 1 Mar 2026"):
        call_command("privacy", "erase", ann, "--yes")
    assert Erasure.objects.count() == 1
