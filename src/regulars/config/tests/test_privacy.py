"""Every field has a class, every table that leads to a person is registered, and nothing of an erased person is left
anywhere.
"""

import json
import os
import subprocess
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, models
from django.test import Client

from regulars.foundation.access import tokens
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.embedded.programs import find_programs
from regulars.foundation.errors import NotAllowed
from regulars.foundation.privacy import SUBJECT_DATA, PrivacyClass
from regulars.foundation.sealing import KeyRing
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault import keys
from regulars.foundation.vault.models import SubjectKey
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentState, SuppressionEntry
from regulars.record.consent.operations import record_consents
from regulars.record.customers.archive import to_zip
from regulars.record.customers.identifiers import address_token
from regulars.record.customers.models import Customer, Erasure, Profile
from regulars.record.customers.operations import add_note
from regulars.record.customers.operations.erasure import (
    NothingToErase,
    erase_customer,
    erased_at,
    export_subject,
    list_path,
    replay_erasures,
)
from regulars.record.customers.queries import customers_of, get_customer, read_cards
from regulars.record.events.log import transaction
from regulars.record.orders.models import Order

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
SPEAKING = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
OURS = [model for model in apps.get_models(include_auto_created=True) if model.__module__.startswith("regulars.")]


def _speaks(field: Any) -> bool:
    return isinstance(field, SPEAKING) or field.get_internal_type() in {
        "ArrayField",
        "FileField",
        "GenericIPAddressField",
        "HStoreField",
    }


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_field_has_a_class(model: type[models.Model]) -> None:
    declared = getattr(model, "privacy", {})
    assert [f.name for f in model._meta.concrete_fields if _speaks(f) and f.name not in declared] == []
    assert set(declared) <= {f.name for f in model._meta.concrete_fields}
    assert set(declared.values()) <= set(PrivacyClass)
    unsealed = [
        f.name
        for f in model._meta.concrete_fields
        if declared.get(f.name) == PrivacyClass.SEALED and not isinstance(f, models.BinaryField)
    ]
    assert unsealed == []


BARE = {  # tables that point to people and hold nothing of theirs: reviewed by hand
    "customers_profile", "customers_customer",
    "vault_subjectkey",  # destroyed by the erasure itself
    "customers_erasure",  # the proof that somebody was erased
}  # fmt: skip


def _leads_to_a_person(model: type[models.Model], seen: frozenset[str] = frozenset()) -> bool:
    for field in model._meta.concrete_fields:
        if field.name in {"profile_id", "customer_id"} or field.name.endswith("_profile_id"):
            return True
        target = field.related_model
        if not isinstance(target, type) or target._meta.label in seen:
            continue
        if target._meta.label in {"customers.Profile", "customers.Customer"}:
            return True
        if _leads_to_a_person(target, seen | {model._meta.label}):
            return True
    return False


@pytest.mark.parametrize("model", [m for m in OURS if _leads_to_a_person(m)], ids=lambda model: model._meta.label)
def test_every_table_that_leads_to_a_person_is_registered(model: type[models.Model]) -> None:
    table = model._meta.db_table
    assert table in SUBJECT_DATA or table in BARE


def test_what_is_registered_is_there() -> None:
    assert {name for name, _ in SUBJECT_DATA.items()} <= {model._meta.db_table for model in OURS}


