"""A person's data handed out and erased in the browser."""

import zipfile
from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.test import Client

from regulars.foundation.access.operations import create_staff
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, Erasure, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction

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
