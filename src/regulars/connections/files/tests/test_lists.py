"""Files that say who is on a list: looked at first, then put on, taken off, and continued after a kill."""

import io
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from regulars.connections.files.copies import has_copy
from regulars.connections.files.errors import NotPossibleNow
from regulars.connections.files.models import Import, ImportState
from regulars.connections.files.operations import (
    apply_import,
    applying,
    check_list,
    checking,
    choose_columns,
    stage_list,
    start_list,
    take_copy,
    undo_import,
)
from regulars.connections.files.operations.listing import Written, write_list
from regulars.connections.files.queries import list_rejects
from regulars.foundation.access.viewer import everything
from regulars.foundation.shop.models import Store
from regulars.record.consent.models import ConsentEntry
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind, Profile
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.operations.erasure import erase_customer
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.lists.models import CustomerList, ListMember
from regulars.record.lists.operations import create_list

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def fair(store: Store) -> CustomerList:
    """Ann and Bob are known, Bob by his phone and number too."""
    bob = (
        IdentityInput(IdentityKind.EMAIL, "bob@ourmail.net"),
        IdentityInput(IdentityKind.PHONE, "+442079460958"),
        IdentityInput(IdentityKind.STORE_CUSTOMER, "1002", "uk"),
    )
    ann = (IdentityInput(IdentityKind.EMAIL, "ann@ourmail.net"),)
    with transaction("import") as log:
        ensure_profiles([PersonInput(one, AT, store.pk) for one in (ann, bob)], log)
    return create_list("Fair", everything(), AT)


def upload(fair: CustomerList, store: Store, content: str, *, takes_off: bool = False) -> Import:
    staged = take_copy(io.BytesIO(content.encode()), "guests.csv", AT)
    return stage_list(staged, fair, store=store, takes_off=takes_off, at=AT, staff_id=None)


def looked_at(fair: CustomerList, store: Store, content: str, **chosen: Any) -> Import:
    return check_list(upload(fair, store, content, **chosen).pk, lambda: AT)


def decided(row: Import, makes_new: bool = False) -> Import:
    start_list(row, makes_new, AT)
    return apply_import(row.pk, lambda: AT)


def counts(row: Import) -> tuple[int, int, int]:
    return row.counts["rows_known"], row.counts["rows_unknown"], row.counts["rows_unreadable"]


def rejected(row: Import) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in list_rejects(row)]


NO_MAIL = "'not a mail' is not a mail address that tells who it is"
NO_PHONE = "'12' is not a possible phone number; one without its country code cannot be read"


@pytest.mark.parametrize(
    ("content", "found", "first"),
    [
        ("ann@ourmail.net\nzed@ourmail.net\nnot a mail\n", (1, 1, 1), (3, NO_MAIL)),
        ("+442079460958\n+442079460999\n12\n", (1, 1, 1), (3, NO_PHONE)),
        ("1002\n1003\n1002\n", (2, 1, 0), (2, "nobody is known by this")),
        ("Name;E-Mail\nAnn;ANN@ourmail.net\nZed;zed@ourmail.net\n", (1, 1, 0), (3, "nobody is known by this")),
        ("Kundennummer\n1002\n\n77\n", (1, 1, 0), (4, "nobody is known by this")),
    ],
)  # fmt: skip
def test_every_line_is_looked_at_before_anything_is_kept(
    content: str, found: tuple[int, int, int], first: tuple[int, str], fair: CustomerList, store: Store
) -> None:
    row = looked_at(fair, store, content)
    assert (row.state, counts(row)) == (ImportState.STAGED, found)
    assert sum(found) == row.row_count
    assert first in rejected(row)
    assert (ListMember.objects.count(), Profile.objects.count()) == (0, 2)


MIXED = "ann@ourmail.net\nzed@ourmail.net\nnot a mail\nbob@ourmail.net\nann@ourmail.net\n"


def test_only_the_known_are_put_on_where_that_was_decided(fair: CustomerList, store: Store) -> None:
    row = decided(looked_at(fair, store, MIXED))
    assert row.sentence == ("5 rows: 3 taken as they are, 0 altered, 2 skipped. 2 customers put on the list.")
    assert rejected(row) == [
        (2, "nobody is known by this"),
        (3, NO_MAIL),
    ]
    assert ListMember.objects.filter(list=fair, until_batch=None).count() == 2
    assert Profile.objects.count() == 2
    assert not has_copy(row.uid)
    again = decided(looked_at(fair, store, MIXED))
    assert again.sentence.endswith("Nothing that was not known.")
    assert ListMember.objects.count() == 2


