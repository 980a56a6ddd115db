"""The map from profiles to customers follows from links, facts and decisions, and from nothing else."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from regulars.foundation.bulk import execute, fetch
from regulars.record.customers import events, rules
from regulars.record.customers.models import Customer, PossibleDuplicate
from regulars.record.customers.operations.cards import each_slice, refresh_cards
from regulars.record.customers.operations.connected import connected_among, everybody_near
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.events.log import LogTransaction

LOCK = 0x5748_4F57  # 'WHOW': the advisory lock under which the map is changed

# Customers that nobody belongs to now, and who did: whoever parts from others is again who they were before.
_FORMER = """
SELECT DISTINCT m.profile_id, m.customer_id FROM customers_customerprofile m
WHERE m.profile_id = ANY(%(profiles)s) AND NOT EXISTS (
    SELECT 1 FROM customers_customerprofile n WHERE n.customer_id = m.customer_id AND n.until_batch_id IS NULL)
ORDER BY m.customer_id, m.profile_id
"""

_CASES = """
SELECT id, low_id, high_id, identity_id, reason FROM customers_possibleduplicate
WHERE low_id = ANY(%(profiles)s) OR high_id = ANY(%(profiles)s)
"""
_MOVE_OUT = """
UPDATE customers_customerprofile SET until_batch_id = %s WHERE profile_id = ANY(%s) AND until_batch_id IS NULL
"""
_MOVE_IN = """
INSERT INTO customers_customerprofile (profile_id, customer_id, from_batch_id)
SELECT profile_id, customer_id, %s FROM unnest(%s::bigint[], %s::bigint[]) AS s(profile_id, customer_id) ORDER BY profile_id
"""


@dataclass(frozen=True)
class Home:
    """One person with the customer that keeps them: None where there is none yet."""

    profiles: frozenset[int]
    customer: int | None


def resolve(profiles: Collection[int], log: LogTransaction, at: datetime) -> set[int]:
    """As ``rearrange``, with the cards of the customers whose profiles changed."""
    changed = rearrange(profiles, log, at)
    refresh_cards(changed)
    return changed


def rearrange(profiles: Collection[int], log: LogTransaction, at: datetime) -> set[int]:
    """Brings the map of everybody connected to these profiles in line with what is known, and what waits for staff with it.
    Customers whose profiles changed: their cards are to be refreshed.

    The customer with the lowest id among a person's present ones stays; of a customer that falls apart, the part with its
    oldest profile keeps it. Events: customer.merged, customer.split.
    """
    if not (profiles and (connected_among(profiles) or _connected_meanwhile(profiles, log.batch_id))):
        return set()
    with (
        connection.cursor() as cursor
    ):  # of two who join people of one chain the later must see what the earlier joined
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    near = everybody_near(connected_among(profiles), log.batch_id)  # asked again: some may be since we waited
    people = near.people()
    present = customers_of(profile.id for profile in near.profiles)
    changed = _apply(homes(people.parts, present), present, log, at)
    _remember_cases(people.cases, present, at)
    return changed


# OFFSET 0: see ``links._FIND``.
_HOLD = """
SELECT pg_advisory_xact_lock_shared(%s) FROM unnest(%s::bigint[]) AS w(id)
CROSS JOIN LATERAL (SELECT batch_id FROM customers_profile WHERE id = w.id OFFSET 0) p WHERE p.batch_id IS DISTINCT FROM %s LIMIT 1
"""


def _connected_meanwhile(profiles: Collection[int], batch_id: int) -> set[int]:
    """As ``connected_among``, once whoever changes the map has committed; until we commit what is new of these profiles, nobody else
    begins to, who would not see it. Any number of transactions that tell of people without connections hold this at once; those
    who tell only of people whom they made need not, as nobody else sees these, and what they are known by is locked.
    """
    return connected_among(profiles) if fetch(_HOLD, [LOCK, list(profiles), batch_id]) else set()


def homes(parts: Iterable[frozenset[int]], present: dict[int, int]) -> list[Home]:
    """Which customer keeps whom; ``present`` holds the customer of everybody in ``parts``."""
    oldest = {customer: profile for profile, customer in sorted(present.items(), reverse=True)}
    found: list[Home] = []
    homeless: list[Home] = []
    for part in parts:
        own = [c for c in sorted({present[p] for p in part}) if oldest[c] in part]
        (found if own else homeless).append(Home(part, own[0] if own else None))
    return found + _former_homes(homeless)


def _former_homes(homeless: list[Home]) -> list[Home]:
    if not homeless:
        return []
    part_of = {profile: home for home in homeless for profile in home.profiles}
    former: dict[frozenset[int], int] = {}
    for profile, customer in fetch(_FORMER, {"profiles": list(part_of)}):
        if customer not in former.values():
            former.setdefault(part_of[profile].profiles, customer)
    return [Home(home.profiles, former.get(home.profiles)) for home in homeless]


_ADD_BUYERS = """
INSERT INTO customers_buyer (profile_id, batch_id) SELECT id, %s FROM unnest(%s::bigint[]) AS p(id) ORDER BY id
ON CONFLICT DO NOTHING RETURNING profile_id
"""
_DROP_BUYERS = "DELETE FROM customers_buyer WHERE profile_id = ANY(%s) RETURNING profile_id"


def add_buyers(profiles: Collection[int], batch_id: int) -> set[int]:
    """These have an order from now on; of whom that is news."""
    return {row for (row,) in fetch(_ADD_BUYERS, [batch_id, list(profiles)])} if profiles else set()


def note_buyers(profiles: Collection[int], buying: Collection[int], batch_id: int) -> set[int]:
    """Orders tell which of these profiles have one now; of whom that is news. These are to be resolved: two who have bought under
    different names are not joined without being looked at.
    """
    others = set(profiles) - set(buying)
    gone = {row for (row,) in fetch(_DROP_BUYERS, [list(others)])} if others else set()
    return gone | add_buyers(buying, batch_id)


def verify_map() -> list[int]:
    """Customers whose profiles are not one person by what is known, or not all of one; empty when all is well."""
    different: set[int] = set()

    def compare(customers: list[int]) -> None:
        profiles = [p for some in profiles_of(customers).values() for p in some]
        near = everybody_near(connected_among(profiles))
        present = customers_of(profile.id for profile in near.profiles)
        for home in homes(near.people().parts, present):
            different.update(present[p] for p in home.profiles if present[p] != home.customer)

    each_slice(compare)
    return sorted(different)


def _apply(found: Collection[Home], present: dict[int, int], log: LogTransaction, at: datetime) -> set[int]:
    moving = [home for home in found if any(present[p] != home.customer for p in home.profiles)]
    created = Customer.objects.bulk_create([Customer(created_at=at) for home in moving if home.customer is None])
    numbers = iter(created)
    settled = [Home(h.profiles, next(numbers).pk if h.customer is None else h.customer) for h in moving]
    _move({p: home.customer or 0 for home in settled for p in home.profiles if present[p] != home.customer}, log)
    changed: set[int] = set()
    for home in settled:
        customer, before = home.customer or 0, sorted({present[p] for p in home.profiles})
        changed |= {customer, *before}
        _tell(home.profiles, customer, before, present, log, at)
    return changed


def _move(owners: dict[int, int], log: LogTransaction) -> None:
    if owners:
        execute(_MOVE_OUT, [log.batch_id, list(owners)])
        move_in(owners, log)


def move_in(owners: Mapping[int, int], log: LogTransaction) -> None:
    """Puts profiles that are with nobody to their customers."""
    execute(_MOVE_IN, [log.batch_id, list(owners), list(owners.values())])


def _tell(
    part: frozenset[int], customer: int, before: list[int], present: dict[int, int], log: LogTransaction, at: datetime
) -> None:
    gone = [c for c in before if c != customer]
    if customer in before:
        log.append(events.merged(min(part), customer, gone, at))
    else:
        log.append(events.split(min(part), present[min(part)], [customer], at))


def _remember_cases(cases: Iterable[rules.Case], everybody: Collection[int], at: datetime) -> None:
    """What waits for staff among these is this, and nothing else."""
    wanted = {(case.low, case.high): case for case in cases}
    known = {
        (low, high): (row, identity, reason)
        for row, low, high, identity, reason in fetch(_CASES, {"profiles": list(everybody)})
    }
    same = {
        pair
        for pair, (_, *said) in known.items()
        if pair in wanted and said == [wanted[pair].identity, wanted[pair].reason]
    }
    stale = [row for pair, (row, *_) in known.items() if pair not in same]
    if stale:
        PossibleDuplicate.objects.filter(id__in=stale).delete()
    PossibleDuplicate.objects.bulk_create(
        [
            PossibleDuplicate(low_id=c.low, high_id=c.high, identity_id=c.identity, reason=c.reason, since=at)
            for pair, c in sorted(wanted.items())
            if pair not in same
        ],
        batch_size=5000,
    )