class People:
    """Canaries, planted through the doors that users use."""

    def __init__(self) -> None:
        brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
        self.brand, self.store = brand, Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
        _, self.token = tokens.create_token("test", ["all"], SYSTEM, AT)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.token}"} | headers
        response = Client().post(f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=sent)
        assert response.status_code < 300, response.content
        return response.json()

    def plant(self, word: str) -> str:
        """A person all of whose texts hold the word; the customer's public id."""
        person = {
            "email": f"{word}@{word}-mail.example",
            "phone": f"+442079460{sum(word.encode()) % 1000:03}",
            "store": "uk",
            "store_customer_id": f"{word}-number",
            "first_name": f"{word}-first",
            "last_name": f"{word}-last",
            "company": f"{word}-company",
            "street": f"{word}-street 1",
            "city": f"{word}-city",
            "postal_code": "SW1A 1AA",
        }
        made = self.post(
            "/customers",
            person | {"attributes": {"size": f"{word}-attribute"}, "note": f"{word}-note"},
            **{"Idempotency-Key": word},
        )
        event = {"name": "Quiz", "customer": {"email": person["email"]}, "properties": {"answer": f"{word}-answer"}}
        self.post("/events", event, **{"Idempotency-Key": f"{word}-event"})
        line = {"sku": "A", "title": "Mug", "quantity": 1, "unit_price": "5.00"}
        fulfilments = [
            {"status": "success", "occurred_at": "2026-02-02T10:00:00Z", "tracking_number": f"{word}-tracking"}
        ]
        order = {
            "number": str(sum(word.encode())),
            "placed_at": "2026-02-01T10:00:00Z",
            "currency": "GBP",
            "lines": [line],
        }
        self.post("/orders", order | {"customer": person, "remarks": f"{word}-remarks", "fulfilments": fulfilments})
        self.post(
            "/orders", order | {"customer": person, "remarks": f"{word}-remarks-again", "fulfilments": fulfilments}
        )
        add_note(get_customer(made["id"]).pk, f"{word}-staffnote", 1, AT)
        with transaction("import") as log:
            said = ConsentInput(person["email"], ConsentState.GRANTED, AT, "form", proof=f"{word}-proof")
            record_consents([said], self.brand.pk, log)
        return str(made["id"])


@pytest.fixture
def people(db: None) -> People:
    list_path().unlink(missing_ok=True)
    return People()


