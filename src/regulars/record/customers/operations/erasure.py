"""Handing a person everything that we hold of them, and forgetting them."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction as database

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import System, record
from regulars.foundation.errors import Conflict, NotAllowed, NotFound
from regulars.foundation.ids import from_public, to_public
from regulars.foundation.pages.formats import format_date
from regulars.foundation.privacy import SUBJECT_DATA, in_order_of_erasure
from regulars.foundation.retrying import retried
from regulars.foundation.sealing import CannotOpen
from regulars.foundation.vault import keys
from regulars.record.customers import events
from regulars.record.customers.models import Customer, CustomerProfile, Erasure, IdentityLink, Profile
from regulars.record.customers.operations.cards import refresh_cards
from regulars.record.customers.operations.connected import who_may_part
from regulars.record.customers.operations.identities import resolve
from regulars.record.customers.queries import customers_of
from regulars.record.events import log as event_log

PERMISSION = "customers.erase"
By = Viewer | System


class NothingToErase(NotFound):
    """Nothing is known of this person any more."""

    code = "nothing-to-erase"


class Erased(CannotOpen):
    """This person was erased: nothing is known of them any more, and nothing can be kept."""

    code = "erased"


class SomebodyElse(Conflict):
    """This customer was joined with another or parted meanwhile: look at who it is now, then erase."""

    code = "somebody-else"


@dataclass(frozen=True)
class Subject:
    """Everything that we hold of one person: rows by table."""

    customer: str
    since: datetime
    tables: dict[str, list[dict[str, Any]]]


def export_subject(customer_id: int, by: By, at: datetime) -> Subject:
    """Reads every registered table. It is audited. Raises NotAllowed, NothingToErase."""
    allow_erasing(by)
    customer = Customer.objects.get(pk=customer_id)
    profiles = _profiles(customer_id)
    tables = {table: entry.export(profiles) for table, entry in SUBJECT_DATA.items()}
    public_id = to_public(Customer.PREFIX, customer.uid)
    record("customer.exported", by, public_id, {"rows": sum(map(len, tables.values()))}, at=at)
    return Subject(public_id, customer.created_at, {table: rows for table, rows in tables.items() if rows})


@retried
def erase_customer(customer_id: int, by: By, at: datetime) -> Erasure:
    """Destroys the keys of all profiles of a customer, and erases or scrubs their share of every registered table,
    upper floors first.

    Orders and totals stay under bare numbers, and so does suppression. One transaction; afterwards the customer's
    public id is written
    to the list outside the database, from which a restore is made good. Raises NotAllowed, NothingToErase, Erased for one who
    was already, and SomebodyElse for one who was merged or split at that moment. Event: customer.erased.
    """
    allow_erasing(by)
    return _erase(customer_id, None, by, at)


@retried
def erase_profiles(customer_id: int, part: Collection[int], by: By, at: datetime) -> Erasure:
    """Erases some profiles of a customer and leaves the others as they are: what a shop asks of one of its accounts, of somebody
    who has others. What nobody can be named by any more is then a customer of its own. Raises as ``erase_customer``.
    """
    allow_erasing(by)
    return _erase(customer_id, frozenset(part), by, at)


def _erase(customer_id: int, part: frozenset[int] | None, by: By, at: datetime) -> Erasure:
    customer = Customer.objects.get(pk=customer_id)
    everybody = _profiles(customer_id)
    profiles = everybody if part is None else [p for p in everybody if p in part]
    if not profiles:
        raise SomebodyElse
    with event_log.transaction("system", "erasure") as log:
        list(Profile.objects.select_for_update().filter(pk__in=everybody).order_by("pk"))
        if _profiles(customer_id) != everybody:
            raise SomebodyElse
        refuse_erased(customer_id)
        near = who_may_part(
            everybody, IdentityLink.objects.filter(profile__in=profiles).values_list("identity_id", flat=True)
        )
        touched = {entry.table: entry.erase(profiles, at) for entry in in_order_of_erasure()}
        touched["vault_subjectkey"] = keys.destroy_keys(profiles, at)
        staff_id = by.staff_id if isinstance(by, Viewer) else None
        erasure = Erasure.objects.create(profiles=profiles, staff_id=staff_id, erased_at=at, touched=touched)
        resolve(near, log, at)
        if len(profiles) < len(everybody):
            refresh_cards(customers_of(everybody).values())
        log.append(
            events.erased(profiles[0], customer_id, at, {table: count for table, count in touched.items() if count})
        )
        record("customer.erased", by, to_public(Customer.PREFIX, customer.uid), {"profiles": len(profiles)}, at=at)
        database.on_commit(lambda: _write_down(customer, profiles, len(profiles) < len(everybody), at))
    return erasure


def allow_erasing(by: By) -> None:
    """Whoever is limited to some stores would see, or destroy, what belongs to others. Raises NotAllowed."""
    if isinstance(by, Viewer):
        by.require(PERMISSION)
        if by.store_ids is not None:
            raise NotAllowed(
                "Only members of staff who see all stores may hand out or erase everything about a person."
            )


def _profiles(customer_id: int) -> list[int]:
    rows = CustomerProfile.objects.filter(customer=customer_id, until_batch=None).order_by("profile_id")
    profiles = list(rows.values_list("profile_id", flat=True))
    if not profiles:
        raise SomebodyElse if CustomerProfile.objects.filter(customer=customer_id).exists() else NothingToErase
    return profiles


def erased_at(customer_id: int) -> datetime | None:
    """When, if all that is left of a customer is bare numbers; None while anything can be kept of them."""
    profiles = _profiles(customer_id)
    if keys.still_held(profiles):
        return None
    rows = Erasure.objects.filter(profiles__overlap=profiles).order_by("-erased_at")
    return rows.values_list("erased_at", flat=True).first()


def refuse_erased(customer_id: int) -> None:
    """Raises Erased."""
    if at := erased_at(customer_id):
        raise Erased(f"This person was erased on {format_date(at)}: nothing can be kept about them any more")


def list_path() -> Path:
    """Who was erased, by public id, outside the database: a backup that is restored does not know it."""
    return Path(settings.HOME) / "privacy" / "erasures.jsonl"


def _write_down(customer: Customer, profiles: list[int], is_part: bool, at: datetime) -> None:
    path = list_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = {"customer": to_public(Customer.PREFIX, customer.uid), "at": at.isoformat()}
    with path.open("a") as file:
        file.write(json.dumps(line | ({"profiles": profiles} if is_part else {})) + "\n")


def replay_erasures(by: By, at: datetime) -> int:
    """After a restore: erases again whoever the list names and the database still knows. How many that were."""
    path = list_path()
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    names = {line["customer"] for line in lines if "profiles" not in line}
    found = Customer.objects.filter(uid__in=[from_public(Customer.PREFIX, name) for name in names]).order_by("pk")
    again = [customer.pk for customer in found if _has_keys(customer.pk)]
    for customer_id in again:
        erase_customer(customer_id, by, at)
    parts = keys.still_held(p for line in lines for p in line.get("profiles", ()))
    owners = customers_of(parts)
    for customer_id in sorted(set(owners.values())):
        erase_profiles(customer_id, [p for p in parts if owners.get(p) == customer_id], by, at)
    return len(again) + len(set(owners.values()))


def _has_keys(customer_id: int) -> bool:
    rows = CustomerProfile.objects.filter(customer=customer_id, until_batch=None)
    return bool(keys.find_keys(rows.values_list("profile_id", flat=True)))
