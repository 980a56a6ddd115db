"""What can be done with lists. Whoever puts people on a list or takes them off comes through ``put_on`` and ``take_off``."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.bulk import execute, fetch
from regulars.foundation.errors import Conflict, InvalidInput
from regulars.foundation.ids import to_public
from regulars.foundation.retrying import retried
from regulars.record.customers.operations.links import lock_members
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction
from regulars.record.lists import events
from regulars.record.lists.models import CustomerList, ListMember
from regulars.record.lists.queries import who_is_on
from regulars.record.lists.uses import uses_of

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_KEY = 60


class ListExists(Conflict):
    """There is a list of this name already: choose another."""

    code = "list-exists"


class ListInUse(Conflict):
    """Something asks for this list."""

    code = "list-in-use"


class ListArchived(Conflict):
    """This list is archived: nobody is put on it or taken off. Take it out of the archive first."""

    code = "list-archived"


def create_list(name: str, by: Viewer, at: datetime, *, key: str = "") -> CustomerList:
    """A new list, with nobody on it. Its key is made of the name where none is given. Raises ListExists, InvalidInput."""
    name = _name(name)
    if key and (not _KEY.fullmatch(key) or len(key) > _LONGEST_KEY):
        raise InvalidInput("A key is made of small letters, digits and hyphens, at most 60.", field="key")
    row = CustomerList(name=name, created_at=at, staff_id=by.staff_id)
    row.key = key or _key_of(name) or f"list-{row.uid.hex[-12:]}"
    with transaction.atomic():
        _check_name(row)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise ListExists(field="name") from error
        record("list.made", by, _public(row), {"key": row.key}, at=at)
    return row


def rename_list(row: CustomerList, name: str, by: Viewer, at: datetime) -> None:
    """Its key stays, so that whatever asks for it goes on doing so. Raises ListExists, InvalidInput."""
    with transaction.atomic():
        row.name = _name(name)
        _check_name(row)
        CustomerList.objects.filter(pk=row.pk).update(name=row.name)
        record("list.renamed", by, _public(row), at=at)


def archive_list(row: CustomerList, by: Viewer, at: datetime) -> None:
    """Nobody is put on it or taken off any more, and it is not offered; its past stays. Raises ListInUse."""
    with transaction.atomic():
        _lock(row)
        if uses := uses_of(row.key):
            raise ListInUse(f"{uses[0].what} '{uses[0].name}' asks for this list: change or archive that first.")
        _set_archived(row, True, "list.archived", by, at)


def restore_list(row: CustomerList, by: Viewer, at: datetime) -> None:
    """Takes it out of the archive, as it was. Raises ListExists where another has its name now."""
    with transaction.atomic():
        _check_name(row)
        _set_archived(row, False, "list.restored", by, at)


def put_customers_on(row: CustomerList, customer_ids: Collection[int], by: Viewer, at: datetime) -> int:
    """Puts customers on a list by hand; how many that changed. Raises ListArchived. Event: list.joined."""
    return put_profiles_on(row, [some[0] for some in profiles_of(customer_ids).values()], by, at)


@retried
def put_profiles_on(row: CustomerList, profiles: Collection[int], by: Viewer, at: datetime) -> int:
    """As ``put_customers_on``, by profiles: a stay goes with the address that was given. Tried again where others write the same rows."""
    with event_log.transaction(*_source(by)) as log:
        joined = put_on(row, profiles, log, at)
        record("list.added", by, _public(row), {"customers": len(joined)}, at=at)
    return len(joined)


@retried
def take_customers_off(row: CustomerList, customer_ids: Collection[int], by: Viewer, at: datetime) -> int:
    """Takes customers off a list by hand; how many that changed. Raises ListArchived. Event: list.left."""
    with event_log.transaction(*_source(by)) as log:
        left = take_off(row, customer_ids, log, at)
        record("list.removed", by, _public(row), {"customers": len(left)}, at=at)
    return len(left)


def put_on(row: CustomerList, profiles: Collection[int], log: LogTransaction, at: datetime) -> set[int]:
    """Puts profiles on a list, set-wise; the customers who were not on it before. Raises ListArchived. Event: list.joined.

    Who is on it already, and who was erased meanwhile, is left as they are.
    """
    _lock(row, must_be_live=True)
    owners = customers_of(profiles)
    held = {p for some in lock_members({p: [p] for p in owners}).values() for p in some}
    before = who_is_on(row, {owners[p] for p in held})
    written = fetch(_PUT, [row.pk, at, log.batch_id, sorted(held)])
    return _tell(events.JOINED, row, written, owners, before, log, at)


def take_off(row: CustomerList, customers: Collection[int], log: LogTransaction, at: datetime) -> set[int]:
    """Takes customers off a list with all their profiles, set-wise; those who were on it. Raises ListArchived. Event: list.left."""
    _lock(row, must_be_live=True)
    profiles = [profile for some in profiles_of(customers).values() for profile in some]
    ended = fetch(_TAKE, [at, log.batch_id, row.pk, profiles])
    return _tell(events.LEFT, row, ended, customers_of(profile for _, profile in ended), set(), log, at)


def take_back(batch_id: int, log: LogTransaction, at: datetime) -> None:
    """Undoes what one batch did: whom it put on goes off, whom it took off is put on again. Events: list.joined, list.left."""
    added = ListMember.objects.filter(batch=batch_id, until_batch=None)
    for row in CustomerList.objects.filter(pk__in=added.values("list")).order_by("pk"):
        ended = fetch(_TAKE_BACK, [at, log.batch_id, row.pk, batch_id])
        owners = customers_of(profile for _, profile in ended)
        _tell(events.LEFT, row, ended, owners, who_is_on(row, set(owners.values())), log, at)
    removed = ListMember.objects.filter(until_batch=batch_id)
    for row in CustomerList.objects.filter(pk__in=removed.values("list"), is_archived=False).order_by("pk"):
        put_on(row, removed.filter(list=row).values_list("profile_id", flat=True), log, at)


def forget_profiles(profiles: Collection[int]) -> None:
    """The rows of profiles that an undo removes."""
    execute("DELETE FROM lists_listmember WHERE profile_id = ANY(%s)", [list(profiles)])


def _tell(
    kind: str,
    row: CustomerList,
    written: Sequence[tuple[int, int]],
    owners: dict[int, int],
    unchanged: Collection[int],
    log: LogTransaction,
    at: datetime,
) -> set[int]:
    """One event of each customer whose own state changed by the rows (number and profile) that were written."""
    told: set[int] = set()
    for member, profile in sorted(written):
        customer = owners[profile]
        if customer not in told and customer not in unchanged:
            told.add(customer)
            log.append(events.changed(kind, row.pk, row.key, member, profile, customer, at))
    return told


def _lock(row: CustomerList, *, must_be_live: bool = False) -> None:
    """Nobody archives the list while people are put on it, and the other way round."""
    [[is_archived]] = fetch("SELECT is_archived FROM lists_customerlist WHERE id = %s FOR NO KEY UPDATE", [row.pk])
    if is_archived and must_be_live:
        raise ListArchived


def _set_archived(row: CustomerList, is_archived: bool, action: str, by: Viewer, at: datetime) -> None:
    if CustomerList.objects.filter(pk=row.pk, is_archived=not is_archived).update(is_archived=is_archived):
        record(action, by, _public(row), at=at)
    row.is_archived = is_archived


def _check_name(row: CustomerList) -> None:
    """Of two live lists of one name nobody could say which is meant."""
    if CustomerList.objects.filter(name__iexact=row.name, is_archived=False).exclude(pk=row.pk).exists():
        raise ListExists(field="name")


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 120 or "\x00" in name:
        raise InvalidInput("A list's name has one to 120 letters.", field="name")
    return name


def _key_of(name: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:_LONGEST_KEY].strip("-")


def _public(row: CustomerList) -> str:
    return to_public(CustomerList.PREFIX, row.uid)


def _source(by: Viewer) -> tuple[str, str]:
    return ("api", by.actor) if by.token_id else ("staff", str(by.staff_id))


_PUT = """
INSERT INTO lists_listmember (list_id, profile_id, added_at, batch_id)
SELECT %s, p, %s, %s FROM unnest(%s::bigint[]) AS p ORDER BY p
ON CONFLICT (list_id, profile_id) WHERE until_batch_id IS NULL DO NOTHING RETURNING id, profile_id
"""
_TAKE = """
UPDATE lists_listmember SET removed_at = greatest(%s, added_at), until_batch_id = %s
WHERE list_id = %s AND until_batch_id IS NULL AND profile_id = ANY(%s) RETURNING id, profile_id
"""
_TAKE_BACK = """
UPDATE lists_listmember SET removed_at = greatest(%s, added_at), until_batch_id = %s
WHERE list_id = %s AND batch_id = %s AND until_batch_id IS NULL RETURNING id, profile_id
"""
