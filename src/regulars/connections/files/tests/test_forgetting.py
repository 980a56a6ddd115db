"""Copies that nobody waits for go, and an erased person is in no copy, no reject file and no name of a file."""

import io
from datetime import timedelta

import pytest
from django.db import connection

from regulars.connections.files.copies import has_copy, open_copy
from regulars.connections.files.errors import CopyGone, NotPossibleNow
from regulars.connections.files.layouts import Kind
from regulars.connections.files.models import Import, ImportState
from regulars.connections.files.operations import apply_import, stage_import, start_import, sweep_copies, undo_import
from regulars.connections.files.queries import list_rejects
from regulars.connections.files.sealed import key_of, name_of
from regulars.connections.files.tests.conftest import AT, Importer
from regulars.connections.files.tests.test_applying import FIRST
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import new_uid
from regulars.foundation.inbox.frames import FRAME, FrameWriter
from regulars.foundation.inbox.models import Frame
from regulars.foundation.privacy import SUBJECT_DATA
from regulars.foundation.sealing import new_key
from regulars.foundation.shop.models import Store
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind, Profile
from regulars.record.customers.operations.erasure import erase_customer
from regulars.record.customers.queries import customers_of, find_by_identity
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7, seconds=1)
PEOPLE = (
    "Kundennummer;Vorname;Nachname;E-Mail;Telefon;Land\n"
    "4711;Canary;Erased;canary@bird.example;+44 20 7946 0123;GB\n"
    "4712;Other;Person;other@bird.example;+44 20 7946 0999;GB\n"
)


def age(row: Import, by: timedelta) -> None:
    """As if the import had come, and last been worked on, so long ago."""
    Import.objects.filter(pk=row.pk).update(created_at=AT - by, worked_at=row.worked_at and AT - by)


def test_a_file_that_was_looked_at_and_left_goes_after_a_week(stage: Importer) -> None:
    left, fresh = stage(FIRST), stage(FIRST)
    age(left, WEEK)
    assert sweep_copies(AT) == 1
    assert list(Import.objects.values_list("pk", flat=True)) == [fresh.pk]
    assert (has_copy(left.uid), has_copy(fresh.uid)) == (False, True)


def test_one_whose_copy_went_with_its_day_is_not_offered_for_ever(stage: Importer) -> None:
    """Where ``inbox.retention_days`` are fewer than seven, or its copy lay elsewhere before an upgrade."""
    staged, stopped = stage(FIRST), stage(FIRST)
    Import.objects.filter(pk=stopped.pk).update(state=ImportState.FAILED, sentence="It stopped.")
    Frame.objects.all().delete()
    assert sweep_copies(AT) == 0
    for row in (staged, stopped):
        age(row, WEEK)
    assert sweep_copies(AT) == 1
    assert list(Import.objects.values_list("pk", "sentence")) == [(stopped.pk, "It stopped.")]
    assert sweep_copies(AT) == 0


@pytest.mark.parametrize("state", [ImportState.FAILED, ImportState.RUNNING, ImportState.WAITING])
def test_a_file_whose_import_stopped_goes_after_a_week_and_its_page_says_so(
    stage: Importer, state: ImportState
) -> None:
    row = stage(FIRST)
    Import.objects.filter(pk=row.pk).update(state=state)
    age(row, timedelta(days=6))
    assert sweep_copies(AT) == 0
    assert has_copy(row.uid)
    age(row, WEEK)
    assert sweep_copies(AT) == 1
    assert sweep_copies(AT) == 0
    assert not has_copy(row.uid)
    row.refresh_from_db()
    assert (row.state, row.sentence) == (
        "failed",
        "Its copy was kept for a week and then removed: undo it, or import the file again; what was taken from it is known already.",
    )
    with pytest.raises(CopyGone):
        start_import(row, AT)
    with pytest.raises(CopyGone):
        apply_import(row.pk, lambda: AT)
    assert Order.objects.count() == 0
    assert undo_import(row.pk, lambda: AT).state == "undone"


