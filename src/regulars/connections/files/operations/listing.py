"""A file that says who is on a list goes to the list."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from regulars.connections.files.layouts.base import Built
from regulars.connections.files.models import Import
from regulars.connections.files.options import Options
from regulars.connections.files.reading import Unit
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction
from regulars.record.lists.models import CustomerList
from regulars.record.lists.operations import put_on, take_off
from regulars.record.lists.queries import find_people

UNKNOWN = "nobody is known by this"


@dataclass(frozen=True)
class Written:
    """What a batch said, with notes of those whom nobody knows, and what the list gained."""

    built: list[Built]
    gained: Counter[str]


def list_of(row: Import) -> CustomerList:
    """The list that an import is about."""
    return CustomerList.objects.get(pk=Options(**row.options).list_id)


def write_list(
    row: Import, units: Sequence[Unit], built: Sequence[Built], log: LogTransaction, at: datetime
) -> Written:
    """Puts the known on the list, or takes them off. Unknown people become profiles first where that was decided: their identities
    and nothing else, least of all consent; else their lines are skipped. Raises ListArchived.
    """
    chosen = Options(**row.options)
    told = [replace(one, occurred_at=at) for some in built for one in some.listed]
    found = find_people(told, row.store_id)
    unknown = [one for one, profile in zip(told, found, strict=True) if profile is None]
    makes_new = chosen.makes_new and not chosen.takes_off
    made = ensure_profiles(unknown, log, is_history=True) if makes_new else []
    profiles = {profile for profile in found if profile is not None} | set(made)
    if chosen.takes_off:
        gained = Counter(list_taken=len(take_off(list_of(row), set(customers_of(profiles).values()), log, at)))
    else:
        gained = Counter(list_put=len(put_on(list_of(row), profiles, log, at)), list_made=len(set(made)))
    return Written(list(built) if makes_new else without_unknown(units, built, found), gained)


def without_unknown(units: Sequence[Unit], built: Sequence[Built], found: Sequence[int | None]) -> list[Built]:
    """The same, with a note at each line that speaks of nobody who is known. ``found``: a profile of everybody listed, in their order."""
    profiles = iter(found)
    return [
        Built.skipped(unit, UNKNOWN) if one.listed and next(profiles) is None else one
        for unit, one in zip(units, built, strict=True)
    ]