def _dump() -> bytes:
    """Everything that the database holds, as text. Rows of this test's own transaction are asked for table by table."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [f"{table} {row[0]}" for row in cursor.fetchall()]
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND data_type = 'bytea'",
                [table],
            )
            for (column,) in cursor.fetchall():
                cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')
                found += [f"{table}.{column} {bytes(row[0])!r}" for row in cursor.fetchall()]
    return "\n".join(found).lower().encode()


def _lines_with(dump: bytes, word: str) -> list[str]:
    return [line.decode()[:300] for line in dump.splitlines() if word.encode() in line]


def _files_with(word: str) -> list[str]:
    home = Path(settings.HOME)
    return [str(path) for path in home.rglob("*") if path.is_file() and word.encode() in path.read_bytes().lower()]


# The mail domain stays in clear by decision (docs/decisions/0004-personal-data.md), until the person is erased.
DOMAIN = "canaryone-mail.example"


def test_nothing_personal_is_in_clear_even_before_an_erasure(people: People) -> None:
    people.plant("canaryone")
    found = _lines_with(_dump().replace(DOMAIN.encode(), b""), "canaryone")
    assert found == []
    assert _files_with("canaryone") == []


def test_an_erased_person_is_nowhere_and_the_books_stay(people: People) -> None:
    erased, other = people.plant("canaryone"), people.plant("canarytwo")
    total = Order.objects.aggregate(models.Sum("total_minor"))
    profiles = list(Profile.objects.values_list("pk", flat=True))
    erasure = erase_customer(get_customer(erased).pk, SYSTEM, AT)
    assert _lines_with(_dump(), "canaryone") == []
    assert keys.find_keys(erasure.profiles) == {}
    assert set(keys.find_keys(profiles)) == set(profiles) - set(erasure.profiles)
    assert Order.objects.aggregate(models.Sum("total_minor")) == total
    exported = json.dumps(export_subject(get_customer(erased).pk, SYSTEM, AT).tables)
    assert "canary" not in exported
    assert read_cards([get_customer(other).pk])[get_customer(other).pk].first_name == "canarytwo-first"
    assert erased_at(get_customer(erased).pk) == AT
    assert erased_at(get_customer(other).pk) is None


def test_the_address_of_the_erased_stays_suppressed_and_who_comes_again_is_somebody_new(people: People) -> None:
    first = people.plant("canaryone")
    erase_customer(get_customer(first).pk, SYSTEM, AT)
    address = address_token(keys.key_ring(), "canaryone@canaryone-mail.example")
    assert [(row.is_on, row.reason) for row in SuppressionEntry.objects.filter(address=address)] == [(True, "erased")]
    again = people.post("/customers", {"email": "canaryone@canaryone-mail.example", "first_name": "Back"})
    assert again["id"] != first
    assert again["identities"][0]["value"] == "canaryone@canaryone-mail.example"


def test_an_export_holds_everything_of_one_and_nothing_of_another(people: People) -> None:
    one, _ = people.plant("canaryone"), people.plant("canarytwo")
    subject = export_subject(get_customer(one).pk, SYSTEM, AT)
    with zipfile.ZipFile(BytesIO(to_zip(subject))) as archive:
        text = "\n".join(archive.read(name).decode() for name in archive.namelist())
        assert {"export.json", "orders_order.csv", "customers_contactversion.csv"} <= set(archive.namelist())
    for planted in (
        "first",
        "last",
        "company",
        "street",
        "city",
        "attribute",
        "note",
        "staffnote",
        "answer",
        "remarks",
        "remarks-again",
        "tracking",
        "proof",
        "number",
    ):
        assert f"canaryone-{planted}" in text, planted
    assert "canarytwo" not in text
    theirs = set(customers_of(Profile.objects.values_list("pk", flat=True))) - set(_profiles_of(one))
    numbers = {row.get("profile_id") for rows in subject.tables.values() for row in rows}
    assert not numbers & theirs


def _profiles_of(public_id: str) -> list[int]:
    customer = get_customer(public_id).pk
    owners = customers_of(Profile.objects.values_list("pk", flat=True))
    return [profile for profile, owner in owners.items() if owner == customer]


def test_who_may_not_erases_and_exports_nothing(people: People) -> None:
    customer = get_customer(people.plant("canaryone")).pk
    viewer = Viewer(1, frozenset({"customers.view", "customers.edit"}))
    for act in (erase_customer, export_subject):
        with pytest.raises(NotAllowed):
            act(customer, viewer, AT)
    assert not Erasure.objects.exists()
    assert read_cards([customer])[customer].first_name == "canaryone-first"


def test_after_a_restore_the_erased_are_erased_again(people: People, django_capture_on_commit_callbacks: Any) -> None:
    public_id = people.plant("canaryone")
    customer = get_customer(public_id).pk
    before = list(SubjectKey.objects.values("subject", "master_id", "wrapped"))
    with django_capture_on_commit_callbacks(execute=True):
        erase_customer(customer, SYSTEM, AT)
    assert public_id in list_path().read_text()
    assert replay_erasures(SYSTEM, AT) == 0
    for row in before:  # as a backup would bring them back
        SubjectKey.objects.filter(subject=row["subject"]).update(wrapped=row["wrapped"], destroyed_at=None)
    assert replay_erasures(SYSTEM, AT) == 1
    assert keys.find_keys(_profiles_of(public_id)) == {}


def test_nothing_is_erased_of_nobody(db: None) -> None:
    with pytest.raises(NothingToErase):
        erase_customer(Customer.objects.create(created_at=AT).pk, SYSTEM, AT)


def test_the_command_writes_a_zip_and_erases(
    people: People, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    public_id = people.plant("canaryone")
    call_command("privacy", "export", public_id, "--to", str(tmp_path / "x.zip"))
    assert (tmp_path / "x.zip").stat().st_mode & 0o077 == 0
    call_command("privacy", "erase", public_id, "--yes")
    assert "orders and totals stay" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_a_real_dump_holds_no_canary(database_url: str, tmp_path: Path) -> None:
    """As an intruder would read it: by pg_dump, after commits, with the tables' files on disk."""
    people = People()
    public_id = people.plant("canaryone")
    program = str(find_programs(None, tmp_path).folder / "pg_dump")
    dump = subprocess.run(
        [program, database_url], capture_output=True, check=True, env=os.environ | {"LC_ALL": "C"}
    ).stdout
    assert len(dump) > 50_000
    assert people.token.split("_", 2)[2].encode() not in dump
    assert _lines_with(dump.lower().replace(DOMAIN.encode(), b""), "canaryone") == []
    erase_customer(get_customer(public_id).pk, SYSTEM, AT)
    dump = subprocess.run([program, database_url], capture_output=True, check=True).stdout
    assert _lines_with(dump.lower(), "canaryone") == []
    assert isinstance(keys.key_ring(), KeyRing)