def test_an_import_at_work_keeps_its_file_however_long_ago_it_was_staged(stage: Importer) -> None:
    row = stage(FIRST)
    Import.objects.filter(pk=row.pk).update(state="running", created_at=AT - WEEK, worked_at=AT - timedelta(minutes=1))
    assert sweep_copies(AT) == 0
    assert has_copy(row.uid)


def test_an_undone_import_leaves_no_copy(stage: Importer) -> None:
    row = stage(FIRST)
    Import.objects.filter(pk=row.pk).update(state=ImportState.FAILED)
    undo_import(row.pk, lambda: AT)
    assert not has_copy(row.uid)


def test_a_copy_that_no_import_knows_goes_after_a_day(stage: Importer) -> None:
    known = stage(FIRST)
    FrameWriter(new_uid(), new_key(), AT).write(b"x" * (FRAME + 1))  # its process died before it was whole
    assert sweep_copies(AT + timedelta(hours=23)) == 0
    assert Frame.objects.count() == 2
    assert sweep_copies(AT + timedelta(hours=25)) == 1
    assert Frame.objects.get().file == known.uid


@pytest.fixture
def canary(bring_in: Importer) -> int:
    """A customer from an earlier file, who is to be erased."""
    bring_in(PEOPLE, "customers")
    return find_by_identity(IdentityInput(IdentityKind.EMAIL, "canary@bird.example"))[0]


def opened(row: Import) -> bytes:
    with open_copy(row.uid, key_of(row)) as file:
        return file.read()


ORDERS = "Order;Date;Email;Total;Note\n{}\n2;2026-01-02;other@bird.example;7,00;x\n"