def test_unknown_people_become_profiles_and_nothing_is_said_of_consent(fair: CustomerList, store: Store) -> None:
    row = decided(looked_at(fair, store, MIXED), makes_new=True)
    assert row.sentence.endswith("3 customers put on the list, 1 new profile.")
    assert (Profile.objects.count(), ConsentEntry.objects.count()) == (3, 0)
    assert ListMember.objects.filter(list=fair, until_batch=None).count() == 3
    undo_import(row.pk, lambda: AT)
    assert not ListMember.objects.filter(list=fair, until_batch=None).exists()
    assert (Profile.objects.count(), Customer.objects.filter(customercard__isnull=False).count()) == (2, 2)


def test_a_file_takes_people_off_with_all_their_profiles(fair: CustomerList, store: Store) -> None:
    decided(looked_at(fair, store, MIXED))
    row = looked_at(fair, store, "phone\n+44 20 7946 0958\nann@ourmail.net\n", takes_off=True)
    assert counts(row) == (1, 0, 1)
    row = decided(row, makes_new=True)
    assert row.sentence.endswith("1 customer taken off the list.")
    assert ListMember.objects.filter(list=fair, until_batch=None).count() == 1
    undo_import(row.pk, lambda: AT)
    assert ListMember.objects.filter(list=fair, until_batch=None).count() == 2


def test_a_first_line_that_is_somebody_is_not_kept_in_clear(fair: CustomerList, store: Store) -> None:
    row = looked_at(fair, store, "Ann Smith of Leeds\nann@ourmail.net\n")
    assert (counts(row), row.format["headers"]) == ((1, 0, 0), ["Column 1"])
    assert "smith" not in f"{row.format} {row.options} {row.counts}".lower()


def test_another_column_can_be_chosen_and_is_looked_at_anew(fair: CustomerList, store: Store) -> None:
    row = looked_at(fair, store, "ref,E-Mail\n1002,zed@ourmail.net\n")
    assert counts(row) == (0, 1, 0)
    choose_columns(row, {"customer_number": "ref"}, AT)
    row = check_list(row.pk, lambda: AT)
    assert (counts(row), rejected(row)) == ((1, 0, 0), [])


def test_an_upload_that_was_killed_is_nowhere_half_done_and_goes_on(
    fair: CustomerList, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the third batch after all of it was written, and again between two batches."""
    row = looked_at(fair, store, "".join(f"p{number}@ourmail.net\n" for number in range(600)))
    start_list(row, True, AT)
    monkeypatch.setattr(applying, "Pace", partial(applying.Pace, rows=100))
    monkeypatch.setattr(applying, "_FEWEST_ROWS", 100)
    monkeypatch.setattr(applying, "_MOST_ROWS", 100)

    def killed_in_the_third(row: Import, built: Any, *rest: Any) -> Written:
        done = write_list(row, built, *rest)
        if row.units_applied == 200:
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(applying, "write_list", killed_in_the_third)
        apply_import(row.pk, lambda: AT)
    assert (ListMember.objects.count(), Profile.objects.count()) == (200, 202)

    def killed_after_the_fourth(row: Import) -> None:
        if row.units_applied == 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_import(row.pk, lambda: AT, killed_after_the_fourth)
    row = apply_import(row.pk, lambda: AT)
    assert row.sentence.endswith("600 customers put on the list, 600 new profiles.")
    assert (ListMember.objects.filter(list=fair, until_batch=None).count(), ListMember.objects.count()) == (600, 600)
    assert Event.objects.filter(kind="list.joined").count() == 600


def test_who_is_erased_between_look_and_decision_does_not_come_back(fair: CustomerList, store: Store) -> None:
    row = looked_at(fair, store, MIXED)
    known = Profile.objects.order_by("pk").values_list("pk", flat=True)[0]
    erase_customer(customer_of(known), everything(), AT)
    assert not Import.objects.filter(pk=row.pk).exists()
    assert not has_copy(row.uid)
    assert not ListMember.objects.exists()


def test_who_is_erased_during_the_look_is_in_nothing_that_it_keeps(
    fair: CustomerList, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = upload(fair, store, MIXED)
    ann = Profile.objects.order_by("pk").values_list("pk", flat=True)[0]
    monkeypatch.setattr(checking, "_ROWS", 1)

    def erase_ann(row: Import) -> None:
        if row.units_applied == 1:
            erase_customer(customer_of(ann), everything(), AT)

    with pytest.raises(NotPossibleNow):
        check_list(row.pk, lambda: AT, erase_ann)
    row.refresh_from_db()
    assert (row.state, row.sentence.split(":")[0]) == (
        "failed",
        "Somebody who is in this file was erased, and its copy with them",
    )
    assert rejected(row) == []