@pytest.mark.parametrize(
    "held",
    [
        "1;2026-01-02;Canary@Bird.example;5,00;x",
        "1;2026-01-02;;5,00;call 020 7946-0123",
        "1;2026-01-02;;5,00;for Canary Erased",
        "1;2026-01-02;;5,00;Erased, Canary",
        "1;2026-01-02;;5,00;4711",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_erasure_drops_the_copies_that_hold_the_person(
    stage: Importer, canary: int, held: str, encoding: str
) -> None:
    holding = stage(ORDERS.format(held).encode(encoding))
    stopped = stage(ORDERS.format(held).encode(encoding))
    Import.objects.filter(pk=stopped.pk).update(state=ImportState.RUNNING)
    other = stage(ORDERS.format("1;2026-01-02;third@bird.example;5,00;14711"))
    erase_customer(canary, SYSTEM, AT)
    assert (has_copy(holding.uid), has_copy(stopped.uid)) == (False, False)
    assert not Import.objects.filter(pk=holding.pk).exists()
    stopped.refresh_from_db()
    assert (stopped.state, stopped.sentence.split(":")[0]) == (
        "failed",
        "Somebody who is in this file was erased, and its copy with them",
    )
    assert b"third@bird.example" in opened(other)
    assert apply_import(other.pk, lambda: AT).counts["orders_created"] == 2


def test_a_copy_that_cannot_be_read_goes_with_an_erasure(stage: Importer, canary: int) -> None:
    damaged, other = stage(ORDERS.format("1;2026-01-02;third@bird.example;5,00;x")), stage(FIRST)
    Frame.objects.filter(file=damaged.uid).update(number=1)
    Frame.objects.create(file=damaged.uid, number=0, received_at=AT, is_last=False, body=b"\x01no frame")
    erase_customer(canary, SYSTEM, AT)
    assert list(Frame.objects.values_list("file", flat=True)) == [other.uid]


def test_a_person_who_stands_where_two_pieces_of_a_copy_meet_is_found(stage: Importer, canary: int) -> None:
    header = "Order;Date;Email;Total;Note\n"
    filler = "".join(f"{n};2026-01-02;p{n}@bird.example;7,00;{'x' * 80}\n" for n in range(3, 2000))
    begun = f"{header}{filler}1;2026-01-02;;5,00;"
    text = f"{begun}{'y' * (FRAME - 6 - len(begun))}canary@bird.example\n"
    text = text.replace("ycanary", " canary")
    assert text.index("canary@") == FRAME - 6
    row = stage(text)
    erase_customer(canary, SYSTEM, AT)
    assert not has_copy(row.uid)


def test_an_erasure_empties_the_rejected_rows_that_speak_of_the_person(bring_in: Importer, canary: int) -> None:
    rejected = (
        "11;never;Canary@bird.example;5,00;x",
        "12;never;;5,00;ring +44 (20) 7946 0123",
        "13;never;;5,00;CANARY ERASED",
        "14;never;;5,00;4711",
        "15;never;;47,11;paid with 4111 1111 1111 1111",
    )
    done = bring_in(ORDERS.replace("{}", "\n".join(rejected)))
    table = "files_rejectedrows"
    profiles = [
        profile
        for profile, owner in customers_of(Profile.objects.values_list("pk", flat=True)).items()
        if owner == canary
    ]
    assert [row["line"][0] for row in SUBJECT_DATA[table].export(profiles)] == [2, 3, 4, 5]
    erase_customer(canary, SYSTEM, AT)
    kept = {reject.line: reject.cells for reject in list_rejects(done)}
    assert kept == {2: [], 3: [], 4: [], 5: [], 6: ["15", "never", "", "47,11", "paid with [card …1111]"]}
    assert [reject.reason for reject in list_rejects(done)] == ["date 'never' is not a date and time"] * 5


def test_the_name_of_a_file_is_sealed_and_forgotten_with_the_person(store: Store, canary: int) -> None:
    def stage_as(name: str) -> Import:
        return stage_import(
            io.BytesIO(
                PEOPLE.replace("canary@", "c4@")
                .replace("+44 20 7946 0123", "")
                .replace("4711", "9")
                .replace("Canary", "C")
                .encode()
            ),
            kind=Kind.CUSTOMERS,
            file_name=name,
            store=store,
            at=AT,
        )

    about, plain = stage_as("canary@bird.example.csv"), stage_as("customers 2026.csv")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(t::text, ' ') || (SELECT string_agg(t::text, ' ') FROM work_task t) FROM files_import t"
        )
        assert "canary" not in str(cursor.fetchone())
    assert (name_of(about), name_of(plain)) == ("canary@bird.example.csv", "customers 2026.csv")
    erase_customer(canary, SYSTEM, AT)
    about.refresh_from_db()
    plain.refresh_from_db()
    assert (name_of(about), name_of(plain)) == ("customers.csv", "customers 2026.csv")


def test_what_told_the_format_is_no_text_of_the_file(stage: Importer) -> None:
    row = stage("Order;Date;Total;Note\n1;31.12.2025 Canary;5,00 Bird;owes Canary 5,00\n2;30.12.2025;EUR 6,50;x\n")
    assert row.format["evidence"]["decimal"] == "such as 5,00"
    assert "canary" not in str(row.format).lower()


def test_of_two_processes_the_slower_is_refused_and_spoils_nothing(stage: Importer) -> None:
    header, line = FIRST.splitlines(keepends=True)[0], FIRST.splitlines(keepends=True)[8]
    row = stage(header + "".join(line.replace("536367", str(600000 + n)) for n in range(3000)))

    def take_over(applied: Import) -> None:
        Import.objects.filter(pk=applied.pk).update(units_applied=2999)

    with pytest.raises(NotPossibleNow, match="took this import over"):
        apply_import(row.pk, lambda: AT, take_over)
    row.refresh_from_db()
    assert (row.state, row.sentence, has_copy(row.uid)) == ("running", "", True)
